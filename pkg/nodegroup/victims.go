package nodegroup

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// The reasons for which an instance goes before healthy ones.
const (
	whyNoNode   = "it has no Node object"
	whyNotReady = "it is not Ready"
	whyCordoned = "it is cordoned"
)

// candidate is an instance that may be taken away.
type candidate struct {
	Victim
	first    string // why it goes before healthy ones, "" for a healthy one
	launched int64
}

// candidateOf joins what is known of an instance; ours says that an earlier
// scaling has protected it.
func candidateOf(instanceID string, machine *snapshot.Instance, kube *snapshot.KubeNode) (one candidate, ours bool) {
	one.InstanceID = instanceID
	if machine != nil {
		one.Zone, one.launched = machine.Zone, machine.LaunchedAt.Unix()
		_, ours = machine.Tags[TagProtected]
	}
	switch {
	case kube == nil:
		one.first = whyNoNode
	case !kube.Ready():
		one.Node, one.first = kube.Name, whyNotReady
	case kube.Unschedulable:
		one.Node, one.first = kube.Name, whyCordoned
	default:
		one.Node = kube.Name
	}
	return one, ours
}

// inOrder is the order in which candidates go, each with its reason. zones
// counts the living members of a group by zone.
func inOrder(candidates []candidate, zones map[string]int) []Victim {
	var order []Victim
	for left := slices.Clone(candidates); len(left) > 0; {
		i := nextVictim(left, zones)
		order = append(order, left[i].Victim)
		zones[left[i].Zone]--
		left = slices.Delete(left, i, i+1)
	}
	return order
}

func nextVictim(free []candidate, zones map[string]int) int {
	best := 0
	for i := range free {
		if i == 0 {
			continue
		}
		a, b := &free[i], &free[best]
		if cmp.Or(compareFirst(a, b), cmp.Compare(zones[b.Zone], zones[a.Zone]), cmp.Compare(a.launched, b.launched), cmp.Compare(a.InstanceID, b.InstanceID)) < 0 {
			best = i
		}
	}
	if free[best].first == "" {
		free[best].Why = fmt.Sprintf("the oldest of zone %s, which has most", free[best].Zone)
		return best
	}
	free[best].Why = free[best].first
	return best
}

// compareFirst puts those before that have a reason to go first.
func compareFirst(a, b *candidate) int {
	rank := func(c *candidate) int {
		if c.first != "" {
			return 0
		}
		return 1
	}
	return cmp.Compare(rank(a), rank(b))
}
