package nodegroup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Suspension stops and restarts processes of an Auto Scaling group.
type Suspension interface {
	SuspendProcesses(ctx context.Context, group string, processes []string) error
	ResumeProcesses(ctx context.Context, group string, processes []string) error
}

// Drainer empties nodes of pods.
type Drainer interface {
	Drain(ctx context.Context, nodes []string) error
}

// NodeDeleter removes Node objects.
type NodeDeleter interface {
	// DeleteNode removes the Node of an instance; one that is gone, or is
	// another instance's by now, is no error.
	DeleteNode(ctx context.Context, name, instanceID string) error
}

// launching are the processes that would bring a fresh node while a group is
// emptied. Terminate is not among them: the stack's deletion needs it.
func launching() []string {
	return []string{"Launch", "AZRebalance", "ReplaceUnhealthy", "ScheduledActions", "AlarmNotification"}
}

// DeletePlan is what `delete` will do, in order.
type DeletePlan struct {
	Group     string         `json:"group"`
	Cluster   string         `json:"cluster"`
	Stack     snapshot.Stack `json:"stack"`
	ASGName   string         `json:"autoScalingGroup,omitempty"`
	Suspended []string       `json:"suspended,omitempty"` // processes that stand still already
	Instances []string       `json:"instances,omitempty"`
	Nodes     []DeleteNode   `json:"nodes,omitempty"`
	Mapping   MappingKind    `json:"mapping"`
	RoleARN   string         `json:"roleARN,omitempty"`
	// KeepMapping says why the role stays mapped; empty: the mapping goes.
	KeepMapping string `json:"keepMapping,omitempty"`
	SkipDrain   bool   `json:"skipDrain,omitempty"`
	// Workload is what the drain would evict; nil: it was not read, and
	// WorkloadGap says why.
	Workload    *snapshot.Workload `json:"workload,omitempty"`
	WorkloadGap string             `json:"workloadGap,omitempty"`
	ServiceRole string             `json:"serviceRole,omitempty"` // that CloudFormation acts as
}

// DeleteNode is a node of the group.
type DeleteNode struct {
	Name       string `json:"name"`
	InstanceID string `json:"instanceID"`
}

// MakeDeletePlan decides from a snapshot what deleting the group takes. It
// refuses groups that another tool made: that tool must delete them. A stack
// whose Auto Scaling group is gone already is what an interrupted deletion
// leaves, and is deleted to the end.
func MakeDeletePlan(snap *snapshot.Snapshot, name string) (*DeletePlan, error) {
	cluster := snap.Cluster
	if cluster == nil {
		return nil, errors.New("the cluster was not read")
	}
	stackName, err := StackName(cluster.Name, name)
	if err != nil {
		return nil, err
	}
	group, stack := snap.Group(name), snap.Stack(stackName)
	switch {
	case stack == nil && group == nil:
		role := leftoverRole(snap, stackName)
		if role == "" && len(orphans(snap, name)) == 0 {
			return nil, &AbsentError{Group: name, Cluster: cluster.Name}
		}
		own := snapshot.Group{Name: name, Stack: &snapshot.Stack{Tags: map[string]string{TagRole: roleOfStack}}}
		return &DeletePlan{Group: name, Cluster: cluster.Name, Mapping: mappingKind(cluster.AuthMode), RoleARN: role,
			Nodes: orphans(snap, name), KeepMapping: otherUser(snap, &own, role),
			Stack: snapshot.Stack{Name: stackName, Status: "DELETE_COMPLETE"}}, nil
	case stack == nil:
		return nil, fmt.Errorf("node group %s was made by %s: delete it with what made it", name, group.Tool)
	case stack.TerminationProtection:
		return nil, fmt.Errorf("stack %s is protected: aws cloudformation update-termination-protection "+
			"--no-enable-termination-protection --stack-name %s", stack.Name, stack.Name)
	}
	plan := &DeletePlan{Group: name, Cluster: cluster.Name, Stack: *stack, Mapping: mappingKind(cluster.AuthMode)}
	own := snapshot.Group{Name: name, Stack: stack}
	if group != nil {
		own = *group
		own.Stack = stack
		plan.ASGName, plan.Suspended, plan.Instances = group.ASGName, group.Suspended, group.InstanceIDs
		plan.Nodes = nodesOf(snap, group.InstanceIDs)
	} else {
		plan.Nodes = orphans(snap, name)
	}
	plan.RoleARN = cmp.Or(RoleOf(snap, &own), leftoverRole(snap, stackName))
	plan.KeepMapping = otherUser(snap, &own, plan.RoleARN)
	return plan, nil
}

// leftoverRole finds the mapping that a deletion leaves behind when it is
// stopped after the stack is gone. CloudFormation names a role after its
// stack, so the role cannot be anybody else's.
func leftoverRole(snap *snapshot.Snapshot, stackName string) string {
	for _, arn := range mappedRoles(snap) {
		if strings.HasPrefix(nameInARN(arn), stackName+roleOfStackName) {
			return arn
		}
	}
	return ""
}

// roleOfStackName is what CloudFormation puts between the stack's name and a
// random end when it names the stack's role.
const roleOfStackName = "-" + outputRole + "-"

// mappedRoles are the ARNs of all principals that access entries and aws-auth
// map.
func mappedRoles(snap *snapshot.Snapshot) []string {
	var mapped []string
	for _, entry := range snap.Access.Entries {
		mapped = append(mapped, entry.PrincipalARN)
	}
	if snap.Access.AwsAuth != nil {
		for _, role := range authmap.Parse(snap.Access.AwsAuth.Data).Roles {
			mapped = append(mapped, role.RoleARN)
		}
	}
	return mapped
}

// ToolOurs is what a group's Tool says when this product made it.
const ToolOurs = product.PluginName

func nodesOf(snap *snapshot.Snapshot, ids []string) []DeleteNode {
	var nodes []DeleteNode
	for i := range snap.Nodes {
		node := &snap.Nodes[i]
		if node.Kube != nil && slices.Contains(ids, node.InstanceID) {
			nodes = append(nodes, DeleteNode{Name: node.Kube.Name, InstanceID: node.InstanceID})
		}
	}
	return nodes
}

// orphans are Node objects of the group whose instances are gone: what a
// deletion leaves that is stopped after the stack's end.
func orphans(snap *snapshot.Snapshot, group string) []DeleteNode {
	if _, unread := snap.Gap(snapshot.SectionInstances, ""); unread {
		return nil // their instances may live
	}
	var nodes []DeleteNode
	for i := range snap.Nodes {
		node := &snap.Nodes[i]
		if node.Kube == nil || node.Kube.Labels[product.TagGroup] != group || node.InstanceID == "" {
			continue
		}
		if node.Cloud == nil || node.Cloud.State == "terminated" {
			nodes = append(nodes, DeleteNode{Name: node.Kube.Name, InstanceID: node.InstanceID})
		}
	}
	return nodes
}

// otherUser names a group or an instance that lives on the same role, "" when there is none.
// A group whose role is not known counts as one: taking a mapping away from
// live nodes is worse than leaving one behind.
func otherUser(snap *snapshot.Snapshot, group *snapshot.Group, role string) string {
	if role == "" {
		return "the role of the group is not known"
	}
	for i := range snap.Groups {
		other := &snap.Groups[i]
		switch {
		case other.Name == group.Name && other.ASGName == group.ASGName:
		case RoleOf(snap, other) == role:
			return "node group " + other.Name + " uses the same role"
		case RoleOf(snap, other) == "" && !madeByStack(group):
			return "the role of node group " + other.Name + " is not known"
		}
	}
	return otherMachine(snap, group, role)
}

// otherMachine names a running instance with the role that is not the group's.
func otherMachine(snap *snapshot.Snapshot, group *snapshot.Group, role string) string {
	for i := range snap.Nodes {
		node := &snap.Nodes[i]
		if node.Cloud == nil || node.Group == group.Name || node.Cloud.State == "terminated" || node.Cloud.State == "shutting-down" {
			continue
		}
		switch have := roleInProfile(snap, node.Cloud.InstanceProfile); {
		case have == role:
			return "instance " + node.InstanceID + " has the same role"
		case have == "" && node.Cloud.InstanceProfile != "" && !madeByStack(group):
			return "the role of instance " + node.InstanceID + " is not known"
		}
	}
	return ""
}

// madeByStack reports whether the role is the stack's own, and so cannot be
// another group's.
func madeByStack(group *snapshot.Group) bool {
	return group.Stack != nil && group.Stack.Tags[TagRole] == roleOfStack
}

// AbsentError says that there is no such group.
type AbsentError struct{ Group, Cluster string }

// Error names the group and the cluster.
func (e *AbsentError) Error() string {
	return fmt.Sprintf("cluster %s has no node group %q", e.Cluster, e.Group)
}

// Remover carries a [DeletePlan] out.
type Remover struct {
	Stacks     Stacks
	Writer     StackWriter
	Suspension Suspension
	Drainer    Drainer
	Nodes      NodeDeleter
	Entries    Entries
	AwsAuth    AwsAuth
	Blockers   Blockers
	Consent    Consent
	Progress   Progress
	StackPoll  time.Duration
}

// Delete empties the group, deletes its stack, then what is left of its
// nodes, and its role's mapping last: earlier, it would take live nodes down.
// Until AWS has taken the deletion of the stack on, a failure or an
// interruption sets the group free again.
func (r *Remover) Delete(ctx context.Context, plan *DeletePlan) error {
	work := &tracker{todo: append([]string{"drain"}, eraseSteps(plan)...)}
	suspended, err := r.suspend(ctx, plan)
	if err != nil {
		if ctx.Err() != nil { // AWS may have heard it all the same
			r.resume(ctx, plan.ASGName, suspended)
		}
		return work.interrupted(ctx, err)
	}
	if err := r.drain(ctx, plan); err != nil {
		r.resume(ctx, plan.ASGName, suspended)
		return work.interrupted(ctx, err)
	}
	work.next()
	return work.interrupted(ctx, r.erase(ctx, plan, suspended, work))
}

// eraseSteps are what erase does, in order, for somebody who interrupts.
func eraseSteps(plan *DeletePlan) []string {
	return []string{"stack " + plan.Stack.Name, "leftover Node objects", "mapping of " + plan.RoleARN}
}

// erase deletes an emptied group: its stack, what is left of its nodes, and
// its role's mapping. Launches are resumed when AWS has not taken the deletion
// of the stack on. work stands before the first of eraseSteps.
func (r *Remover) erase(ctx context.Context, plan *DeletePlan, suspended []string, work *tracker) error {
	if err := r.deleteStack(ctx, plan, work.begin); err != nil {
		if !work.begun {
			r.resume(ctx, plan.ASGName, suspended)
		}
		return err
	}
	work.next()
	for _, node := range plan.Nodes {
		if err := r.Nodes.DeleteNode(ctx, node.Name, node.InstanceID); err != nil {
			return fmt.Errorf("delete node %s: %w", node.Name, err)
		}
	}
	work.next()
	if err := r.unmap(ctx, plan); err != nil {
		return err
	}
	work.next()
	return nil
}

// unmap removes the mapping of the group's role, unless the plan keeps it.
func (r *Remover) unmap(ctx context.Context, plan *DeletePlan) error {
	if plan.RoleARN == "" && plan.Stack.ID == "" {
		return nil // only Node objects were left
	}
	if plan.KeepMapping != "" {
		r.Progress.Report(Step{Topic: "mapping", Subject: string(plan.Mapping), State: "kept", Detail: plan.KeepMapping})
		return nil
	}
	mapper := mapper{entries: r.Entries, awsAuth: r.AwsAuth, progress: r.Progress}
	return mapper.remove(ctx, plan.Mapping, plan.Cluster, plan.RoleARN)
}

// suspend keeps fresh nodes from appearing and returns what it stopped.
func (r *Remover) suspend(ctx context.Context, plan *DeletePlan) ([]string, error) {
	if plan.ASGName == "" || InProgress(plan.Stack.Status) {
		return nil, nil
	}
	var fresh []string
	for _, process := range launching() {
		if !slices.Contains(plan.Suspended, process) {
			fresh = append(fresh, process)
		}
	}
	if len(fresh) == 0 {
		return nil, nil
	}
	if err := r.Suspension.SuspendProcesses(ctx, plan.ASGName, fresh); err != nil {
		return fresh, fmt.Errorf("suspend launches of %s: %w", plan.ASGName, err)
	}
	r.Progress.Report(Step{Topic: "group", Subject: plan.ASGName, State: "launches suspended"})
	return fresh, nil
}

func (r *Remover) drain(ctx context.Context, plan *DeletePlan) error {
	if plan.SkipDrain || len(plan.Nodes) == 0 || InProgress(plan.Stack.Status) {
		return nil
	}
	names := make([]string, 0, len(plan.Nodes))
	for _, node := range plan.Nodes {
		names = append(names, node.Name)
		r.Progress.Report(Step{Topic: "drain", Subject: node.InstanceID, State: "draining", Detail: node.Name})
	}
	if err := r.Drainer.Drain(ctx, names); err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	return nil
}

// resumeTime bounds the call that sets a group free after an interruption.
const resumeTime = 20 * time.Second

// resume sets a group free that is not deleted after all. It is told, not
// returned, when that fails: the error that led here is the one to explain.
func (r *Remover) resume(ctx context.Context, group string, processes []string) {
	if len(processes) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resumeTime)
	defer cancel()
	step := Step{Topic: "group", Subject: group, State: "launches resumed", Detail: "nodes stay cordoned: kubectl uncordon NODE"}
	if err := r.Suspension.ResumeProcesses(ctx, group, processes); err != nil {
		step.State, step.Bad = "launches stay suspended", true
		step.Detail = err.Error() + "; resume them by: aws autoscaling resume-processes --auto-scaling-group-name " + group
	}
	r.Progress.Report(step)
}

// deleteStack follows the stack to its end; asked is called when AWS has
// taken the deletion on.
func (r *Remover) deleteStack(ctx context.Context, plan *DeletePlan, asked func()) error {
	if plan.Stack.ID == "" {
		return nil // gone already: only the mapping was left
	}
	eraser := eraser{stacks: r.Stacks, writer: r.Writer, progress: r.Progress, poll: r.StackPoll, asked: asked}
	return r.eraseStack(ctx, &eraser, plan)
}
