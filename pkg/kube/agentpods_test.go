package kube

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
)

func TestLastReport(t *testing.T) {
	for name, test := range map[string]struct{ log, want, err string }{
		"the last of some":  {"said\n{\"a\":1}\nFalse\n{\"a\":2}\nsaid\n", `{"a":2}`, ""},
		"words alone":       {"error: no\x1b[2J such thing\n", "", "its agent printed no report: error: no such thing"},
		"nothing":           {"", "", "its agent printed no report"},
		"not ended by line": {`{"a":1}`, `{"a":1}`, ""},
	} {
		got, err := lastReport([]byte(test.log))
		if string(got) != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// manifests are the DaemonSets by what nodes' osImage says.
func manifests(t *testing.T) map[string]*appsv1.DaemonSet {
	t.Helper()
	all := map[string]*appsv1.DaemonSet{}
	for _, image := range []string{"Amazon Linux 2023.9.20251105", "Bottlerocket OS 1.50.0 (aws-k8s-1.34)"} {
		set, err := agentDaemonSetOf(image)
		if err != nil {
			t.Fatal(err)
		}
		all[image] = set
	}
	return all
}

// The pod that is run once has no more rights than the DaemonSet's, cannot
// speak to the cluster, and is no pod of the DaemonSet's. Nothing keeps it from
// its node: the kubelet turns away what would not have been scheduled there.
func TestPodThatIsRunOnce(t *testing.T) {
	for image, set := range manifests(t) {
		pod, err := AgentPods{Image: "example.com/agent:1"}.pod("n1", image)
		if err != nil {
			t.Fatal(err)
		}
		spec := &pod.Spec
		container := &spec.Containers[0]
		for label, value := range set.Spec.Selector.MatchLabels {
			if pod.Labels[label] == value {
				t.Errorf("the DaemonSet would take it for its own: %s=%s", label, value)
			}
		}
		switch {
		case spec.NodeName != "n1", spec.RestartPolicy != "Never", spec.ActiveDeadlineSeconds == nil, container.Image != "example.com/agent:1", container.Args[0] != "report":
			t.Errorf("%+v", spec)
		case spec.ServiceAccountName != "" || spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken:
			t.Error("it has a way to the cluster's API")
		case spec.NodeSelector != nil || spec.Affinity != nil:
			t.Errorf("it is choosy about its node: %v %v", spec.NodeSelector, spec.Affinity)
		case !reflect.DeepEqual(spec.Volumes, set.Spec.Template.Spec.Volumes), !*spec.SecurityContext.RunAsNonRoot, *container.SecurityContext.AllowPrivilegeEscalation:
			t.Errorf("%+v", spec.SecurityContext)
		}
	}
}

// The two DaemonSets are one but for their names, for their nodes and for where
// files lie: what is changed in one is changed in the other.
func TestManifestsAreAlike(t *testing.T) {
	var alike []appsv1.DaemonSetSpec
	names := map[string]bool{}
	for _, set := range manifests(t) {
		name := set.Labels["app.kubernetes.io/name"]
		if names[name] || set.Name != name || set.Spec.Selector.MatchLabels["app.kubernetes.io/name"] != name || set.Spec.Template.Labels["app.kubernetes.io/name"] != name {
			t.Errorf("%s has the labels %v", set.Name, set.Labels)
		}
		names[name] = true
		spec := set.Spec.DeepCopy()
		spec.Selector, spec.Template.Labels = nil, nil
		spec.Template.Spec.Affinity, spec.Template.Spec.Volumes, spec.Template.Spec.Containers[0].VolumeMounts = nil, nil, nil
		alike = append(alike, *spec)
	}
	if diff := cmp.Diff(alike[0], alike[1]); diff != "" {
		t.Error(diff)
	}
}

// Every node has the pods of one manifest and never of both: they would set the
// same condition. A node that nobody has called Bottlerocket is taken for Amazon
// Linux.
func TestEveryNodeHasOneAgent(t *testing.T) {
	for labels, want := range map[string]string{
		"":                 "node-agent",
		"eksnodes.dev/os=": "node-agent", "eksnodes.dev/os=al2023": "node-agent", "eksnodes.dev/os=bottlerocket": "node-agent-bottlerocket",
		"bottlerocket.aws/updater-interface-version=2.0.0":                              "node-agent-bottlerocket",
		"bottlerocket.aws/updater-interface-version=2.0.0,eksnodes.dev/os=bottlerocket": "node-agent-bottlerocket",
		"bottlerocket.aws/updater-interface-version=2.0.0,eksnodes.dev/os=al2023":       "node-agent-bottlerocket",
	} {
		var got []string
		for _, set := range manifests(t) {
			if admits(t, set.Spec.Template.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution, labels) {
				got = append(got, set.Name)
			}
		}
		if len(got) != 1 || got[0] != want {
			t.Errorf("%q: %q, want %s", labels, got, want)
		}
	}
}

// admits reports whether a node of these labels is one of a selector's: one
// term is enough, of which every expression holds.
func admits(t *testing.T, selector *corev1.NodeSelector, text string) bool {
	t.Helper()
	have, err := labels.ConvertSelectorToLabelsMap(text)
	if err != nil {
		t.Fatal(err)
	}
	operators := map[corev1.NodeSelectorOperator]selection.Operator{
		corev1.NodeSelectorOpExists: selection.Exists, corev1.NodeSelectorOpDoesNotExist: selection.DoesNotExist,
		corev1.NodeSelectorOpIn: selection.In, corev1.NodeSelectorOpNotIn: selection.NotIn,
	}
	return slices.ContainsFunc(selector.NodeSelectorTerms, func(term corev1.NodeSelectorTerm) bool {
		return !slices.ContainsFunc(term.MatchExpressions, func(e corev1.NodeSelectorRequirement) bool {
			requirement, err := labels.NewRequirement(e.Key, operators[e.Operator], e.Values)
			if err != nil {
				t.Fatal(err)
			}
			return !requirement.Matches(have)
		})
	})
}

// What the manifests must not lose: least rights, and nothing of the machine but
// what is read, read-only. What is not there is not made: a path without a type
// would be, as a directory on the machine.
func TestManifestKeepsToLittle(t *testing.T) {
	for _, set := range manifests(t) {
		t.Run(set.Name, func(t *testing.T) { keepsToLittle(t, &set.Spec.Template.Spec) })
	}
}

func keepsToLittle(t *testing.T, spec *corev1.PodSpec) {
	if len(spec.Containers) != 1 || len(spec.InitContainers) > 0 || spec.HostPID || spec.HostIPC {
		t.Errorf("%+v", spec)
	}
	container := &spec.Containers[0]
	rights := container.SecurityContext
	if rights.Privileged != nil || *rights.AllowPrivilegeEscalation || !*rights.ReadOnlyRootFilesystem || len(rights.Capabilities.Add) > 0 || rights.Capabilities.Drop[0] != "ALL" ||
		!*spec.SecurityContext.RunAsNonRoot || *spec.SecurityContext.RunAsUser == 0 || *spec.SecurityContext.RunAsGroup == 0 {
		t.Errorf("rights are %+v", rights)
	}
	if cpu, memory := container.Resources.Requests.Cpu(), container.Resources.Requests.Memory(); cpu.String() != "10m" || memory.String() != "30Mi" {
		t.Errorf("requests are %s and %s", cpu, memory)
	}
	places := map[string]string{}
	for _, volume := range spec.Volumes {
		if volume.HostPath == nil || volume.HostPath.Type == nil || *volume.HostPath.Type == "" || strings.HasSuffix(string(*volume.HostPath.Type), "OrCreate") {
			t.Errorf("%s: what is not there would be made on the machine: %+v", volume.Name, volume.VolumeSource)
			continue
		}
		places[volume.Name] = volume.HostPath.Path
	}
	for _, mount := range container.VolumeMounts {
		if !mount.ReadOnly || mount.MountPath != "/host"+places[mount.Name] {
			t.Errorf("%+v is not %s, read-only", mount, places[mount.Name])
		}
	}
	for _, place := range places {
		for _, never := range []string{"/", "/etc", "/run", "/var", "/var/lib/kubelet", "/var/lib/kubelet/pki", "/var/lib/kubelet/pods", "/run/containerd", "/run/api.sock", "/etc/kubernetes/pki", "/var/log/pods"} {
			if place == never {
				t.Errorf("%s holds what is not the agent's to read", place)
			}
		}
	}
}
