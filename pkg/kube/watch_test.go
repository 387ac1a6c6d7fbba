package kube

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func testNode(name, instance string, ready corev1.ConditionStatus) corev1.Node {
	node := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if instance != "" {
		node.Spec.ProviderID = "aws:///us-west-2a/" + instance
	}
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready}}
	return node
}

// await waits for changes until the condition holds.
func await(t *testing.T, w *NodeWatcher, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for !holds() {
		select {
		case <-w.Changed():
		case <-deadline:
			t.Fatalf("not seen in time: %s; nodes %v, error %v", what, w.Nodes(), w.Err())
		}
	}
}

func ready(w *NodeWatcher, instance string) bool {
	node, ok := w.Nodes()[instance]
	return ok && node.Ready()
}

func TestWatcherFollowsNodes(t *testing.T) {
	server := newAPIServer(t, testNode("a", "i-a", corev1.ConditionFalse), testNode("not-ec2", "", corev1.ConditionTrue))
	w := server.client(t).WatchNodes(t.Context())
	await(t, w, "the first list", w.Synced)
	if nodes := w.Nodes(); len(nodes) != 1 || ready(w, "i-a") {
		t.Fatalf("nodes %v", nodes)
	}
	awaitWatch(t, server)
	server.set("MODIFIED", testNode("a", "i-a", corev1.ConditionTrue), false)
	await(t, w, "a is Ready", func() bool { return ready(w, "i-a") })
	server.set("ADDED", testNode("b", "i-b", corev1.ConditionTrue), false)
	await(t, w, "b", func() bool { return ready(w, "i-b") })
	server.set("DELETED", testNode("a", "i-a", corev1.ConditionTrue), false)
	await(t, w, "a is gone", func() bool { return len(w.Nodes()) == 1 })
}

// awaitWatch waits until the client's watch has arrived.
func awaitWatch(t *testing.T, server *apiServer) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		server.mu.Lock()
		open := len(server.watches)
		server.mu.Unlock()
		if open > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("no watch was opened")
		}
	}
}

func TestWatcherSurvivesClosing(t *testing.T) {
	server := newAPIServer(t)
	w := server.client(t).WatchNodes(t.Context())
	await(t, w, "the first list", w.Synced)
	for i, end := range []func(){server.closeWatches, server.expire} {
		awaitWatch(t, server)
		end()
		awaitWatch(t, server)
		id := string(rune('a' + i))
		server.set("ADDED", testNode(id, "i-"+id, corev1.ConditionTrue), false)
		await(t, w, "node "+id+" after the watch ended", func() bool { return ready(w, "i-"+id) })
	}
}

func TestWatcherListsAgainWhenItFellBehind(t *testing.T) {
	server := newAPIServer(t)
	w := server.client(t).WatchNodes(t.Context())
	await(t, w, "the first list", w.Synced)
	awaitWatch(t, server)
	server.set("ADDED", testNode("a", "i-a", corev1.ConditionTrue), true)
	server.expire()
	await(t, w, "the node that no watch told of", func() bool { return ready(w, "i-a") })
}

func TestWatcherTellsWhatIsWrongAndRecovers(t *testing.T) {
	server := newAPIServer(t, testNode("a", "i-a", corev1.ConditionTrue))
	server.setFail(403)
	w := server.client(t).WatchNodes(t.Context())
	await(t, w, "the refusal", func() bool { return IsKind(w.Err(), Denied) })
	if w.Synced() {
		t.Error("claims to know the nodes")
	}
	server.setFail(0)
	await(t, w, "recovery", func() bool { return w.Synced() && w.Err() == nil && ready(w, "i-a") })
}

func TestTwinsOfOneInstance(t *testing.T) {
	old, young := testNode("old", "i-a", corev1.ConditionUnknown), testNode("young", "i-a", corev1.ConditionTrue)
	old.CreationTimestamp = metav1.NewTime(time.Unix(1000, 0))
	young.CreationTimestamp = metav1.NewTime(time.Unix(2000, 0))
	server := newAPIServer(t, young, old)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := server.client(t).WatchNodes(ctx)
	await(t, w, "the first list", w.Synced)
	if got := w.Nodes()["i-a"].Name; got != "young" {
		t.Errorf("took %q", got)
	}
}
