package nodegroup

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const testStackID = "arn:aws:cloudformation:us-west-2:111122223333:stack/eksnodes-demo-blue/1"

// tellingStack shows one more event at every look, like a stack that grows.
type tellingStack struct {
	status string
	shown  int
	events []StackEvent
	down   error // what DeleteStack answers
}

func (s *tellingStack) Stack(context.Context, string) (*snapshot.Stack, error) {
	return &snapshot.Stack{Name: "eksnodes-demo-blue", ID: testStackID, Status: s.status}, nil
}

func (s *tellingStack) StackEvents(_ context.Context, _, after string) ([]StackEvent, error) {
	s.shown = min(s.shown+1, len(s.events))
	for i, event := range s.events[:s.shown] {
		if event.ID == after {
			return s.events[i+1 : s.shown], nil
		}
	}
	return s.events[:s.shown], nil
}

func (s *tellingStack) CreateStack(context.Context, NewStack) (string, error) {
	return testStackID, nil
}
func (s *tellingStack) DeleteStack(context.Context, string, string) error { return s.down }

// notes keeps what was reported.
type notes []string

func (n *notes) Report(step Step) {
	*n = append(*n, strings.Join(strings.Fields(step.Topic+" "+step.Subject+" "+step.State+" "+step.Detail), " "))
}

func stackItself(id, status string) StackEvent {
	return StackEvent{ID: id, Resource: "eksnodes-demo-blue", ResourceType: stackResourceType, PhysicalID: testStackID, Status: status}
}

func resourceEvent(id, name, status, reason string) StackEvent {
	return StackEvent{ID: id, Resource: name, ResourceType: "AWS::IAM::Role", Status: status, Reason: reason}
}

func TestTheFirstFailureIsTheCause(t *testing.T) {
	stack := &tellingStack{status: "ROLLBACK_COMPLETE", events: []StackEvent{
		stackItself("1", "CREATE_IN_PROGRESS"),
		resourceEvent("2", "NodeSecurityGroup", "CREATE_FAILED", "Resource creation cancelled"),
		resourceEvent("3", "NodeInstanceRole", "CREATE_FAILED", "not authorized to perform: iam:CreateRole"),
		resourceEvent("4", "NodeLaunchTemplate", "CREATE_FAILED", "Resource creation cancelled"),
		stackItself("5", "ROLLBACK_IN_PROGRESS"), stackItself("6", "ROLLBACK_COMPLETE"),
	}}
	var told notes
	follower := follower{stacks: stack, progress: &told, poll: time.Microsecond}
	out, err := follower.follow(context.Background(), testStackID, "")
	if err != nil {
		t.Fatal(err)
	}
	if out.first == nil || out.first.Resource != "NodeInstanceRole" {
		t.Errorf("the cause is %+v, want the role", out.first)
	}
	if len(told) != len(stack.events) {
		t.Errorf("%d events told, want each of %d once: %q", len(told), len(stack.events), told)
	}
}

func TestADeletionIsNotJudgedByTheCreation(t *testing.T) {
	stack := &tellingStack{status: "DELETE_FAILED", shown: 3, events: []StackEvent{
		stackItself("1", "CREATE_IN_PROGRESS"),
		resourceEvent("2", "NodeInstanceRole", "CREATE_FAILED", "old story"),
		stackItself("3", "ROLLBACK_COMPLETE"),
		stackItself("4", "DELETE_IN_PROGRESS"),
		resourceEvent("5", "NodeSecurityGroup", "DELETE_FAILED", "resource sg-1 has a dependent object"),
		stackItself("6", "DELETE_FAILED"),
	}}
	stack.shown = 2 // the next look shows all that is there before the deletion
	var told notes
	eraser := eraser{stacks: stack, writer: stack, progress: &told, poll: time.Microsecond}
	err := eraser.erase(context.Background(), &snapshot.Stack{Name: "eksnodes-demo-blue", ID: testStackID, Status: "ROLLBACK_COMPLETE"}, "")
	var failed *StackError
	if !errors.As(err, &failed) || failed.First == nil || failed.First.Resource != "NodeSecurityGroup" {
		t.Fatalf("error is %v, want the security group's", err)
	}
	want := notes{
		"stack eksnodes-demo-blue DELETE_IN_PROGRESS",
		"stack NodeSecurityGroup DELETE_FAILED resource sg-1 has a dependent object",
		"stack eksnodes-demo-blue DELETE_FAILED",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// heldGroup remembers which processes stand still.
type heldGroup struct{ suspended []string }

func (g *heldGroup) SuspendProcesses(_ context.Context, _ string, processes []string) error {
	g.suspended = append(g.suspended, processes...)
	return nil
}

func (g *heldGroup) ResumeProcesses(ctx context.Context, _ string, processes []string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	g.suspended = g.suspended[:len(g.suspended)-len(processes)]
	return nil
}

// drainer runs a function as its drain.
type drainer func(context.Context) error

func (d drainer) Drain(ctx context.Context, _ []string) error { return d(ctx) }

func TestAGroupThatIsNotDeletedIsSetFree(t *testing.T) {
	plan := &DeletePlan{ASGName: "asg", Suspended: []string{"AZRebalance"}, Nodes: []DeleteNode{{Name: "n", InstanceID: "i-1"}},
		Stack: snapshot.Stack{Name: "eksnodes-demo-blue", ID: testStackID, Status: "CREATE_COMPLETE"}}
	ctx, interrupt := context.WithCancel(context.Background())
	tests := map[string]struct {
		ctx   context.Context
		drain drainer
		down  error
		want  string
	}{
		"the drain fails":           {context.Background(), func(context.Context) error { return errors.New("a budget forbids it") }, nil, "drain: a budget forbids it"},
		"the user interrupts it":    {ctx, func(ctx context.Context) error { interrupt(); return ctx.Err() }, nil, "interrupted"},
		"the stack may not be gone": {context.Background(), func(context.Context) error { return nil }, errors.New("access denied"), "delete stack eksnodes-demo-blue: access denied"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			group, stack, told := &heldGroup{}, &tellingStack{down: test.down}, &notes{}
			remover := &Remover{Stacks: stack, Writer: stack, Suspension: group, Drainer: test.drain, Progress: told, StackPoll: time.Microsecond}
			err := remover.Delete(test.ctx, plan)
			if err == nil || err.Error() != test.want {
				t.Errorf("error is %v, want %q", err, test.want)
			}
			if len(group.suspended) != 0 {
				t.Errorf("still suspended: %q", group.suspended)
			}
			if (*told)[0] != "group asg launches suspended" {
				t.Errorf("told %q", *told)
			}
		})
	}
}
