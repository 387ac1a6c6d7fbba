//go:build linux

package host

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/netfail"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// maxDials are the addresses of the endpoint that are tried: EKS has two.
const maxDials = 4

// stepLimit bounds each step of the way: a lookup, a connection, a handshake.
const stepLimit = 4 * time.Second

// readAPI goes the kubelet's way to the API server step by step: each name
// server, the lookup that the machine itself does, TCP, TLS, /livez.
func (m *Machine) readAPI(ctx context.Context, known *snapshot.Host) (fill, error) {
	if known.Kubeconfig == nil || known.Kubeconfig.Server == "" {
		return nil, notAsked("no kubeconfig says where the API server is")
	}
	server, err := url.Parse(known.Kubeconfig.Server)
	if err != nil || server.Hostname() == "" {
		return nil, notAsked("the kubeconfig's server is no URL: %q", known.Kubeconfig.Server)
	}
	facts := &snapshot.HostAPI{Host: server.Hostname(), Port: server.Port()}
	if facts.Port == "" {
		facts.Port = "443"
	}
	done := func(h *snapshot.Host) { h.API = facts }
	if settings := m.kubeletProxy(known); settings != nil {
		if proxy, err := settings.ProxyFunc()(server); err == nil && proxy != nil {
			facts.Proxy = redact.Line(proxy.String())
		}
	}
	facts.System = m.lookup(ctx, &net.Resolver{}, facts.Host)
	facts.Resolvers = m.askResolvers(ctx, facts.Host)
	if facts.Proxy == "" {
		if facts.System.Failure != nil {
			facts.Failure = facts.System.Failure
			return done, nil
		}
		m.dialAll(ctx, facts)
		if facts.Failure != nil {
			return done, nil
		}
		m.handshake(ctx, facts)
	}
	m.livez(ctx, known, server, facts)
	return done, nil
}

// lookup resolves the name by one resolver.
func (m *Machine) lookup(ctx context.Context, resolver *net.Resolver, name string) snapshot.HostLookup {
	if net.ParseIP(name) != nil {
		return snapshot.HostLookup{Addresses: []string{name}}
	}
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	began := time.Now()
	addresses, err := resolver.LookupHost(ctx, name)
	return snapshot.HostLookup{Addresses: addresses[:min(len(addresses), 8)], Failure: netfail.Of(err), TookMS: since(began)}
}

// dialAll connects to each address, side by side. The way is open when one
// of them answers: so do the kubelet's own connections try them.
func (m *Machine) dialAll(ctx context.Context, facts *snapshot.HostAPI) {
	addresses := facts.System.Addresses[:min(len(facts.System.Addresses), maxDials)]
	dials := make(chan snapshot.HostDial, len(addresses))
	for _, address := range addresses {
		go func() {
			ctx, cancel := context.WithTimeout(ctx, stepLimit)
			defer cancel()
			began := time.Now()
			conn, err := m.dial(ctx, "tcp", net.JoinHostPort(address, facts.Port))
			if err == nil {
				_ = conn.Close() // it was only to see whether it opens
			}
			dials <- snapshot.HostDial{Address: address, Failure: netfail.Of(err), TookMS: since(began)}
		}()
	}
	byAddress := map[string]snapshot.HostDial{}
	for range addresses {
		dial := <-dials
		byAddress[dial.Address] = dial
	}
	open := false
	for _, address := range addresses {
		dial := byAddress[address]
		facts.Dials = append(facts.Dials, dial)
		open = open || dial.Failure == nil
	}
	if !open && len(facts.Dials) > 0 {
		facts.Failure = facts.Dials[0].Failure
	}
}

// handshake sees the server's certificate, and judges it by the kubeconfig's
// authority itself, so that a wrong one is seen and not only refused.
func (m *Machine) handshake(ctx context.Context, facts *snapshot.HostAPI) {
	seen := &snapshot.HostTLS{}
	facts.TLS = seen
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	began := time.Now()
	conn, err := m.dial(ctx, "tcp", net.JoinHostPort(firstOpen(facts.Dials), facts.Port))
	if err == nil {
		defer conn.Close() //nolint:errcheck // nothing was written
		// Nothing is sent over it and nothing taken from it but the certificate.
		session := tls.Client(conn, &tls.Config{ServerName: facts.Host, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
		if err = session.HandshakeContext(ctx); err == nil {
			m.certificate(session.ConnectionState().PeerCertificates, facts)
		}
	}
	seen.TookMS = since(began)
	if err != nil {
		seen.Failure = netfail.Of(err)
		seen.Failure.Kind = handshakeKind(seen.Failure.Kind)
		facts.Failure = seen.Failure
	}
}

// handshakeKind: after TCP has opened, an end of the connection is the
// handshake's failure, but no answer stays a timeout.
func handshakeKind(kind snapshot.FailureKind) snapshot.FailureKind {
	if kind == snapshot.FailTimeout {
		return kind
	}
	return snapshot.FailTLS
}

func (m *Machine) certificate(chain []*x509.Certificate, facts *snapshot.HostAPI) {
	leaf := chain[0]
	sum := sha256.Sum256(leaf.Raw)
	seen := facts.TLS
	seen.Subject, seen.Issuer = redact.Line(leaf.Subject.String()), redact.Line(leaf.Issuer.String())
	seen.NotAfter, seen.SHA256 = leaf.NotAfter, hex.EncodeToString(sum[:])
	matches := leaf.VerifyHostname(facts.Host) == nil
	seen.NameMatches = &matches
	k, err := m.findKubeconfig()
	if err != nil {
		return
	}
	bundle, err := m.authority(&k)
	if err != nil || bundle == nil {
		return
	}
	between := x509.NewCertPool()
	for _, certificate := range chain[1:] {
		between.AddCert(certificate)
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: poolOf(bundle), Intermediates: between})
	trusted := err == nil
	seen.Trusted = &trusted
	switch {
	case err != nil:
		seen.Failure = netfail.Of(err)
	case !matches:
		seen.Failure = netfail.Of(leaf.VerifyHostname(facts.Host))
	}
	facts.Failure = seen.Failure
}

func poolOf(bundle []byte) *x509.CertPool {
	pool := x509.NewCertPool()
	for {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			return pool
		}
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			pool.AddCert(certificate)
		}
	}
}

func firstOpen(dials []snapshot.HostDial) string {
	for _, dial := range dials {
		if dial.Failure == nil {
			return dial.Address
		}
	}
	return ""
}

// livez asks without a token: 200 where anonymous requests are let in, 401 or
// 403 where not. Each of them is an answer of the API server.
func (m *Machine) livez(ctx context.Context, known *snapshot.Host, server *url.URL, facts *snapshot.HostAPI) {
	client, err := m.apiClient(known)
	if err != nil {
		return // what is wrong with the authority is the kubeconfig's to tell
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.JoinPath("livez").String(), nil)
	if err != nil {
		return
	}
	response, err := client.Do(request)
	if err != nil {
		if facts.Failure == nil {
			facts.Failure = netfail.Of(err)
		}
		return
	}
	defer response.Body.Close()
	facts.Livez = response.StatusCode
}

// apiClient trusts the kubeconfig's authority and nothing else, and goes
// through the kubelet's proxy.
func (m *Machine) apiClient(known *snapshot.Host) (*http.Client, error) {
	k, err := m.findKubeconfig()
	if err != nil {
		return nil, err
	}
	bundle, err := m.authority(&k)
	if err != nil {
		return nil, err
	}
	client := m.client(known, stepLimit)
	if bundle != nil {
		client.Transport.(*http.Transport).TLSClientConfig.RootCAs = poolOf(bundle)
	}
	return client, nil
}

// maxReview bounds the answer to a review.
const maxReview = 64 << 10

// postJSON sends a small document with a bearer and returns status and body.
func postJSON(ctx context.Context, client *http.Client, target, bearer string, document []byte) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(document))
	if err != nil {
		return 0, nil, fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+bearer)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxReview))
	return response.StatusCode, body, err
}

func since(began time.Time) int64 { return time.Since(began).Milliseconds() }
