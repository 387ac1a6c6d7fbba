package faults

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// pairs are two things broken at once that have nothing to do with each other:
// both are named, the one that a machine meets earlier first.
func pairs() []fault {
	otherName := replace("name: "+layout.ClusterName, "name: other")
	return []fault{
		{name: "wrong cluster name, and mapping removed", want: []string{"boot.cluster-name-wrong", "auth.role-not-mapped"}, breaks: func(t *testing.T, w *world, group string) func() {
			role, profile := w.ownRole(t, group)
			w.group(t, group, 1, func(in *template) {
				in.profile = profile
				otherName(in)
			})
			id := w.running(t, group)
			w.refused(t, id, notLetIn)
			return func() {
				w.createEntry(t, role, "EC2_LINUX")
				w.rebuilt(t, group, id)
			}
		}},
		{name: "security group lets nothing out, and mapping removed", want: []string{"net.groups-out", "auth.role-not-mapped"}, breaks: func(t *testing.T, w *world, group string) func() {
			role, profile := w.ownRole(t, group)
			closed := w.ownGroup(t, group)
			_, err := w.ec2.RevokeSecurityGroupEgress(t.Context(), &ec2.RevokeSecurityGroupEgressInput{GroupId: &closed, IpPermissions: everything("0.0.0.0/0")})
			must(t, err)
			w.group(t, group, 1, func(in *template) {
				in.profile = profile
				in.securityGroups = []string{closed}
			})
			id := w.running(t, group)
			w.awaitJournal(t, id, noWayToEC2)
			return func() {
				w.createEntry(t, role, "EC2_LINUX")
				w.rebuilt(t, group, id)
			}
		}},
		{name: "launch process suspended, and wrong cluster name", want: []string{"launch.suspended", "boot.cluster-name-wrong"}, breaks: func(t *testing.T, w *world, group string) func() {
			w.group(t, group, 0, otherName)
			w.suspend(t, group, "Launch")
			w.size(t, group, 1)
			return nil
		}},
		{name: "no CNI plugin, and cloud controller off", want: []string{"cni.installed", "node.initialized"}, breaks: func(t *testing.T, w *world, group string) func() {
			ccm, cni := off(t, "no-ccm", group), off(t, "no-cni", group)
			w.group(t, group, 1, nil)
			id := w.running(t, group)
			noNetwork(t, id)
			old(t, id, uninitializedAge)
			return func() {
				ccm()
				cni()
				ready(t, id)
				untainted(t, id)
			}
		}},
	}
}

// oneOfTwo has a group with one machine of a good template and one of a later,
// wrong version: the good one is what the other is compared with.
func (w *world) oneOfTwo(t *testing.T) {
	const group = "half"
	w.group(t, group, 1, nil)
	good := w.running(t, group)
	ready(t, good)
	w.newTemplate(t, group, replace("name: "+layout.ClusterName, "name: other"))
	w.size(t, group, 2)
	bad := w.running(t, group, good)
	w.refused(t, bad, notLetIn)
	got := expect(t, []string{"boot.cluster-name-wrong"}, group)
	cause := got.Findings[0]
	if len(cause.Subjects) != 1 || cause.Subjects[0] != bad {
		t.Errorf("it is about %v, not about %s", cause.Subjects, bad)
	}
	compared := ""
	for _, evidence := range cause.Evidence {
		if evidence.Source == "healthy sibling" {
			compared = evidence.Fact
		}
	}
	if !strings.Contains(compared, good) || !strings.Contains(compared, "launch template version (2, there 1)") {
		t.Errorf("%s is compared so: %q", bad, compared)
	}
}

// wouldJoin asks about templates that nothing was started from.
func (w *world) wouldJoin(t *testing.T) {
	const group = "not-started"
	w.group(t, group, 0, replace("name: "+layout.ClusterName, "name: other"))
	expect(t, []string{"boot.cluster-name-wrong"}, group, "--would-join")
	if got := doctor(t, "healthy", "--would-join"); got.Counts.Fail > 0 {
		t.Errorf("the healthy group fails: %s", got.first())
	}
	templates, err := w.ec2.DescribeLaunchTemplates(t.Context(), &ec2.DescribeLaunchTemplatesInput{LaunchTemplateNames: []string{group}})
	must(t, err)
	expect(t, []string{"boot.cluster-name-wrong"}, "--launch-template", aws.ToString(templates.LaunchTemplates[0].LaunchTemplateId)+":1")
}
