package check

import (
	"slices"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// What a machine says of the consequence stands behind what tells the cause.
func TestLinesYieldToTheirCause(t *testing.T) {
	for name, row := range map[string]struct {
		edits []snapshottest.Edit
		want  string
		after string // fails too, explained by it; "" when it does not fail at all
	}{
		"a NodeConfig that cannot be read is as good as none, to nodeadm": {
			edits: slices.Concat(logged("no-nodeconfig", nil), logged("nodeconfig-yaml", nil)), want: "boot.nodeconfig-yaml",
		},
		"no instance profile, no credentials": {
			edits: append(logged("no-credentials", nil), machine(func(n *snapshot.Node) { n.Cloud.InstanceProfile = "" })),
			want:  "iam.no-instance-profile", after: "iam.no-credentials",
		},
		"a closed security group, no way to EC2": {
			edits: append(logged("nodeadm-ec2-retry", nil), func(s *snapshot.Snapshot) {
				for i := range s.Network.SecurityGroups {
					s.Network.SecurityGroups[i].Egress = nil
				}
			}),
			want: "net.groups-out", after: "boot.nodeadm-ec2-unreachable",
		},
		"no credentials, and nobody knows why": {edits: logged("no-credentials", nil), want: "iam.no-credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Run(snapshottest.Healthy(row.edits...), Standing())
			if first := got.Findings[0]; first.Check != row.want || first.Status != report.Fail {
				t.Errorf("first is %s (%s), want %s", first.Check, first.Summary, row.want)
			}
			for _, finding := range got.Findings[1:] {
				if finding.Status == report.Fail && finding.BlockedBy != row.want {
					t.Errorf("%s stands beside it", finding.Check)
				}
			}
			if row.after != "" && !slices.ContainsFunc(got.Findings, func(f report.Finding) bool { return f.Check == row.after && f.Status == report.Fail }) {
				t.Errorf("%s does not fail", row.after)
			}
		})
	}
}
