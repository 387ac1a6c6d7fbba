package life

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node"
)

// world looks at AWS and the API server with clients of its own.
type world struct {
	t   *testing.T
	cfn *cloudformation.Client
	asg *autoscaling.Client
	ec2 *ec2.Client
}

func look(t *testing.T) *world {
	t.Helper()
	config := sandbox.AWS(t)
	return &world{t: t, cfn: cloudformation.NewFromConfig(config), asg: autoscaling.NewFromConfig(config), ec2: ec2.NewFromConfig(config)}
}

func stackName(group string) string { return "eksnodes-" + layout.ClusterName + "-" + group }

// stack returns the stack's status, parameters and outputs; "" when there is
// none.
func (w *world) stack(group string) (status string, parameters, outputs map[string]string) {
	w.t.Helper()
	out, err := w.cfn.DescribeStacks(context.Background(), &cloudformation.DescribeStacksInput{StackName: aws.String(stackName(group))})
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "ValidationError" {
		return "", nil, nil
	}
	if err != nil {
		w.t.Fatal(err)
	}
	parameters, outputs = map[string]string{}, map[string]string{}
	for _, parameter := range out.Stacks[0].Parameters {
		parameters[aws.ToString(parameter.ParameterKey)] = aws.ToString(parameter.ParameterValue)
	}
	for _, output := range out.Stacks[0].Outputs {
		outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	return string(out.Stacks[0].StackStatus), parameters, outputs
}

// group returns the Auto Scaling group of a node group.
func (w *world) group(name string) astypes.AutoScalingGroup {
	w.t.Helper()
	_, _, outputs := w.stack(name)
	out, err := w.asg.DescribeAutoScalingGroups(w.t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{
		AutoScalingGroupNames: []string{outputs["NodeAutoScalingGroup"]},
	})
	if err != nil || len(out.AutoScalingGroups) != 1 {
		w.t.Fatalf("%v, %+v", err, out)
	}
	return out.AutoScalingGroups[0]
}

func (w *world) instances(name string) []string {
	w.t.Helper()
	var ids []string
	for _, instance := range w.group(name).Instances {
		ids = append(ids, aws.ToString(instance.InstanceId))
	}
	slices.Sort(ids)
	return ids
}

// nodes returns the names of the Ready nodes by instance id.
func (w *world) nodes() map[string]string {
	w.t.Helper()
	list, err := sandbox.Kube(w.t).CoreV1().Nodes().List(w.t.Context(), metav1.ListOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	found := map[string]string{}
	for _, node := range list.Items {
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
				found[snapshot.InstanceIDFromProviderID(node.Spec.ProviderID)] = node.Name
			}
		}
	}
	return found
}

// requireSize checks that stack, group, instances and nodes have one size, and
// that nothing of a scaling is left.
func (w *world) requireSize(name string, size int) []string {
	w.t.Helper()
	_, parameters, _ := w.stack(name)
	group := w.group(name)
	if want := fmt.Sprint(size); parameters["NodeAutoScalingGroupDesiredCapacity"] != want || fmt.Sprint(aws.ToInt32(group.DesiredCapacity)) != want {
		w.t.Errorf("stack says %s, group %d, want %d", parameters["NodeAutoScalingGroupDesiredCapacity"], aws.ToInt32(group.DesiredCapacity), size)
	}
	nodes, ids := w.nodes(), w.instances(name)
	for _, instance := range group.Instances {
		if aws.ToBool(instance.ProtectedFromScaleIn) {
			w.t.Errorf("%s is still protected from scale-in", aws.ToString(instance.InstanceId))
		}
		if nodes[aws.ToString(instance.InstanceId)] == "" {
			w.t.Errorf("%s is no Ready node", aws.ToString(instance.InstanceId))
		}
	}
	if len(ids) != size {
		w.t.Errorf("%d instances, want %d", len(ids), size)
	}
	out, err := w.ec2.DescribeInstances(w.t.Context(), &ec2.DescribeInstancesInput{InstanceIds: ids})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, reservation := range out.Reservations {
		for _, instance := range reservation.Instances {
			for _, tag := range instance.Tags {
				if aws.ToString(tag.Key) == "eksnodes.dev/protected-while-scaling" {
					w.t.Errorf("%s has still the tag of a scaling", aws.ToString(instance.InstanceId))
				}
			}
		}
	}
	return ids
}

// deploy runs pods that sleep, with a budget of as many as must be there.
func (w *world) deploy(name string, replicas int32, minAvailable int) {
	w.t.Helper()
	labels := map[string]string{"app": name}
	kube := sandbox.Kube(w.t)
	grace := int64(1)
	if _, err := kube.AppsV1().Deployments("default").Create(w.t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
				TerminationGracePeriodSeconds: &grace,
				Containers:                    []corev1.Container{{Name: "c", Image: node.BusyboxImage, ImagePullPolicy: corev1.PullNever, Command: []string{"sleep", "3600"}}},
			}},
		},
	}, metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
	w.budget(name, labels, minAvailable)
	w.t.Cleanup(func() {
		_ = kube.AppsV1().Deployments("default").Delete(context.Background(), name, metav1.DeleteOptions{})
	})
}

// budget makes a PodDisruptionBudget for pods with the labels, and takes it away
// with the test.
func (w *world) budget(name string, labels map[string]string, minAvailable int) {
	w.t.Helper()
	budgets, least := sandbox.Kube(w.t).PolicyV1().PodDisruptionBudgets("default"), intstr.FromInt(minAvailable)
	if _, err := budgets.Create(w.t.Context(), &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       policyv1.PodDisruptionBudgetSpec{MinAvailable: &least, Selector: &metav1.LabelSelector{MatchLabels: labels}},
	}, metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = budgets.Delete(context.Background(), name, metav1.DeleteOptions{}) })
}

// available is how many pods of a deployment are available.
func (w *world) available(name string) error {
	deployment, err := sandbox.Kube(w.t).AppsV1().Deployments("default").Get(w.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if have := deployment.Status.AvailableReplicas; have != *deployment.Spec.Replicas {
		return fmt.Errorf("%s: %d of %d pods are available", name, have, *deployment.Spec.Replicas)
	}
	return nil
}

// parse reads a command's JSON.
func parse[T any](t *testing.T, text string) T {
	t.Helper()
	var value T
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return value
}

// remove deletes the group whatever state a test has left it in.
func remove(t *testing.T, group string) {
	t.Cleanup(func() {
		w := &world{t: t, cfn: cloudformation.NewFromConfig(sandbox.AWS(t))}
		if status, _, _ := w.stack(group); status == "" || status == "DELETE_COMPLETE" {
			return
		}
		if result := sandbox.Exec(t, "kubectl", "eksnodes", "delete", group, "--yes", "--skip-drain"); result.Code != 0 {
			t.Errorf("clean up %s: exit %d", group, result.Code)
		}
	})
}
