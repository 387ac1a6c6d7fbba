package nodegroup

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Stage is how far an instance has come on its way to a Ready node.
type Stage int

// The stages, in order. Gone is the end of an instance, not of its way.
const (
	StageGone Stage = iota - 1
	StageRequested
	StageRunning
	StageRegistered
	StageReady
)

// String returns the stage as it is printed.
func (s Stage) String() string {
	return [...]string{"gone", "requested", "running", "registered", "Ready"}[s+1]
}

// Member is one instance of a group and how far it has come.
type Member struct {
	InstanceID string `json:"instanceID"`
	Zone       string `json:"zone,omitempty"`
	Stage      Stage  `json:"-"`
	State      string `json:"state"` // the stage in words
	Node       string `json:"node,omitempty"`
	// Reason says why it is not further, as far as that is known.
	Reason string `json:"reason,omitempty"`
	// Held says that a launching hook holds it: it is not in service, Ready
	// though it may be.
	Held bool `json:"held,omitempty"`
}

// observe joins what Auto Scaling, EC2 and Kubernetes say of a group's
// instances. Nodes are matched by providerID, never by name.
func observe(ids []string, instances map[string]snapshot.Instance, nodes []snapshot.KubeNode) []Member {
	byInstance := make(map[string]*snapshot.KubeNode, len(nodes))
	for i := range nodes {
		if id := snapshot.InstanceIDFromProviderID(nodes[i].ProviderID); id != "" {
			byInstance[id] = &nodes[i]
		}
	}
	members := make([]Member, 0, len(ids))
	for _, id := range ids {
		members = append(members, memberOf(id, instances, byInstance[id]))
	}
	slices.SortFunc(members, func(a, b Member) int { return cmp.Compare(a.InstanceID, b.InstanceID) })
	return members
}

// markHeld marks the members that a launching lifecycle hook holds.
func markHeld(members []Member, seen []snapshot.Member) {
	for i := range members {
		member := &members[i]
		member.Held = slices.ContainsFunc(seen, func(m snapshot.Member) bool {
			return m.InstanceID == member.InstanceID && m.Lifecycle == heldLaunching
		})
		if member.Held {
			member.Reason = strings.TrimPrefix(member.Reason+"; a lifecycle hook holds it in "+heldLaunching, "; ")
		}
	}
}

// The states in which a group's lifecycle hooks hold machines.
const (
	heldLaunching = "Pending:Wait"
	heldEnding    = "Terminating:Wait"
)

func memberOf(id string, instances map[string]snapshot.Instance, node *snapshot.KubeNode) Member {
	member := Member{InstanceID: id, Stage: StageRequested, Reason: "EC2 has not started it yet"}
	if instance, ok := instances[id]; ok {
		member.Zone = instance.Zone
		switch instance.State {
		case "running":
			member.Stage, member.Reason = StageRunning, "no Node object has its providerID yet"
		case "pending":
		default:
			member.Stage, member.Reason = StageGone, strings.TrimSpace(instance.State+" "+instance.StateReason)
		}
	}
	if node != nil && member.Stage != StageGone {
		member.Node = node.Name
		member.Stage, member.Reason = StageRegistered, notReadyReason(node)
		if node.Ready() && node.HeldBy() == "" {
			member.Stage, member.Reason = StageReady, ""
		}
	}
	member.State = member.Stage.String()
	return member
}

func notReadyReason(node *snapshot.KubeNode) string {
	for _, condition := range node.Conditions {
		if condition.Type == "Ready" && condition.Status != "True" {
			return strings.TrimSpace(condition.Reason + ": " + condition.Message)
		}
	}
	if taint := node.HeldBy(); node.Ready() && taint != "" {
		return "the control plane has not taken the taint " + taint + " off yet"
	}
	return "the kubelet has not reported its condition yet"
}

// ready counts the members that are Ready.
func ready(members []Member) int {
	return count(members, func(m Member) bool { return m.Stage == StageReady })
}

// alive counts the members that are not gone.
func alive(members []Member) int {
	return count(members, func(m Member) bool { return m.Stage != StageGone })
}

func count(members []Member, are func(Member) bool) int {
	n := 0
	for _, member := range members {
		if are(member) {
			n++
		}
	}
	return n
}

// tally says in a few words how far a group has come.
func tally(members []Member, desired int) string {
	var counts [StageReady + 1]int
	for _, member := range members {
		if member.Stage >= 0 {
			counts[member.Stage]++
		}
	}
	parts := []string{fmt.Sprintf("%d of %d Ready", counts[StageReady], desired)}
	for stage := StageRegistered; stage >= StageRequested; stage-- {
		if counts[stage] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[stage], stage))
		}
	}
	if held := count(members, func(m Member) bool { return m.Held }); held > 0 {
		parts = append(parts, fmt.Sprintf("%d held by a lifecycle hook", held))
	}
	if missing := desired - alive(members); missing > 0 {
		parts = append(parts, fmt.Sprintf("%d not launched", missing))
	}
	return strings.Join(parts, ", ")
}

// failedLaunch returns the launch that failed and was not followed by one
// that went better, nil when the group launches. Activities are newest
// first; the ids in known are history that a rerun does not judge again.
func failedLaunch(activities []snapshot.Activity, known map[string]bool) *snapshot.Activity {
	for i := range activities {
		activity := &activities[i]
		if !strings.HasPrefix(activity.Description, "Launching") {
			continue
		}
		switch activity.Status {
		case "Failed", "Cancelled":
			if !known[activity.ID] {
				return activity
			}
		case "Successful":
			if !startedWithAFailure(activity, activities[i+1:]) {
				return nil
			}
		}
	}
	return nil
}

// startedWithAFailure reports whether an older activity failed at the very
// time at which this one started: a group launches its instances side by side.
func startedWithAFailure(good *snapshot.Activity, older []snapshot.Activity) bool {
	for i := range older {
		if older[i].Status == "Failed" && older[i].StartedAt.Equal(good.StartedAt) {
			return true
		}
	}
	return false
}
