package check

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// TestNotJudged lists what a rule must not take for a fault, because it is
// about something else or does not apply.
func TestNotJudged(t *testing.T) {
	const name = "ip-i-0000000000000000a.us-west-2.compute.internal"
	removed := func(edit func(*snapshot.Event)) []snapshottest.Edit {
		return []snapshottest.Edit{machine(unregistered), runs(func(s *snapshot.System) {
			event := snapshot.Event{Kind: "Node", Object: name, Reason: "DeletingNode", Last: snapshottest.Now().Add(-time.Hour), Message: "Deleting node"}
			edit(&event)
			s.Events = []snapshot.Event{event}
		})}
	}
	edits := func(edits ...snapshottest.Edit) []snapshottest.Edit { return edits }
	closed := network(func(n *snapshot.Network) {
		n.ACLs = []snapshot.NetworkACL{{ID: "acl-0closed", SubnetIDs: []string{"subnet-0privatea", "subnet-0privateb"}}}
	})
	for _, test := range []struct {
		check, name string
		edits       []snapshottest.Edit
	}{
		{"node.removed", "another node", removed(func(e *snapshot.Event) { e.Object = "ip-10-9-9-9" })},
		{"node.removed", "another reason", removed(func(e *snapshot.Event) { e.Reason = "RemovingNode" })},
		{"node.removed", "another kind", removed(func(e *snapshot.Event) { e.Kind = "Pod" })},
		{"node.removed", "before it was launched", removed(func(e *snapshot.Event) { e.Last = snapshottest.Now().Add(-48 * time.Hour) })},
		{"node.absent", "of no group", edits(machine(unregistered), machine(func(n *snapshot.Node) { n.Group = "" }))},
		{"node.absent", "stopped", edits(machine(unregistered), machine(func(n *snapshot.Node) { n.Cloud.State = "stopped" }))},
		{"node.provider-id", "zone not known", edits(machine(func(n *snapshot.Node) { n.Cloud.Zone = "" }))},
		{"node.provider-id", "names not known", edits(machine(unregistered), machine(func(n *snapshot.Node) { n.Cloud.PrivateDNSName, n.Cloud.PrivateIP = "", "" }), func(s *snapshot.Snapshot) {
			s.Nodes = append(s.Nodes, snapshot.Node{Kube: &snapshot.KubeNode{}})
		})},
		{"node.heartbeat", "no time in the lease", edits(runs(func(s *snapshot.System) { s.Leases[0].Renewed = time.Time{} }))},
		{"node.heartbeat", "the clock of the one who looks is wrong", edits(func(s *snapshot.Snapshot) { s.CollectedAt = s.CollectedAt.Add(time.Hour) })},
		{"net.acl-out", "without a way out, endpoints are asked", edits(machine(unregistered), noWayOut, closed)},
		{"instance.state", "stopped, in no group that is known", edits(machine(func(n *snapshot.Node) { n.Group, n.Cloud.State = "", "stopped" }))},
		{"launch.image-available", "named by a parameter", edits(group(func(g *snapshot.Group) { g.Launch.ImageID = "resolve:ssm:/mine" }))},
		{"launch.volume-size", "a small data volume", edits(group(func(g *snapshot.Group) {
			g.Launch.VolumeSizeGiB, g.Launch.Volumes = 8, []snapshot.Volume{{Device: "/dev/xvdb", SizeGiB: 8}, {Device: "/dev/xvda", SizeGiB: 80}}
		}))},
		{"launch.type-offered", "another type is sold in the zone", edits(group(func(g *snapshot.Group) { g.Launch.InstanceTypes = []string{snapshottest.Type, "m6i.large"} }), func(s *snapshot.Snapshot) {
			s.Catalog.Offerings = map[string][]string{snapshottest.Type: {"us-west-2a"}, "m6i.large": {"us-west-2b"}}
		})},
		{"net.free-addresses", "all machines stand", edits(subnet("subnet-0privatea", func(n *snapshot.Subnet) { n.FreeAddresses = 1 }), subnet("subnet-0privateb", func(n *snapshot.Subnet) { n.FreeAddresses = 1 }))},
		{"boot.hop-limit", "somebody's choice", edits(group(func(g *snapshot.Group) { g.Launch.HopLimit = 1 }))},
		{"ami.wrong-minor", "a group after its cluster's upgrade", edits(onImage("amazon-eks-node-al2023-x86_64-standard-1.33-v20260520"))},
		{"launch.fails", "cancelled by scaling in", edits(group(func(g *snapshot.Group) {
			g.Desired = 3
			g.Activities = append([]snapshot.Activity{{Description: "Launching a new EC2 instance", Status: "Cancelled", Message: "Cancelled.", StartedAt: snapshottest.Now()}}, g.Activities...)
		}))},
	} {
		t.Run(test.check+"/"+test.name, func(t *testing.T) {
			for _, finding := range Run(snapshottest.Healthy(test.edits...), only(All(), test.check)).Findings {
				if finding.Status != report.Pass {
					t.Errorf("%s %s", finding.Status, finding.Summary)
				}
			}
		})
	}
}

// A port range of zeros in an ACL's entry for TCP is all ports.
func TestACLAllPorts(t *testing.T) {
	acl := &snapshot.NetworkACL{Entries: []snapshot.ACLEntry{{Number: 1, Protocol: "6", Allow: true, CIDR: everywhere}}}
	if allowed, by := aclDecides(acl, false, everywhere, 443); !allowed || by != "rule 1" {
		t.Errorf("%t by %s", allowed, by)
	}
}

// TestProvenTemplate: what a machine has booted from cannot keep the next one
// from booting, as long as it is the same version.
func TestProvenTemplate(t *testing.T) {
	wrong := rewritten("name: demo", "name: dema")
	version := func(tag string) snapshottest.Edit {
		return func(s *snapshot.Snapshot) {
			s.Groups[0].Launch.TemplateNumber = 3
			s.Nodes[0].Cloud.Tags[templateVersionTag] = tag
		}
	}
	for name, test := range map[string]struct {
		edits []snapshottest.Edit
		want  report.Status
	}{
		"of this version":       {[]snapshottest.Edit{version("3")}, report.Warn},
		"of another version":    {[]snapshottest.Edit{version("2")}, report.Fail},
		"of another group":      {[]snapshottest.Edit{version("3"), machine(func(n *snapshot.Node) { n.Group = "others" })}, report.Fail},
		"that is only planned":  {[]snapshottest.Edit{version("3"), group(func(g *snapshot.Group) { g.Proposed = true })}, report.Fail},
		"of a version unknown":  {[]snapshottest.Edit{version("3"), group(func(g *snapshot.Group) { g.Launch.TemplateNumber = 0 })}, report.Fail},
		"that is not Ready yet": {[]snapshottest.Edit{version("3"), says("False", "KubeletNotReady", "x"), func(s *snapshot.Snapshot) { s.Nodes[0].Group = "others" }}, report.Fail},
	} {
		got := Run(snapshottest.Healthy(append(test.edits, wrong)...), only(All(), "boot.cluster-name-wrong")).Findings
		if i := slices.IndexFunc(got, func(f report.Finding) bool { return slices.Contains(f.Subjects, snapshottest.Group) }); i < 0 || got[i].Status != test.want {
			t.Errorf("a machine %s: got %+v, want %s", name, got, test.want)
		}
	}
}

// A machine's own image decides how its user data is read, not what its group
// would start today.
func TestOwnImage(t *testing.T) {
	snap := snapshottest.Healthy(absent, boots(bootstrap), func(s *snapshot.Snapshot) {
		s.Catalog.Images = append(s.Catalog.Images, snapshot.Image{ID: "ami-0al2", Name: al2Image})
		s.Nodes[0].Cloud.ImageID = "ami-0al2"
	})
	for _, finding := range Run(snap, only(All(), "boot.al2-script-on-al2023")).Findings {
		if finding.Status == report.Fail && slices.Contains(finding.Subjects, "i-0000000000000000a") {
			t.Errorf("judged by another image: %s", finding.Summary)
		}
	}
}

// What the authenticator would answer is told with the user that it makes.
func TestEvidenceNamesTheUser(t *testing.T) {
	got := Run(snapshottest.Healthy(), only(All(), "auth.role-not-mapped")).Findings
	last := got[0].Evidence[len(got[0].Evidence)-1].Fact
	if !strings.Contains(last, `user "system:node:{{EC2PrivateDNSName}}"`) {
		t.Error(last)
	}
}

// Only causes are compared with a sibling, and with the most alike one.
func TestSiblingIsTheMostAlike(t *testing.T) {
	third := func(s *snapshot.Snapshot) {
		node := s.Nodes[1]
		cloud := *node.Cloud
		node.InstanceID, node.Cloud = "i-0000000000000000c", &cloud
		kube := *node.Kube
		kube.ProviderID, node.Kube = "aws:///us-west-2a/"+node.InstanceID, &kube
		cloud.SubnetID, cloud.Zone = "subnet-0privatea", "us-west-2a"
		s.Nodes = append(s.Nodes, node)
	}
	verdict := Run(snapshottest.Healthy(machine(unregistered), third, machine(func(n *snapshot.Node) { n.Cloud.SecurityGroupIDs = []string{snapshottest.ExtraSG} })), Standing())
	for _, finding := range verdict.Findings {
		i := slices.IndexFunc(finding.Evidence, func(e report.Evidence) bool { return e.Source == "healthy sibling" })
		cause := finding.Status == report.Fail && finding.BlockedBy == ""
		if (i >= 0) != cause {
			t.Errorf("%s %s: sibling %t", finding.Status, finding.Check, i >= 0)
		}
		if i >= 0 && (!strings.Contains(finding.Evidence[i].Fact, "i-0000000000000000c") || strings.Contains(finding.Evidence[i].Fact, "subnet")) {
			t.Errorf("%s", finding.Evidence[i].Fact)
		}
	}
}

// warm puts the first machine into the warm pool of its group.
func warm(state string) snapshottest.Edit {
	return func(s *snapshot.Snapshot) {
		g, n := &s.Groups[0], &s.Nodes[0]
		g.WarmPool = &snapshot.WarmPool{State: state, Size: 1, Min: 1}
		g.Desired, g.InstanceIDs, g.Members = g.Desired-1, g.InstanceIDs[1:], g.Members[1:]
		n.Warm, n.Kube, n.Cloud.State, n.Cloud.Lifecycle = true, nil, state, ""
		if state == "stopped" {
			n.Status = nil
		}
	}
}

// TestWarmPoolsAreNoFault: a machine that waits for its turn, stopped or
// running, is nothing to be told of, and is not counted as one that is missing.
func TestWarmPoolsAreNoFault(t *testing.T) {
	for _, state := range []string{"stopped", "running", "stopping", "pending"} {
		got := Run(snapshottest.Healthy(warm(state)), All())
		for _, finding := range got.Findings {
			if finding.Status != report.Pass {
				t.Errorf("%s: %s %s %s", state, finding.Check, finding.Status, finding.Summary)
			}
		}
		if got.Machines.Total != 1 || got.Machines.Ready != 1 {
			t.Errorf("%s: machines %+v", state, got.Machines)
		}
	}
	// Nor is it one that is to join, whatever keeps it from that.
	for name, joiner := range joinersOf(snapshottest.Healthy(warm("running"))) {
		if joiner.Node != nil && joiner.Node.Warm {
			t.Errorf("%s is asked what keeps it from joining", name)
		}
	}
	// The same machine in the group is one that does not join.
	got := Run(snapshottest.Healthy(warm("running"), func(s *snapshot.Snapshot) { s.Nodes[0].Warm = false }), only(All(), "node.absent"))
	if got.Counts.Fail == 0 {
		t.Error("a member that does not register is no fault")
	}
}
