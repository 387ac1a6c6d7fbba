package nodegroup

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// TagProtected marks instances that a scaling has protected from scale-in for
// as long as it goes, so that the next run takes the protection off even when
// this one is killed.
const TagProtected = product.TagPrefix + "protected-while-scaling"

// Bounds are the three sizes of a group.
type Bounds struct {
	Min     int `json:"min"`
	Desired int `json:"desired"`
	Max     int `json:"max"`
}

// ScalePlan is what `scale` will do.
type ScalePlan struct {
	Group   string         `json:"group"`
	Cluster string         `json:"cluster"`
	Stack   snapshot.Stack `json:"stack"`
	ASGName string         `json:"autoScalingGroup"`
	From    Bounds         `json:"from"` // of the Auto Scaling group
	To      Bounds         `json:"to"`
	// Remove are the instances that go, in the order of choice.
	Remove []Victim `json:"remove,omitempty"`
	// Protect are those that stay, and are protected from scale-in meanwhile.
	Protect []string `json:"protect,omitempty"`
	// Release are instances that an earlier run has left protected.
	Release   []string `json:"release,omitempty"`
	Notes     []string `json:"notes,omitempty"`
	SkipDrain bool     `json:"skipDrain,omitempty"`
	// ServiceRole is the role CloudFormation acts as; "" leaves it as it is.
	ServiceRole string `json:"serviceRole,omitempty"`
	Token       string `json:"-"`
}

// Victim is an instance that is taken away, and why this one.
type Victim struct {
	InstanceID string `json:"instanceID"`
	Node       string `json:"node,omitempty"` // "" when it has no Node object
	Zone       string `json:"zone,omitempty"`
	Why        string `json:"why"`
}

// Nothing reports whether the group is as it should be already.
func (p *ScalePlan) Nothing() bool {
	return p.From == p.To && len(p.Remove) == 0 && len(p.Release) == 0 && stackBounds(&p.Stack) == p.To
}

// MakeScalePlan decides from a snapshot what giving a group other sizes takes.
// What is not asked for stays as the Auto Scaling group has it now, which may
// be otherwise than its stack says.
func MakeScalePlan(snap *snapshot.Snapshot, name string, want Size) (*ScalePlan, error) {
	group, stack, err := ownGroup(snap, name, "scale")
	if err != nil {
		return nil, err
	}
	plan := &ScalePlan{
		Group: name, Cluster: snap.Cluster.Name, Stack: *stack, ASGName: group.ASGName,
		From: Bounds{group.Min, group.Desired, group.Max},
	}
	if plan.To, err = bounds(plan.From, want); err != nil {
		return nil, err
	}
	if have := stackBounds(stack); have != plan.From {
		plan.Notes = append(plan.Notes, fmt.Sprintf("the stack says min %d, desired %d, max %d: somebody has changed the group behind it", have.Min, have.Desired, have.Max))
	}
	if pool := group.WarmPool; pool != nil && pool.Size > 0 && plan.To.Desired > plan.From.Desired {
		plan.Notes = append(plan.Notes, fmt.Sprintf("new machines come out of the warm pool, which has %s, as long as it has any; the pool fills up again", machinesOf(pool.Size)))
	}
	plan.Token = "scale-" + digest([]byte(stack.ID+fmt.Sprint(plan.To)+snap.CollectedAt.String()))
	return plan, plan.chooseVictims(snap, group)
}

// ownGroup finds a group with its stack, which must be one that this product
// made and that can be updated; verb says what is to be done with the group.
func ownGroup(snap *snapshot.Snapshot, name, verb string) (*snapshot.Group, *snapshot.Stack, error) {
	cluster := snap.Cluster
	if cluster == nil {
		return nil, nil, errors.New("the cluster was not read")
	}
	stackName, err := StackName(cluster.Name, name)
	if err != nil {
		return nil, nil, err
	}
	group, stack := snap.Group(name), snap.Stack(stackName)
	switch {
	case group == nil:
		return nil, nil, &AbsentError{Group: name, Cluster: cluster.Name}
	case stack == nil:
		return nil, nil, fmt.Errorf("node group %s was made by %s: %s it with what made it", name, group.Tool, verb)
	}
	return group, stack, updatable(stack)
}

// updatable refuses a stack that cannot be updated, or whose update would do
// more than change the sizes.
func updatable(stack *snapshot.Stack) error {
	switch stack.Status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE":
	default:
		return fmt.Errorf("stack %s is %s and cannot be updated", stack.Name, stack.Status)
	}
	for _, parameter := range []string{paramMin, paramDesired, paramMax} {
		if _, ok := stack.Parameters[parameter]; !ok {
			return fmt.Errorf("stack %s has no parameter %s: its template does not let it be scaled", stack.Name, parameter)
		}
	}
	if stack.Parameters["NodeImageIdSSMParam"] != "" && stack.Parameters["NodeImageId"] == "" {
		return fmt.Errorf("stack %s looks its image up anew at every update, so that scaling could replace every node: set its parameter NodeImageId first", stack.Name)
	}
	return nil
}

// Updating reports whether an update of a stack is under way, or its end.
func Updating(status string) bool { return InProgress(status) && strings.HasPrefix(status, "UPDATE_") }

func stackBounds(stack *snapshot.Stack) Bounds {
	number := func(parameter string) int {
		n, err := strconv.Atoi(stack.Parameters[parameter])
		if err != nil {
			return -1 // differs from every size
		}
		return n
	}
	return Bounds{number(paramMin), number(paramDesired), number(paramMax)}
}

// bounds puts what is asked for into what there is.
func bounds(have Bounds, want Size) (Bounds, error) {
	to := have
	for _, size := range []struct {
		to   *int
		want *int
	}{{&to.Min, want.Min}, {&to.Max, want.Max}, {&to.Desired, want.Desired}} {
		if size.want != nil {
			*size.to = *size.want
		}
	}
	if want.Desired == nil {
		to.Desired = min(max(to.Desired, to.Min), to.Max)
	}
	switch {
	case to.Min < 0 || to.Desired < 0 || to.Max < 0:
		return to, usagef("a group cannot have fewer than 0 nodes")
	case to.Min > to.Max:
		return to, usagef("min %d is more than max %d: give --min or --max", to.Min, to.Max)
	case to.Desired < to.Min:
		return to, usagef("--desired %d is less than min %d: add --min %d", to.Desired, to.Min, to.Desired)
	case to.Desired > to.Max:
		return to, usagef("--desired %d is more than max %d: add --max %d", to.Desired, to.Max, to.Desired)
	}
	return to, nil
}

// chooseVictims chooses what goes: first what serves nobody (no Node, not
// Ready, cordoned), then from the zone that has most, then the oldest. The
// choice comes out the same after an interruption, whose victims are cordoned.
func (p *ScalePlan) chooseVictims(snap *snapshot.Snapshot, group *snapshot.Group) error {
	var free []candidate
	var kept []string
	zones := map[string]int{}
	living := 0
	for _, member := range group.Members {
		if ending(member) {
			continue
		}
		living++
		one, ours := candidateIn(snap, member)
		zones[one.Zone]++
		if member.Protected && !ours {
			kept = append(kept, member.InstanceID) // by somebody else, and stays so
			continue
		}
		if ours && member.Protected {
			p.Release = append(p.Release, member.InstanceID)
		}
		free = append(free, one)
	}
	n := living - p.To.Desired
	if n > len(free) {
		return fmt.Errorf("%d instances have to go, and %s are protected from scale-in: take the protection off those that may go", n, strings.Join(kept, ", "))
	}
	if n <= 0 {
		return nil
	}
	order := inOrder(free, zones)
	p.Remove = order[:n]
	for _, one := range order[n:] {
		p.Protect = append(p.Protect, one.InstanceID)
	}
	slices.Sort(p.Protect)
	return nil
}

// ending reports whether a group is letting go of a member.
func ending(member snapshot.Member) bool {
	return strings.HasPrefix(member.Lifecycle, "Terminating") || member.Lifecycle == "Terminated"
}

// candidateIn is the candidate of a member in a snapshot.
func candidateIn(snap *snapshot.Snapshot, member snapshot.Member) (one candidate, ours bool) {
	i := slices.IndexFunc(snap.Nodes, func(n snapshot.Node) bool { return n.InstanceID == member.InstanceID })
	if i < 0 {
		return candidateOf(member.InstanceID, nil, nil)
	}
	return candidateOf(member.InstanceID, snap.Nodes[i].Cloud, snap.Nodes[i].Kube)
}
