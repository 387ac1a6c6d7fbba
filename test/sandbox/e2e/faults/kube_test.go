package faults

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

// kubeFaults are about machines that have registered.
func kubeFaults() []fault {
	return []fault{
		{name: "cloud controller off", want: []string{"node.initialized"}, breaks: uninitialized},
		{name: "no CNI plugin", want: []string{"cni.installed"}, breaks: noCNI},
		{name: "node left behind by a machine of the same address", want: []string{"node.stale-twin"}, breaks: staleTwin},
		{name: "kubelet stopped", want: []string{"node.heartbeat"}, breaks: stopped("kubelet", corev1.ConditionUnknown, "stopped posting")},
		{name: "container runtime stopped", want: []string{"node.runtime"}, breaks: stopped("containerd", corev1.ConditionFalse, "container runtime")},
	}
}

// uninitializedAge is from when on a node that the cloud controller has not
// touched is one that it will not.
const uninitializedAge = 2*time.Minute + 5*time.Second

// off switches one of AWS's controllers off for a group, until the test ends or
// the function is called.
func off(t *testing.T, role, group string) (on func()) {
	t.Helper()
	sandbox.Driver(t, "fault", "inject", role, "--group", group)
	on = func() { sandbox.Driver(t, "fault", "clear", role, "--group", group) }
	t.Cleanup(on)
	return on
}

func hasTaint(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Spec.Taints, func(taint corev1.Taint) bool { return taint.Key == snapshot.TaintUninitialized })
}

// untainted waits until pods may come to a node.
func untainted(t *testing.T, id string) {
	t.Helper()
	harness.Eventually(t, patience, func() error {
		if n := node(t, id); n == nil || hasTaint(n) {
			return fmt.Errorf("%s is not initialized", id)
		}
		return nil
	})
}

// old waits until a node has an age, for what counts only then.
func old(t *testing.T, id string, age time.Duration) {
	t.Helper()
	harness.Eventually(t, patience, func() error {
		if n := node(t, id); n == nil || time.Since(n.CreationTimestamp.Time) < age {
			return fmt.Errorf("%s has no node of %s", id, age)
		}
		return nil
	})
}

func uninitialized(t *testing.T, w *world, group string) func() {
	on := off(t, "no-ccm", group)
	w.group(t, group, 1, nil)
	id := w.running(t, group)
	ready(t, id)
	if !hasTaint(node(t, id)) {
		t.Errorf("%s has been initialized: nothing was broken", id)
	}
	old(t, id, uninitializedAge)
	return func() {
		on()
		untainted(t, id)
	}
}

// noNetwork waits until a kubelet says that it has no network for pods.
func noNetwork(t *testing.T, id string) {
	t.Helper()
	condition(t, id, func(c corev1.NodeCondition) bool {
		return c.Status == corev1.ConditionFalse && strings.Contains(c.Message, "cni plugin not initialized")
	})
}

func noCNI(t *testing.T, w *world, group string) func() {
	on := off(t, "no-cni", group)
	w.group(t, group, 1, nil)
	id := w.running(t, group)
	noNetwork(t, id)
	return func() {
		on()
		ready(t, id)
	}
}

// staleTwin replaces a machine while nobody deletes its node. The next one gets
// its address, and so its name: the kubelet takes the node for its own.
func staleTwin(t *testing.T, w *world, group string) func() {
	off(t, "no-ccm", group)
	subnet := w.ownSubnet(t, group)
	w.group(t, group, 1, func(in *template) { in.subnets = []string{subnet} })
	first := w.running(t, group)
	ready(t, first)
	name := node(t, first).Name
	w.suspend(t, group, "Launch") // until the address is free again
	_, err := w.ec2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{first}})
	must(t, err)
	w.awaitState(t, first, ec2types.InstanceStateNameTerminated)
	w.resume(t, group)
	second := w.running(t, group, first)
	if got := aws.ToString(w.machine(t, second).PrivateDnsName); got != name {
		t.Fatalf("the next machine is %s, not %s", got, name)
	}
	w.awaitJournal(t, second, "Node was previously registered")
	notJoined(t, second)
	return func() {
		must(t, sandbox.Kube(t).CoreV1().Nodes().Delete(t.Context(), name, metav1.DeleteOptions{}))
		if _, err := sandbox.Node(second, "systemctl", "restart", "kubelet"); err != nil {
			t.Fatal(err)
		}
		ready(t, second)
	}
}

// stopped stops a unit of a node that was Ready.
func stopped(unit string, status corev1.ConditionStatus, message string) func(*testing.T, *world, string) func() {
	return func(t *testing.T, w *world, group string) func() {
		w.group(t, group, 1, nil)
		id := w.running(t, group)
		ready(t, id)
		if _, err := sandbox.Node(id, "systemctl", "stop", unit); err != nil {
			t.Fatal(err)
		}
		condition(t, id, func(c corev1.NodeCondition) bool { return c.Status == status && strings.Contains(c.Message, message) })
		return func() {
			if _, err := sandbox.Node(id, "systemctl", "start", unit); err != nil {
				t.Fatal(err)
			}
			ready(t, id)
		}
	}
}
