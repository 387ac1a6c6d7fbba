package controlplane

import (
	"context"
	"fmt"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const policyPrefix = "arn:aws:eks::aws:cluster-access-policy/"

// PolicyGroup is the group that stands for an access policy. EKS evaluates access
// policies in an authorizer of its own; here each is a group bound to the
// ClusterRole that the policy's documentation says it corresponds to.
// https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
func PolicyGroup(policyARN string) string {
	return "eks-access-policy:" + strings.TrimPrefix(policyARN, policyPrefix)
}

// policyRoles maps access policies to Kubernetes' user-facing roles.
func policyRoles() map[string]string {
	return map[string]string{
		"AmazonEKSClusterAdminPolicy": "cluster-admin",
		"AmazonEKSAdminPolicy":        "admin",
		"AmazonEKSEditPolicy":         "edit",
		"AmazonEKSViewPolicy":         "view",
	}
}

// Bootstrap makes what EKS itself puts into a fresh cluster, as far as nodes and
// users meet it: the binding that lets nodes ask for their serving certificate,
// and the access policies.
func Bootstrap(ctx context.Context, client kubernetes.Interface) error {
	if _, err := client.RbacV1().ClusterRoles().Create(ctx, nodeBootstrapper(), metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("make cluster role: %w", err)
	}
	for _, b := range bindings() {
		if _, err := client.RbacV1().ClusterRoleBindings().Create(ctx, b, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("make cluster role binding %s: %w", b.Name, err)
		}
	}
	return nil
}

const nodeBootstrapperName = "eks:node-bootstrapper"

func nodeBootstrapper() *rbacv1.ClusterRole {
	return &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: nodeBootstrapperName, Labels: map[string]string{"eks.amazonaws.com/component": "node"}},
		Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{"certificates.k8s.io"},
			Resources: []string{"certificatesigningrequests/selfnodeserver"},
			Verbs:     []string{"create"},
		}},
	}
}

func bindings() []*rbacv1.ClusterRoleBinding {
	all := []*rbacv1.ClusterRoleBinding{binding(nodeBootstrapperName, nodeBootstrapperName, "system:bootstrappers", "system:nodes")}
	for policy, role := range policyRoles() {
		all = append(all, binding("eks-access-policy:"+policy, role, PolicyGroup(policy)))
	}
	return all
}

func binding(name, role string, groups ...string) *rbacv1.ClusterRoleBinding {
	b := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
	}
	for _, g := range groups {
		b.Subjects = append(b.Subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: g})
	}
	return b
}
