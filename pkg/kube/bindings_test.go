package kube

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func TestConvertBinding(t *testing.T) {
	in := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "eks:node-bootstrapper"}, RoleRef: rbacv1.RoleRef{Name: "eks:node-bootstrapper"},
		Subjects: []rbacv1.Subject{{Kind: "Group", Name: "system:nodes"}, {Kind: "ServiceAccount", Namespace: "kube-system", Name: "x"}},
	}
	got, ok := ConvertBinding(in)
	want := snapshot.Binding{Name: "eks:node-bootstrapper", Role: "eks:node-bootstrapper", Subjects: []string{"Group/system:nodes", "ServiceAccount/kube-system/x"}}
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Errorf("kept %v: %s", ok, diff)
	}
	in.Name = "cluster-admin"
	if _, ok := ConvertBinding(in); ok {
		t.Error("kept a binding of no node's business")
	}
}
