package faults

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// template is what a fault may change of the healthy group.
type template struct {
	image, userData string
	profile, key    string // "" for none
	metadata        bool   // instance metadata is on
	securityGroups  []string
	subnets         []string
}

// with gives the healthy group's template with an edit.
func (w *world) with(edit func(*template)) template {
	in := w.good
	in.securityGroups, in.subnets = slices.Clone(in.securityGroups), slices.Clone(in.subnets)
	if edit != nil {
		edit(&in)
	}
	return in
}

func (w *world) launchData(in template) *ec2types.RequestLaunchTemplateData {
	data := &ec2types.RequestLaunchTemplateData{
		ImageId: aws.String(in.image), InstanceType: w.kind, SecurityGroupIds: in.securityGroups,
		UserData: aws.String(base64.StdEncoding.EncodeToString([]byte(in.userData))),
		MetadataOptions: &ec2types.LaunchTemplateInstanceMetadataOptionsRequest{
			HttpTokens: ec2types.LaunchTemplateHttpTokensStateRequired, HttpPutResponseHopLimit: aws.Int32(2),
			HttpEndpoint: ec2types.LaunchTemplateInstanceMetadataEndpointStateEnabled,
		},
	}
	if !in.metadata {
		data.MetadataOptions.HttpEndpoint = ec2types.LaunchTemplateInstanceMetadataEndpointStateDisabled
	}
	if in.profile != "" {
		data.IamInstanceProfile = &ec2types.LaunchTemplateIamInstanceProfileSpecificationRequest{Arn: aws.String(in.profile)}
	}
	if in.key != "" {
		data.KeyName = aws.String(in.key)
	}
	return data
}

// group makes an Auto Scaling group like the healthy one, but for the edit,
// and deletes it when the test ends.
func (w *world) group(t *testing.T, name string, size int32, edit func(*template)) {
	t.Helper()
	in := w.with(edit)
	made, err := w.ec2.CreateLaunchTemplate(t.Context(), &ec2.CreateLaunchTemplateInput{LaunchTemplateName: aws.String(name), LaunchTemplateData: w.launchData(in)})
	must(t, err)
	tag := astypes.Tag{Key: aws.String("kubernetes.io/cluster/" + layout.ClusterName), Value: aws.String("owned"), PropagateAtLaunch: aws.Bool(true)}
	_, err = w.asg.CreateAutoScalingGroup(t.Context(), &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(name), MinSize: aws.Int32(0), MaxSize: aws.Int32(2), DesiredCapacity: aws.Int32(size),
		VPCZoneIdentifier: aws.String(strings.Join(in.subnets, ",")), Tags: []astypes.Tag{tag},
		LaunchTemplate: &astypes.LaunchTemplateSpecification{LaunchTemplateId: made.LaunchTemplate.LaunchTemplateId, Version: aws.String("1")},
	})
	t.Cleanup(func() { w.remove(t, name) })
	must(t, err)
	t.Cleanup(func() { w.explain(t, name) })
}

// explain shows what the machines of a test that has failed say.
func (w *world) explain(t *testing.T, name string) {
	if !t.Failed() {
		return
	}
	for _, id := range w.instances(t, name) {
		text, err := sandbox.Node(id, "journalctl", "-b", "-q", "-o", "short-precise", "--no-pager", "-n", "100", "-u", "kubelet", "-u", "nodeadm-config", "-u", "nodeadm-run")
		t.Logf("%s: %v\n%s", id, err, text)
	}
	t.Log(sandbox.Driver(t, "fault", "list"))
	list, err := sandbox.Kube(t).CoreV1().Nodes().List(context.WithoutCancel(t.Context()), metav1.ListOptions{})
	if err != nil {
		t.Log(err)
		return
	}
	for i := range list.Items {
		t.Log(list.Items[i].Name, list.Items[i].Spec.ProviderID, list.Items[i].CreationTimestamp)
	}
}

func (w *world) remove(t *testing.T, name string) {
	ctx := context.WithoutCancel(t.Context())
	if _, err := w.asg.DeleteAutoScalingGroup(ctx, &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: aws.String(name), ForceDelete: aws.Bool(true)}); err != nil {
		t.Errorf("clean up: %v", err)
	}
	// Until its machines have ended the group is still seen, and needs its template.
	if err := harness.Within(ctx, patience, func() error {
		out, err := w.asg.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}})
		if err == nil && len(out.AutoScalingGroups) > 0 {
			err = fmt.Errorf("%s is still there", name)
		}
		return err
	}); err != nil {
		t.Errorf("clean up: %v", err)
	}
	if _, err := w.ec2.DeleteLaunchTemplate(ctx, &ec2.DeleteLaunchTemplateInput{LaunchTemplateName: aws.String(name)}); err != nil {
		t.Errorf("clean up: %v", err)
	}
}

// newTemplate gives a group a new version of its template.
func (w *world) newTemplate(t *testing.T, name string, edit func(*template)) {
	t.Helper()
	made, err := w.ec2.CreateLaunchTemplateVersion(t.Context(), &ec2.CreateLaunchTemplateVersionInput{LaunchTemplateName: aws.String(name), LaunchTemplateData: w.launchData(w.with(edit))})
	must(t, err)
	_, err = w.asg.UpdateAutoScalingGroup(t.Context(), &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(name),
		LaunchTemplate: &astypes.LaunchTemplateSpecification{
			LaunchTemplateId: made.LaunchTemplateVersion.LaunchTemplateId,
			Version:          aws.String(strconv.FormatInt(aws.ToInt64(made.LaunchTemplateVersion.VersionNumber), 10)),
		},
	})
	must(t, err)
}

// size sets how many machines a group wants.
func (w *world) size(t *testing.T, name string, desired int32) {
	t.Helper()
	_, err := w.asg.SetDesiredCapacity(t.Context(), &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: aws.String(name), DesiredCapacity: aws.Int32(desired)})
	must(t, err)
}

// rebuilt mends a template: the next machine from it must join.
func (w *world) rebuilt(t *testing.T, name, old string) {
	t.Helper()
	w.newTemplate(t, name, nil)
	_, err := w.ec2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{old}})
	must(t, err)
	ready(t, w.running(t, name, old))
}

// instances are the ids of a group's machines.
func (w *world) instances(t *testing.T, name string) []string {
	t.Helper()
	out, err := w.asg.DescribeAutoScalingGroups(context.WithoutCancel(t.Context()), &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}})
	must(t, err)
	var ids []string
	for _, group := range out.AutoScalingGroups {
		for _, in := range group.Instances {
			ids = append(ids, aws.ToString(in.InstanceId))
		}
	}
	return ids
}

// running waits until a group has a machine, other than those, that EC2 calls
// running.
func (w *world) running(t *testing.T, name string, others ...string) string {
	t.Helper()
	running := ""
	harness.Eventually(t, patience, func() error {
		ids := slices.DeleteFunc(w.instances(t, name), func(id string) bool { return slices.Contains(others, id) })
		if len(ids) == 0 {
			return fmt.Errorf("%s has no instance", name)
		}
		if state := w.machine(t, ids[0]).State.Name; state != ec2types.InstanceStateNameRunning {
			return fmt.Errorf("%s is %s", ids[0], state)
		}
		running = ids[0]
		return nil
	})
	return running
}

// machine is what EC2 says of an instance.
func (w *world) machine(t *testing.T, id string) ec2types.Instance {
	t.Helper()
	out, err := w.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	must(t, err)
	return out.Reservations[0].Instances[0]
}

func (w *world) awaitState(t *testing.T, id string, want ec2types.InstanceStateName) {
	t.Helper()
	harness.Eventually(t, patience, func() error {
		if state := w.machine(t, id).State.Name; state != want {
			return fmt.Errorf("%s is %s", id, state)
		}
		return nil
	})
}
