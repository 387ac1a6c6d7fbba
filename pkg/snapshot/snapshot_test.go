package snapshot

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAddNodesJoinsByInstanceID(t *testing.T) {
	a, b := &Instance{Type: "a"}, &Instance{Type: "b"}
	ka, lone, other := &KubeNode{Name: "a"}, &KubeNode{Name: "lone"}, &KubeNode{Name: "other"}
	var s Snapshot
	s.AddNodes(Node{Kube: lone}, Node{InstanceID: "i-a", Kube: ka})
	before := s
	s.AddNodes(Node{InstanceID: "i-b", Group: "g", Cloud: b}, Node{InstanceID: "i-a", Group: "g", Cloud: a}, Node{Kube: other})
	// In the order of their ids, whatever order they came in; those without one last.
	want := []Node{{InstanceID: "i-a", Group: "g", Cloud: a, Kube: ka}, {InstanceID: "i-b", Group: "g", Cloud: b}, {Kube: lone}, {Kube: other}}
	if diff := cmp.Diff(want, s.Nodes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Node{{InstanceID: "i-a", Kube: ka}, {Kube: lone}}, before.Nodes); diff != "" {
		t.Errorf("the earlier copy changed: %s", diff)
	}
}

func TestInstanceIDFromProviderID(t *testing.T) {
	for in, want := range map[string]string{
		"aws:///us-west-2a/i-0123456789abcdef0": "i-0123456789abcdef0",
		"aws://us-west-2/i-0123":                "i-0123",
		"aws:///us-west-2a/fargate-ip-10-0-0-1": "",
		"gce://project/zone/i-0123":             "",
		"aws://i-0123":                          "i-0123",
		"eks-hybrid:///us-west-2/demo/mi-0123":  "",
		"":                                      "",
	} {
		if got := InstanceIDFromProviderID(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestRouteTableOf(t *testing.T) {
	n := Network{
		Subnets: []Subnet{{ID: "subnet-a", VPCID: "vpc-1"}, {ID: "subnet-b", VPCID: "vpc-1"}, {ID: "subnet-c", VPCID: "vpc-2"}},
		RouteTables: []RouteTable{
			{ID: "rtb-other-main", VPCID: "vpc-3", Main: true},
			{ID: "rtb-main", VPCID: "vpc-1", Main: true},
			{ID: "rtb-a", VPCID: "vpc-1", SubnetIDs: []string{"subnet-a"}},
		},
	}
	for subnet, want := range map[string]string{"subnet-a": "rtb-a", "subnet-b": "rtb-main", "subnet-c": "", "subnet-unknown": ""} {
		got := ""
		if table := n.RouteTableOf(subnet); table != nil {
			got = table.ID
		}
		if got != want {
			t.Errorf("%s: %q, want %q", subnet, got, want)
		}
	}
}

// A machine's report comes home beside what the cloud says, and its known
// lines count as the machine's.
func TestAddNodesJoinsReports(t *testing.T) {
	var s Snapshot
	s.AddNodes(Node{InstanceID: "i-a", Cloud: &Instance{Type: "a"}, Logs: []Seen{{Sig: "x", Where: "console", Count: 1}}})
	host := &Host{Logs: &HostLogs{Seen: []Seen{{Sig: "kubelet-401", Where: "kubelet", Count: 3}}}}
	s.AddNodes(Node{InstanceID: "i-a", Host: host})
	want := []Node{{
		InstanceID: "i-a", Cloud: &Instance{Type: "a"}, Host: host,
		Logs: []Seen{{Sig: "x", Where: "console", Count: 1}, {Sig: "kubelet-401", Where: "kubelet", Count: 3}},
	}}
	if diff := cmp.Diff(want, s.Nodes); diff != "" {
		t.Error(diff)
	}
}

// No probe is read or missing without a word: facts, a reason, or the reason
// that the report does not know the probe.
func TestHostGap(t *testing.T) {
	host := Host{Clock: &HostClock{}, Gaps: []HostGap{{Probe: ProbeUnits, Reason: GapDenied, Detail: "permission denied"}}}
	for _, probe := range Probes() {
		gap, missing := host.Gap(probe)
		switch probe {
		case ProbeClock:
			if missing {
				t.Errorf("%s is a gap: %+v", probe, gap)
			}
		case ProbeUnits:
			if gap.Reason != GapDenied || gap.Detail != "permission denied" {
				t.Errorf("%s: %+v", probe, gap)
			}
		default:
			if !missing || gap.Reason == "" || gap.Detail == "" {
				t.Errorf("%s: %+v, missing %v", probe, gap, missing)
			}
		}
	}
}
