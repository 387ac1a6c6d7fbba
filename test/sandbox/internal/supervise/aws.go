package supervise

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/controlplane"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/eks"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/parts"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/pki"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/seed"
)

// motoTimeout is long enough for a machine that compiles at the same time: moto
// imports much.
const motoTimeout = 2 * time.Minute

// startAWS starts moto and, before it, the front that all tools speak to.
func (w *world) startAWS(ctx context.Context, failed chan<- error) error {
	if err := w.startMoto(); err != nil {
		return err
	}
	if err := w.startFront(ctx, failed); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, motoTimeout)
	defer cancel()
	return w.parts.WaitReady(ctx, "moto", motoUp)
}

func (w *world) startMoto() error {
	s := w.config.Sandbox
	return w.parts.Start(parts.Spec{
		Name: "moto",
		Path: filepath.Join(w.config.Artefacts.Python, "bin", "python"),
		Args: motoArgs(),
		Env: []string{
			"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
			"PYTHONPATH=" + filepath.Join(w.config.Source, "moto"),
			"PYTHONDONTWRITEBYTECODE=1",
			"PYTHONUNBUFFERED=1",
			"MOTO_ACCOUNT_ID=" + layout.Account,
			"AWS_EC2_METADATA_DISABLED=true",
			"EKSNODES_MOTO_CONTROL=" + s.Path("moto-failures.json"),
		},
		Dir: s.Dir,
	})
}

func motoArgs() []string {
	host, port, err := net.SplitHostPort(layout.MotoAddr)
	if err != nil {
		panic(err) // a constant
	}
	return []string{"-m", "eksnodes_moto", "-H", host, "-p", port}
}

// motoConfig leads to moto itself, past the front: what the sandbox does on its own
// behalf is neither logged nor hit by faults.
func motoConfig() aws.Config {
	return aws.Config{
		Region:       layout.Region,
		BaseEndpoint: aws.String("http://" + layout.MotoAddr),
		HTTPClient:   &http.Client{Timeout: time.Minute},
		Credentials:  credentials.NewStaticCredentialsProvider("AKIASANDBOX000000000", "sandbox", ""),
	}
}

func motoUp(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+layout.MotoAddr+"/moto-api/data.json", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("moto: %s", resp.Status)
	}
	return nil
}

func (w *world) startFront(ctx context.Context, failed chan<- error) error {
	s := w.config.Sandbox
	if err := os.MkdirAll(s.Front(), 0o700); err != nil {
		return fmt.Errorf("make front's folder: %w", err)
	}
	f, err := front.New(front.Config{
		Account: layout.Account, Region: layout.Region, Partition: layout.Partition,
		Moto:     &url.URL{Scheme: "http", Host: layout.MotoAddr},
		StateDir: s.Front(),
		Log:      w.log.With("part", "front"),
		Hooks:    w.hooks(),
	})
	if err != nil {
		return err
	}
	f.AddAccessKey(serviceKey())
	if err := w.writeAWSAuthority(); err != nil {
		return err
	}
	ca, err := w.awsCA.Pair.TLS()
	if err != nil {
		return err
	}
	config, err := front.TLSConfig(ca)
	if err != nil {
		return err
	}
	secure := net.JoinHostPort(layout.AWSIP, "443")
	for _, server := range []struct {
		address, name string
		config        *tls.Config
		handler       http.Handler
	}{
		{secure, "front", config, f.Handler()},
		{net.JoinHostPort(layout.AWSIP, "80"), "front without TLS", nil, f.Handler()},
		{net.JoinHostPort(layout.AWSIP, layout.ProxyPort), "proxy", nil, f.Proxy(secure)},
	} {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", server.address)
		if err != nil {
			return fmt.Errorf("%s: %w", server.name, err)
		}
		if server.config != nil {
			l = tls.NewListener(l, server.config)
		}
		serve(l, server.handler, server.name, failed)
	}
	w.mu.Lock()
	w.front = f
	w.mu.Unlock()
	return nil
}

func (w *world) writeAWSAuthority() error {
	ca, err := pki.NewAuthority("Sandbox AWS, not Amazon")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(w.config.Sandbox.PKI(), 0o700); err != nil {
		return fmt.Errorf("make PKI folder: %w", err)
	}
	w.awsCA = ca
	return ca.Pair.Write(w.config.Sandbox.PKI(), "aws-ca")
}

// serviceKey is the access key of EKS itself, with which the authenticator asks EC2
// for an instance's private DNS name.
func serviceKey() front.AccessKey {
	return front.AccessKey{
		ID:      "AKIAEKSSERVICE000000",
		Secret:  "the sandbox's own EKS service, reachable only inside its namespaces",
		Account: layout.Account,
		ARN:     "arn:" + layout.Partition + ":sts::" + layout.Account + ":assumed-role/AWSServiceRoleForAmazonEKS/eks",
		UserID:  "AROAEKSSERVICE000000:eks",
	}
}

// accessChanged hands a cluster's access on to its authenticator.
func (w *world) accessChanged(_ context.Context, a front.Access) error {
	access := controlplane.Access{Mode: a.AuthenticationMode}
	for _, e := range a.Entries {
		entry := controlplane.Entry{ARN: e.CanonicalARN, ID: e.PrincipalID, Username: e.Username, Groups: e.Groups}
		for _, p := range e.Policies {
			if len(p.Namespaces) == 0 {
				entry.Policies = append(entry.Policies, p.ARN)
			}
		}
		access.Entries = append(access.Entries, entry)
	}
	w.log.Info("access changed", "mode", a.AuthenticationMode, "entries", len(a.Entries))
	return w.plane.SetAccess(access)
}

// seedAccount fills the account and makes the cluster known to EKS.
func (w *world) seedAccount(ctx context.Context, _ chan<- error) error {
	result, err := seed.Run(ctx, motoConfig())
	if err != nil {
		return err
	}
	w.seed = result
	text, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		return fmt.Errorf("encode seed: %w", err)
	}
	if err := os.WriteFile(w.config.Sandbox.Path("world.json"), text, 0o600); err != nil {
		return fmt.Errorf("write seed: %w", err)
	}
	w.front.AddAccessKey(front.AccessKey{
		ID: result.AccessKeyID, Secret: result.SecretAccessKey,
		Account: layout.Account, ARN: result.UserARN, UserID: result.UserID, UserName: layout.User,
	})
	ca, err := os.ReadFile(filepath.Join(w.config.Sandbox.PKI(), "ca.crt"))
	if err != nil {
		return fmt.Errorf("read cluster CA: %w", err)
	}
	return w.front.AddCluster(ctx, front.Cluster{
		Name: layout.ClusterName, Version: layout.KubernetesVersion,
		Endpoint: layout.Endpoint, CAPEM: string(ca),
		RoleARN: result.ClusterRoleARN, VPCID: result.VPC, SubnetIDs: result.SubnetIDs(),
		ClusterSecurityGroup: result.ClusterSecurityGroup,
		PublicAccess:         true, PrivateAccess: true,
		ServiceIPv4CIDR:    layout.ServiceCIDR,
		AuthenticationMode: w.config.AuthenticationMode,
		Entries:            []eks.SeedEntry{creatorEntry(result.UserARN)},
		CreatedAt:          time.Now(),
	})
}

// clusterAdmin is the access policy that makes an entry an administrator's.
const clusterAdmin = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

// creatorEntry is the access of the user who made the cluster. In mode CONFIG_MAP it
// does not count yet and cannot be seen; the authenticator's own configuration stands
// in for it, until the mode is changed.
func creatorEntry(userARN string) eks.SeedEntry {
	return eks.SeedEntry{PrincipalARN: userARN, Type: "STANDARD", PolicyARNs: []string{clusterAdmin}}
}
