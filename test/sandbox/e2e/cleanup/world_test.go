package cleanup

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node"
)

// world looks at AWS and the API server with clients of its own.
type world struct {
	t   *testing.T
	cfn *cloudformation.Client
	asg *autoscaling.Client
	ec2 *ec2.Client
	eks *eks.Client
	iam *iam.Client
}

func look(t *testing.T) *world {
	t.Helper()
	config := sandbox.AWS(t)
	return &world{t: t, cfn: cloudformation.NewFromConfig(config), asg: autoscaling.NewFromConfig(config), ec2: ec2.NewFromConfig(config),
		eks: eks.NewFromConfig(config), iam: iam.NewFromConfig(config)}
}

// requireNodes checks how many nodes carry a label.
func (w *world) requireNodes(selector string, want int) {
	w.t.Helper()
	list, err := sandbox.Kube(w.t).CoreV1().Nodes().List(w.t.Context(), metav1.ListOptions{LabelSelector: selector})
	if err != nil || len(list.Items) != want {
		w.t.Fatalf("%d nodes with %s, want %d (%v)", len(list.Items), selector, want, err)
	}
}

// requireSpot checks that a group's machines are Spot instances of a type, with
// a device more.
func (w *world) requireSpot(group, kind, device string) {
	w.t.Helper()
	out, err := w.ec2.DescribeInstances(w.t.Context(), &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{
		{Name: aws.String("tag:eksnodes.dev/group"), Values: []string{group}},
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	machines := 0
	for _, reservation := range out.Reservations {
		for _, instance := range reservation.Instances {
			machines++
			if instance.InstanceLifecycle != ec2types.InstanceLifecycleTypeSpot || string(instance.InstanceType) != kind {
				w.t.Errorf("%s is a %s, lifecycle %q", aws.ToString(instance.InstanceId), instance.InstanceType, instance.InstanceLifecycle)
			}
			if !slices.ContainsFunc(instance.BlockDeviceMappings, func(m ec2types.InstanceBlockDeviceMapping) bool { return aws.ToString(m.DeviceName) == device }) {
				w.t.Errorf("%s has no device %s", aws.ToString(instance.InstanceId), device)
			}
		}
	}
	if machines == 0 {
		w.t.Errorf("%s has no machines", group)
	}
}

// deploy runs a pod that a budget does not let go.
func (w *world) deploy(name string) {
	w.t.Helper()
	kube, labels, one, grace, all := sandbox.Kube(w.t), map[string]string{"app": name}, int32(1), int64(1), intstr.FromInt(1)
	if _, err := kube.AppsV1().Deployments("default").Create(w.t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{Replicas: &one, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels},
			Spec: corev1.PodSpec{TerminationGracePeriodSeconds: &grace, Containers: []corev1.Container{{
				Name: "c", Image: node.BusyboxImage, ImagePullPolicy: corev1.PullNever, Command: []string{"sleep", "3600"},
			}}},
		}},
	}, metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
	if _, err := kube.PolicyV1().PodDisruptionBudgets("default").Create(w.t.Context(), &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       policyv1.PodDisruptionBudgetSpec{MinAvailable: &all, Selector: &metav1.LabelSelector{MatchLabels: labels}},
	}, metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
	harness.Eventually(w.t, 2*time.Minute, func() error {
		deployment, err := kube.AppsV1().Deployments("default").Get(w.t.Context(), name, metav1.GetOptions{})
		if err == nil && deployment.Status.AvailableReplicas != 1 {
			err = fmt.Errorf("no pod of %s is available", name)
		}
		return err
	})
}

// expose makes a Service that asks for a load balancer.
func (w *world) expose(name string) {
	w.t.Helper()
	if _, err := sandbox.Kube(w.t).CoreV1().Services("default").Create(w.t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Selector: map[string]string{"app": name}, Ports: []corev1.ServicePort{{Port: 80}}},
	}, metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// disk makes a PersistentVolume of the EBS driver that goes with its claim.
func (w *world) disk(id string) {
	w.t.Helper()
	if _, err := sandbox.Kube(w.t).CoreV1().PersistentVolumes().Create(w.t.Context(), &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "pv-" + id},
		Spec: corev1.PersistentVolumeSpec{
			Capacity: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("8Gi")}, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete,
			PersistentVolumeSource:        corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: "ebs.csi.aws.com", VolumeHandle: id}},
		},
	}, metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// suspended are the processes of a group's Auto Scaling group that stand still.
func (w *world) suspended(group string) []string {
	w.t.Helper()
	out, err := w.asg.DescribeAutoScalingGroups(w.t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{})
	if err != nil {
		w.t.Fatal(err)
	}
	var processes []string
	for _, one := range out.AutoScalingGroups {
		if strings.Contains(aws.ToString(one.AutoScalingGroupName), layout.ClusterName+"-"+group+"-") {
			for _, process := range one.SuspendedProcesses {
				processes = append(processes, aws.ToString(process.ProcessName))
			}
		}
	}
	return processes
}

// nothing says what is left of the groups or the cluster.
func (w *world) nothing() error {
	var left []error
	ctx := w.t.Context()
	if _, err := w.eks.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: aws.String(layout.ClusterName)}); !isCode(err, "ResourceNotFoundException") {
		left = append(left, fmt.Errorf("the cluster: %w", err))
	}
	stacks, err := w.cfn.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{})
	if err != nil {
		return err
	}
	for _, stack := range stacks.Stacks {
		left = append(left, fmt.Errorf("stack %s is %s", aws.ToString(stack.StackName), stack.StackStatus))
	}
	groups, err := w.asg.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{})
	if err != nil {
		return err
	}
	for _, group := range groups.AutoScalingGroups {
		left = append(left, fmt.Errorf("group %s", aws.ToString(group.AutoScalingGroupName)))
	}
	instances, err := w.ec2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{
		{Name: aws.String("tag-key"), Values: []string{"kubernetes.io/cluster/" + layout.ClusterName}},
		{Name: aws.String("instance-state-name"), Values: []string{"pending", "running", "stopping", "stopped"}},
	}})
	if err != nil {
		return err
	}
	for _, reservation := range instances.Reservations {
		for _, instance := range reservation.Instances {
			left = append(left, fmt.Errorf("instance %s is %s", aws.ToString(instance.InstanceId), instance.State.Name))
		}
	}
	roles, err := w.iam.ListRoles(ctx, &iam.ListRolesInput{})
	if err != nil {
		return err
	}
	for _, role := range roles.Roles {
		if strings.HasPrefix(aws.ToString(role.RoleName), "eksnodes-") {
			left = append(left, fmt.Errorf("role %s", aws.ToString(role.RoleName)))
		}
	}
	kube := sandbox.Kube(w.t)
	nodes, err := kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, one := range nodes.Items {
		left = append(left, fmt.Errorf("node %s", one.Name))
	}
	mapping, err := kube.CoreV1().ConfigMaps("kube-system").Get(ctx, "aws-auth", metav1.GetOptions{})
	if err != nil {
		return err
	}
	if strings.Contains(mapping.Data["mapRoles"], "eksnodes-") {
		left = append(left, fmt.Errorf("a mapping in %s", mapping.Data["mapRoles"]))
	}
	return errors.Join(left...)
}

func isCode(err error, code string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code
}
