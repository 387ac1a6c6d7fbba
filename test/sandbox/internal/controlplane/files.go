package controlplane

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/kubeconfig"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/pki"
)

//go:embed audit-policy.yaml
var auditPolicy []byte

// writeFiles makes certificates, kubeconfigs and configuration files.
func (p *Plane) writeFiles(ca *pki.Authority) error {
	for _, dir := range []string{p.Sandbox.PKI(), p.path("authenticator")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make control plane folder: %w", err)
		}
	}
	if err := p.writeCertificates(ca); err != nil {
		return err
	}
	if err := p.writeKubeconfigs(ca); err != nil {
		return err
	}
	if err := p.writeAuthenticator(ca); err != nil {
		return err
	}
	return writeFile(p.path("audit-policy.yaml"), auditPolicy)
}

func (p *Plane) writeCertificates(ca *pki.Authority) error {
	if err := ca.Pair.Write(p.Sandbox.PKI(), "ca"); err != nil {
		return err
	}
	requests := map[string]pki.Request{
		"apiserver": {Name: "kube-apiserver", Hosts: []string{
			layout.EndpointHost, layout.ControlPlaneIP, layout.ServiceIP, "127.0.0.1", "localhost",
			"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
		}},
		"kubelet-client": {Name: "kube-apiserver-kubelet-client", Groups: []string{"system:masters"}},
		"authenticator":  {Name: "aws-iam-authenticator", Hosts: []string{"127.0.0.1"}},
	}
	for name, req := range requests {
		pair, err := ca.Issue(req)
		if err != nil {
			return err
		}
		if err := pair.Write(p.Sandbox.PKI(), name); err != nil {
			return err
		}
	}
	key, err := pki.NewKey()
	if err != nil {
		return err
	}
	return writeFile(p.pki("sa.key"), key)
}

// User names of certificates. The audit policy leaves those of the sandbox's own
// parts out.
const (
	breakGlassUser = "eks:break-glass"
	supervisorUser = "eks:supervisor"
)

func (p *Plane) writeKubeconfigs(ca *pki.Authority) error {
	const inside = "https://127.0.0.1:443"
	masters := []string{"system:masters"}
	for _, k := range []struct {
		file, server string
		user         pki.Request
	}{
		{p.path("controller-manager.kubeconfig"), inside, pki.Request{Name: "system:kube-controller-manager"}},
		{p.path("scheduler.kubeconfig"), inside, pki.Request{Name: "system:kube-scheduler"}},
		{p.path("authenticator", "kubeconfig"), inside, pki.Request{Name: "eks:authenticator", Groups: masters}},
		{p.SupervisorKubeconfig(), "https://" + layout.ControlPlaneIP, pki.Request{Name: supervisorUser, Groups: masters}},
		{p.Sandbox.AdminKubeconfig(), layout.Endpoint, pki.Request{Name: breakGlassUser, Groups: masters}},
	} {
		client, err := ca.Issue(k.user)
		if err != nil {
			return err
		}
		text, err := kubeconfig.Certificate(k.user.Name, k.server, ca.Pair.Cert, client)
		if err != nil {
			return err
		}
		if err := writeFile(k.file, text); err != nil {
			return err
		}
	}
	text, err := kubeconfig.Webhook("https://127.0.0.1:"+webhookPort+"/authenticate", ca.Pair.Cert)
	if err != nil {
		return err
	}
	return writeFile(p.path("webhook.kubeconfig"), text)
}

// SupervisorKubeconfig is for the sandbox's own controllers.
func (p *Plane) SupervisorKubeconfig() string { return p.path("supervisor.kubeconfig") }

// writeAuthenticator writes the authenticator's configuration. It finds its
// certificate by fixed names in its state directory.
func (p *Plane) writeAuthenticator(ca *pki.Authority) error {
	pair, err := ca.Issue(pki.Request{Name: "aws-iam-authenticator", Hosts: []string{"127.0.0.1"}})
	if err != nil {
		return err
	}
	config, err := yaml.Marshal(p.authenticatorConfig())
	if err != nil {
		return fmt.Errorf("write authenticator configuration: %w", err)
	}
	for name, text := range map[string][]byte{"cert.pem": pair.Cert, "key.pem": pair.Key, "config.yaml": config} {
		if err := writeFile(p.path("authenticator", name), text); err != nil {
			return err
		}
	}
	return p.SetAccess(Access{Mode: p.Mode})
}

func writeFile(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("write control plane file: %w", err)
	}
	return nil
}
