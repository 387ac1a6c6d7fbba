package nodes

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestBadImage asks for an AMI that does not exist: the checks say so before
// anything is made.
func TestBadImage(t *testing.T) {
	result := sandbox.Exec(t, "kubectl", "eksnodes", "add", "bad-image", "--ami", "ami-00000000000000bad", "--ami-family", "custom", "--yes")
	if result.Code != 3 || !strings.Contains(result.Stderr+result.Stdout, "ami-00000000000000bad") {
		t.Errorf("exit %d", result.Code)
	}
	if status, _ := look(t).stack(stackName("bad-image")); status != "" {
		t.Errorf("a stack was made: %s", status)
	}
}

// TestInterrupted stops `add` at each stage with Ctrl-C and takes it up again.
func TestInterrupted(t *testing.T) {
	stages := []struct {
		name, group, sign string
	}{
		{"while the stack is made", "cut-stack", "CREATE_IN_PROGRESS"},
		{"when the stack stands", "cut-mapping", "CREATE_COMPLETE"},
		{"while nodes join", "cut-nodes", "running"},
	}
	for _, stage := range stages {
		t.Run(stage.name, func(t *testing.T) {
			w := look(t)
			remove(t, stage.group)
			args := []string{"kubectl", "eksnodes", "add", stage.group, "--desired", "1", "--yes"}
			process := sandbox.Start(t, args...)
			process.AwaitStderr(stage.sign, patience)
			process.Signal(syscall.SIGINT)
			if result := process.Wait(); result.Code != 130 || !strings.Contains(result.Stderr, "kubectl eksnodes add "+stage.group) {
				t.Errorf("exit %d, want 130 and the command that goes on", result.Code)
			}
			sandbox.MustExec(t, args...)
			_, outputs := w.stack(stackName(stage.group))
			w.requireReady(outputs["NodeAutoScalingGroup"], 1)
		})
	}
}

// script gives AWS's stand-in failures to play until the test ends.
func script(t *testing.T, text string) {
	t.Helper()
	file := sandbox.Path("moto-failures.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(file, []byte(`{}`), 0o600); err != nil {
			t.Error(err)
		}
	})
}

// TestQuota asks for more vCPUs than the account may run: the checks say so
// before anything is made.
func TestQuota(t *testing.T) {
	script(t, `{"quotas": {"L-1216C47A": 5}}`)
	result := sandbox.Exec(t, "kubectl", "eksnodes", "add", "too-many", "--desired", "3", "--yes")
	if result.Code != 3 || !strings.Contains(result.Stderr, "launch.vcpu-quota") {
		t.Errorf("exit %d, want 3 and the quota's check", result.Code)
	}
	if status, _ := look(t).stack(stackName("too-many")); status != "" {
		t.Errorf("a stack was made: %s", status)
	}
}

// TestLaunchFails has EC2 refuse to launch: the wait ends with EC2's own reason,
// long before its timeout.
func TestLaunchFails(t *testing.T) {
	const group = "no-capacity"
	remove(t, group)
	script(t, `{"launches": [{"group": "*`+group+`*", "code": "InsufficientInstanceCapacity", "message": "We currently do not have sufficient t3.medium capacity in the Availability Zone you requested."}]}`)
	// A group that may start empty, so that the stack itself does not wait for it.
	result := sandbox.Exec(t, "kubectl", "eksnodes", "add", group, "--min", "0", "--desired", "1", "--yes", "--timeout", "10m")
	if result.Code != 3 || !strings.Contains(result.Stderr, "sufficient t3.medium capacity") {
		t.Errorf("exit %d, want 3 and EC2's reason", result.Code)
	}
	if strings.Contains(result.Stderr, "after 10m") {
		t.Error("the wait went on until its timeout")
	}
}

// TestCapabilityRefused has CloudFormation refuse the stack outright.
func TestCapabilityRefused(t *testing.T) {
	sandbox.Driver(t, "fault", "inject", "error", "cloudformation:CreateStack", "--code", "InsufficientCapabilitiesException",
		"--status", "400", "--message", "Requires capabilities : [CAPABILITY_NAMED_IAM]")
	t.Cleanup(func() { sandbox.Driver(t, "fault", "clear") })
	result := sandbox.Exec(t, "kubectl", "eksnodes", "add", "refused", "--yes")
	if result.Code != 1 || !strings.Contains(result.Stderr, "CAPABILITY_NAMED_IAM") {
		t.Errorf("exit %d, want 1 and CloudFormation's reason", result.Code)
	}
	if status, _ := look(t).stack(stackName("refused")); status != "" {
		t.Errorf("stack is %s", status)
	}
}

// TestRolledBack fails one resource of the stack: the first failed event is
// named, and the same command with --yes replaces what was rolled back.
func TestRolledBack(t *testing.T) {
	const group = "rolled-back"
	w := look(t)
	remove(t, group)
	script(t, `{"resources": [{"stack": "*`+group+`*", "logicalId": "NodeLaunchTemplate", "operation": "CREATE", "reason": "planted by the test", "count": 1}]}`)
	args := []string{"kubectl", "eksnodes", "add", group, "--desired", "1", "--yes"}
	result := sandbox.Exec(t, args...)
	if result.Code != 1 || !strings.Contains(result.Stderr, "NodeLaunchTemplate") || !strings.Contains(result.Stderr, "planted by the test") {
		t.Errorf("exit %d, want 1, the first failed resource and its reason", result.Code)
	}
	if status, _ := w.stack(stackName(group)); status != "ROLLBACK_COMPLETE" {
		t.Errorf("stack is %s", status)
	}
	sandbox.MustExec(t, args...)
	_, outputs := w.stack(stackName(group))
	w.requireReady(outputs["NodeAutoScalingGroup"], 1)
}

// TestTemplateFile makes the group by a template of the shape of AWS's own.
func TestTemplateFile(t *testing.T) {
	const group = "by-file"
	w := look(t)
	remove(t, group)
	sandbox.MustExec(t, "kubectl", "eksnodes", "add", group, "--desired", "1", "--yes",
		"--template", "../../../../pkg/stack/testdata/foreign/al2023.yaml", "--key-pair", "alice")
	status, outputs := w.stack(stackName(group))
	if status != "CREATE_COMPLETE" {
		t.Fatalf("stack is %s", status)
	}
	w.requireReady(outputs["NodeAutoScalingGroup"], 1)
}

// TestKeyPair has a key pair made: the private key is the user's alone and
// never overwritten.
func TestKeyPair(t *testing.T) {
	const group = "with-key"
	remove(t, group)
	file := t.TempDir() + "/key.pem"
	args := []string{"kubectl", "eksnodes", "add", group, "--desired", "1", "--no-wait", "--yes", "--create-key-pair", file}
	sandbox.MustExec(t, args...)
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if result := sandbox.Exec(t, args...); result.Code != 2 {
		t.Errorf("a file that exists: exit %d, want 2", result.Code)
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("the key was touched: %v", err)
	}
}
