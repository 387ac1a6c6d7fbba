package life

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

// TestWarmPool: the machine of a warm pool boots and is stopped without ever
// being a node; the next one that the group needs is this one, and it joins.
func TestWarmPool(t *testing.T) {
	w := look(t)
	remove(t, "warm")
	sandbox.MustExec(t, "kubectl", "eksnodes", "add", "warm", "--desired", "1", "--min", "1", "--max", "3", "--warm-pool", "1",
		"--pre-bootstrap", "echo ran >>/var/log/before", "--yes")
	w.requireSize("warm", 1)
	first := w.warm("warm")
	if node := w.nodeOf(first); node != "" {
		t.Fatalf("%s is node %s before it is in service", first, node)
	}
	told := map[string]string{}
	for _, node := range parse[described](t, sandbox.MustExec(t, "kubectl", "eksnodes", "describe", "warm", "-o", "json")).Status.Nodes {
		told[node.InstanceID] = node.Status
	}
	if told[first] != "warm, stopped" || len(told) != 2 {
		t.Errorf("described are %v, in the pool is %s", told, first)
	}

	sandbox.MustExec(t, "kubectl", "eksnodes", "scale", "warm", "--desired", "2", "--yes")
	if ids := w.requireSize("warm", 2); !slices.Contains(ids, first) {
		t.Errorf("in service are %v: %s was left in the pool", ids, first)
	}
	if second := w.warm("warm"); second == first || w.nodeOf(second) != "" {
		t.Errorf("the pool has %s again, node %q", second, w.nodeOf(second))
	}
}

// warm waits until the pool has one machine, and that stopped.
func (w *world) warm(group string) string {
	w.t.Helper()
	name := w.group(group).AutoScalingGroupName
	var id string
	harness.Eventually(w.t, 3*time.Minute, func() error {
		out, err := w.asg.DescribeWarmPool(w.t.Context(), &autoscaling.DescribeWarmPoolInput{AutoScalingGroupName: name})
		if err != nil {
			return err
		}
		if len(out.Instances) != 1 || out.Instances[0].LifecycleState != astypes.LifecycleStateWarmedStopped {
			return fmt.Errorf("the pool has %+v", out.Instances)
		}
		id = aws.ToString(out.Instances[0].InstanceId)
		return nil
	})
	return id
}

// nodeOf is the name of an instance's Node object, Ready or not; "" for none.
func (w *world) nodeOf(id string) string {
	w.t.Helper()
	list, err := sandbox.Kube(w.t).CoreV1().Nodes().List(w.t.Context(), metav1.ListOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, node := range list.Items {
		if snapshot.InstanceIDFromProviderID(node.Spec.ProviderID) == id {
			return node.Name
		}
	}
	return ""
}
