package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// maxSiblings bounds how many Ready machines one failing machine is compared
// with; the most alike of them is shown.
const maxSiblings = 20

// templateVersionTag is set by EC2 on machines that were started from a
// launch template.
const templateVersionTag = "aws:ec2launchtemplate:version"

// compareSiblings adds to every cause that is about machines what tells the
// first of them from a Ready machine of the same group, or from the one named.
func compareSiblings(snap *snapshot.Snapshot, folded []verdict, with *snapshot.Node) {
	var ready map[string][]*snapshot.Node
	var byID map[string]*snapshot.Node
	for i := range folded {
		v := &folded[i]
		if v.Status != report.Fail || v.BlockedBy != "" || v.kind != report.KindMachine {
			continue
		}
		if ready == nil {
			ready, byID = readyByGroup(snap.Nodes, with), map[string]*snapshot.Node{}
			for n := range snap.Nodes {
				byID[snap.Nodes[n].InstanceID] = &snap.Nodes[n]
			}
		}
		if evidence, ok := siblingEvidence(byID, ready, v.Subjects); ok {
			v.Evidence = append(v.Evidence, evidence)
		}
	}
}

// readyByGroup lists the Ready machines of every group; for each group the one
// named, if one is.
func readyByGroup(nodes []snapshot.Node, named *snapshot.Node) map[string][]*snapshot.Node {
	ready := map[string][]*snapshot.Node{}
	if named != nil && named.Cloud != nil {
		for i := range nodes {
			ready[nodes[i].Group] = []*snapshot.Node{named}
		}
		return ready
	}
	for i := range nodes {
		node := &nodes[i]
		if node.Group != "" && node.Cloud != nil && node.Kube != nil && node.Kube.Ready() && len(ready[node.Group]) < maxSiblings {
			ready[node.Group] = append(ready[node.Group], node)
		}
	}
	return ready
}

// siblingEvidence compares the first of the machines that has a healthy
// sibling with the one that is most like it.
func siblingEvidence(byID map[string]*snapshot.Node, ready map[string][]*snapshot.Node, subjects []string) (report.Evidence, bool) {
	for _, id := range subjects {
		node := byID[id]
		if node == nil || node.Cloud == nil {
			continue
		}
		var best *snapshot.Node
		var fewest []string
		for _, sibling := range ready[node.Group] {
			if slices.Contains(subjects, sibling.InstanceID) {
				continue
			}
			if diff := Differences(node.Cloud, sibling.Cloud); best == nil || len(diff) < len(fewest) {
				best, fewest = sibling, diff
			}
		}
		if best == nil {
			continue
		}
		state := "which is Ready"
		if best.Kube == nil || !best.Kube.Ready() {
			state = "which is not Ready"
		}
		text := fmt.Sprintf("%s, %s, has the same subnet, image, type, role and security groups as %s", best.InstanceID, state, id)
		if len(fewest) > 0 {
			text = fmt.Sprintf("%s differs from %s, %s, in: %s", id, best.InstanceID, state, strings.Join(fewest, "; "))
		}
		return fact("healthy sibling", text), true
	}
	return report.Evidence{}, false
}

// Differences names what tells two machines apart, as far as it can decide
// whether a machine joins: "subnet (subnet-a, there subnet-b)".
func Differences(here, there *snapshot.Instance) []string {
	list := func(ids []string) string { return strings.Join(slices.Sorted(slices.Values(ids)), ",") }
	var out []string
	for _, side := range []struct{ what, here, there string }{
		{"subnet", here.SubnetID, there.SubnetID},
		{"image", here.ImageID, there.ImageID},
		{"type", here.Type, there.Type},
		{"instance profile", here.InstanceProfile, there.InstanceProfile},
		{"security groups", list(here.SecurityGroupIDs), list(there.SecurityGroupIDs)},
		{"launch template version", here.Tags[templateVersionTag], there.Tags[templateVersionTag]},
		{"metadata tokens", here.HTTPTokens, there.HTTPTokens},
	} {
		if side.here != side.there {
			out = append(out, fmt.Sprintf("%s (%s, there %s)", side.what, cmp.Or(side.here, "none"), cmp.Or(side.there, "none")))
		}
	}
	return out
}
