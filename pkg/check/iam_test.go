package check

import (
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

func policies(edit func(*snapshot.RolePolicies)) snapshottest.Edit {
	return func(s *snapshot.Snapshot) { edit(s.Roles[0].Policies) }
}

func iamRuleRows() []ruleRow {
	noMachines := func(s *snapshot.Snapshot) { s.Nodes = nil }
	instance := func(edit func(*snapshot.Instance)) snapshottest.Edit {
		return func(s *snapshot.Snapshot) { edit(s.Nodes[0].Cloud) }
	}
	without := func(i int) snapshottest.Edit {
		return policies(func(p *snapshot.RolePolicies) { p.Attached = append(p.Attached[:i:i], p.Attached[i+1:]...) })
	}
	inline := func(document string) snapshottest.Edit {
		return policies(func(p *snapshot.RolePolicies) { p.Inline = []snapshot.Policy{{Name: "own", Document: document}} })
	}
	swapped := instance(func(i *snapshot.Instance) {
		i.InstanceProfile = "arn:aws:iam::111122223333:instance-profile/quick-setup"
	})
	return []ruleRow{
		{"iam.no-instance-profile", "has one", nil, report.Pass, "has an instance profile"},
		{"iam.no-instance-profile", "has none", []snapshottest.Edit{instance(func(i *snapshot.Instance) { i.InstanceProfile = "" })}, report.Fail, "the machine has no instance profile"},
		{"iam.no-instance-profile", "template", []snapshottest.Edit{noMachines}, report.Pass, "the template names"},
		{"iam.no-instance-profile", "template without", []snapshottest.Edit{noMachines, group(func(g *snapshot.Group) { g.Launch.InstanceProfile = "" })}, report.Fail, "the launch template names no"},
		{"iam.profile-empty", "holds the role", nil, report.Pass, "holds a role"},
		{"iam.profile-empty", "holds none", []snapshottest.Edit{func(s *snapshot.Snapshot) { s.Profiles[0].RoleARNs = nil }}, report.Fail, "holds no role"},
		{"iam.profile-empty", "gone", []snapshottest.Edit{func(s *snapshot.Snapshot) {
			s.Profiles[0] = snapshot.InstanceProfile{Name: "workers", Missing: true}
		}}, report.Fail, "does not exist"},
		{"iam.profile-swapped", "the same", nil, report.Pass, "the template's profile"},
		{"iam.profile-swapped", "another on a Ready machine", []snapshottest.Edit{swapped}, report.Warn, "the instance profile quick-setup"},
		{"iam.profile-swapped", "another on one that is not", []snapshottest.Edit{swapped, func(s *snapshot.Snapshot) { s.Nodes[0].Kube = nil }}, report.Fail, "the instance profile quick-setup"},
		{"iam.missing-worker-policy", "attached", nil, report.Pass, "may describe its own instance"},
		{"iam.missing-worker-policy", "not attached", []snapshottest.Edit{machine(unregistered), without(0)}, report.Fail, "no policy allows ec2:DescribeInstances"},
		{"iam.missing-worker-policy", "inline", []snapshottest.Edit{without(0), inline(`{"Statement":{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}}`)}, report.Pass, "may describe"},
		{"iam.missing-worker-policy", "not attached, and Ready all the same", []snapshottest.Edit{without(0)}, report.Warn, "no policy allows ec2:DescribeInstances"},
		{"iam.missing-worker-policy", "inline allows something else", []snapshottest.Edit{machine(unregistered), without(0), inline(`{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`)}, report.Fail, "no policy allows"},
		{"iam.missing-worker-policy", "inline allows all but", []snapshottest.Edit{without(0), inline(`{"Statement":{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}}`)}, report.Pass, "may describe"},
		{"iam.missing-worker-policy", "inline denies under conditions", []snapshottest.Edit{without(0), inline(`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"ec2:*","Resource":"*","Condition":{"Bool":{"aws:ViaAWSService":"true"}}}]}`)}, report.Pass, "may describe"},
		{"iam.missing-worker-policy", "inline denies", []snapshottest.Edit{machine(unregistered), without(0), inline(`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":["ec2:*"],"Resource":"*"}]}`)}, report.Fail, "no policy allows"},
		{"iam.missing-worker-policy", "a policy of the account's", []snapshottest.Edit{without(0), policies(func(p *snapshot.RolePolicies) {
			p.Attached = append(p.Attached, "arn:aws:iam::111122223333:policy/nodes")
		})}, report.Warn, "nodes might"},
		{"iam.missing-ecr-policy", "attached", nil, report.Pass, "may pull images"},
		{"iam.missing-ecr-policy", "not attached", []snapshottest.Edit{noNetwork(), without(1)}, report.Fail, "ecr:GetAuthorizationToken"},
		{"iam.missing-cni-policy", "attached", nil, report.Pass, "may give addresses"},
		{"iam.missing-cni-policy", "not attached", []snapshottest.Edit{noNetwork(), without(2)}, report.Fail, "ec2:AssignPrivateIpAddresses"},
		{"iam.missing-cni-policy", "IPv6 needs another", []snapshottest.Edit{func(s *snapshot.Snapshot) { s.Cluster.IPFamily = "ipv6" }}, report.Warn, "ec2:AssignIpv6Addresses"},
	}
}

// What a script of one's own is refused is no cause.
func TestRefusedScripts(t *testing.T) {
	for _, sig := range []string{"aws-unauthorized", "explicit-deny"} {
		for _, finding := range Run(snapshottest.Healthy(logged(sig, map[string]string{"action": "ec2:CreateTags"})...), iamLineChecks()).Findings {
			if finding.Status == report.Fail {
				t.Errorf("%s: %s %s", sig, finding.Check, finding.Summary)
			}
		}
	}
}

// A CNI with a role of its own asks nothing of the node's, whether its service
// account names the role or EKS Pod Identity hands it out.
func TestCNIPolicyWhereItIsNotUsed(t *testing.T) {
	no := false
	for name, own := range map[string]snapshottest.Edit{
		"service account": func(s *snapshot.Snapshot) { s.Kube.CNIPolicyOnNode = &no },
		"Pod Identity":    podIs(vpcCNI, func(p *snapshot.Pod) { p.PodIdentity = true }),
	} {
		snap := snapshottest.Healthy(policies(func(p *snapshot.RolePolicies) { p.Attached = nil }), own)
		if got := findings(Run(snap, iamChecks()), "iam.missing-cni-policy"); len(got) != 0 {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// How far session tokens travel is told beside that they are given, where the
// machine has seen it, and is nowhere held against it.
func TestHopsAreToldAndNotJudged(t *testing.T) {
	hops := func(n int) snapshottest.Edit {
		return func(s *snapshot.Snapshot) {
			for i := range s.Nodes {
				s.Nodes[i].Host.HopLimit = &snapshot.HostHopLimit{Hops: n}
			}
		}
	}
	blind := func(s *snapshot.Snapshot) {
		for i := range s.Nodes {
			h := s.Nodes[i].Host
			h.HopLimit, h.Gaps = nil, append(h.Gaps, snapshot.HostGap{Probe: snapshot.ProbeHopLimit, Reason: snapshot.GapDenied, Detail: "operation not permitted"})
		}
	}
	for name, test := range map[string]struct {
		edit snapshottest.Edit
		want string // "" for nothing said
	}{
		"two":       {hops(2), "had 2 hops left"},
		"one":       {hops(1), "had 1 hop left"},
		"not known": {blind, ""},
	} {
		said := false
		for _, finding := range findings(Run(snapshottest.Healthy(snapshottest.Reported, test.edit), All()), "instance.metadata") {
			for _, evidence := range finding.Evidence {
				if evidence.Source != agentSource+string(snapshot.ProbeHopLimit) {
					continue
				}
				if said = true; finding.Status != report.Pass || test.want == "" || !strings.Contains(evidence.Fact, test.want) {
					t.Errorf("%s: %s, %s", name, finding.Status, evidence.Fact)
				}
			}
		}
		if said != (test.want != "") {
			t.Errorf("%s: said %t", name, said)
		}
	}
}
