package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// flatCalls are made once however many machines there are; that of a second
// role, group, template or VPC is not among them.
func flatCalls() map[string]int {
	return map[string]int{
		"autoscaling:DescribeAutoScalingGroups": 1, "autoscaling:DescribeScalingActivities": 1,
		"ec2:DescribeDhcpOptions": 1, "ec2:DescribeImages": 1, "ec2:DescribeInstanceTypeOfferings": 1, "ec2:DescribeInstanceTypes": 1,
		"ec2:DescribeInternetGateways": 1, "ec2:DescribeKeyPairs": 1, "ec2:DescribeLaunchTemplateVersions": 1, "ec2:DescribeNatGateways": 1,
		"ec2:DescribeNetworkAcls": 1, "ec2:DescribeRouteTables": 1, "ec2:DescribeSecurityGroups": 1, "ec2:DescribeSubnets": 1,
		"ec2:DescribeVpcAttribute": 2, "ec2:DescribeVpcEndpoints": 1, "ec2:DescribeVpcs": 1,
		"ec2:DescribeSecurityGroupRules": 1, "eks:DescribeCluster": 1, "iam:GetRole": 2, "kube:list eniconfigs": 1, "iam:ListAttachedRolePolicies": 3, "iam:ListInstanceProfiles": 1, "iam:ListRolePolicies": 1,
		"kube:get configmaps/aws-auth in kube-system": 1, "kube:get daemonsets/aws-node in kube-system": 1, "kube:get serviceaccounts/aws-node in kube-system": 1,
		"kube:get version": 1, "kube:list clusterrolebindings": 1, "kube:list daemonsets": 1, "kube:list events in default": 1, "kube:list events in kube-system": 1,
		"kube:list mutatingwebhookconfigurations": 1, "kube:list validatingwebhookconfigurations": 1, "eks:ListAccessEntries": 1,
	}
}

func pages(n, size int) int { return max((n+size-1)/size, 1) }

// TestCallsAtScale counts every call that the doctor makes. EC2 lists a
// thousand machines in an answer, the cluster's API five hundred objects, and
// that is all that grows; of machines that are silent ten are looked into.
func TestCallsAtScale(t *testing.T) {
	for _, n := range []int{10, 100, 1000, 5000} {
		ready := flatCalls()
		ready["eks:DescribeAccessEntry"] = 1
		ready["ec2:DescribeInstances"], ready["ec2:DescribeInstanceStatus"] = pages(n, 1000), pages(n, 1000)
		ready["kube:list nodes"], ready["kube:list leases in kube-node-lease"], ready["kube:list certificatesigningrequests"] = pages(n, 500), pages(n, 500), pages(n, 500)
		ready["kube:list pods in kube-system"] = pages(2*n, 500)
		countCalls(t, fmt.Sprintf("%d ready", n), snapshottest.Fleet(n), exitOK, ready)

		silent := flatCalls()
		silent["ec2:DescribeInstances"], silent["ec2:DescribeInstanceStatus"] = pages(n, 1000), pages(n, 1000)
		silent["ec2:GetConsoleOutput"], silent["ec2:DescribeInstanceAttribute"] = 10, 10
		silent["kube:list nodes"], silent["kube:list leases in kube-node-lease"], silent["kube:list certificatesigningrequests"], silent["kube:list pods in kube-system"] = 1, 1, 1, 1
		countCalls(t, fmt.Sprintf("%d unmapped", n), unmapped(n), exitFails, silent)
	}
}

func unmapped(n int) *snapshot.Snapshot {
	return snapshottest.Fleet(n, snapshottest.Unmapped, func(s *snapshot.Snapshot) { s.Gaps = nil })
}

func countCalls(t *testing.T, name string, snap *snapshot.Snapshot, code int, want map[string]int) {
	t.Helper()
	p := play(t, snap)
	got := run(t)
	if got.code != code {
		t.Errorf("%s: exit %d: %v %v\n%s", name, got.code, got.with(report.Fail), got.with(report.Unknown), got.stderr)
	}
	calls := map[string]int{}
	for _, call := range p.Calls() {
		calls[call]++
	}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("%s:\n%s", name, diff)
	}
	if code == exitFails && (got.first() != "auth.role-not-mapped" || got.verdict.Findings[0].BlockedBy != "" || got.verdict.Findings[1].Status == report.Fail && got.verdict.Findings[1].BlockedBy == "") {
		t.Errorf("%s: causes %v", name, got.with(report.Fail))
	}
}

// TestOutputAtScale: five thousand machines with one cause fit on a page, in
// every form that people read.
func TestOutputAtScale(t *testing.T) {
	play(t, unmapped(5000))
	for format, limit := range map[string]int{"text": 8 << 10, "html": 512 << 10, "json": 2 << 20} {
		var out, errOut bytes.Buffer
		code := Main(t.Context(), []string{"doctor", "-o", format}, Streams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut})
		if code != exitFails || out.Len() > limit || out.Len() == 0 {
			t.Errorf("%s: exit %d, %d bytes, more than %d", format, code, out.Len(), limit)
		}
		t.Logf("%s: %d bytes", format, out.Len())
	}
}

// BenchmarkDoctor is the whole command, reading over the wire included.
func BenchmarkDoctor(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			play(b, snapshottest.Fleet(n))
			b.ReportAllocs()
			for b.Loop() {
				if got := run(b); got.code != exitOK {
					b.Fatalf("exit %d\n%s", got.code, got.stderr)
				}
			}
		})
	}
}
