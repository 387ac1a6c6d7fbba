package check

import (
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const docRuntime = "https://kubernetes.io/docs/tasks/debug/debug-cluster/crictl/"

// hostRuntimeRows are about the container runtime.
func hostRuntimeRows() []hostRow {
	return []hostRow{
		{
			id: "runtime.config-invalid", title: "containerd's configuration",
			why: "containerd does not start with a configuration that it cannot read; NodeConfig's spec.containerd.config is merged into it.",
			ref: docNodeadm, link: LinkNodeObject, needs: probes(snapshot.ProbeRuntimeConfig), rule: runtimeConfigured,
		},
		{
			id: "runtime.down", title: "container runtime answers",
			why: "The kubelet ends without a runtime, and a node whose runtime stops turns NotReady.",
			ref: docRuntime, link: LinkNodeObject, needs: probes(snapshot.ProbeRuntime), rule: runtimeAnswers, partly: runtimeUnit,
		},
		{
			id: "runtime.sandbox-pull", title: "image of the pods' sandboxes",
			why: "No pod starts without it: an image of EKS's has it, others pull it from ECR.",
			ref: docNodeRole, link: LinkCNI, needs: probes(snapshot.ProbeRuntime), rule: sandboxImagePresent,
		},
	}
}

func runtimeConfigured(v *hostView) []Result {
	c := v.RuntimeConfig
	if c.Invalid != "" {
		return fail(report.Certain, "containerd's configuration cannot be read", do("correct NodeConfig's spec.containerd.config in the user data, and replace the machine; on this machine, correct the file",
			"containerd config dump >/dev/null", "systemctl restart containerd kubelet"), agent(snapshot.ProbeRuntimeConfig, c.Path+": "+c.Invalid))
	}
	return pass("it can be read", agent(snapshot.ProbeRuntimeConfig, c.Path))
}

// runtimeAnswers leaves a configuration that cannot be read to its own row.
func runtimeAnswers(v *hostView) []Result {
	r := v.Runtime
	found := v.unit("containerd")
	look := runtimeFix()
	switch {
	case v.RuntimeConfig != nil && v.RuntimeConfig.Invalid != "":
		return nil
	case r.Failure != nil:
		return fail(report.Certain, "the container runtime does not answer", look, append(found, agent(snapshot.ProbeRuntime, r.Socket+": "+r.Failure.Detail))...)
	case r.Ready != nil && !*r.Ready:
		return fail(report.Certain, "the container runtime says that it is not ready", look, append(found, agent(snapshot.ProbeRuntime, r.RuntimeMessage))...)
	}
	return pass("it answers", agent(snapshot.ProbeRuntime, strings.TrimSpace(r.Name+" "+r.Version)))
}

// runtimeUnit knows no more than the state of containerd's unit. One that is
// inactive beside a kubelet that is too has not been started yet.
func runtimeUnit(v *hostView) []Result {
	state := v.unitState("containerd")
	if state != "failed" && state != "activating" && (state != "inactive" || v.unitState("kubelet") == "inactive") {
		return nil
	}
	return fail(report.Likely, "the container runtime does not run", runtimeFix(), v.unit("containerd")...)
}

func runtimeFix() report.Fix {
	return do("read why, and start it", "journalctl -u containerd -n 50 --no-pager", "systemctl restart containerd")
}

func sandboxImagePresent(v *hostView) []Result {
	r := v.Runtime
	if r.SandboxImage == "" || r.SandboxPresent == nil {
		return nil
	}
	found := []report.Evidence{agent(snapshot.ProbeRuntime, "sandbox image "+r.SandboxImage)}
	if *r.SandboxPresent {
		return pass("it is there", found...)
	}
	fix := do("let the role pull from ECR (AmazonEC2ContainerRegistryPullOnly) and the subnet reach it, or name an image that is there", "crictl pull "+r.SandboxImage)
	for _, sig := range []string{"ecr-no-basic-auth", "sandbox-image"} {
		if line := v.line(sig); line != nil {
			return fail(report.Certain, "the image of the pods' sandboxes is not there, and cannot be pulled", fix, append(found, line...)...)
		}
	}
	return warn(report.Possible, "the image of the pods' sandboxes is not there: it has to be pulled", fix, found...)
}
