package kube

import (
	"strings"
	"testing"
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

// The pod that is run once has no more rights than the DaemonSet's, cannot
// speak to the cluster, and is no pod of the DaemonSet's.
func TestPodThatIsRunOnce(t *testing.T) {
	set, err := AgentDaemonSet()
	if err != nil {
		t.Fatal(err)
	}
	pod, err := AgentPods{Image: "example.com/agent:1"}.pod("n1")
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
	case len(spec.Volumes) != len(set.Spec.Template.Spec.Volumes), !*spec.SecurityContext.RunAsNonRoot, *container.SecurityContext.AllowPrivilegeEscalation:
		t.Errorf("%+v", spec.SecurityContext)
	}
}

// What the manifest must not lose: least rights, and nothing of the machine but
// what is read, read-only.
func TestManifestKeepsToLittle(t *testing.T) {
	set, err := AgentDaemonSet()
	if err != nil {
		t.Fatal(err)
	}
	spec := &set.Spec.Template.Spec
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
		for _, never := range []string{"/", "/etc", "/run", "/var", "/var/lib/kubelet", "/var/lib/kubelet/pki", "/var/lib/kubelet/pods", "/run/containerd", "/var/log/pods"} {
			if place == never {
				t.Errorf("%s holds what is not the agent's to read", place)
			}
		}
	}
}
