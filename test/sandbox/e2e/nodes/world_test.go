package nodes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/smithy-go"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// patience is how long anything that nodes or AWS do by themselves may take, on
// a machine that may have more to do.
const patience = 5 * time.Minute

// world looks at AWS and the API server with clients of its own.
type world struct {
	t   *testing.T
	aws aws.Config
	cfn *cloudformation.Client
	asg *autoscaling.Client
	ec2 *ec2.Client
	eks *eks.Client
}

func look(t *testing.T) *world {
	t.Helper()
	config := sandbox.AWS(t)
	return &world{
		t: t, aws: config,
		cfn: cloudformation.NewFromConfig(config), asg: autoscaling.NewFromConfig(config),
		ec2: ec2.NewFromConfig(config), eks: eks.NewFromConfig(config),
	}
}

// stack returns the status and the outputs; "" when there is no such stack.
func (w *world) stack(name string) (status string, outputs map[string]string) {
	w.t.Helper()
	out, err := w.cfn.DescribeStacks(w.t.Context(), &cloudformation.DescribeStacksInput{StackName: &name})
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "ValidationError" {
		return "", nil
	}
	if err != nil {
		w.t.Fatal(err)
	}
	outputs = map[string]string{}
	for _, output := range out.Stacks[0].Outputs {
		outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	return string(out.Stacks[0].StackStatus), outputs
}

// instances returns the instances of the Auto Scaling group by id.
func (w *world) instances(group string) map[string]ec2types.Instance {
	w.t.Helper()
	out, err := w.asg.DescribeAutoScalingGroups(w.t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{group}})
	if err != nil {
		w.t.Fatal(err)
	}
	var ids []string
	for _, found := range out.AutoScalingGroups {
		for _, instance := range found.Instances {
			ids = append(ids, aws.ToString(instance.InstanceId))
		}
	}
	found := map[string]ec2types.Instance{}
	if len(ids) == 0 {
		return found
	}
	described, err := w.ec2.DescribeInstances(w.t.Context(), &ec2.DescribeInstancesInput{InstanceIds: ids})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, reservation := range described.Reservations {
		for _, instance := range reservation.Instances {
			found[aws.ToString(instance.InstanceId)] = instance
		}
	}
	return found
}

// nodes returns the Node objects by instance id.
func (w *world) nodes() map[string]corev1.Node {
	w.t.Helper()
	list, err := sandbox.Kube(w.t).CoreV1().Nodes().List(w.t.Context(), metav1.ListOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	found := map[string]corev1.Node{}
	for _, node := range list.Items {
		found[snapshot.InstanceIDFromProviderID(node.Spec.ProviderID)] = node
	}
	return found
}

func ready(node corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// entry returns the access entry of the role, nil when there is none.
func (w *world) entry(roleARN string) *ekstypes.AccessEntry {
	w.t.Helper()
	out, err := w.eks.DescribeAccessEntry(w.t.Context(), &eks.DescribeAccessEntryInput{ClusterName: aws.String(layout.ClusterName), PrincipalArn: &roleARN})
	var absent *ekstypes.ResourceNotFoundException
	var modeless *ekstypes.InvalidRequestException // CONFIG_MAP: the cluster has no entries at all
	if errors.As(err, &absent) || errors.As(err, &modeless) {
		return nil
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return out.AccessEntry
}

// awsAuth returns mapRoles, "" when there is no map.
func (w *world) awsAuth() string {
	w.t.Helper()
	list, err := sandbox.Kube(w.t).CoreV1().ConfigMaps("kube-system").List(w.t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=aws-auth"})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(list.Items) == 0 {
		return ""
	}
	return list.Items[0].Data["mapRoles"]
}

// setMode moves the cluster on to an authentication mode.
func (w *world) setMode(mode ekstypes.AuthenticationMode) {
	w.t.Helper()
	if _, err := w.eks.UpdateClusterConfig(w.t.Context(), &eks.UpdateClusterConfigInput{
		Name: aws.String(layout.ClusterName), AccessConfig: &ekstypes.UpdateAccessConfigRequest{AuthenticationMode: mode},
	}); err != nil {
		w.t.Fatal(err)
	}
	harness.Eventually(w.t, patience, func() error {
		out, err := w.eks.DescribeCluster(w.t.Context(), &eks.DescribeClusterInput{Name: aws.String(layout.ClusterName)})
		if err != nil {
			return err
		}
		if have := out.Cluster.AccessConfig.AuthenticationMode; have != mode || out.Cluster.Status != ekstypes.ClusterStatusActive {
			return fmt.Errorf("authentication mode is %s, cluster %s", have, out.Cluster.Status)
		}
		return nil
	})
}

// requireReady checks that exactly the group's instances are Ready nodes.
func (w *world) requireReady(group string, count int) {
	w.t.Helper()
	instances, nodes := w.instances(group), w.nodes()
	if len(instances) != count {
		w.t.Fatalf("%s has %d instances, want %d", group, len(instances), count)
	}
	for id := range instances {
		node, joined := nodes[id]
		if !joined || !ready(node) {
			w.t.Fatalf("instance %s: joined %v, node %+v", id, joined, node.Status.Conditions)
		}
		if len(node.Spec.Taints) > 0 {
			w.t.Errorf("node %s has taints %v", node.Name, node.Spec.Taints)
		}
	}
}

// requireIdentity checks who the nodes are to the API server: by its own audit
// log, not by what anything else says.
func (w *world) requireIdentity(group string, since time.Time) {
	w.t.Helper()
	events := sandbox.Audit(w.t, since, "kubelet/")
	for id, instance := range w.instances(group) {
		want := "system:node:" + aws.ToString(instance.PrivateDnsName)
		var groups []string
		for _, event := range events {
			if event.User.Username == want {
				groups = event.User.Groups
			}
		}
		if !slices.Contains(groups, "system:nodes") {
			w.t.Errorf("%s: the API server has no request of %s with system:nodes, groups %v", id, want, groups)
		}
	}
}

// requireGone checks that nothing of a group is left.
func (w *world) requireGone(group, asg, roleARN string) {
	w.t.Helper()
	if status, _ := w.stack(stackName(group)); status != "" && status != "DELETE_COMPLETE" {
		w.t.Errorf("stack of %s: %s", group, status)
	}
	if left := w.instances(asg); len(left) > 0 {
		w.t.Errorf("instances of %s are left: %v", group, slices.Collect(maps.Keys(left)))
	}
	harness.Eventually(w.t, patience, func() error { // the cloud controller deletes them when it finds the machines gone
		for id, node := range w.nodes() {
			if node.Labels["eksnodes.dev/group"] == group {
				return fmt.Errorf("node %s of %s (%s) is left", node.Name, group, id)
			}
		}
		return nil
	})
	if w.entry(roleARN) != nil {
		w.t.Errorf("the access entry of %s is left", roleARN)
	}
}

func stackName(group string) string { return "eksnodes-" + layout.ClusterName + "-" + group }

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
		out, err := w.cfn.DescribeStacks(context.Background(), &cloudformation.DescribeStacksInput{StackName: aws.String(stackName(group))})
		if err != nil || out.Stacks[0].StackStatus == "DELETE_COMPLETE" {
			return
		}
		if result := sandbox.Exec(t, "kubectl", "eksnodes", "delete", group, "--yes"); result.Code != 0 {
			t.Errorf("clean up %s: exit %d", group, result.Code)
		}
	})
}
