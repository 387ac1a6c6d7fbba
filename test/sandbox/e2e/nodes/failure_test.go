package nodes

import (
	"strings"
	"syscall"
	"testing"
	"time"
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
			process.AwaitStderr(stage.sign, time.Minute)
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
