package kube

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func systemPaths() []string {
	return []string{
		"/apis/apps/v1/daemonsets", "/api/v1/namespaces/kube-system/pods", "/api/v1/namespaces/default/events", "/api/v1/namespaces/kube-system/events",
		"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", "/apis/certificates.k8s.io/v1/certificatesigningrequests",
		"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
		"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
	}
}

func TestSystem(t *testing.T) {
	at := time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)
	when := metav1.NewTime(at)
	yes, ignore := true, admissionv1.Ignore
	server := healthy(t)
	paths := systemPaths()

	daemon := appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "aws-node"}}
	daemon.Spec.Template.Spec.NodeSelector = map[string]string{"os": "linux"}
	daemon.Spec.Template.Spec.Containers = []corev1.Container{{Image: "cni:v1"}}
	daemon.Status.DesiredNumberScheduled, daemon.Status.NumberReady = 3, 2
	server.other[paths[0]] = appsv1.DaemonSetList{Items: []appsv1.DaemonSet{daemon}}

	pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "aws-node-1", OwnerReferences: []metav1.OwnerReference{{Kind: "DaemonSet", Name: "aws-node", Controller: &yes}}}}
	pod.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
		NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Values: []string{"n1"}}}}},
	}}}
	pod.Status.Phase = corev1.PodPending
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse}, {Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/1 nodes"}}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "aws-node", RestartCount: 4, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Message: "boom"}},
	}}
	server.other[paths[1]] = corev1.PodList{Items: []corev1.Pod{pod}}
	server.other[paths[2]] = corev1.EventList{Items: []corev1.Event{{
		InvolvedObject: corev1.ObjectReference{Kind: "Node", Name: "n1"}, Type: "Normal", Reason: "DeletingNode", Message: "gone\x1b", LastTimestamp: when,
	}}}
	server.other[paths[3]] = corev1.EventList{Items: []corev1.Event{{
		InvolvedObject: corev1.ObjectReference{Kind: "DaemonSet", Name: "aws-node"}, Type: "Warning", Reason: "FailedCreate", Series: &corev1.EventSeries{Count: 3, LastObservedTime: metav1.NewMicroTime(at)},
	}}}
	renewed := metav1.NewMicroTime(at)
	server.other[paths[4]] = coordinationv1.LeaseList{Items: []coordinationv1.Lease{{ObjectMeta: metav1.ObjectMeta{Name: "n1"}, Spec: coordinationv1.LeaseSpec{RenewTime: &renewed}}}}
	server.other[paths[5]] = certificatesv1.CertificateSigningRequestList{Items: []certificatesv1.CertificateSigningRequest{
		{ObjectMeta: metav1.ObjectMeta{Name: "csr-1", CreationTimestamp: when}, Spec: certificatesv1.CertificateSigningRequestSpec{SignerName: "kubernetes.io/kubelet-serving", Username: "system:node:n1"}},
		{ObjectMeta: metav1.ObjectMeta{Name: "csr-2", CreationTimestamp: when}, Status: certificatesv1.CertificateSigningRequestStatus{Conditions: []certificatesv1.CertificateSigningRequestCondition{{Type: certificatesv1.CertificateApproved}}}},
	}}
	rules := []admissionv1.RuleWithOperations{{Rule: admissionv1.Rule{Resources: []string{"pods"}}}}
	server.other[paths[6]] = admissionv1.ValidatingWebhookConfigurationList{Items: []admissionv1.ValidatingWebhookConfiguration{{
		ObjectMeta: metav1.ObjectMeta{Name: "policy"}, Webhooks: []admissionv1.ValidatingWebhook{{Name: "a.policy", Rules: rules}, {Name: "secrets only"}},
	}}}
	server.other[paths[7]] = admissionv1.MutatingWebhookConfigurationList{Items: []admissionv1.MutatingWebhookConfiguration{{
		ObjectMeta: metav1.ObjectMeta{Name: "mesh"}, Webhooks: []admissionv1.MutatingWebhook{{
			Name: "b.mesh", Rules: rules, FailurePolicy: &ignore, ClientConfig: admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{Namespace: "mesh", Name: "svc"}},
		}},
	}}}

	snap, gaps := read(t, server)
	if len(gaps) > 0 {
		t.Fatalf("gaps %+v", gaps)
	}
	want := snapshot.System{
		DaemonSets: []snapshot.DaemonSet{{Namespace: "kube-system", Name: "aws-node", Image: "cni:v1", Desired: 3, Ready: 2, Selector: map[string]string{"os": "linux"}}},
		Pods: []snapshot.Pod{{
			Namespace: "kube-system", Name: "aws-node-1", Owner: "DaemonSet/aws-node", Node: "n1", Phase: "Pending", Reason: "Unschedulable: 0/1 nodes",
			Containers: []snapshot.PodContainer{{Name: "aws-node", Restarts: 4, Waiting: "CrashLoopBackOff", Message: "boom", ExitCode: 1}},
		}},
		Events: []snapshot.Event{
			{Kind: "Node", Object: "n1", Type: "Normal", Reason: "DeletingNode", Message: "gone", Count: 1, Last: at},
			{Kind: "DaemonSet", Object: "aws-node", Type: "Warning", Reason: "FailedCreate", Count: 3, Last: at},
		},
		Leases: []snapshot.Lease{{Node: "n1", Renewed: at}},
		CSRs: []snapshot.CSR{
			{Name: "csr-1", Signer: "kubernetes.io/kubelet-serving", Requestor: "system:node:n1", State: "Pending", CreatedAt: at},
			{Name: "csr-2", State: "Approved", CreatedAt: at},
		},
		Webhooks: []snapshot.Webhook{
			{Config: "policy", Name: "a.policy", FailClosed: true},
			{Config: "mesh", Name: "b.mesh", Mutating: true, Service: "mesh/svc"},
		},
	}
	if diff := cmp.Diff(want, snap.Kube.System); diff != "" {
		t.Error(diff)
	}
}

// TestListsComeInPages follows the continue token until told to stop.
func TestListsComeInPages(t *testing.T) {
	server := newAPIServer(t, make([]corev1.Node, 2*nodePage+1)...)
	for want, enough := range map[int]int{3: 9, 2: 2} {
		pages := 0
		err := server.client(t).list(t.Context(), "/api/v1/nodes", nil, func([]byte) (bool, error) {
			pages++
			return pages < enough, nil
		})
		if err != nil || pages != want {
			t.Errorf("%d pages, want %d, %v", pages, want, err)
		}
	}
}
