package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/control"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/parts"
)

func TestNameOf(t *testing.T) {
	a, b := nameOf("/home/a/kubectl-eksnodes"), nameOf("/home/b/kubectl-eksnodes")
	if a == b {
		t.Errorf("two clones share the name %s", a)
	}
	for _, dir := range []string{"/home/a/kubectl-eksnodes", "/x/My Clone (2)", "/x/...", "/x/" + strings.Repeat("long", 20), "/", "/x/日本"} {
		if _, err := layout.New(nameOf(dir), "/s", "/c"); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Setenv(layout.StateDirEnv, t.TempDir())
	var out, errs bytes.Buffer
	code = Run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestCommandsWithoutASandbox(t *testing.T) {
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"status", "--name", "ghost"}, "sandbox ghost is not up"},
		{[]string{"calls", "--name", "ghost"}, "sandbox ghost is not up"},
		{[]string{"fault", "list", "--name", "ghost"}, "sandbox ghost is not up"},
		{[]string{"fault", "inject", "explode", "ec2:*", "--name", "ghost"}, "is not deny, throttle, delay or error"},
		{[]string{"calls", "-o", "yaml", "--name", "ghost"}, "want json"},
		{[]string{"status", "--name", "Ghost!"}, "want lower-case"},
		{[]string{"exec", "--name", "ghost"}, "requires at least 1 arg"},
	}
	for _, tt := range tests {
		code, stdout, stderr := run(t, tt.args...)
		if code != 1 || !strings.Contains(stderr, tt.want) || stdout != "" {
			t.Errorf("%v: %d, %q, %q; want 1 and %q", tt.args, code, stdout, stderr, tt.want)
		}
	}
}

func TestStatusOfAPartThatDied(t *testing.T) {
	s := control.Status{Name: "x", Phase: control.PhaseReady, Parts: []parts.Status{
		{Name: "etcd", Running: true, PID: 7}, {Name: "moto", Exit: "exit status 3"},
	}, Nodes: []control.Node{{InstanceID: "i-1", State: "running", PID: 9, PrivateDNSName: "ip-10-20-16-4.us-west-2.compute.internal"}}}
	var out bytes.Buffer
	a := &app{stdout: &out}
	if err := a.printStatus(s); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ENDED: exit status 3", "ip-10-20-16-4"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	if healthy(s) == nil {
		t.Error("a dead part is healthy")
	}
	s.Parts = s.Parts[:1]
	if err := healthy(s); err != nil {
		t.Errorf("all parts run: %v", err)
	}
}

func TestHelpNeedsNothing(t *testing.T) {
	t.Setenv("HOME", "")
	code, stdout, _ := run(t, "--help")
	if code != 0 || !strings.Contains(stdout, "down") {
		t.Errorf("%d, %q", code, stdout)
	}
	for _, hidden := range []string{"seat-sit", "supervise", "node-init"} {
		if strings.Contains(stdout, hidden) {
			t.Errorf("help shows %s", hidden)
		}
	}
}
