package kube

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/gentype"
	"sigs.k8s.io/yaml"

	"github.com/eksnodes/kubectl-eksnodes/deploy"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
)

// PodClient is for one namespace.
type PodClient = gentype.ClientWithList[*corev1.Pod, *corev1.PodList]

// Pods returns the client of a namespace's pods.
func (c *Client) Pods(namespace string) *PodClient {
	return gentype.NewClientWithList("pods", c.core, c.params, namespace,
		func() *corev1.Pod { return &corev1.Pod{} }, func() *corev1.PodList { return &corev1.PodList{} })
}

// AgentPods brings node-agent's reports out of pods: those that the installed
// DaemonSet has printed, and one that a pod of its own prints.
type AgentPods struct {
	Client *Client
	// Image replaces the manifest's, unless it is "".
	Image string
}

// AgentDaemonSet is node-agent's DaemonSet as it is installed.
func AgentDaemonSet() (*appsv1.DaemonSet, error) { return daemonSetIn(deploy.NodeAgent()) }

// agentDaemonSetOf is the DaemonSet for nodes of an operating system, as a
// Node's osImage names it: "Bottlerocket OS 1.50.0 (aws-k8s-1.34)".
func agentDaemonSetOf(osImage string) (*appsv1.DaemonSet, error) {
	if strings.HasPrefix(osImage, "Bottlerocket") {
		return daemonSetIn(deploy.NodeAgentBottlerocket())
	}
	return AgentDaemonSet()
}

func daemonSetIn(manifest string) (*appsv1.DaemonSet, error) {
	for document := range strings.SplitSeq(manifest, "\n---\n") {
		var set appsv1.DaemonSet
		if err := yaml.Unmarshal([]byte(document), &set); err != nil {
			return nil, fmt.Errorf("read node-agent's manifest: %w", err)
		}
		if set.Kind == "DaemonSet" {
			return &set, nil
		}
	}
	return nil, errors.New("node-agent's manifest has no DaemonSet")
}

// Bounds of what is read of a pod's log: lines, the last of which is read, and
// bytes of all of them.
const (
	maxLogLines = 100
	maxLog      = 4 << 20
)

// ErrNoAgent says that no agent is installed on a node.
var ErrNoAgent = errors.New("no agent is installed on its node")

// Last is the last report that the installed agent on a node has printed.
// osImage is the Node's. Errors: ErrNoAgent, and those of the API server.
func (a AgentPods) Last(ctx context.Context, node, osImage string) ([]byte, error) {
	set, err := agentDaemonSetOf(osImage)
	if err != nil {
		return nil, err
	}
	opts := metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(set.Spec.Selector), FieldSelector: "spec.nodeName=" + node}
	pods, err := a.Client.Pods(set.Namespace).List(ctx, opts)
	if err != nil {
		return nil, wrap("list pods of namespace "+set.Namespace, err)
	}
	if len(pods.Items) == 0 {
		return nil, ErrNoAgent
	}
	log, err := a.log(ctx, set.Namespace, pods.Items[0].Name)
	if err != nil {
		return nil, err
	}
	return lastReport(log)
}

// lastReport is the last line that is a document.
func lastReport(log []byte) ([]byte, error) {
	lines := bytes.Split(bytes.TrimSpace(log), []byte("\n"))
	for i := len(lines) - 1; i >= 0; i-- {
		if bytes.HasPrefix(lines[i], []byte("{")) {
			return lines[i], nil
		}
	}
	if last := redact.Line(string(lines[len(lines)-1])); last != "" {
		return nil, fmt.Errorf("its agent printed no report: %s", last)
	}
	return nil, errors.New("its agent printed no report")
}

func (a AgentPods) log(ctx context.Context, namespace, pod string) ([]byte, error) {
	request := a.Client.core.Get().Namespace(namespace).Resource("pods").Name(pod).SubResource("log").
		Param("tailLines", fmt.Sprint(maxLogLines)).Param("limitBytes", fmt.Sprint(maxLog))
	data, err := request.Do(ctx).Raw()
	return data, wrap("read the log of pod "+namespace+"/"+pod, err)
}

// Times of a pod that is run once.
const (
	podPoll     = 500 * time.Millisecond
	podDeadline = 90 * time.Second // after which the kubelet ends it, whatever became of us
	podCleanup  = 15 * time.Second // for its deletion
)

// fallbackNamespace takes the pod where the agent's own is not there.
const fallbackNamespace = "kube-system"

// Run has a pod of its own on the node print a report, and deletes the pod,
// also when the context ends. The pod is that of the DaemonSet for nodes of the
// osImage, without a way to the cluster's API. Notes tell of pods that runs which were killed had left.
func (a AgentPods) Run(ctx context.Context, node, osImage string) (report []byte, notes []string, err error) {
	pod, err := a.pod(node, osImage)
	if err != nil {
		return nil, nil, err
	}
	made, err := a.Client.Pods(pod.Namespace).Create(ctx, pod, metav1.CreateOptions{})
	if IsKind(wrap("", err), Absent) { // the namespace
		pod.Namespace = fallbackNamespace
		made, err = a.Client.Pods(pod.Namespace).Create(ctx, pod, metav1.CreateOptions{})
	}
	if err != nil {
		return nil, nil, wrap("create a pod in namespace "+pod.Namespace, err)
	}
	defer func() {
		if deleted := a.delete(ctx, made); deleted != nil {
			err = errors.Join(err, fmt.Errorf("%w; delete it: kubectl -n %s delete pod %s", deleted, made.Namespace, made.Name))
		}
	}()
	notes = a.sweep(ctx, made)
	if err := a.await(ctx, made); err != nil {
		return nil, notes, err
	}
	log, err := a.log(ctx, made.Namespace, made.Name)
	if err != nil {
		return nil, notes, err
	}
	report, err = lastReport(log)
	return report, notes, err
}

// sweep deletes what runs have left that were killed: pods of their label that
// are past the time that a run may have.
func (a AgentPods) sweep(ctx context.Context, made *corev1.Pod) (notes []string) {
	pods, err := a.Client.Pods(made.Namespace).List(ctx, metav1.ListOptions{LabelSelector: labels.FormatLabels(made.Labels)})
	if err != nil {
		return []string{"pods that earlier runs may have left were not looked for: " + wrap("list pods of namespace "+made.Namespace, err).Error()}
	}
	for i := range pods.Items {
		left := &pods.Items[i]
		if made.CreationTimestamp.Sub(left.CreationTimestamp.Time) <= podDeadline {
			continue // it may still be at work
		}
		if err := a.delete(ctx, left); err != nil {
			notes = append(notes, err.Error())
			continue
		}
		notes = append(notes, "deleted the pod "+left.Namespace+"/"+left.Name+", which an earlier run had left")
	}
	return notes
}

// pod is what runs once. It has a label of its own: the DaemonSet would take a
// pod with its labels for one too many.
func (a AgentPods) pod(node, osImage string) (*corev1.Pod, error) {
	set, err := agentDaemonSetOf(osImage)
	if err != nil {
		return nil, err
	}
	name, no, deadline := set.Name+"-run", false, int64(podDeadline/time.Second)
	spec := *set.Spec.Template.Spec.DeepCopy()
	spec.ServiceAccountName, spec.AutomountServiceAccountToken = "", &no
	spec.NodeName, spec.NodeSelector, spec.Affinity = node, nil, nil // no scheduler: it need not think the node fit
	spec.RestartPolicy, spec.ActiveDeadlineSeconds = corev1.RestartPolicyNever, &deadline
	container := &spec.Containers[0]
	container.Args = []string{"report", "--compact", "--root", "/host"}
	container.Image = cmp.Or(a.Image, container.Image)
	container.Env, container.LivenessProbe, container.ReadinessProbe = nil, nil, nil
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name + "-" + rand.String(5), Namespace: set.Namespace, Labels: map[string]string{"app.kubernetes.io/name": name}},
		Spec:       spec,
	}, nil
}

// await waits until the pod has ended. Its error says why it does not start.
func (a AgentPods) await(ctx context.Context, made *corev1.Pod) error {
	seen := made
	err := wait.PollUntilContextCancel(ctx, podPoll, true, func(ctx context.Context) (bool, error) {
		pod, err := a.Client.Pods(made.Namespace).Get(ctx, made.Name, metav1.GetOptions{})
		if err != nil {
			return false, wrap("get pod "+made.Namespace+"/"+made.Name, err)
		}
		seen = pod
		switch pod.Status.Phase {
		case corev1.PodSucceeded:
			return true, nil
		case corev1.PodFailed:
			return true, a.failed(ctx, pod)
		}
		if reason := stuck(pod); reason != "" {
			return true, errors.New("the pod does not start: " + reason)
		}
		return false, nil
	})
	if ctx.Err() == nil {
		return err
	}
	return errors.Join(ctx.Err(), errors.New("the pod has not ended: "+a.trouble(ctx, seen)))
}

// stuck is why the kubelet will not start the container in time, "" while it
// may.
func stuck(pod *corev1.Pod) string {
	for _, status := range pod.Status.ContainerStatuses {
		if waiting := status.State.Waiting; waiting != nil {
			switch waiting.Reason {
			case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
				return redact.Line(waiting.Reason + ": " + waiting.Message)
			}
		}
	}
	return ""
}

// failed says with what words the agent, or the kubelet for it, gave up.
func (a AgentPods) failed(ctx context.Context, pod *corev1.Pod) error {
	words := strings.TrimSuffix(pod.Status.Reason+": "+pod.Status.Message, ": ")
	if log, err := a.log(ctx, pod.Namespace, pod.Name); err == nil && len(bytes.TrimSpace(log)) > 0 {
		lines := bytes.Split(bytes.TrimSpace(log), []byte("\n"))
		words = string(lines[len(lines)-1])
	}
	return errors.New("the pod failed: " + redact.Line(words))
}

// trouble is the last warning about a pod, else its phase.
func (a AgentPods) trouble(ctx context.Context, pod *corev1.Pod) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), podCleanup)
	defer cancel()
	said := "it is " + string(pod.Status.Phase)
	query := url.Values{"fieldSelector": {"type=Warning,involvedObject.uid=" + string(pod.UID)}}
	err := a.Client.list(ctx, "/api/v1/namespaces/"+pod.Namespace+"/events", query, func(data []byte) (bool, error) {
		var page corev1.EventList
		if err := json.Unmarshal(data, &page); err != nil {
			return false, err
		}
		for i := range page.Items {
			said = page.Items[i].Reason + ": " + page.Items[i].Message
		}
		return true, nil
	})
	if err != nil {
		said += " (its events could not be read)"
	}
	return redact.Line(said)
}

// delete removes the pod at once, in whatever state the context is.
func (a AgentPods) delete(ctx context.Context, pod *corev1.Pod) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), podCleanup)
	defer cancel()
	now := int64(0)
	err := a.Client.Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &pod.UID}})
	if err = wrap("delete pod "+pod.Namespace+"/"+pod.Name, err); IsKind(err, Absent) {
		return nil
	}
	return err
}

// DropCondition takes a condition off all nodes that have it, and returns
// their names.
func (c *Client) DropCondition(ctx context.Context, condition string) ([]string, error) {
	var names []string
	err := c.list(ctx, "/api/v1/nodes", nil, func(data []byte) (bool, error) {
		var page corev1.NodeList
		if err := json.Unmarshal(data, &page); err != nil {
			return false, err
		}
		for i := range page.Items {
			for _, have := range page.Items[i].Status.Conditions {
				if string(have.Type) == condition {
					names = append(names, page.Items[i].Name)
				}
			}
		}
		return true, nil
	})
	if err != nil {
		return nil, wrap("list nodes", err)
	}
	patch, err := json.Marshal(map[string]any{"status": map[string]any{"conditions": []map[string]string{{"type": condition, "$patch": "delete"}}}})
	if err != nil {
		return nil, fmt.Errorf("encode patch: %w", err)
	}
	for i, name := range names {
		_, err := c.Nodes().Patch(ctx, name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
		if err = wrap("patch status of node "+name, err); err != nil && !IsKind(err, Absent) {
			return names[:i], err
		}
	}
	return names, nil
}
