package check

import (
	"testing"

	kubeletapis "k8s.io/kubelet/pkg/apis"

	"github.com/eksnodes/kubectl-eksnodes/pkg/nodelabels"
)

// TestReservedLabels compares the rule with that of Kubernetes' packages.
func TestReservedLabels(t *testing.T) {
	keys := kubeletapis.KubeletLabels()
	for _, namespace := range append(kubeletapis.KubeletLabelNamespaces(), "kubernetes.io", "k8s.io", "node-restriction.kubernetes.io", "node-role.kubernetes.io", "a.kubernetes.io", "notkubernetes.io", "eks.amazonaws.com") {
		keys = append(keys, namespace+"/a", "x."+namespace+"/a")
	}
	for _, key := range append(keys, "plain") {
		if got, want := reservedLabel(key), nodelabels.CheckLabel(key, "v") != nil; got != want {
			t.Errorf("%s: reserved %v, want %v", key, got, want)
		}
	}
}
