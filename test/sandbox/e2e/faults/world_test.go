package faults

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// world holds clients of its own, to break things with, and the parts of a
// healthy group, to make others like it.
type world struct {
	t   *testing.T
	asg *autoscaling.Client
	ec2 *ec2.Client
	eks *eks.Client
	iam *iam.Client

	subnets string // of the healthy group, comma-separated
	role    string // ARN of its role
	data    ec2types.ResponseLaunchTemplateData
}

// settle adds the healthy group and reads its parts.
func settle(t *testing.T) *world {
	t.Helper()
	config := sandbox.AWS(t)
	w := &world{t: t, asg: autoscaling.NewFromConfig(config), ec2: ec2.NewFromConfig(config), eks: eks.NewFromConfig(config), iam: iam.NewFromConfig(config)}
	sandbox.MustExec(t, "kubectl", "eksnodes", "add", "healthy", "--desired", "1", "--yes")
	stacks, err := cloudformation.NewFromConfig(config).DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("eksnodes-" + layout.ClusterName + "-healthy")})
	must(t, err)
	name := ""
	for _, output := range stacks.Stacks[0].Outputs {
		switch aws.ToString(output.OutputKey) {
		case "NodeInstanceRole":
			w.role = aws.ToString(output.OutputValue)
		case "NodeAutoScalingGroup":
			name = aws.ToString(output.OutputValue)
		}
	}
	groups, err := w.asg.DescribeAutoScalingGroups(t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}})
	must(t, err)
	group := groups.AutoScalingGroups[0]
	w.subnets = aws.ToString(group.VPCZoneIdentifier)
	versions, err := w.ec2.DescribeLaunchTemplateVersions(t.Context(), &ec2.DescribeLaunchTemplateVersionsInput{
		LaunchTemplateId: group.LaunchTemplate.LaunchTemplateId, Versions: []string{aws.ToString(group.LaunchTemplate.Version)},
	})
	must(t, err)
	w.data = *versions.LaunchTemplateVersions[0].LaunchTemplateData
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// template is what a test may change of the healthy group's launch template.
type template struct {
	image, profile, userData string
	securityGroups           []string
}

// group makes an Auto Scaling group like the healthy one, but for the edit,
// and deletes it when the test ends.
func (w *world) group(t *testing.T, name string, size int32, edit func(*template)) {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(aws.ToString(w.data.UserData))
	must(t, err)
	in := template{image: aws.ToString(w.data.ImageId), profile: aws.ToString(w.data.IamInstanceProfile.Arn), userData: string(text), securityGroups: w.data.SecurityGroupIds}
	for _, network := range w.data.NetworkInterfaces {
		in.securityGroups = append(in.securityGroups, network.Groups...)
	}
	if edit != nil {
		edit(&in)
	}
	made, err := w.ec2.CreateLaunchTemplate(t.Context(), &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String(name),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
			ImageId: aws.String(in.image), InstanceType: w.data.InstanceType, SecurityGroupIds: in.securityGroups,
			IamInstanceProfile: &ec2types.LaunchTemplateIamInstanceProfileSpecificationRequest{Arn: aws.String(in.profile)},
			UserData:           aws.String(base64.StdEncoding.EncodeToString([]byte(in.userData))),
			MetadataOptions:    &ec2types.LaunchTemplateInstanceMetadataOptionsRequest{HttpTokens: ec2types.LaunchTemplateHttpTokensStateRequired, HttpPutResponseHopLimit: aws.Int32(2)},
		},
	})
	must(t, err)
	tag := astypes.Tag{Key: aws.String("kubernetes.io/cluster/" + layout.ClusterName), Value: aws.String("owned"), PropagateAtLaunch: aws.Bool(true)}
	_, err = w.asg.CreateAutoScalingGroup(t.Context(), &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(name), MinSize: aws.Int32(0), MaxSize: aws.Int32(2), DesiredCapacity: aws.Int32(size),
		VPCZoneIdentifier: aws.String(w.subnets), Tags: []astypes.Tag{tag},
		LaunchTemplate: &astypes.LaunchTemplateSpecification{LaunchTemplateId: made.LaunchTemplate.LaunchTemplateId, Version: aws.String("1")},
	})
	t.Cleanup(func() { w.remove(t, name) })
	must(t, err)
}

func (w *world) remove(t *testing.T, name string) {
	ctx := context.WithoutCancel(t.Context())
	for _, id := range w.instances(t, name) { // the node object of a machine that is gone is the cloud controller's to remove
		t.Logf("removing %s with %s", name, id)
	}
	if _, err := w.asg.DeleteAutoScalingGroup(ctx, &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: aws.String(name), ForceDelete: aws.Bool(true)}); err != nil {
		t.Errorf("clean up: %v", err)
	}
	if _, err := w.ec2.DeleteLaunchTemplate(ctx, &ec2.DeleteLaunchTemplateInput{LaunchTemplateName: aws.String(name)}); err != nil {
		t.Errorf("clean up: %v", err)
	}
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

// running waits until a group has a machine that EC2 calls running.
func (w *world) running(t *testing.T, name string) string {
	t.Helper()
	running := ""
	harness.Eventually(t, time.Minute, func() error {
		ids := w.instances(t, name)
		if len(ids) == 0 {
			return fmt.Errorf("%s has no instance", name)
		}
		out, err := w.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: ids[:1]})
		if err != nil {
			return err
		}
		if state := out.Reservations[0].Instances[0].State.Name; state != ec2types.InstanceStateNameRunning {
			return fmt.Errorf("%s is %s", ids[0], state)
		}
		running = ids[0]
		return nil
	})
	return running
}

// node is the Node object of a machine, nil when there is none.
func node(t *testing.T, id string) *corev1.Node {
	t.Helper()
	list, err := sandbox.Kube(t).CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	must(t, err)
	for i := range list.Items {
		if snapshot.InstanceIDFromProviderID(list.Items[i].Spec.ProviderID) == id {
			return &list.Items[i]
		}
	}
	return nil
}

// ready waits until a machine is a Ready node.
func ready(t *testing.T, id string) {
	t.Helper()
	harness.Eventually(t, 2*time.Minute, func() error {
		found := node(t, id)
		if found == nil {
			return fmt.Errorf("%s has no node", id)
		}
		for _, condition := range found.Status.Conditions {
			if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
				return nil
			}
		}
		return fmt.Errorf("node of %s is not Ready", id)
	})
}

// deleteEntry takes the role's access entry away.
func (w *world) deleteEntry(t *testing.T, role string) {
	t.Helper()
	_, err := w.eks.DeleteAccessEntry(context.WithoutCancel(t.Context()), &eks.DeleteAccessEntryInput{ClusterName: aws.String(layout.ClusterName), PrincipalArn: &role})
	must(t, err)
}

func (w *world) createEntry(t *testing.T, role, kind string) {
	t.Helper()
	_, err := w.eks.CreateAccessEntry(context.WithoutCancel(t.Context()), &eks.CreateAccessEntryInput{ClusterName: aws.String(layout.ClusterName), PrincipalArn: &role, Type: &kind})
	must(t, err)
}

// setAwsAuth writes mapRoles; "" deletes the map.
func setAwsAuth(t *testing.T, mapRoles string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	maps := sandbox.Kube(t).CoreV1().ConfigMaps("kube-system")
	if err := maps.Delete(ctx, "aws-auth", metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	if mapRoles == "" {
		return
	}
	_, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "aws-auth"}, Data: map[string]string{"mapRoles": mapRoles}}, metav1.CreateOptions{})
	must(t, err)
}

// diagnosis is what the doctor said.
type diagnosis struct {
	report.Report
	code int
	took time.Duration
}

// doctor runs the plugin's doctor.
func doctor(t *testing.T, args ...string) diagnosis {
	t.Helper()
	start := time.Now()
	result := sandbox.Exec(t, append([]string{"kubectl", "eksnodes", "doctor", "-o", "json"}, args...)...)
	out := diagnosis{code: result.Code, took: time.Since(start)}
	if err := json.Unmarshal([]byte(result.Stdout), &out.Report); err != nil {
		t.Fatal(errors.Join(err, errors.New(result.Stderr)))
	}
	return out
}

// first is the check of the first finding that is no pass.
func (d *diagnosis) first() string {
	for _, finding := range d.Findings {
		if finding.Status != report.Pass {
			return finding.Check
		}
	}
	return ""
}
