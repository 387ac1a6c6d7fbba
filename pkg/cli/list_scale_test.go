package cli

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// groupsOf deals the machines of a fleet out to as many groups.
func groupsOf(groups, machines int) *snapshot.Snapshot {
	return snapshottest.Fleet(machines, func(s *snapshot.Snapshot) {
		one := s.Groups[0]
		s.Groups = nil
		size := machines / groups
		for i := range groups {
			group := one
			group.Name, group.ASGName = fmt.Sprintf("group-%03d", i), fmt.Sprintf("asg-%03d", i)
			group.Min, group.Desired, group.Max = 0, size, size
			group.InstanceIDs = slices.Clone(one.InstanceIDs[i*size : (i+1)*size])
			group.Members = slices.Clone(one.Members[i*size : (i+1)*size])
			s.Groups = append(s.Groups, group)
		}
		for i := range s.Nodes {
			s.Nodes[i].Group = s.Groups[i/size].Name
		}
	})
}

// listed runs the real command.
func listed(t testing.TB) string {
	t.Helper()
	var out, errOut bytes.Buffer
	if code := Main(t.Context(), []string{"list"}, Streams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut}); code != exitOK {
		t.Fatalf("exit %d\n%s", code, errOut.String())
	}
	return out.String()
}

// TestListCallsAtScale counts every call of `list`: only pages grow.
func TestListCallsAtScale(t *testing.T) {
	for _, test := range []struct{ groups, machines int }{{1, 10}, {100, 1000}, {100, 5000}, {200, 5000}} {
		p := play(t, groupsOf(test.groups, test.machines))
		if lines := strings.Count(listed(t), "\n"); lines != test.groups+1 {
			t.Errorf("%d groups in %d lines", test.groups, lines)
		}
		calls := map[string]int{}
		for _, call := range p.Calls() {
			calls[call]++
		}
		want := map[string]int{
			"eks:DescribeCluster": 1, "eks:ListAccessEntries": 1, "iam:ListInstanceProfiles": 1, "kube:get configmaps/aws-auth in kube-system": 1,
			"autoscaling:DescribeAutoScalingGroups": pages(test.groups, 100),
			"ec2:DescribeInstances":                 pages(test.machines, 1000),
			"kube:list nodes":                       pages(test.machines, 500),
		}
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Errorf("%d groups, %d machines:\n%s", test.groups, test.machines, diff)
		}
	}
}

// BenchmarkList is the whole command, reading over the wire included.
func BenchmarkList(b *testing.B) {
	play(b, groupsOf(100, 5000))
	b.ReportAllocs()
	for b.Loop() {
		listed(b)
	}
}
