package cloud

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func TestCreateStack(t *testing.T) {
	f := newFake(t)
	id, err := f.client().CreateStack(t.Context(), StackInput{
		Name: "s", TemplateBody: "{}", Parameters: map[string]string{"B": "2", "A": "1"}, Tags: map[string]string{"k": "v"},
		Capabilities: []string{"CAPABILITY_IAM"}, Token: "tok", OnFailure: "ROLLBACK", RoleARN: "arn:role", Timeout: 90 * time.Second,
	})
	if err != nil || id != "arn:aws:cloudformation:us-west-2:111122223333:stack/s/1" {
		t.Fatalf("id %q, error %v", id, err)
	}
	params := f.last("CreateStack").params
	for key, want := range map[string]string{
		"StackName": "s", "TemplateBody": "{}", "Parameters.member.1.ParameterKey": "A", "Parameters.member.2.ParameterValue": "2", "Tags.member.1.Key": "k",
		"Capabilities.member.1": "CAPABILITY_IAM", "ClientRequestToken": "tok", "OnFailure": "ROLLBACK", "RoleARN": "arn:role", "TimeoutInMinutes": "2",
	} {
		if got := params.Get(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	for _, key := range []string{"TemplateURL", "DisableRollback"} {
		if params.Has(key) {
			t.Errorf("%s was sent", key)
		}
	}
}

// TestQuotaIsNotTriedAgain: the SDK by itself takes the code for throttling.
func TestQuotaIsNotTriedAgain(t *testing.T) {
	f := newFake(t)
	f.fail("CreateStack", 400, "LimitExceededException", "Limit for stack has been exceeded")
	_, err := f.client().CreateStack(t.Context(), StackInput{Name: "s", TemplateBody: "{}"})
	if !IsKind(err, LimitExceeded) || len(f.ops()) != 1 {
		t.Errorf("error %v after %d calls", err, len(f.ops()))
	}
}

func TestDescribeStack(t *testing.T) {
	f := newFake(t)
	got, err := f.client().DescribeStack(t.Context(), "s")
	if err != nil {
		t.Fatal(err)
	}
	want := &snapshot.Stack{
		Name: "s", ID: "arn:aws:cloudformation:us-west-2:111122223333:stack/s/1", Status: "ROLLBACK_COMPLETE", Reason: "because of it", CreatedAt: created(),
		TerminationProtection: true, Outputs: map[string]string{"NodeInstanceRole": roleA}, Parameters: map[string]string{"NodeInstanceType": "m5.large"}, Tags: map[string]string{"k": "v"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// events answers DescribeStackEvents from n events, newest first, in pages
// of two.
func (f *fake) events(n int) {
	f.answerWith("DescribeStackEvents", func(c call) (int, string) {
		start := 0
		if token := c.params.Get("NextToken"); token != "" {
			if _, err := fmt.Sscan(token, &start); err != nil {
				f.t.Error(err)
			}
		}
		var page strings.Builder
		for i := start; i < min(start+2, n); i++ {
			fmt.Fprintf(&page, "<member><EventId>e%d</EventId><LogicalResourceId>r</LogicalResourceId><ResourceStatus>CREATE_FAILED</ResourceStatus><ResourceStatusReason>no\nway</ResourceStatusReason><Timestamp>2026-01-01T00:00:00Z</Timestamp></member>", n-i)
		}
		next := ""
		if start+2 < n {
			next = fmt.Sprintf("<NextToken>%d</NextToken>", start+2)
		}
		return 200, `<DescribeStackEventsResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStackEventsResult><StackEvents>` + page.String() + "</StackEvents>" + next + "</DescribeStackEventsResult></DescribeStackEventsResponse>"
	})
}

func TestStackEvents(t *testing.T) {
	for name, test := range map[string]struct {
		since string
		want  []string
		calls int
	}{
		"all, oldest first":       {"", []string{"e1", "e2", "e3", "e4", "e5"}, 3},
		"new ones from one page":  {"e4", []string{"e5"}, 1},
		"new ones from two pages": {"e2", []string{"e3", "e4", "e5"}, 2},
		"none":                    {"e5", nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.events(5)
			got, err := f.client().StackEvents(t.Context(), "s", test.since)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, event := range got {
				ids = append(ids, event.ID)
				if event.Reason != "no way" || event.Status != "CREATE_FAILED" {
					t.Errorf("event %+v", event)
				}
			}
			if !slices.Equal(ids, test.want) || len(f.ops()) != test.calls {
				t.Errorf("got %v in %d calls", ids, len(f.ops()))
			}
		})
	}
}

func TestGetTemplateSummary(t *testing.T) {
	got, err := newFake(t).client().GetTemplateSummary(t.Context(), "{}", "")
	if err != nil {
		t.Fatal(err)
	}
	mode := "EKS API"
	want := TemplateSummary{
		Parameters: []TemplateParameter{
			{Key: "AuthenticationMode", Type: "String", Default: &mode, AllowedValues: []string{"EKS API", "ConfigMap"}},
			{Key: "KeyName", Type: "AWS::EC2::KeyPair::KeyName"},
		},
		Capabilities: []string{"CAPABILITY_IAM"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAccessEntryWrites(t *testing.T) {
	f := newFake(t)
	f.answer("CreateAccessEntry", 200, `{}`)
	f.answer("DeleteAccessEntry", 200, `{}`)
	client := f.client()
	if err := client.CreateAccessEntry(t.Context(), "demo", EntryInput{Principal: roleA, Type: "EC2_LINUX"}); err != nil {
		t.Error(err)
	}
	if got := f.last("CreateAccessEntry").body; !strings.Contains(got, `"type":"EC2_LINUX"`) || !strings.Contains(got, roleA) {
		t.Errorf("sent %s", got)
	}
	f.fail("CreateAccessEntry", 409, "ResourceInUseException", "The specified access entry resource is already in use on this cluster.")
	if err := client.CreateAccessEntry(t.Context(), "demo", EntryInput{Principal: roleA, Type: "EC2_LINUX"}); !IsKind(err, Exists) {
		t.Errorf("error %v", err)
	}
	f.fail("DeleteAccessEntry", 404, "ResourceNotFoundException", "gone")
	if err := client.DeleteAccessEntry(t.Context(), "demo", roleA); err != nil {
		t.Errorf("deleting what is gone: %v", err)
	}
	f.deny("DeleteAccessEntry")
	if err := client.DeleteAccessEntry(t.Context(), "demo", roleA); !IsKind(err, Denied) {
		t.Errorf("error %v", err)
	}
}

func TestDescribeGroup(t *testing.T) {
	f := newFake(t)
	group, members, err := f.client().DescribeGroup(t.Context(), "asg-1")
	if err != nil || group == nil {
		t.Fatalf("%v, %v", group, err)
	}
	want := []GroupMember{{InstanceID: "i-1", Zone: "us-west-2a", Lifecycle: "InService", Health: "Healthy", Protected: true}}
	if diff := cmp.Diff(want, members); diff != "" {
		t.Error(diff)
	}
	f.answer("DescribeAutoScalingGroups", 200, `<DescribeAutoScalingGroupsResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><DescribeAutoScalingGroupsResult><AutoScalingGroups/></DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>`)
	if group, _, err := f.client().DescribeGroup(t.Context(), "gone"); group != nil || err != nil {
		t.Errorf("%v, %v", group, err)
	}
}

func TestDescribeInstances(t *testing.T) {
	f := newFake(t)
	none, err := f.client().DescribeInstances(t.Context())
	if err != nil || len(none) > 0 || len(f.ops()) > 0 {
		t.Errorf("no ids: %v, %v, calls %v", none, err, f.ops())
	}
	got, err := f.client().DescribeInstances(t.Context(), "i-1", "i-2", "i-gone")
	if err != nil {
		t.Fatal(err)
	}
	want := snapshot.Instance{
		State: "running", Type: "m5.large", ImageID: "ami-1", Zone: "us-west-2a", SubnetID: "subnet-a", VPCID: "vpc-1", PrivateIP: "10.0.1.5", PublicIP: "203.0.113.9",
		PrivateDNSName: "ip-10-0-1-5.us-west-2.compute.internal", InstanceProfile: "arn:aws:iam::111122223333:instance-profile/p", SecurityGroupIDs: []string{"sg-cluster"},
		KeyName: "ops", LaunchedAt: created(), HTTPTokens: "required", HopLimit: 2, Tags: map[string]string{"kubernetes.io/cluster/demo": "owned"},
	}
	if diff := cmp.Diff(want, got["i-1"]); diff != "" {
		t.Error(diff)
	}
	if got := got["i-2"].StateReason; got != "Client.UserInitiatedShutdown: User initiated shutdown" {
		t.Errorf("reason %q", got)
	}
	if params := f.last("DescribeInstances").params; params.Get("Filter.1.Name") != "instance-id" || params.Has("InstanceId.1") {
		t.Errorf("asked with %v", params)
	}
}

func TestManyInstancesAreAskedForInChunks(t *testing.T) {
	f := newFake(t)
	var ids []string
	for i := range maxFilterValues + 1 {
		ids = append(ids, fmt.Sprint("i-", i))
	}
	if _, err := f.client().DescribeInstances(t.Context(), ids...); err != nil {
		t.Fatal(err)
	}
	if params := f.last("DescribeInstances").params; len(f.ops()) != 2 || params.Get("Filter.1.Value.1") != "i-200" || params.Has("Filter.1.Value.2") {
		t.Errorf("%d calls, the last with %v", len(f.ops()), params)
	}
}

func TestConsoleOutput(t *testing.T) {
	f := newFake(t)
	got, err := f.client().ConsoleOutput(t.Context(), "i-1")
	if err != nil || got.Text != "booted\npassword=[redacted]\n" || !got.At.Equal(created()) {
		t.Errorf("%+v, %v", got, err)
	}
	f.answerWith("GetConsoleOutput", func(c call) (int, string) {
		if c.params.Get("Latest") == "true" {
			return 400, `<Response><Errors><Error><Code>UnsupportedOperation</Code><Message>no Latest</Message></Error></Errors></Response>`
		}
		return 200, f.canned("GetConsoleOutput")
	})
	if got, err = f.client().ConsoleOutput(t.Context(), "i-1"); err != nil || !strings.HasPrefix(got.Text, "booted") {
		t.Errorf("%+v, %v", got, err)
	}
}
