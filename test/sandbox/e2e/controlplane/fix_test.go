package controlplane

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// TestFix mends an entry of the wrong type, and one that outlived its role,
// for a group that has no machine yet. It comes after TestAccess, which leaves
// the cluster in the mode API.
func TestFix(t *testing.T) {
	role := makeGroup(t, "to-mend")
	client := eks.NewFromConfig(sandbox.AWS(t))
	kind := func() string {
		out, err := client.DescribeAccessEntry(t.Context(), &eks.DescribeAccessEntryInput{ClusterName: aws.String(layout.ClusterName), PrincipalArn: &role})
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(out.AccessEntry.Type)
	}
	makeEntry(t, role, "somebody")
	t.Cleanup(func() {
		if _, err := client.DeleteAccessEntry(context.WithoutCancel(t.Context()), &eks.DeleteAccessEntryInput{ClusterName: aws.String(layout.ClusterName), PrincipalArn: &role}); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	if asked := sandbox.Exec(t, "kubectl", "eksnodes", "doctor", "to-mend", "--fix", "auth.entry-type"); asked.Code != 2 || kind() != "STANDARD" {
		t.Fatalf("without an answer: exit %d, the entry is %s\n%s", asked.Code, kind(), asked.Stderr)
	}
	for _, check := range []string{"auth.entry-type", "auth.entry-stale-role"} {
		if check == "auth.entry-stale-role" {
			roles := iam.NewFromConfig(sandbox.AWS(t))
			remakeRole(t, roles, "to-mend")
		}
		mended := sandbox.Exec(t, "kubectl", "eksnodes", "doctor", "to-mend", "--fix", check, "--yes")
		if mended.Code != 0 || kind() != "EC2_LINUX" {
			t.Fatalf("%s: exit %d, the entry is %s\n%s%s", check, mended.Code, kind(), mended.Stdout, mended.Stderr)
		}
		if !strings.Contains(mended.Stderr, "deleted") || !strings.Contains(mended.Stderr, "created") {
			t.Errorf("%s: %s", check, mended.Stderr)
		}
	}
}

// makeGroup makes an empty Auto Scaling group whose machines would have a role
// of the same name.
func makeGroup(t *testing.T, name string) (roleARN string) {
	t.Helper()
	config := sandbox.AWS(t)
	roles, groups, machines := iam.NewFromConfig(config), autoscaling.NewFromConfig(config), ec2.NewFromConfig(config)
	roleARN = makeRole(t, name)
	profile, err := roles.CreateInstanceProfile(t.Context(), &iam.CreateInstanceProfileInput{InstanceProfileName: &name})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := roles.AddRoleToInstanceProfile(t.Context(), &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &name, RoleName: &name}); err != nil {
		t.Fatal(err)
	}
	images, err := machines.DescribeImages(t.Context(), &ec2.DescribeImagesInput{Filters: []ec2types.Filter{{Name: aws.String("name"), Values: []string{"amazon-eks-node-al2023-x86_64-*"}}}})
	if err != nil || len(images.Images) == 0 {
		t.Fatalf("%v, %d images", err, len(images.Images))
	}
	template, err := machines.CreateLaunchTemplate(t.Context(), &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: &name,
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
			ImageId: images.Images[0].ImageId, InstanceType: "t3.medium",
			IamInstanceProfile: &ec2types.LaunchTemplateIamInstanceProfileSpecificationRequest{Arn: profile.InstanceProfile.Arn},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := eks.NewFromConfig(config).DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: aws.String(layout.ClusterName)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = groups.CreateAutoScalingGroup(t.Context(), &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: &name, MinSize: aws.Int32(0), MaxSize: aws.Int32(1), DesiredCapacity: aws.Int32(0),
		VPCZoneIdentifier: aws.String(cluster.Cluster.ResourcesVpcConfig.SubnetIds[0]),
		LaunchTemplate:    &astypes.LaunchTemplateSpecification{LaunchTemplateId: template.LaunchTemplate.LaunchTemplateId, Version: aws.String("1")},
		Tags:              []astypes.Tag{{Key: aws.String("kubernetes.io/cluster/" + layout.ClusterName), Value: aws.String("owned"), PropagateAtLaunch: aws.Bool(true)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := groups.DeleteAutoScalingGroup(context.WithoutCancel(t.Context()), &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: &name, ForceDelete: aws.Bool(true)}); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	return roleARN
}

// remakeRole deletes a role and makes it again under its name, in its profile.
func remakeRole(t *testing.T, roles *iam.Client, name string) {
	t.Helper()
	if _, err := roles.RemoveRoleFromInstanceProfile(t.Context(), &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: &name, RoleName: &name}); err != nil {
		t.Fatal(err)
	}
	if _, err := roles.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: &name}); err != nil {
		t.Fatal(err)
	}
	makeRole(t, name)
	if _, err := roles.AddRoleToInstanceProfile(t.Context(), &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &name, RoleName: &name}); err != nil {
		t.Fatal(err)
	}
}
