package seat

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

func TestEnvironIsClean(t *testing.T) {
	machine := map[string]string{
		"AWS_PROFILE": "work", "AWS_CA_BUNDLE": "/machine.pem", "KUBECONFIG": "/machine/config",
		"HTTPS_PROXY": "http://proxy", "TERM": "xterm", "PATH": "/machine/bin",
	}
	p := Profile{Home: "/h", Path: "/s/bin", AWSCA: "/s/ca.crt", Kubeconfig: "/h/.kube/config", AccessKeyID: "AKIA1", SecretAccessKey: "x"}
	got := p.Environ(func(k string) string { return machine[k] })
	for _, want := range []string{
		"KUBECONFIG=/h/.kube/config", "AWS_CA_BUNDLE=/s/ca.crt", "SSL_CERT_FILE=/s/ca.crt", "HOME=/h", "TERM=xterm",
		"AWS_EC2_METADATA_DISABLED=true", "PATH=/s/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing in %q", want, got)
		}
	}
	for _, v := range got {
		if strings.Contains(v, "machine") || strings.HasPrefix(v, "AWS_PROFILE") || strings.HasPrefix(v, "HTTPS_PROXY") ||
			strings.HasPrefix(v, "AWS_ENDPOINT_URL") {
			t.Errorf("%s is the machine's", v)
		}
	}
}

func TestProfileIsKeptPrivate(t *testing.T) {
	s, err := layout.New("t", t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(s); err == nil {
		t.Error("a sandbox that is not ready has a seat")
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	want := Profile{Home: "/h", SecretAccessKey: "x"}
	if err := want.Write(s); err != nil {
		t.Fatal(err)
	}
	if got, err := Load(s); err != nil || got != want {
		t.Errorf("Load = %+v, %v", got, err)
	}
	if info, err := os.Stat(profilePath(s)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestExitCode(t *testing.T) {
	for script, want := range map[string]int{"true": 0, "exit 7": 7, "kill -TERM $$": 143, "kill -KILL $$": 137} {
		if got, err := exitCode(exec.Command("/bin/sh", "-c", script).Run()); got != want || err != nil {
			t.Errorf("%s: %d, %v, want %d", script, got, err, want)
		}
	}
	if _, err := exitCode(errors.New("no such process")); err == nil {
		t.Error("an error that is no exit was lost")
	}
}

// TestAWS runs the script with an aws-iam-authenticator and an AWS CLI that
// print their arguments.
func TestAWS(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"aws":                   AWS("python"),
		"python":                "#!/bin/sh\necho \"python $@\"\n",
		"aws-iam-authenticator": "#!/bin/sh\necho \"$@ profile=$AWS_PROFILE\"\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		args, want string
		code       int
	}{
		{args: "--region us-west-2 eks get-token --cluster-name demo --output json", want: "token -i demo --region us-west-2 profile=\n"},
		{args: "eks get-token --cluster-name demo --region eu-west-1", want: "token -i demo --region eu-west-1 profile=\n"},
		{args: "eks get-token --cluster-name demo --role-arn arn:x --profile p", want: "token -i demo --region us-east-1 -r arn:x profile=p\n"},
		{args: "eks get-token", code: 252},
		{args: "s3 ls", want: "python -m awscli s3 ls\n"},
		{args: "--output json ec2 describe-vpcs", want: "python -m awscli --output json ec2 describe-vpcs\n"},
		{args: "eks get-token --cluster-id demo", code: 252},
	}
	for _, tt := range tests {
		cmd := exec.Command(filepath.Join(dir, "aws"), strings.Fields(tt.args)...)
		cmd.Env = []string{"PATH=" + dir + ":/usr/bin:/bin", "AWS_REGION=us-east-1"}
		out, err := cmd.Output()
		code, err := exitCode(err)
		if err != nil || code != tt.code || string(out) != tt.want {
			t.Errorf("aws %s = %q, %d, %v; want %q, %d", tt.args, out, code, err, tt.want, tt.code)
		}
	}
}
