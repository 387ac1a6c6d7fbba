package kube

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// mirrorAnnotation marks pods that the kubelet made of its own files.
const mirrorAnnotation = "kubernetes.io/config.mirror"

// fewNodes is up to how many nodes pods are listed node by node; for more, one
// list of all pods is cheaper.
const fewNodes = 10

// Workload reads what a drain of the nodes would evict, and the budgets that
// cover it.
func (c *Client) Workload(ctx context.Context, nodes []string) (*snapshot.Workload, error) {
	if len(nodes) == 0 {
		return &snapshot.Workload{}, nil
	}
	var pods []corev1.Pod
	keep := func(data []byte) (bool, error) {
		var page corev1.PodList
		if err := json.Unmarshal(data, &page); err != nil {
			return false, err
		}
		for i := range page.Items {
			if pod := &page.Items[i]; slices.Contains(nodes, pod.Spec.NodeName) && evicted(pod) {
				pods = append(pods, *pod)
			}
		}
		return true, nil
	}
	queries := []url.Values{{}}
	if len(nodes) <= fewNodes {
		queries = nil
		for _, name := range nodes {
			queries = append(queries, url.Values{"fieldSelector": {"spec.nodeName=" + name}})
		}
	}
	for _, query := range queries {
		if err := c.list(ctx, "/api/v1/pods", query, keep); err != nil {
			return nil, wrap("list pods", err)
		}
	}
	var budgets []policyv1.PodDisruptionBudget
	err := c.list(ctx, "/apis/policy/v1/poddisruptionbudgets", nil, func(data []byte) (bool, error) {
		var page policyv1.PodDisruptionBudgetList
		if err := json.Unmarshal(data, &page); err != nil {
			return false, err
		}
		budgets = append(budgets, page.Items...)
		return true, nil
	})
	if err != nil {
		return nil, wrap("list poddisruptionbudgets", err)
	}
	return ConvertWorkload(pods, budgets), nil
}

// evicted reports whether a drain evicts the pod: DaemonSets' and mirror pods
// stay, finished ones are only deleted.
func evicted(pod *corev1.Pod) bool {
	if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return false
	}
	if _, mirror := pod.Annotations[mirrorAnnotation]; mirror {
		return false
	}
	owner := metav1.GetControllerOf(pod)
	return owner == nil || owner.Kind != "DaemonSet"
}

// ConvertWorkload joins pods with the budgets that cover them. A budget that
// covers none of them is left out.
func ConvertWorkload(pods []corev1.Pod, budgets []policyv1.PodDisruptionBudget) *snapshot.Workload {
	out := &snapshot.Workload{}
	for i := range pods {
		pod := &pods[i]
		work := snapshot.WorkPod{Namespace: pod.Namespace, Name: pod.Name, Node: pod.Spec.NodeName}
		if owner := metav1.GetControllerOf(pod); owner != nil {
			work.Owner = owner.Kind + "/" + owner.Name
		}
		for _, volume := range pod.Spec.Volumes {
			work.EmptyDir = work.EmptyDir || volume.EmptyDir != nil
		}
		out.Pods = append(out.Pods, work)
	}
	for i := range budgets {
		in := &budgets[i]
		selector, err := metav1.LabelSelectorAsSelector(in.Spec.Selector)
		if err != nil {
			continue // the API server lets none in
		}
		budget := snapshot.Budget{Namespace: in.Namespace, Name: in.Name, Allowed: int(in.Status.DisruptionsAllowed)}
		for j := range pods {
			if pods[j].Namespace == in.Namespace && selector.Matches(labels.Set(pods[j].Labels)) {
				budget.Pods = append(budget.Pods, pods[j].Name)
			}
		}
		if len(budget.Pods) > 0 {
			out.Budgets = append(out.Budgets, budget)
		}
	}
	return out
}

// DeleteNodeOf removes the Node object of an instance; one that is gone, or
// that meanwhile belongs to another instance, is no error.
func (c *Connection) DeleteNodeOf(ctx context.Context, name, instanceID string) error {
	node, err := c.Client.Nodes().Get(ctx, name, metav1.GetOptions{})
	if err := wrap("get nodes "+name, err); err != nil {
		if IsKind(err, Absent) {
			return nil
		}
		return err
	}
	if snapshot.InstanceIDFromProviderID(node.Spec.ProviderID) != instanceID {
		return nil
	}
	uid := node.UID
	err = wrap("delete nodes "+name, c.Client.Nodes().Delete(ctx, name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}))
	if IsKind(err, Absent) || IsKind(err, Conflict) {
		return nil
	}
	return err
}
