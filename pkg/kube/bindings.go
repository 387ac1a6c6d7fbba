package kube

import (
	"context"
	"encoding/json"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// nodeBindings are the bindings that nodes live on. EKS makes the first; the
// API server makes the others and mends them when it starts.
func nodeBindings() []string {
	return []string{"eks:node-bootstrapper", "system:node", "system:node-proxier"}
}

// readBindings lists the ClusterRoleBindings and keeps those of nodes.
func (c *Connection) readBindings(ctx context.Context, _ *snapshot.Snapshot) (gather.Fill, error) {
	var bindings []snapshot.Binding
	err := c.Client.list(ctx, "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", nil, func(data []byte) (bool, error) {
		var page rbacv1.ClusterRoleBindingList
		if err := json.Unmarshal(data, &page); err != nil {
			return false, err
		}
		for i := range page.Items {
			if binding, ok := ConvertBinding(&page.Items[i]); ok {
				bindings = append(bindings, binding)
			}
		}
		return true, nil
	})
	if err != nil {
		return nil, wrap("list clusterrolebindings", err)
	}
	return func(snap *snapshot.Snapshot) { snap.Kube.Bindings = bindings }, nil
}

// ConvertBinding turns a ClusterRoleBinding into facts; one that is no
// business of nodes is left out.
func ConvertBinding(in *rbacv1.ClusterRoleBinding) (snapshot.Binding, bool) {
	wanted := false
	for _, name := range nodeBindings() {
		wanted = wanted || in.Name == name
	}
	out := snapshot.Binding{Name: in.Name, Role: in.RoleRef.Name}
	for _, subject := range in.Subjects {
		name := subject.Kind + "/" + subject.Name
		if subject.Kind == rbacv1.ServiceAccountKind {
			name = subject.Kind + "/" + subject.Namespace + "/" + subject.Name
		}
		out.Subjects = append(out.Subjects, name)
	}
	return out, wanted
}
