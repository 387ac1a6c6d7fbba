package controlplane

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/netns"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/parts"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/pki"
)

// Binaries says where the programs lie.
type Binaries struct {
	Kubernetes string // folder with etcd, kube-apiserver, …
	IAMAuth    string // folder with aws-iam-authenticator
}

// AWSKey is the access key with which the authenticator asks EC2 for instances.
type AWSKey struct {
	ID, Secret string
}

// Plane is one cluster's control plane.
type Plane struct {
	Sandbox  layout.Sandbox
	Binaries Binaries
	Parts    *parts.Set
	AWSKey   AWSKey
	// Mode is the cluster's authentication mode to begin with.
	Mode string
}

const (
	// readyTimeout is long enough for a machine that compiles at the same time.
	readyTimeout = 2 * time.Minute

	etcdURL     = "http://127.0.0.1:2379"
	webhookPort = "21362"
)

// Start writes the control plane's files and starts all of its parts, in the order
// that they need each other: the controller manager and the scheduler end for good
// when they meet an API server that has not made its RBAC rules yet, and the
// authenticator waits five seconds after a failed first look at aws-auth.
func (p *Plane) Start(ctx context.Context, ca *pki.Authority) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := p.writeFiles(ca); err != nil {
		return err
	}
	for _, spec := range []parts.Spec{p.etcd(), p.apiServer()} {
		if err := p.Parts.Start(spec); err != nil {
			return err
		}
	}
	check, err := p.readyz(ca)
	if err != nil {
		return err
	}
	if err := p.Parts.WaitReady(ctx, "apiserver", check); err != nil {
		return err
	}
	for _, spec := range []parts.Spec{p.authenticator(), p.controllerManager(), p.scheduler()} {
		if err := p.Parts.Start(spec); err != nil {
			return err
		}
	}
	return p.Parts.WaitReady(ctx, "authenticator", p.authenticatorUp())
}

// readyz asks the API server whether it is ready, with a certificate of its own.
func (p *Plane) readyz(ca *pki.Authority) (func(context.Context) error, error) {
	client, err := ca.Issue(pki.Request{Name: "eks:health", Groups: []string{"system:masters"}})
	if err != nil {
		return nil, err
	}
	pair, err := client.TLS()
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.Pair.Cert)
	return get("https://"+layout.ControlPlaneIP+"/readyz", &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}), nil
}

func (p *Plane) authenticatorUp() func(context.Context) error {
	return get("http://127.0.0.1:21363/healthz", nil)
}

// get makes a check that a URL answers 200, asked from inside the control plane.
func get(url string, config *tls.Config) func(context.Context) error {
	client := &http.Client{
		Timeout: 5 * time.Second,
		Transport: &http.Transport{
			DialContext:       netns.Dialer(layout.NetControlPlane),
			TLSClientConfig:   config,
			DisableKeepAlives: true,
		},
	}
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }() // it was read, or does not matter
		body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s: %s", url, resp.Status, strings.TrimSpace(string(body)))
		}
		return nil
	}
}

// path is a file of the control plane.
func (p *Plane) path(elem ...string) string {
	return p.Sandbox.Path(append([]string{"controlplane"}, elem...)...)
}

func (p *Plane) pki(name string) string { return filepath.Join(p.Sandbox.PKI(), name) }
