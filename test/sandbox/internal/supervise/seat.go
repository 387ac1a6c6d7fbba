package supervise

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/kubeconfig"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/seat"
)

// prepareSeat fills the user's home and search path.
func (w *world) prepareSeat() error {
	s := w.config.Sandbox
	ca, err := os.ReadFile(filepath.Join(s.PKI(), "ca.crt"))
	if err != nil {
		return fmt.Errorf("read cluster CA: %w", err)
	}
	config, err := kubeconfig.User(layout.ClusterARN, layout.ClusterName, layout.Region, layout.Endpoint, ca)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		path, text string
		mode       os.FileMode
	}{
		{s.UserKubeconfig(), string(config), 0o600},
		{filepath.Join(s.Home(), ".ssh", "id_ed25519"), w.seed.PrivateKey, 0o600},
		{s.Path("etc", "laptop-resolv.conf"), resolvConf(layout.LaptopGateway), 0o644},
		{filepath.Join(s.Bin(), "aws"), seat.AWS(filepath.Join(w.config.Artefacts.AWSCLI, "bin", "python")), 0o700},
	} {
		if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
			return fmt.Errorf("prepare seat: %w", err)
		}
		if err := os.WriteFile(f.path, []byte(f.text), f.mode); err != nil {
			return fmt.Errorf("prepare seat: %w", err)
		}
	}
	for name, program := range map[string]string{
		"kubectl":               filepath.Join(w.config.Artefacts.Kubernetes, "kubectl"),
		"aws-iam-authenticator": filepath.Join(w.config.Artefacts.IAMAuth, "aws-iam-authenticator"),
	} {
		if err := os.Symlink(program, filepath.Join(s.Bin(), name)); err != nil {
			return fmt.Errorf("prepare seat: %w", err)
		}
	}
	return seat.Profile{
		Home:            s.Home(),
		Path:            s.Bin(),
		ResolvConf:      s.Path("etc", "laptop-resolv.conf"),
		AWSCA:           s.AWSCA(),
		Kubeconfig:      s.UserKubeconfig(),
		AccessKeyID:     w.seed.AccessKeyID,
		SecretAccessKey: w.seed.SecretAccessKey,
	}.Write(s)
}
