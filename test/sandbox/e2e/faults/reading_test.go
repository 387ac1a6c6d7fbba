package faults

import (
	"slices"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// deniedReads denies the user one call after the other: what depends on it is
// unknown, and nothing that was read is taken for broken.
func (w *world) deniedReads(t *testing.T, rows *table) {
	for _, call := range []string{"eks:ListAccessEntries", "iam:GetRole", "ec2:DescribeLaunchTemplateVersions", "autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances"} {
		t.Run(call, func(t *testing.T) {
			f := fault{name: "reading denied: " + call, want: []string{""}}
			rows.expect(f)
			sandbox.Driver(t, "fault", "inject", "deny", call)
			t.Cleanup(func() { sandbox.Driver(t, "fault", "clear") })
			rows.add(f, unknown(t, call))
		})
	}
}

// unknown asks when a call cannot be made.
func unknown(t *testing.T, call string, args ...string) diagnosis {
	t.Helper()
	got := doctor(t, args...)
	if got.code != 4 || got.Counts.Unknown == 0 || got.Counts.Fail > 0 || got.Counts.Warn > 0 {
		t.Errorf("exit %d, %+v, first %s", got.code, got.Counts, got.first())
	}
	if !slices.ContainsFunc(got.Findings, func(f report.Finding) bool { return f.Status == report.Unknown && strings.Contains(f.Summary, call) }) {
		t.Errorf("no finding names %s", call)
	}
	return got
}

// throttledReads has AWS throttle the user: for a while, which changes nothing,
// and all the time, which makes what could not be read unknown.
func (w *world) throttledReads(t *testing.T, rows *table) {
	const group = "throttled"
	w.group(t, group, 0, replace("name: "+layout.ClusterName, "name: other"))
	t.Run("for a while", func(t *testing.T) {
		f := fault{name: "reading throttled for a while, and wrong cluster name", want: []string{"boot.cluster-name-wrong"}}
		rows.expect(f)
		sandbox.Driver(t, "fault", "inject", "throttle", "ec2:Describe*", "--count", "4")
		t.Cleanup(func() { sandbox.Driver(t, "fault", "clear") })
		rows.add(f, expect(t, f.want, group))
	})
	t.Run("all the time", func(t *testing.T) {
		const call = "ec2:DescribeLaunchTemplateVersions"
		f := fault{name: "reading throttled all the time: " + call, want: []string{""}}
		rows.expect(f)
		sandbox.Driver(t, "fault", "inject", "throttle", call)
		t.Cleanup(func() { sandbox.Driver(t, "fault", "clear") })
		rows.add(f, unknown(t, call, "healthy"))
	})
}
