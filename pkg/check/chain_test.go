package check

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

func groupCheck(id string, link Link) Check {
	return Check{ID: id, Link: link, Needs: sections(snapshot.SectionGroups), Group: func(*snapshot.Snapshot, *snapshot.Group) []Result {
		return fail(report.Certain, id+" broke", do("fix it"), fact("test", id))
	}}
}

func clusterCheck(id string, link Link) Check {
	return Check{ID: id, Link: link, Cluster: func(*snapshot.Snapshot) []Result {
		return fail(report.Certain, id+" broke", do("fix it"), fact("test", id))
	}}
}

// TestWideCauses asks which failures of the group and the cluster explain a
// machine's.
func TestWideCauses(t *testing.T) {
	const a = "i-0000000000000000a"
	symptom := nodeCheck("node.absent", LinkNodeObject, report.Fail, a)
	symptom.Symptom = true
	sign := func(id string) Check {
		check := nodeCheck(id, LinkNodeObject, report.Fail, a)
		check.Symptom = true
		return check
	}
	for name, test := range map[string]struct {
		checks []Check
		want   []string // checks in verdict order, with what blocks them
	}{
		"nothing else": {[]Check{symptom}, []string{"node.absent"}},
		"the group's": {
			[]Check{symptom, groupCheck("auth.entry", LinkAuthentication)}, []string{"auth.entry", "node.absent < auth.entry"},
		},
		"the earliest of several, all of them shown": {
			[]Check{symptom, clusterCheck("auth.map", LinkAuthentication), groupCheck("boot.name", LinkBoot)},
			[]string{"boot.name", "auth.map", "node.absent < boot.name"},
		},
		"later than the failure": {
			[]Check{nodeCheck("net.route", LinkAPIServer, report.Fail, a), groupCheck("auth.entry", LinkAuthentication)},
			[]string{"net.route", "auth.entry"},
		},
		"a machine that is there was launched": {
			[]Check{symptom, groupCheck("launch.key", LinkLaunch)}, []string{"launch.key", "node.absent"},
		},
		"of two symptoms at one link the one that is listed first": {
			[]Check{sign("node.first"), sign("node.second")}, []string{"node.first", "node.second < node.first"},
		},
		"no symptom before one, though it is listed later": {
			[]Check{sign("node.first"), nodeCheck("node.name", LinkNodeObject, report.Fail, a), sign("node.second")},
			[]string{"node.name", "node.first < node.name", "node.second < node.name"},
		},
		"at the symptom's own link": {
			[]Check{symptom, nodeCheck("node.name", LinkNodeObject, report.Fail, a)}, []string{"node.name", "node.absent < node.name"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range Run(snapshottest.Healthy(), test.checks).Findings {
				switch {
				case f.Status != report.Fail:
				case f.BlockedBy != "":
					got = append(got, f.Check+" < "+f.BlockedBy)
				default:
					got = append(got, f.Check)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestHealthySibling names what tells a failing machine from a Ready one.
func TestHealthySibling(t *testing.T) {
	const a = "i-0000000000000000a"
	sibling := func(edits ...snapshottest.Edit) string {
		snap := snapshottest.Healthy(edits...)
		for _, evidence := range Run(snap, []Check{nodeCheck("net.route", LinkAPIServer, report.Fail, a)}).Findings[0].Evidence {
			if evidence.Source == "healthy sibling" {
				return evidence.Fact
			}
		}
		return ""
	}
	if got := sibling(machine(func(n *snapshot.Node) { n.Cloud.ImageID = "ami-other" })); !strings.Contains(got, "image (ami-other, there "+snapshottest.Image+")") {
		t.Errorf("another image: %q", got)
	}
	same := machine(func(n *snapshot.Node) { n.Cloud.SubnetID = "subnet-0privateb" })
	if got := sibling(same); !strings.Contains(got, "the same subnet") {
		t.Errorf("nothing else differs: %q", got)
	}
	unready := func(s *snapshot.Snapshot) { s.Nodes[1].Kube = nil }
	if got := sibling(unready); got != "" {
		t.Errorf("no sibling is Ready: %q", got)
	}
}
