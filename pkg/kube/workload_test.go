package kube

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func pod(name, app, owner string) corev1.Pod {
	out := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Labels: map[string]string{"app": app}}, Spec: corev1.PodSpec{NodeName: "n"}}
	if owner != "" {
		controls := true
		out.OwnerReferences = []metav1.OwnerReference{{Kind: owner, Name: app, Controller: &controls}}
	}
	return out
}

func budget(namespace, name, app string, allowed int32) policyv1.PodDisruptionBudget {
	out := policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	out.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}
	out.Status.DisruptionsAllowed = allowed
	return out
}

func TestConvertWorkload(t *testing.T) {
	scratch := pod("web-1", "web", "ReplicaSet")
	scratch.Spec.Volumes = []corev1.Volume{{VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	none := budget("shop", "none", "", 0)
	none.Spec.Selector = nil // covers nothing
	got := ConvertWorkload(
		[]corev1.Pod{scratch, pod("db-0", "db", "StatefulSet"), pod("lonely", "x", "")},
		[]policyv1.PodDisruptionBudget{budget("shop", "web", "web", 0), budget("shop", "db", "db", 1), budget("other", "web", "web", 0), budget("shop", "idle", "idle", 0), none},
	)
	want := &snapshot.Workload{
		Pods: []snapshot.WorkPod{
			{Namespace: "shop", Name: "web-1", Node: "n", Owner: "ReplicaSet/web", EmptyDir: true},
			{Namespace: "shop", Name: "db-0", Node: "n", Owner: "StatefulSet/db"},
			{Namespace: "shop", Name: "lonely", Node: "n"},
		},
		Budgets: []snapshot.Budget{{Namespace: "shop", Name: "web", Pods: []string{"web-1"}}, {Namespace: "shop", Name: "db", Allowed: 1, Pods: []string{"db-0"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if lost, blocking := got.Lost(), got.Blocking(); len(lost) != 1 || lost[0].Name != "lonely" || len(blocking) != 1 || blocking[0].Name != "web" {
		t.Errorf("lost %+v, blocking %+v", lost, blocking)
	}
}

func TestWhatADrainEvicts(t *testing.T) {
	daemon, mirror, done, live := pod("d", "d", "DaemonSet"), pod("m", "m", "Node"), pod("f", "f", "Job"), pod("l", "l", "")
	mirror.Annotations = map[string]string{mirrorAnnotation: "x"}
	done.Status.Phase = corev1.PodSucceeded
	for name, test := range map[string]struct {
		pod  corev1.Pod
		want bool
	}{"a DaemonSet's": {daemon, false}, "a mirror pod": {mirror, false}, "a finished one": {done, false}, "any other": {live, true}} {
		if got := evicted(&test.pod); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
