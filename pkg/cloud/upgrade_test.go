package cloud

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// TestTemplateVersions: versions come in the order of their numbers, and those
// that machines are started from alike have one digest.
func TestTemplateVersions(t *testing.T) {
	item := func(number int, image string) string {
		return fmt.Sprintf("<item><launchTemplateId>lt-1</launchTemplateId><versionNumber>%d</versionNumber><launchTemplateData><imageId>%s</imageId></launchTemplateData></item>", number, image)
	}
	f := newFake(t)
	f.answerWith("DescribeLaunchTemplateVersions", func(c call) (int, string) {
		if c.params.Get("NextToken") == "" {
			return 200, "<R><nextToken>more</nextToken><launchTemplateVersionSet>" + item(3, "ami-a") + item(2, "ami-b") + "</launchTemplateVersionSet></R>"
		}
		return 200, "<R><launchTemplateVersionSet>" + item(1, "ami-a") + "</launchTemplateVersionSet></R>"
	})
	got, err := f.client().TemplateVersions(t.Context(), "lt-1", 1, 3)
	if err != nil || len(got) != 3 {
		t.Fatalf("%+v, error %v", got, err)
	}
	for i, version := range got {
		if version.Number != i+1 || version.Launch.TemplateID != "lt-1" {
			t.Errorf("version %d is %+v", i+1, version)
		}
	}
	if got[0].Digest != got[2].Digest || got[0].Digest == got[1].Digest {
		t.Errorf("digests %q %q %q", got[0].Digest, got[1].Digest, got[2].Digest)
	}
	if params := f.last("DescribeLaunchTemplateVersions").params; params.Get("MinVersion") != "1" || params.Get("MaxVersion") != "3" {
		t.Errorf("asked for %v", params)
	}
}

// TestTemplateNumber: a member of another template is of no version.
func TestTemplateNumber(t *testing.T) {
	spec := func(id, version string) *astypes.LaunchTemplateSpecification {
		return &astypes.LaunchTemplateSpecification{LaunchTemplateId: aws.String(id), Version: aws.String(version)}
	}
	for name, test := range map[string]struct {
		member *astypes.LaunchTemplateSpecification
		want   int
	}{
		"of the group's":            {spec("lt-1", "2"), 2},
		"of another template":       {spec("lt-2", "2"), 0},
		"of a launch configuration": {nil, 0},
		"not a number":              {spec("lt-1", "$Latest"), 0},
	} {
		if got := templateNumber(test.member, "lt-1"); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
	mixed := ConvertGroup(astypes.AutoScalingGroup{
		MixedInstancesPolicy: &astypes.MixedInstancesPolicy{LaunchTemplate: &astypes.LaunchTemplate{LaunchTemplateSpecification: spec("lt-1", "3")}},
		Instances:            []astypes.Instance{{InstanceId: aws.String("i-1"), LaunchTemplate: spec("lt-1", "2")}},
	})
	if mixed.Members[0].Template != 2 {
		t.Errorf("a member of a group of mixed instances is of version %d", mixed.Members[0].Template)
	}
}

func TestMembersAndMarks(t *testing.T) {
	f := newFake(t)
	for _, op := range []string{"TerminateInstanceInAutoScalingGroup", "CreateOrUpdateTags", "DeleteTags"} {
		f.answer(op, 200, "<R><"+op+"Result/></R>")
	}
	f.answer("GetTemplate", 200, "<GetTemplateResponse><GetTemplateResult><TemplateBody>Resources: {}</TemplateBody></GetTemplateResult></GetTemplateResponse>")
	c := f.client()
	body, err := c.StackTemplate(t.Context(), "s")
	if err != nil || body != "Resources: {}" {
		t.Errorf("template %q, error %v", body, err)
	}
	for _, err := range []error{
		c.EndMember(t.Context(), "i-1", true), c.TagGroup(t.Context(), "g", "k", "v"), c.UntagGroup(t.Context(), "g", "k"),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if got := f.ops(); !slices.Equal(got, []string{"CreateOrUpdateTags", "DeleteTags", "GetTemplate", "TerminateInstanceInAutoScalingGroup"}) {
		t.Errorf("calls %v", got)
	}
	for op, want := range map[string]map[string]string{
		"TerminateInstanceInAutoScalingGroup": {"InstanceId": "i-1", "ShouldDecrementDesiredCapacity": "true"},
		"CreateOrUpdateTags":                  {"Tags.member.1.ResourceId": "g", "Tags.member.1.Value": "v", "Tags.member.1.PropagateAtLaunch": "false"},
		"DeleteTags":                          {"Tags.member.1.Key": "k", "Tags.member.1.ResourceType": "auto-scaling-group"},
		"GetTemplate":                         {"StackName": "s", "TemplateStage": "Original"},
	} {
		for key, value := range want {
			if got := f.last(op).params.Get(key); got != value {
				t.Errorf("%s %s: %q, want %q", op, key, got, value)
			}
		}
	}
}
