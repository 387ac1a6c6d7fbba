package check

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const (
	docKubelet  = "https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/"
	docReserved = "https://kubernetes.io/docs/tasks/administer-cluster/reserve-compute-resources/"
	docSwap     = "https://kubernetes.io/docs/concepts/cluster-administration/swap-memory-management/"
)

// hostKubeletRows are about the kubelet as the machine has it.
func hostKubeletRows() []hostRow {
	return []hostRow{
		{
			id: "kubelet.not-running", title: "kubelet runs and is healthy",
			why: "The kubelet makes a node of a machine: it registers it, and reports on it every few seconds.",
			ref: "https://kubernetes.io/docs/tasks/debug/debug-cluster/", link: LinkNodeObject, needs: probes(snapshot.ProbeKubelet), symptom: true, rule: kubeletRuns, partly: kubeletUnit,
		},
		kubeletSaid(hostRow{id: "kubelet.unknown-flag", title: "kubelet's flags", why: "A kubelet ends at once at a flag that it does not know.", ref: docKubelet},
			lineRow{sig: "kubelet-unknown-flag", status: report.Fail, confidence: report.Certain, summary: "the kubelet does not know the flag %s, and ends", value: "flag", fix: do("take the flag out of the user data, and replace the machine; on this machine, out of the kubelet's environment", "grep -r . /etc/eks/kubelet/environment", "systemctl restart kubelet")}),
		kubeletSaid(hostRow{id: "kubelet.bad-labels", title: "node labels", why: "A kubelet may not give itself labels of Kubernetes' own.", ref: docKubelet},
			lineRow{sig: "kubelet-label-forbidden", status: report.Fail, confidence: report.Certain, summary: "the kubelet is told labels of Kubernetes' own, and ends", fix: do("take labels of kubernetes.io and k8s.io out of the user data, and set them with kubectl label")}),
		{
			id: "kubelet.config-invalid", title: "kubelet's configuration",
			why: "A kubelet ends when its configuration cannot be read.",
			ref: docKubelet, link: LinkNodeObject, needs: probes(snapshot.ProbeKubeletConfig), rule: kubeletConfig,
		},
		{
			id: "kubelet.reserved-too-big", title: "what is reserved for the node",
			why: "A kubelet ends when more is reserved for the system than the machine has.",
			ref: docReserved, link: LinkNodeObject, needs: probes(snapshot.ProbeLogs), rule: kubeletReserved,
		},
		{
			id: "kubelet.cgroup-mismatch", title: "kubelet and runtime use the same cgroup driver",
			why: "With two managers of cgroups a node turns unstable, and pods fail to start.",
			ref: "https://kubernetes.io/docs/setup/production-environment/container-runtimes/#cgroup-drivers", link: LinkNodeObject, needs: probes(snapshot.ProbeKubeletConfig), rule: cgroupDrivers,
		},
		{
			id: "kubelet.certificate-stale", title: "kubelet's certificate",
			why: "With a certificate that has run out, or that was made for another machine (an image baked from a used one), kubectl logs and exec fail, and so do metrics.",
			ref: "https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/", link: LinkReady, needs: probes(snapshot.ProbeCertificates), rule: kubeletCertificates,
		},
		{
			id: "kubelet.swap-on", title: "swap is off",
			why: "The kubelet does not start on a machine that swaps, unless failSwapOn is false.",
			ref: docSwap, link: LinkNodeObject, needs: probes(snapshot.ProbeResources), rule: machineSwap,
		},
	}
}

// kubeletRuns leaves a runtime that is down to its own row: a kubelet without
// one ends.
func kubeletRuns(v *hostView) []Result {
	k := v.Kubelet
	health := fmt.Sprintf("healthz answers %d %s", k.Healthz, k.HealthzSays)
	if k.Failure != nil {
		health = "healthz: " + k.Failure.Detail
	}
	found := append(v.unit("kubelet"), agent(snapshot.ProbeKubelet, strings.TrimSpace(health)))
	if k.Healthz == 200 {
		return pass("it runs, "+cmp.Or(k.Version, "of a version not known"), found...)
	}
	if v.Runtime != nil && v.Runtime.Failure != nil {
		return nil
	}
	look := kubeletFix()
	if k.Running {
		if justStarted(v) {
			return warn(report.Likely, "the kubelet runs, and is not healthy yet", look, found...)
		}
		return fail(report.Likely, "the kubelet runs, but is not healthy", look, found...)
	}
	return fail(report.Certain, "the kubelet does not run", look, found...)
}

func kubeletFix() report.Fix {
	return do("read why, and start it", "journalctl -u kubelet -n 50 --no-pager", "systemctl restart kubelet")
}

// kubeletUnit knows no more than the state of the kubelet's unit, which for a
// kubelet that is started again and again is activating. That it is active says
// nothing of its health.
func kubeletUnit(v *hostView) []Result {
	look := kubeletFix()
	switch v.unitState("kubelet") {
	case "failed", "inactive":
		return fail(report.Likely, "the kubelet does not run", look, v.unit("kubelet")...)
	case "activating":
		return fail(report.Likely, "the kubelet ends, and is started again", look, v.unit("kubelet")...)
	}
	return nil
}

// justStarted: a kubelet is healthy some seconds after it has started.
func justStarted(v *hostView) bool {
	if v.System != nil && v.System.Uptime < 60 {
		return true
	}
	if v.Units == nil || v.Units.Unit("kubelet") == nil {
		return false
	}
	unit := v.Units.Unit("kubelet")
	return unit.Active == "active" && !unit.Since.IsZero() && v.CollectedAt.Sub(unit.Since) < 30*time.Second
}

func kubeletConfig(v *hostView) []Result {
	c := v.KubeletConfig
	fix := kubeletConfigFix()
	if len(c.Errors) > 0 {
		var found []report.Evidence
		for _, text := range c.Errors[:min(len(c.Errors), 4)] {
			found = append(found, agent(snapshot.ProbeKubeletConfig, text))
		}
		return fail(report.Certain, "the kubelet's configuration cannot be read", fix, found...)
	}
	running := v.Kubelet != nil && v.Kubelet.Healthz == 200
	if found := v.current("kubelet-config-invalid"); found != nil && !running {
		return fail(report.Certain, "the kubelet refuses its configuration", fix, found...)
	}
	return pass("it can be read", agent(snapshot.ProbeKubeletConfig, strings.Join(c.Files, ", ")))
}

func kubeletConfigFix() report.Fix {
	return do("correct NodeConfig's spec.kubelet.config in the user data, and replace the machine; on this machine, correct the file", "systemctl restart kubelet")
}

func kubeletReserved(v *hostView) []Result {
	if found := v.current("allocatable-invalid"); found != nil && (v.Kubelet == nil || v.Kubelet.Healthz != 200) {
		return fail(report.Certain, "more is reserved for the node than the machine has, and the kubelet ends", reservedFix(), found...)
	}
	return pass("the kubelet does not complain", agent(snapshot.ProbeLogs, "no such line"))
}

func reservedFix() report.Fix {
	return do("lower kubeReserved, systemReserved and evictionHard, or take a larger machine")
}

// cgroupDrivers compares what both are told. Since 1.34 a kubelet may ask the
// runtime, and one that says nothing is not wrong.
func cgroupDrivers(v *hostView) []Result {
	if found := v.current("cgroup-mismatch"); found != nil && (v.Kubelet == nil || v.Kubelet.Healthz != 200) {
		return fail(report.Certain, "kubelet and runtime use different cgroup drivers", cgroupFix(), found...)
	}
	kubelet, runtime := v.KubeletConfig.CgroupDriver, ""
	if v.Runtime != nil {
		runtime = v.Runtime.CgroupDriver
	}
	if v.RuntimeConfig != nil {
		runtime = cmp.Or(runtime, v.RuntimeConfig.CgroupDriver)
	}
	if kubelet == "" || runtime == "" {
		return nil
	}
	found := agent(snapshot.ProbeKubeletConfig, "kubelet: "+kubelet+", runtime: "+runtime)
	if kubelet != runtime {
		return fail(report.Likely, fmt.Sprintf("the kubelet uses cgroup driver %s, the runtime %s", kubelet, runtime), cgroupFix(), found)
	}
	return pass("both use "+kubelet, found)
}

func cgroupFix() report.Fix {
	return do("set both to systemd: cgroupDriver in the kubelet's configuration, SystemdCgroup in containerd's", "systemctl restart containerd kubelet")
}

func kubeletCertificates(v *hostView) []Result {
	fix := do("remove it, and let the kubelet ask for another; never bake an image from a machine that was a node", "rm -f /var/lib/kubelet/pki/kubelet-server-*", "systemctl restart kubelet")
	var seen []report.Evidence
	for _, c := range v.Certificates.Certificates {
		if c.Use == "cluster-ca" {
			continue
		}
		found := agent(snapshot.ProbeCertificates, fmt.Sprintf("%s: %s, until %s", c.Path, c.Subject, stamp(c.NotAfter)))
		switch name := nodeOfSubject(c.Subject); {
		case c.Invalid != "":
			return fail(report.Likely, "the kubelet's certificate cannot be read", fix, agent(snapshot.ProbeCertificates, c.Path+": "+c.Invalid))
		case v.CollectedAt.After(c.NotAfter):
			return fail(report.Certain, "the kubelet's certificate has run out", fix, found)
		case name != "" && v.KubeletConfig != nil && v.KubeletConfig.NodeName != "" && name != v.KubeletConfig.NodeName:
			return fail(report.Certain, fmt.Sprintf("the kubelet's certificate is for another node: %s", name), fix, found)
		case v.CollectedAt.Before(c.NotBefore.Add(-5 * time.Minute)):
			return fail(report.Likely, "the kubelet's certificate is not good yet: the clock is wrong", do("set the clock right", "systemctl restart chronyd"), found)
		}
		seen = append(seen, found)
	}
	if len(seen) == 0 {
		return nil
	}
	return pass("it is good", seen...)
}

// nodeOfSubject is the node in CN=system:node:NAME, "" for other subjects.
func nodeOfSubject(subject string) string {
	_, rest, found := strings.Cut(subject, "CN=system:node:")
	if !found {
		return ""
	}
	name, _, _ := strings.Cut(rest, ",")
	return name
}

func machineSwap(v *hostView) []Result {
	if len(v.Resources.Swap) == 0 {
		return pass("nothing is swapped to", agent(snapshot.ProbeResources, "/proc/swaps is empty"))
	}
	found := agent(snapshot.ProbeResources, fmt.Sprintf("swap on %s, %s", strings.Join(v.Resources.Swap, ", "), sizeText(v.Resources.SwapTotal)))
	if v.KubeletConfig != nil && v.KubeletConfig.FailSwapOn != nil && !*v.KubeletConfig.FailSwapOn {
		return pass("failSwapOn is false", found)
	}
	fix := swapFix()
	if v.Kubelet != nil && v.Kubelet.Healthz == 200 {
		return warn(report.Certain, "the machine swaps: the kubelet will not start again", fix, found)
	}
	return fail(report.Certain, "the machine swaps, and the kubelet does not start on one that does", fix, found)
}

func swapFix() report.Fix {
	return do("turn it off, and take it out of /etc/fstab and the user data", "swapoff -a")
}
