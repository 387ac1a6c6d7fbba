package life

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

// described is what the test needs of `describe -o json`.
type described struct {
	Status struct {
		Stack struct {
			Status string `json:"status"`
		} `json:"stack"`
		Image struct {
			ID     string `json:"id"`
			Newest struct {
				ID string `json:"id"`
			} `json:"newest"`
		} `json:"image"`
		Nodes []struct {
			InstanceID string `json:"instanceID"`
			Status     string `json:"status"`
			Answer     struct {
				Outcome string `json:"outcome"`
			} `json:"answer"`
		} `json:"nodes"`
		Activities []struct {
			Status string `json:"status"`
		} `json:"activities"`
		Drift []any `json:"drift"`
	} `json:"status"`
}

// TestScale gives a group with pods on it other sizes, is killed in between,
// and goes on.
func TestScale(t *testing.T) {
	w := look(t)
	remove(t, "pool")
	sandbox.MustExec(t, "kubectl", "eksnodes", "add", "pool", "--desired", "3", "--min", "1", "--yes")
	before := w.requireSize("pool", 3)
	describeGroup(t, before)

	w.deploy("web", 2, 1)
	harness.Eventually(t, 2*time.Minute, func() error { return w.available("web") })

	// The cordoned node is the one that goes.
	leaver := before[1]
	sandbox.MustExec(t, "kubectl", "cordon", w.nodes()[leaver])
	sandbox.MustExec(t, "kubectl", "eksnodes", "scale", "pool", "--desired", "2", "--yes")
	if left := w.requireSize("pool", 2); slices.Contains(left, leaver) || !slices.Contains(before, left[0]) || !slices.Contains(before, left[1]) {
		t.Errorf("left are %v of %v, %s had to go", left, before, leaver)
	}
	harness.Eventually(t, 2*time.Minute, func() error { return w.available("web") })

	// Killed while it drains: the same command ends what was begun.
	scale := sandbox.Start(t, "kubectl", "eksnodes", "scale", "pool", "--desired", "1", "--yes")
	scale.AwaitStderr("draining", time.Minute)
	scale.Signal(syscall.SIGKILL)
	scale.Wait()
	sandbox.MustExec(t, "kubectl", "eksnodes", "scale", "pool", "--desired", "1", "--yes")
	w.requireSize("pool", 1)
	harness.Eventually(t, 2*time.Minute, func() error { return w.available("web") })

	// Interrupted while the stack is updated, likewise.
	scale = sandbox.Start(t, "kubectl", "eksnodes", "scale", "pool", "--desired", "2", "--yes")
	scale.AwaitStderr("UPDATE_IN_PROGRESS", time.Minute)
	scale.Signal(syscall.SIGINT)
	if result := scale.Wait(); result.Code != 130 && result.Code != 0 {
		t.Errorf("interrupted with exit code %d", result.Code)
	}
	sandbox.MustExec(t, "kubectl", "eksnodes", "scale", "pool", "--desired", "2", "--yes")
	w.requireSize("pool", 2)
}

func describeGroup(t *testing.T, ids []string) {
	t.Helper()
	got := parse[described](t, sandbox.MustExec(t, "kubectl", "eksnodes", "describe", "pool", "-o", "json")).Status
	if got.Stack.Status != "CREATE_COMPLETE" || got.Image.ID == "" || got.Image.ID != got.Image.Newest.ID || len(got.Activities) == 0 || len(got.Drift) > 0 {
		t.Errorf("described as %+v", got)
	}
	var described []string
	for _, node := range got.Nodes {
		described = append(described, node.InstanceID)
		if node.Status != "Ready" || node.Answer.Outcome != "mapped" {
			t.Errorf("node %+v", node)
		}
	}
	slices.Sort(described)
	if !slices.Equal(described, ids) {
		t.Errorf("described are %v, the group has %v", described, ids)
	}
	sandbox.MustExec(t, "kubectl", "eksnodes", "describe", "pool")
}
