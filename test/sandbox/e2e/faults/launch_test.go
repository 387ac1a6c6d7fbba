package faults

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// launchFaults keep machines from being started, or running.
func launchFaults() []fault {
	return []fault{
		{name: "group at zero", want: []string{"launch.at-zero"}, breaks: atZero},
		{name: "launch process suspended", want: []string{"launch.suspended"}, breaks: suspended},
		{name: "image deregistered", want: []string{"launch.image-available", "launch.image-gone"}, breaks: imageGone},
		{name: "key pair deleted", want: []string{"launch.key-pair", "launch.key-pair-gone"}, breaks: keyGone},
		{name: "instance profile deleted", want: []string{"launch.instance-profile"}, breaks: profileGone},
		{name: "security group deleted", want: []string{"launch.security-group"}, breaks: groupGone},
		{name: "machine stopped", want: []string{"instance.state"}, breaks: machineStopped},
	}
}

func atZero(t *testing.T, w *world, group string) func() {
	w.group(t, group, 0, nil)
	return func() {
		w.size(t, group, 1)
		ready(t, w.running(t, group))
	}
}

func suspended(t *testing.T, w *world, group string) func() {
	w.group(t, group, 0, nil)
	w.suspend(t, group, "Launch")
	w.size(t, group, 1)
	return func() {
		w.resume(t, group)
		ready(t, w.running(t, group))
	}
}

func (w *world) resume(t *testing.T, group string) {
	t.Helper()
	_, err := w.asg.ResumeProcesses(t.Context(), &autoscaling.ResumeProcessesInput{AutoScalingGroupName: aws.String(group)})
	must(t, err)
}

func (w *world) suspend(t *testing.T, group string, processes ...string) {
	t.Helper()
	_, err := w.asg.SuspendProcesses(t.Context(), &autoscaling.SuspendProcessesInput{AutoScalingGroupName: aws.String(group), ScalingProcesses: processes})
	must(t, err)
}

// cannotLaunch asks for a machine and waits until Auto Scaling has failed to
// start one.
func (w *world) cannotLaunch(t *testing.T, group string) {
	t.Helper()
	w.size(t, group, 1)
	harness.Eventually(t, patience, func() error {
		out, err := w.asg.DescribeScalingActivities(t.Context(), &autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: aws.String(group)})
		if err != nil {
			return err
		}
		for _, activity := range out.Activities {
			if activity.StatusCode == "Failed" {
				return nil
			}
		}
		return fmt.Errorf("no launch of %s has failed", group)
	})
	if ids := w.instances(t, group); len(ids) > 0 {
		t.Errorf("%v was launched: nothing was broken", ids)
	}
}

func imageGone(t *testing.T, w *world, group string) func() {
	copied, err := w.ec2.CopyImage(t.Context(), &ec2.CopyImageInput{
		SourceImageId: aws.String(w.good.image), SourceRegion: aws.String(layout.Region), Name: aws.String("amazon-eks-node-al2023-x86_64-standard-1.34-v20260101"),
	})
	must(t, err)
	w.group(t, group, 0, func(in *template) { in.image = aws.ToString(copied.ImageId) })
	_, err = w.ec2.DeregisterImage(t.Context(), &ec2.DeregisterImageInput{ImageId: copied.ImageId})
	must(t, err)
	w.cannotLaunch(t, group)
	return func() {
		w.newTemplate(t, group, nil)
		ready(t, w.running(t, group))
	}
}

func keyGone(t *testing.T, w *world, group string) func() {
	create := func() {
		_, err := w.ec2.CreateKeyPair(t.Context(), &ec2.CreateKeyPairInput{KeyName: aws.String(group)})
		must(t, err)
	}
	remove := func() {
		_, err := w.ec2.DeleteKeyPair(context.WithoutCancel(t.Context()), &ec2.DeleteKeyPairInput{KeyName: aws.String(group)})
		must(t, err)
	}
	create()
	w.group(t, group, 0, func(in *template) { in.key = group })
	remove()
	w.cannotLaunch(t, group)
	return func() {
		create()
		t.Cleanup(remove)
		ready(t, w.running(t, group))
	}
}

func profileGone(t *testing.T, w *world, group string) func() {
	role, profile := w.ownRole(t, group)
	w.createEntry(t, role, "EC2_LINUX")
	w.group(t, group, 0, func(in *template) { in.profile = profile })
	w.takeFromProfile(t, group, group)
	_, err := w.iam.DeleteInstanceProfile(t.Context(), &iam.DeleteInstanceProfileInput{InstanceProfileName: aws.String(group)})
	must(t, err)
	w.cannotLaunch(t, group)
	return func() {
		_, err := w.iam.CreateInstanceProfile(t.Context(), &iam.CreateInstanceProfileInput{InstanceProfileName: aws.String(group)})
		must(t, err)
		w.addToProfile(t, group, group)
		ready(t, w.running(t, group))
	}
}

func groupGone(t *testing.T, w *world, group string) func() {
	made, err := w.ec2.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{VpcId: aws.String(w.vpc), GroupName: aws.String(group), Description: aws.String("to be deleted")})
	must(t, err)
	w.group(t, group, 0, func(in *template) { in.securityGroups = append(in.securityGroups, aws.ToString(made.GroupId)) })
	_, err = w.ec2.DeleteSecurityGroup(t.Context(), &ec2.DeleteSecurityGroupInput{GroupId: made.GroupId})
	must(t, err)
	w.cannotLaunch(t, group)
	return func() {
		w.newTemplate(t, group, nil)
		ready(t, w.running(t, group))
	}
}

// machineStopped stops a node that the group may not replace.
func machineStopped(t *testing.T, w *world, group string) func() {
	w.group(t, group, 1, nil)
	id := w.running(t, group)
	ready(t, id)
	w.suspend(t, group, "HealthCheck", "ReplaceUnhealthy", "Terminate")
	_, err := w.ec2.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{id}})
	must(t, err)
	w.awaitState(t, id, ec2types.InstanceStateNameStopped)
	return func() {
		_, err := w.ec2.StartInstances(t.Context(), &ec2.StartInstancesInput{InstanceIds: []string{id}})
		must(t, err)
		ready(t, id)
	}
}
