package nodes

import (
	"slices"
	"strings"
	"testing"
	"time"

	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/calllog"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// maxCallsBeforeCreate is how many AWS calls `add` may make before CreateStack.
const maxCallsBeforeCreate = 12

// TestLife adds a group, looks at it, adds it again and deletes it, in each of
// the three authentication modes. A cluster can only move forward through
// them, which gives the order.
func TestLife(t *testing.T) {
	modes := []struct {
		mode  ekstypes.AuthenticationMode
		group string
		entry bool // mapped by an access entry, else by aws-auth
	}{
		{ekstypes.AuthenticationModeConfigMap, "mapped", false},
		{ekstypes.AuthenticationModeApiAndConfigMap, "both", true},
		{ekstypes.AuthenticationModeApi, "entry", true},
	}
	for i, mode := range modes {
		t.Run(string(mode.mode), func(t *testing.T) {
			w := look(t)
			if i > 0 {
				w.setMode(mode.mode)
			}
			remove(t, mode.group)
			asg, role := addGroup(t, w, mode.group, 3, mode.entry)
			addAgain(t, mode.group)
			listGroup(t, mode.group, mode.entry)
			deleteGroup(t, w, mode.group, asg, role)
		})
	}
}

// addGroup runs `add` and returns the Auto Scaling group and the role.
func addGroup(t *testing.T, w *world, group string, size int, entry bool) (asg, role string) {
	t.Helper()
	since, last, before := time.Now(), sandbox.LastCall(t), w.awsAuth()
	sandbox.MustExec(t, "kubectl", "eksnodes", "add", group, "--desired", "3", "--yes")

	status, outputs := w.stack(stackName(group))
	if status != "CREATE_COMPLETE" {
		t.Fatalf("stack is %s", status)
	}
	asg, role = outputs["NodeAutoScalingGroup"], outputs["NodeInstanceRole"]
	w.requireReady(asg, size)
	w.requireIdentity(asg, since)
	requireCalls(t, sandbox.Calls(t, last))

	if found := w.entry(role); (found != nil) != entry {
		t.Errorf("access entry of %s: %v, want one: %v", role, found, entry)
	} else if entry && *found.Type != "EC2_LINUX" {
		t.Errorf("access entry of %s has type %s", role, *found.Type)
	}
	if after := w.awsAuth(); entry && after != before {
		t.Errorf("aws-auth was touched although the mode reads entries:\n%s", after)
	} else if !entry && !strings.Contains(after, role) {
		t.Errorf("aws-auth does not map %s:\n%s", role, after)
	}
	return asg, role
}

// requireCalls checks the number of calls before CreateStack, and that the
// sandbox could serve every call.
func requireCalls(t *testing.T, calls []calllog.Record) {
	t.Helper()
	var before []string
	create := slices.IndexFunc(calls, func(c calllog.Record) bool { return c.Operation == "CreateStack" })
	for i, call := range calls {
		if call.Unimplemented {
			t.Errorf("%s:%s is not implemented by the sandbox", call.Service, call.Operation)
		}
		if i < create {
			before = append(before, call.Service+":"+call.Operation)
		}
	}
	t.Logf("%d AWS calls before CreateStack: %s", len(before), strings.Join(before, " "))
	if create < 0 || len(before) > maxCallsBeforeCreate {
		t.Errorf("CreateStack is call %d; at most %d may come before it", create+1, maxCallsBeforeCreate)
	}
}

// addAgain checks that nothing is written for a group that is finished.
func addAgain(t *testing.T, group string) {
	t.Helper()
	since, last := time.Now(), sandbox.LastCall(t)
	sandbox.MustExec(t, "kubectl", "eksnodes", "add", group, "--desired", "3", "--yes")
	for _, call := range sandbox.Calls(t, last) {
		if call.Write {
			t.Errorf("the second add wrote: %s:%s", call.Service, call.Operation)
		}
	}
	for _, event := range harness.Writes(sandbox.Audit(t, since, "kubectl-eksnodes")) {
		t.Errorf("the second add wrote: %s %s", event.Verb, event.URI)
	}
	if reads := sandbox.Audit(t, since, "kubectl-eksnodes"); len(reads) == 0 {
		t.Error("the audit log has no request of the plugin: this test sees nothing")
	}
}

// listed is what the test needs of `list -o json`.
type listed struct {
	Items []struct {
		Metadata struct {
			Name string `json:"name"`
		} `json:"metadata"`
		Spec struct {
			Tool    string `json:"tool"`
			Desired int    `json:"desired"`
		} `json:"spec"`
		Status struct {
			Ready   int    `json:"ready"`
			Mapping string `json:"mapping"`
		} `json:"status"`
	} `json:"items"`
}

func listGroup(t *testing.T, group string, entry bool) {
	t.Helper()
	mapping := "aws-auth"
	if entry {
		mapping = "entry"
	}
	for _, item := range parse[listed](t, sandbox.MustExec(t, "kubectl", "eksnodes", "list", "-o", "json")).Items {
		if item.Metadata.Name != group {
			continue
		}
		if item.Spec.Tool != "eksnodes" || item.Spec.Desired != 3 || item.Status.Ready != 3 || item.Status.Mapping != mapping {
			t.Errorf("listed as %+v, want mapping %s", item, mapping)
		}
		return
	}
	t.Errorf("%s is not listed", group)
}

func deleteGroup(t *testing.T, w *world, group, asg, role string) {
	t.Helper()
	before := w.awsAuth()
	sandbox.MustExec(t, "kubectl", "eksnodes", "delete", group, "--yes")
	w.requireGone(group, asg, role)
	if after := w.awsAuth(); strings.Contains(after, role) {
		t.Errorf("aws-auth still maps %s (before: %s)", layout.ClusterName, before)
	}
}
