package kube

import (
	"cmp"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// ConvertDaemonSet turns a DaemonSet into facts.
func ConvertDaemonSet(in *appsv1.DaemonSet) snapshot.DaemonSet {
	out := snapshot.DaemonSet{
		Namespace: in.Namespace, Name: in.Name, Desired: int(in.Status.DesiredNumberScheduled), Ready: int(in.Status.NumberReady),
		Selector: in.Spec.Template.Spec.NodeSelector,
	}
	if containers := in.Spec.Template.Spec.Containers; len(containers) > 0 {
		out.Image = containers[0].Image
	}
	return out
}

// ConvertPod turns a pod into facts. A DaemonSet's pod that waits for a place
// names the node that it is meant for in its affinity.
func ConvertPod(in *corev1.Pod) snapshot.Pod {
	out := snapshot.Pod{Namespace: in.Namespace, Name: in.Name, Node: cmp.Or(in.Spec.NodeName, meantFor(in)), Phase: string(in.Status.Phase), Reason: in.Status.Reason}
	for _, owner := range in.OwnerReferences {
		if owner.Controller != nil && *owner.Controller {
			out.Owner = owner.Kind + "/" + owner.Name
		}
	}
	for _, condition := range in.Status.Conditions {
		switch {
		case condition.Type == corev1.PodReady:
			out.Ready = condition.Status == corev1.ConditionTrue
		case condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse:
			out.Reason = redact.Line(condition.Reason + ": " + condition.Message)
		}
	}
	for i := range in.Spec.Containers {
		for _, env := range in.Spec.Containers[i].Env {
			switch env.Name {
			case envRoleARN:
				out.RoleARN = env.Value
			case envPodIdentity:
				out.PodIdentity = true
			}
		}
	}
	for _, status := range slices.Concat(in.Status.InitContainerStatuses, in.Status.ContainerStatuses) {
		out.Containers = append(out.Containers, convertContainer(&status))
	}
	return out
}

func meantFor(in *corev1.Pod) string {
	affinity := in.Spec.Affinity
	if affinity == nil || affinity.NodeAffinity == nil || affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return ""
	}
	for _, term := range affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
		for _, field := range term.MatchFields {
			if field.Key == "metadata.name" && len(field.Values) == 1 {
				return field.Values[0]
			}
		}
	}
	return ""
}

func convertContainer(in *corev1.ContainerStatus) snapshot.PodContainer {
	out := snapshot.PodContainer{Name: in.Name, Ready: in.Ready, Restarts: int(in.RestartCount)}
	for _, ended := range []*corev1.ContainerStateTerminated{in.State.Terminated, in.LastTerminationState.Terminated} {
		if ended != nil && ended.ExitCode != 0 {
			out.ExitCode = int(ended.ExitCode)
			out.Message = redact.Line(cmp.Or(ended.Message, ended.Reason))
			break
		}
	}
	if waiting := in.State.Waiting; waiting != nil {
		out.Waiting = waiting.Reason
		out.Message = cmp.Or(redact.Line(waiting.Message), out.Message)
	}
	return out
}

// ConvertEvent turns an event into facts.
func ConvertEvent(in *corev1.Event) snapshot.Event {
	out := snapshot.Event{
		Kind: in.InvolvedObject.Kind, Object: in.InvolvedObject.Name, Type: in.Type, Reason: in.Reason, Message: redact.Line(in.Message),
		Count: int(max(in.Count, 1)), Last: in.LastTimestamp.Time,
	}
	if series := in.Series; series != nil {
		out.Count, out.Last = int(series.Count), series.LastObservedTime.Time
	}
	if out.Last.IsZero() {
		out.Last = in.EventTime.Time
	}
	return out
}

// ConvertLease turns a node's lease into facts.
func ConvertLease(in *coordinationv1.Lease) snapshot.Lease {
	out := snapshot.Lease{Node: in.Name}
	if in.Spec.RenewTime != nil {
		out.Renewed = in.Spec.RenewTime.Time
	}
	return out
}

// ConvertCSR turns a request for a certificate into facts. One without a
// certificate and without a refusal is pending.
func ConvertCSR(in *certificatesv1.CertificateSigningRequest) snapshot.CSR {
	out := snapshot.CSR{Name: in.Name, Signer: in.Spec.SignerName, Requestor: in.Spec.Username, State: "Pending", CreatedAt: in.CreationTimestamp.Time}
	for _, condition := range in.Status.Conditions {
		out.State = string(condition.Type)
	}
	return out
}

// ConvertValidating turns a configuration's webhooks that see pods into facts.
func ConvertValidating(in *admissionv1.ValidatingWebhookConfiguration) []snapshot.Webhook {
	var out []snapshot.Webhook
	for i := range in.Webhooks {
		hook := &in.Webhooks[i]
		if seesPods(hook.Rules) {
			out = append(out, webhook(in.Name, hook.Name, false, hook.FailurePolicy, hook.ClientConfig.Service))
		}
	}
	return out
}

// ConvertMutating turns a configuration's webhooks that see pods into facts.
func ConvertMutating(in *admissionv1.MutatingWebhookConfiguration) []snapshot.Webhook {
	var out []snapshot.Webhook
	for i := range in.Webhooks {
		hook := &in.Webhooks[i]
		if seesPods(hook.Rules) {
			out = append(out, webhook(in.Name, hook.Name, true, hook.FailurePolicy, hook.ClientConfig.Service))
		}
	}
	return out
}

func webhook(config, name string, mutating bool, policy *admissionv1.FailurePolicyType, service *admissionv1.ServiceReference) snapshot.Webhook {
	out := snapshot.Webhook{Config: config, Name: name, Mutating: mutating, FailClosed: policy == nil || *policy == admissionv1.Fail}
	if service != nil {
		out.Service = service.Namespace + "/" + service.Name
	}
	return out
}

func seesPods(rules []admissionv1.RuleWithOperations) bool {
	return slices.ContainsFunc(rules, func(rule admissionv1.RuleWithOperations) bool {
		return slices.ContainsFunc(rule.Resources, func(r string) bool { return r == "*" || r == "*/*" || r == "pods" })
	})
}
