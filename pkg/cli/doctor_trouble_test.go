package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/eksnodes/kubectl-eksnodes/pkg/cli/clitest"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// TestManyPages: what comes one thing at a time is judged as if it came at
// once.
func TestManyPages(t *testing.T) {
	play(t, brokenPlay())
	want := run(t)
	paged := play(t, brokenPlay())
	paged.PageSize = 1
	got := run(t)
	ignore := cmp.Options{cmpopts.IgnoreFields(report.Report{}, "CollectedAt"), cmpopts.IgnoreTypes(report.Evidence{})} // which hold times
	if diff := cmp.Diff(want.verdict, got.verdict, ignore); diff != "" {
		t.Error(diff)
	}
	calls := paged.Calls()
	if n := times(calls, "ec2:DescribeSubnets"); n != 4 {
		t.Errorf("4 subnets came in %d pages", n)
	}
}

func times(calls []string, call string) int {
	n := 0
	for _, c := range calls {
		if c == call {
			n++
		}
	}
	return n
}

// TestThrottledForAWhile: being asked to slow down is no verdict.
func TestThrottledForAWhile(t *testing.T) {
	p := play(t, snapshottest.Healthy())
	for _, call := range []string{"eks:DescribeCluster", "ec2:DescribeInstances", "autoscaling:DescribeAutoScalingGroups", "iam:ListInstanceProfiles", "kube:list nodes"} {
		p.Throttled[call] = 1
	}
	if got := run(t); got.code != exitOK {
		t.Errorf("exit %d, unknown %v\n%s", got.code, got.with(report.Unknown), got.stderr)
	}
	if n := p.Tries("ec2:DescribeInstances"); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

// troubled is a play and the test that it is for.
type troubled struct {
	*testing.T
	*clitest.Play
}

// TestTrouble is one thing that goes wrong on the way, each time: what hangs
// on it is unknown, by its reason, and the rest is judged.
func TestTrouble(t *testing.T) {
	for name, test := range map[string]struct {
		trouble func(*troubled)
		reason  string   // of an unknown
		unknown []string // checks
		passes  []string
	}{
		"throttled without end": {
			func(p *troubled) { p.Throttled["ec2:DescribeInstanceStatus"] = -1 }, "throttled",
			[]string{"instance.status-checks"}, []string{"net.nat", "node.heartbeat"},
		},
		"never answered": {
			func(p *troubled) { p.Hangs = func(call string) bool { return call == "ec2:DescribeNetworkAcls" } }, "timeout",
			[]string{"net.acl-out"}, []string{"net.nat", "node.heartbeat"},
		},
		"API server never answers": {
			func(p *troubled) { p.Hangs = func(call string) bool { return strings.HasPrefix(call, "kube:") } }, "timeout",
			[]string{"node.heartbeat", "cni.pod"}, []string{"net.nat", "launch.image-available"},
		},
		"API server is not there": {
			func(p *troubled) { p.KillKube() }, "unreachable",
			[]string{"node.heartbeat", "cni.pod"}, []string{"net.nat", "launch.image-available"},
		},
		"AWS is not there": {
			func(p *troubled) { p.KillAWS() }, "unreachable",
			[]string{"net.nat", "auth.role-not-mapped"}, []string{"node.heartbeat", "cni.pod", "auth.rbac-broken"},
		},
		"no credentials of AWS": {
			func(p *troubled) { p.Setenv("AWS_ACCESS_KEY_ID", ""); p.Setenv("AWS_SECRET_ACCESS_KEY", "") }, "denied",
			[]string{"net.nat", "auth.role-not-mapped"}, []string{"node.heartbeat", "cni.pod", "auth.rbac-broken"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := &troubled{T: t, Play: play(t, snapshottest.Healthy())}
			test.trouble(p)
			got := run(t, "--timeout", "2s")
			if got.code != exitInconclusive || got.verdict.Counts.Fail > 0 {
				t.Errorf("exit %d, fails %v\n%s", got.code, got.with(report.Fail), got.stderr)
			}
			for _, id := range test.unknown {
				if !slices.Contains(got.with(report.Unknown), id) || slices.Contains(got.with(report.Pass), id) {
					t.Errorf("%s is not unknown", id)
				}
			}
			for _, id := range test.passes {
				if !slices.Contains(got.with(report.Pass), id) {
					t.Errorf("%s is not judged", id)
				}
			}
			if !slices.ContainsFunc(got.verdict.Findings, func(f report.Finding) bool {
				return f.Status == report.Unknown && slices.Contains(f.Evidence, report.Evidence{Source: f.Evidence[0].Source, Fact: "not read: " + test.reason})
			}) {
				t.Errorf("no unknown says %q", test.reason)
			}
		})
	}
}

// TestAsideIsBounded: what is asked beside the verdict does not hold it up. A
// reading without a deadline would hang here for good.
func TestAsideIsBounded(t *testing.T) {
	p := play(t, snapshottest.Healthy())
	p.Hangs = func(call string) bool { return call == "ec2:DescribeSecurityGroupRules" }
	got := run(t, "--timeout", "1s")
	if got.code != exitOK || !strings.Contains(got.stderr, "look for ports that earlier runs left open") {
		t.Errorf("exit %d\n%s", got.code, got.stderr)
	}
}

// TestFaultIsSeenFromOneSide: a cluster's own fault is found without AWS, and
// AWS's without the cluster.
func TestFaultIsSeenFromOneSide(t *testing.T) {
	play(t, snapshottest.Healthy(func(s *snapshot.Snapshot) {
		s.Nodes[0].Kube.Conditions = []snapshot.Condition{{Type: "Ready", Status: "Unknown", Reason: "NodeStatusUnknown", Message: "Kubelet stopped posting node status.", Since: snapshottest.Now().Add(-3600e9)}}
		s.Kube.System.Leases[0].Renewed = snapshottest.Now().Add(-3600e9)
	}))
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	if got := run(t, "--timeout", "2s"); got.code != exitFails || got.first() != "node.heartbeat" {
		t.Errorf("without AWS: exit %d, %v", got.code, got.with(report.Fail))
	}
	q := play(t, brokenPlay())
	q.KillKube()
	got := run(t, "--timeout", "2s")
	if got.code != exitInconclusive && got.code != exitFails || slices.Contains(got.with(report.Pass), "auth.role-not-mapped") {
		t.Errorf("without the cluster: exit %d, %v", got.code, got.with(report.Fail))
	}
}
