package kube

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

const config = `apiVersion: v1
kind: Config
current-context: one
clusters:
- name: arn:aws:eks:us-west-2:111122223333:cluster/one
  cluster: {server: "https://one.gr7.us-west-2.eks.amazonaws.com", certificate-authority: ca.pem}
- name: two.eu-west-1.eksctl.io
  cluster: {server: "https://two.gr7.eu-west-1.eks.amazonaws.com"}
contexts:
- {name: one, context: {cluster: "arn:aws:eks:us-west-2:111122223333:cluster/one", user: u}}
- {name: two, context: {cluster: two.eu-west-1.eksctl.io, user: u}}
users:
- name: u
  user: {token: t}
`

// load writes the kubeconfig and reads it with the flags.
func load(t *testing.T, args ...string) (*Connection, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"config": config, "ca.pem": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var flags Flags
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags.Bind(set)
	if err := set.Parse(append([]string{"--kubeconfig", filepath.Join(dir, "config")}, args...)); err != nil {
		t.Fatal(err)
	}
	return Load(&flags, "v1.2.3")
}

func TestLoad(t *testing.T) {
	for name, test := range map[string]struct {
		args            []string
		context, server string
		cluster, region string
	}{
		"current context": {nil, "one", "https://one.gr7.us-west-2.eks.amazonaws.com", "one", "us-west-2"},
		"--context":       {[]string{"--context", "two"}, "two", "https://two.gr7.eu-west-1.eks.amazonaws.com", "two", "eu-west-1"},
		"--cluster":       {[]string{"--cluster", "two.eu-west-1.eksctl.io"}, "one", "https://two.gr7.eu-west-1.eks.amazonaws.com", "two", "eu-west-1"},
		"--server":        {[]string{"--context", "two", "-s", "https://127.0.0.1:1"}, "two", "https://127.0.0.1:1", "two", "eu-west-1"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := load(t, test.args...)
			if err != nil {
				t.Fatal(err)
			}
			hint := conn.Hint()
			if conn.ContextName != test.context || conn.Server != test.server || hint.Name != test.cluster || hint.Region != test.region {
				t.Errorf("context %q, server %q, hint %+v", conn.ContextName, conn.Server, hint)
			}
			if conn.Config.UserAgent != product.Binary+"/v1.2.3" {
				t.Errorf("user agent %q", conn.Config.UserAgent)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	if _, err := load(t, "--context", "three"); err == nil {
		t.Error("a context that does not exist was taken")
	}
	var flags Flags
	flags.Kubeconfig = filepath.Join(t.TempDir(), "missing")
	if _, err := Load(&flags, "v"); err == nil {
		t.Error("a kubeconfig that does not exist was taken")
	}
}
