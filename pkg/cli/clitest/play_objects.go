package clitest

import (
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func configMap(a *snapshot.AwsAuth) any {
	return corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{Kind: "ConfigMap", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{Name: "aws-auth", Namespace: "kube-system", ResourceVersion: a.ResourceVersion}, Data: a.Data,
	}
}

func serviceAccount(namespace, name string, policyOnNode bool) any {
	account := corev1.ServiceAccount{
		TypeMeta:   metav1.TypeMeta{Kind: "ServiceAccount", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
	}
	if !policyOnNode {
		account.Annotations = map[string]string{"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/cni"}
	}
	return account
}

func nodeObject(n *snapshot.KubeNode) any {
	out := corev1.Node{
		TypeMeta:   metav1.TypeMeta{Kind: "Node", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: n.Labels, CreationTimestamp: metav1.NewTime(n.CreatedAt)},
		Spec:       corev1.NodeSpec{ProviderID: n.ProviderID, Unschedulable: n.Unschedulable},
		Status:     corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{KubeletVersion: n.KubeletVersion, OSImage: n.OSImage, ContainerRuntimeVersion: n.Runtime}},
	}
	for name, amount := range n.Allocatable {
		if out.Status.Allocatable == nil {
			out.Status.Allocatable = corev1.ResourceList{}
		}
		out.Status.Allocatable[corev1.ResourceName(name)] = *resource.NewQuantity(amount, resource.DecimalSI)
	}
	for _, taint := range n.Taints {
		since := metav1.NewTime(taint.Since)
		out.Spec.Taints = append(out.Spec.Taints, corev1.Taint{Key: taint.Key, Value: taint.Value, Effect: corev1.TaintEffect(taint.Effect), TimeAdded: &since})
	}
	for _, c := range n.Conditions {
		out.Status.Conditions = append(out.Status.Conditions, corev1.NodeCondition{
			Type: corev1.NodeConditionType(c.Type), Status: corev1.ConditionStatus(c.Status), Reason: c.Reason, Message: c.Message, LastTransitionTime: metav1.NewTime(c.Since),
		})
	}
	for _, ip := range n.InternalIPs {
		out.Status.Addresses = append(out.Status.Addresses, corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: ip})
	}
	return out
}

func daemonSet(d snapshot.DaemonSet) any {
	return appsv1.DaemonSet{
		TypeMeta:   metav1.TypeMeta{Kind: "DaemonSet", APIVersion: "apps/v1"},
		ObjectMeta: metav1.ObjectMeta{Namespace: d.Namespace, Name: d.Name},
		Spec: appsv1.DaemonSetSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			NodeSelector: d.Selector, Containers: []corev1.Container{{Name: d.Name, Image: d.Image}},
		}}},
		Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: int32(d.Desired), NumberReady: int32(d.Ready)},
	}
}

func podObject(in snapshot.Pod) any {
	yes, ready := true, corev1.ConditionFalse
	if in.Ready {
		ready = corev1.ConditionTrue
	}
	kind, owner, _ := strings.Cut(in.Owner, "/")
	out := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: in.Namespace, Name: in.Name, OwnerReferences: []metav1.OwnerReference{{Kind: kind, Name: owner, Controller: &yes}}},
		Spec:       corev1.PodSpec{NodeName: in.Node},
		Status: corev1.PodStatus{
			Phase: corev1.PodPhase(in.Phase), Reason: in.Reason, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}},
		},
	}
	for _, c := range in.Containers {
		status := corev1.ContainerStatus{Name: c.Name, Ready: c.Ready, RestartCount: int32(c.Restarts)}
		if c.Waiting != "" {
			status.State.Waiting = &corev1.ContainerStateWaiting{Reason: c.Waiting, Message: c.Message}
		}
		out.Status.ContainerStatuses = append(out.Status.ContainerStatuses, status)
	}
	return out
}

func eventObject(e snapshot.Event) any {
	return corev1.Event{
		InvolvedObject: corev1.ObjectReference{Kind: e.Kind, Name: e.Object}, Type: e.Type, Reason: e.Reason, Message: e.Message,
		Count: int32(e.Count), LastTimestamp: metav1.NewTime(e.Last),
	}
}

func leaseObject(l snapshot.Lease) any {
	renewed := metav1.NewMicroTime(l.Renewed)
	return coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: l.Node, Namespace: "kube-node-lease"}, Spec: coordinationv1.LeaseSpec{RenewTime: &renewed}}
}

func csrObject(c snapshot.CSR) any {
	out := certificatesv1.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{Name: c.Name, CreationTimestamp: metav1.NewTime(c.CreatedAt)},
		Spec:       certificatesv1.CertificateSigningRequestSpec{SignerName: c.Signer, Username: c.Requestor},
	}
	if c.State != "Pending" {
		out.Status.Conditions = []certificatesv1.CertificateSigningRequestCondition{{Type: certificatesv1.RequestConditionType(c.State), Status: corev1.ConditionTrue}}
	}
	return out
}

func webhookObject(w snapshot.Webhook) any {
	policy := admissionv1.Ignore
	if w.FailClosed {
		policy = admissionv1.Fail
	}
	namespace, name, _ := strings.Cut(w.Service, "/")
	return admissionv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: w.Config},
		Webhooks: []admissionv1.ValidatingWebhook{{
			Name: w.Name, FailurePolicy: &policy, ClientConfig: admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{Namespace: namespace, Name: name}},
			Rules: []admissionv1.RuleWithOperations{{Rule: admissionv1.Rule{Resources: []string{"pods"}}}},
		}},
	}
}

func bindingObject(b snapshot.Binding) any {
	out := rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: b.Name}, RoleRef: rbacv1.RoleRef{Name: b.Role}}
	for _, subject := range b.Subjects {
		kind, name, _ := strings.Cut(subject, "/")
		out.Subjects = append(out.Subjects, rbacv1.Subject{Kind: kind, Name: name})
	}
	return out
}
