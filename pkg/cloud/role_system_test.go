package cloud

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const iamNames = `xmlns="https://iam.amazonaws.com/doc/2010-05-08/"`

// from reads one section over what an earlier reading found.
func from(t *testing.T, f *fake, base snapshot.Snapshot, section snapshot.Section) (snapshot.Snapshot, []snapshot.Gap) {
	t.Helper()
	base.CollectedAt = created() // something was read before
	snap := gather.Run(t.Context(), base, f.client().Sources(Request{Cluster: "demo", StackNames: []string{"s"}, StackFailures: true, Sections: []snapshot.Section{section}}), nil)
	var gaps []snapshot.Gap
	for _, gap := range snap.Gaps {
		if gap.Reason != snapshot.GapNotAsked {
			gaps = append(gaps, gap)
		}
	}
	return snap, gaps
}

func TestClusterRole(t *testing.T) {
	base := snapshot.Snapshot{Cluster: &snapshot.Cluster{RoleARN: "arn:aws:iam::111122223333:role/eks/a"}}
	f := newFake(t)
	snap, gaps := from(t, f, base, snapshot.SectionClusterRole)
	if len(gaps) > 0 || snap.ClusterRole == nil || snap.ClusterRole.Missing || f.last("GetRole").params.Get("RoleName") != "a" {
		t.Fatalf("gaps %+v, role %+v", gaps, snap.ClusterRole)
	}
	if diff := cmp.Diff([]string{"arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"}, snap.ClusterRole.AttachedPolicies); diff != "" {
		t.Error(diff)
	}
	f.fail("GetRole", 404, "NoSuchEntity", "The role with name a cannot be found.")
	if snap, gaps = from(t, f, base, snapshot.SectionClusterRole); len(gaps) > 0 || !snap.ClusterRole.Missing || snap.ClusterRole.ARN != base.Cluster.RoleARN {
		t.Errorf("gaps %+v, role %+v", gaps, snap.ClusterRole)
	}
	f.deny("GetRole")
	if _, gaps = from(t, f, base, snapshot.SectionClusterRole); len(gaps) != 1 || gaps[0].Reason != snapshot.GapDenied {
		t.Errorf("gaps %+v", gaps)
	}
}

func TestCNIRole(t *testing.T) {
	f := newFake(t)
	if snap, gaps := from(t, f, snapshot.Snapshot{}, snapshot.SectionCNIRole); len(gaps) > 0 || snap.CNIRole != nil || len(f.ops()) > 0 {
		t.Errorf("without a role: gaps %+v, calls %v", gaps, f.ops())
	}
	f.answer("ListRolePolicies", 200, `<ListRolePoliciesResponse `+iamNames+`><ListRolePoliciesResult><IsTruncated>false</IsTruncated><PolicyNames/></ListRolePoliciesResult></ListRolePoliciesResponse>`)
	f.answer("ListOpenIDConnectProviders", 200, `<ListOpenIDConnectProvidersResponse `+iamNames+`><ListOpenIDConnectProvidersResult><OpenIDConnectProviderList><member>`+
		`<Arn>arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-west-2.amazonaws.com/id/0123</Arn></member></OpenIDConnectProviderList></ListOpenIDConnectProvidersResult></ListOpenIDConnectProvidersResponse>`)
	base := snapshot.Snapshot{Kube: snapshot.Kube{CNIRoleARN: "arn:aws:iam::111122223333:role/a"}}
	snap, gaps := from(t, f, base, snapshot.SectionCNIRole)
	if len(gaps) > 0 || snap.CNIRole == nil || snap.CNIRole.Policies == nil || len(snap.CNIRole.Policies.Attached) != 1 {
		t.Fatalf("gaps %+v, role %+v", gaps, snap.CNIRole)
	}
	if diff := cmp.Diff([]string{"oidc.eks.us-west-2.amazonaws.com/id/0123"}, snap.OIDCProviders); diff != "" {
		t.Error(diff)
	}
	f.fail("GetRole", 404, "NoSuchEntity", "The role with name a cannot be found.")
	if snap, gaps = from(t, f, base, snapshot.SectionCNIRole); len(gaps) > 0 || !snap.CNIRole.Missing {
		t.Errorf("gaps %+v, role %+v", gaps, snap.CNIRole)
	}
}

// TestStackFailures reads why a stack failed: what failed first, without what
// was only cancelled then, and without the stack's own row.
func TestStackFailures(t *testing.T) {
	f := newFake(t)
	event := func(id, status, reason string) string {
		physical := "<PhysicalResourceId>p</PhysicalResourceId>"
		if id == "s" {
			physical = "<PhysicalResourceId>arn:aws:cloudformation:us-west-2:111122223333:stack/s/1</PhysicalResourceId>"
		}
		return "<member><EventId>" + id + status + "</EventId><StackId>x</StackId><StackName>s</StackName><LogicalResourceId>" + id + "</LogicalResourceId>" + physical +
			"<ResourceType>AWS::EKS::AccessEntry</ResourceType><Timestamp>2026-01-01T00:00:00Z</Timestamp><ResourceStatus>" + status + "</ResourceStatus><ResourceStatusReason>" + reason + "</ResourceStatusReason></member>"
	}
	f.answer("DescribeStackEvents", 200, `<DescribeStackEventsResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStackEventsResult><StackEvents>`+strings.Join([]string{
		event("s", "CREATE_FAILED", "The following resource(s) failed to create: [AccessEntry]"),
		event("NodeGroup", "CREATE_FAILED", "Resource creation cancelled"), event("AccessEntry", "CREATE_FAILED", "already in use"), event("AccessEntry", "CREATE_IN_PROGRESS", ""),
	}, "")+`</StackEvents></DescribeStackEventsResult></DescribeStackEventsResponse>`)
	snap, gaps := from(t, f, snapshot.Snapshot{}, snapshot.SectionStacks)
	if len(gaps) > 0 || len(snap.Stacks) != 1 {
		t.Fatalf("gaps %+v, stacks %+v", gaps, snap.Stacks)
	}
	want := []snapshot.StackFailure{{Resource: "AccessEntry", Type: "AWS::EKS::AccessEntry", Reason: "already in use", At: created()}}
	if diff := cmp.Diff(want, snap.Stacks[0].Failures); diff != "" {
		t.Error(diff)
	}
}

// TestImageByParameter: a template may name the image by an SSM parameter,
// which EC2 looks up for those who may read it.
func TestImageByParameter(t *testing.T) {
	f := newFake(t)
	named := strings.Replace(f.canned("DescribeLaunchTemplateVersions"), "ami-1", "resolve:ssm:/mine", 1)
	resolves := true
	f.answerWith("DescribeLaunchTemplateVersions", func(c call) (int, string) {
		switch {
		case c.params.Get("ResolveAlias") != "true":
			return 200, named
		case resolves:
			return 200, f.canned("DescribeLaunchTemplateVersions")
		}
		return 403, `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>`
	})
	for _, want := range []string{"ami-1", "resolve:ssm:/mine"} {
		launch, err := f.client().DescribeLaunchTemplate(t.Context(), "lt-1", "3")
		if err != nil || launch.ImageID != want {
			t.Errorf("got %+v, %v, want %s", launch, err, want)
		}
		resolves = false
	}
}
