package cleanup

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

// TestTeardown makes a group, makes it again by its own file, and copies it for
// one of Spot instances with a volume more; then, with pods that a budget holds,
// a load balancer and a volume, it takes all of it down.
func TestTeardown(t *testing.T) {
	w := look(t)
	sandbox.MustExec(t, "kubectl", "eksnodes", "add", "one", "--desired", "1", "--labels", "team=a", "--yes")
	since := sandbox.LastCall(t)
	result := sandbox.Exec(t, "bash", "-c", "kubectl eksnodes describe one -o config | tee /dev/stderr | kubectl eksnodes add -f -")
	if result.Code != 0 || !strings.Contains(result.Stderr, "there already") {
		t.Errorf("exit %d: the group is not what describe says of it", result.Code)
	}
	for _, call := range sandbox.Calls(t, since) {
		if strings.HasPrefix(call.Operation, "Create") || strings.HasPrefix(call.Operation, "Update") || strings.HasPrefix(call.Operation, "Delete") {
			t.Errorf("%s:%s was called for a group that is right", call.Service, call.Operation)
		}
	}
	sandbox.MustExec(t, "kubectl", "eksnodes", "add", "two", "--from-existing", "one", "--yes",
		"--instance-type", "m5.large,m6i.large", "--spot", "--extra-volumes", "/dev/xvdf=10")
	w.requireNodes("team=a", 2)
	w.requireSpot("two", "m5.large", "/dev/xvdf")
	w.deploy("stuck")
	w.expose("shop")
	w.disk("vol-0123456789abcdef0")

	// Refused, with everything named and nothing done.
	since = sandbox.LastCall(t)
	result = sandbox.Exec(t, "kubectl", "eksnodes", "teardown", "--yes")
	if result.Code != 3 {
		t.Errorf("exit %d, want 3", result.Code)
	}
	for _, want := range []string{"service default/shop", "vol-0123456789abcdef0", "--orphan-volumes", "2 things speak against it"} {
		if !strings.Contains(result.Stderr, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	for _, call := range sandbox.Calls(t, since) {
		if !strings.HasPrefix(call.Operation, "Describe") && !strings.HasPrefix(call.Operation, "List") && !strings.HasPrefix(call.Operation, "Get") {
			t.Errorf("%s:%s was called", call.Service, call.Operation)
		}
	}
	sandbox.MustExec(t, "kubectl", "delete", "service", "shop")

	// Interrupted when the first group goes: the second is free again.
	run := sandbox.Start(t, "kubectl", "eksnodes", "teardown", "--yes", "--orphan-volumes")
	run.AwaitStderr("DELETE_IN_PROGRESS", 3*time.Minute)
	run.Signal(syscall.SIGINT)
	if result := run.Wait(); result.Code != 130 || !strings.Contains(result.Stderr, "launches resumed") {
		t.Errorf("exit %d, and the other group is not set free", result.Code)
	}
	if suspended := w.suspended("two"); len(suspended) > 0 {
		t.Errorf("%v of two are suspended", suspended)
	}

	// Taken up again, to the end.
	began := time.Now()
	out := sandbox.MustExec(t, "kubectl", "eksnodes", "teardown", "--yes", "--orphan-volumes", "-o", "json")
	t.Logf("taken down in %s", time.Since(began).Round(time.Second))
	if !strings.Contains(out, `"kind": "TeardownResult"`) {
		t.Errorf("the result is %s", out)
	}
	w.requireNothing()
	if result := sandbox.Exec(t, "kubectl", "eksnodes", "teardown", "--yes"); result.Code != 1 || !strings.Contains(result.Stderr, "there is no cluster") {
		t.Errorf("exit %d for a cluster that is gone", result.Code)
	}
}

// requireNothing checks that neither AWS nor the API server, which the sandbox
// leaves running, holds anything of the groups, and that the cluster is gone.
func (w *world) requireNothing() {
	w.t.Helper()
	harness.Eventually(w.t, time.Minute, w.nothing)
}
