package nodegroup

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Blockers reads and removes what keeps a security group from being deleted.
type Blockers interface {
	// Blockers finds what uses the group.
	Blockers(ctx context.Context, groupID string) (Blocking, error)
	// Unblock removes leaked interfaces and foreign rules, and nothing else.
	Unblock(ctx context.Context, blocking Blocking) error
}

// Consent is asked before anything that the stack did not make is removed.
type Consent interface {
	// Remove returns nil when the user agrees.
	Remove(ctx context.Context, blocking Blocking) error
}

// Blocking is what keeps a stack's security group.
type Blocking struct {
	GroupID    string
	Interfaces []snapshot.Interface   // all that the group is on
	Rules      []snapshot.ForeignRule // of other groups that name it
}

// Leaked are the interfaces that the VPC CNI left behind.
func (b *Blocking) Leaked() []snapshot.Interface {
	var leaked []snapshot.Interface
	for _, one := range b.Interfaces {
		if one.Leaked {
			leaked = append(leaked, one)
		}
	}
	return leaked
}

// Lines say what blocks, one line each; the last column is what can be done
// about it.
func (b *Blocking) Lines() []string {
	var lines []string
	for _, one := range b.Interfaces {
		what := "in use by " + strings.TrimSpace(one.InstanceID+" "+one.Description)
		if one.Leaked {
			what = "left behind by the VPC CNI of " + one.InstanceID + ", which is gone"
		}
		lines = append(lines, fmt.Sprintf("interface %s: %s", one.ID, what))
	}
	for _, rule := range b.Rules {
		direction := "from"
		if rule.Egress {
			direction = "to"
		}
		lines = append(lines, fmt.Sprintf("security group %s (%s) has a rule %s it: protocol %s, ports %d to %d",
			rule.GroupID, rule.GroupName, direction, rule.Rule.Protocol, rule.Rule.FromPort, rule.Rule.ToPort))
	}
	return lines
}

// BlockedError says what keeps a stack from being deleted.
type BlockedError struct {
	Stack    *StackError
	Blocking Blocking
	Declined error // why nothing was removed
}

// Error names the blockers.
func (e *BlockedError) Error() string {
	return fmt.Sprintf("%s; %s is used: %s", e.Stack.Error(), e.Blocking.GroupID, strings.Join(e.Blocking.Lines(), "; "))
}

// Unwrap returns the stack's failure.
func (e *BlockedError) Unwrap() error { return e.Stack }

const groupResourceType = "AWS::EC2::SecurityGroup"

// eraseStack deletes the stack. Where its security group is held by what the
// VPC CNI leaked or by rules of other groups, they are shown and, with
// consent, removed; then the deletion is asked for once more.
func (r *Remover) eraseStack(ctx context.Context, eraser *eraser, plan *DeletePlan) error {
	err := eraser.erase(ctx, &plan.Stack, plan.ServiceRole)
	var failed *StackError
	if !errors.As(err, &failed) || failed.Stack == nil || failed.First == nil || failed.First.ResourceType != groupResourceType {
		return err
	}
	blocking, readErr := r.Blockers.Blockers(ctx, failed.First.PhysicalID)
	if readErr != nil {
		return errors.Join(err, fmt.Errorf("look what uses %s: %w", failed.First.PhysicalID, readErr))
	}
	for _, line := range blocking.Lines() {
		r.Progress.Report(Step{Topic: "blocked", Subject: blocking.GroupID, State: "in use", Detail: line, Bad: true})
	}
	if len(blocking.Leaked()) == 0 && len(blocking.Rules) == 0 {
		return &BlockedError{Stack: failed, Blocking: blocking}
	}
	if declined := r.Consent.Remove(ctx, blocking); declined != nil {
		return &BlockedError{Stack: failed, Blocking: blocking, Declined: declined}
	}
	if err := r.Blockers.Unblock(ctx, blocking); err != nil {
		return fmt.Errorf("remove what uses %s: %w", blocking.GroupID, err)
	}
	r.Progress.Report(Step{Topic: "blocked", Subject: blocking.GroupID, State: "freed",
		Detail: fmt.Sprintf("%d interfaces and %d rules removed", len(blocking.Leaked()), len(blocking.Rules))})
	return eraser.erase(ctx, failed.Stack, plan.ServiceRole)
}
