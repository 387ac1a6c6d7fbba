package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const (
	docCNI       = "https://docs.aws.amazon.com/eks/latest/userguide/managing-vpc-cni.html"
	docKubeProxy = "https://docs.aws.amazon.com/eks/latest/userguide/managing-kube-proxy.html"
	vpcCNI       = "aws-node"
	kubeProxy    = "kube-proxy"
	// placeTime is how long a DaemonSet's pod may take to be made for a node.
	placeTime = time.Minute
	// crashes is how many restarts make a pod that is not Ready a failure.
	crashes = 2
)

// cniChecks are about what sets up the pod network: the plugin's and
// kube-proxy's pods on each machine. CoreDNS, which waits for the first node
// that takes pods, is never a cause and never looked at.
func cniChecks() []Check {
	const (
		nodes   = snapshot.SectionNodes
		daemons = snapshot.SectionDaemonSets
		pods    = snapshot.SectionSystemPods
	)
	return []Check{
		{
			ID: "cni.installed", Title: "cluster has a CNI plugin",
			Why:  "EKS installs the VPC CNI as DaemonSet aws-node; when it was removed and nothing took its place, no node becomes Ready.",
			Ref:  docCNI,
			Link: LinkCNI, Needs: sections(nodes, daemons), Node: cniInstalled,
		},
		{
			ID: "cni.webhook", Title: "admission webhooks let system pods be made",
			Why:  "A webhook that fails closed, and whose own pods need a node to run on, keeps the pods of kube-system from being made: no node gets a network.",
			Ref:  "https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#failure-policy",
			Link: LinkCNI, Needs: sections(daemons, snapshot.SectionEvents, snapshot.SectionWebhooks), Cluster: webhookBlocks,
		},
		{
			ID: "cni.scheduled", Title: "CNI plugin's pod is on the node",
			Why:  "A node selector, an affinity or a quota can keep the plugin's pod from a node, which then never becomes Ready.",
			Ref:  docCNI,
			Link: LinkCNI, Needs: sections(nodes, daemons, pods), Node: cniScheduled,
		},
		{
			ID: "cni.pod", Title: "CNI plugin's pod on the node runs",
			Why:  "The plugin writes the node's network configuration when it has started: it needs its image, its permissions, free addresses and the API server.",
			Ref:  "https://github.com/aws/amazon-vpc-cni-k8s/blob/master/docs/troubleshooting.md",
			Link: LinkCNI, Symptom: true, Needs: sections(nodes, pods), Node: func(s *snapshot.Snapshot, n *snapshot.Node) []Result { return systemPod(s, n, vpcCNI) },
		},
		{
			ID: "cni.kube-proxy", Title: "kube-proxy's pod on the node runs",
			Why:  "Without kube-proxy the addresses of services lead nowhere, the API server's own included, which the CNI plugin uses.",
			Ref:  docKubeProxy,
			Link: LinkCNI, Needs: sections(nodes, daemons, pods), Node: kubeProxyRuns,
		},
	}
}

// plugins are the DaemonSets by which CNI plugins are known.
func plugins() []string {
	return []string{vpcCNI, "cilium", "calico-node", "kube-flannel-ds", "kube-flannel", "weave-net", "antrea-agent", "kube-router", "canal", "ovnkube-node", "cilium-agent"}
}

func cniInstalled(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Kube == nil {
		return nil
	}
	for _, set := range s.Kube.System.DaemonSets {
		if slices.Contains(plugins(), set.Name) {
			return pass("it has "+set.Name, fact("kube/daemonsets", fmt.Sprintf("%s/%s: %d of %d ready", set.Namespace, set.Name, set.Ready, set.Desired)))
		}
	}
	found := fact("kube/daemonsets", fmt.Sprintf("none of %s among %d DaemonSets", strings.Join(plugins(), ", "), len(s.Kube.System.DaemonSets)))
	if networkReady(s, n)[0].Status == report.Pass {
		return pass("the node's network is up all the same", found)
	}
	return fail(report.Likely, "no CNI plugin is installed: DaemonSet kube-system/aws-node is missing", do("install the VPC CNI", fmt.Sprintf(
		"aws eks create-addon --region %s --cluster-name %s --addon-name vpc-cni", s.Target.Region, s.Target.ClusterName)), found)
}

// cniScheduled leaves a node alone whose network is up: the DaemonSet may be
// kept off on purpose, for another plugin (Cilium's guide has it so).
func cniScheduled(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Kube != nil && n.Kube.Ready() && s.Kube.System.DaemonSet("kube-system", vpcCNI) != nil {
		return pass("the node's network is up", fact("kube/nodes", n.Kube.Name+": Ready"))
	}
	return placed(s, n, vpcCNI)
}

// podOn is the DaemonSet's pod on the node, or meant for it.
func podOn(s *snapshot.Snapshot, node, daemon string) *snapshot.Pod {
	for i := range s.Kube.System.Pods {
		pod := &s.Kube.System.Pods[i]
		if pod.Node == node && pod.Owner == "DaemonSet/"+daemon {
			return pod
		}
	}
	return nil
}

// placed judges whether a DaemonSet that exists has a pod on the node.
func placed(s *snapshot.Snapshot, n *snapshot.Node, daemon string) []Result {
	set := s.Kube.System.DaemonSet("kube-system", daemon)
	if n.Kube == nil || set == nil || n.InstanceID == "" {
		return nil
	}
	found := []report.Evidence{fact("kube/daemonsets", fmt.Sprintf("kube-system/%s: %d of %d ready, node selector %v", daemon, set.Ready, set.Desired, set.Selector))}
	pod := podOn(s, n.Kube.Name, daemon)
	switch {
	case pod == nil && s.CollectedAt.Sub(n.Kube.CreatedAt) < placeTime:
		return nil
	case pod == nil:
		found = append(found, fact("kube/pods", fmt.Sprintf("no pod of %s on %s", daemon, n.Kube.Name)))
		return fail(report.Certain, fmt.Sprintf("DaemonSet %s has made no pod for the node", daemon), do("see what its node selector, affinity or events say",
			"kubectl -n kube-system describe daemonset "+daemon, "kubectl get node --show-labels "+n.Kube.Name), found...)
	case pod.Phase == "Pending" && len(pod.Containers) == 0 && pod.Reason != "":
		found = append(found, fact("kube/pods", pod.Name+": "+pod.Reason))
		return fail(report.Certain, fmt.Sprintf("the pod of %s cannot be placed on the node", daemon), do("make room for it, or mend what its message names",
			"kubectl -n kube-system describe pod "+pod.Name), found...)
	}
	return pass("it is there", fact("kube/pods", pod.Name+" on "+n.Kube.Name))
}

// systemPod judges whether a DaemonSet's pod on the node runs.
func systemPod(s *snapshot.Snapshot, n *snapshot.Node, daemon string) []Result {
	if n.Kube == nil {
		return nil
	}
	pod := podOn(s, n.Kube.Name, daemon)
	if pod == nil {
		return nil
	}
	var found []report.Evidence
	waiting, restarts := "", 0
	for _, container := range pod.Containers {
		if container.Ready {
			continue
		}
		restarts = max(restarts, container.Restarts)
		if container.Waiting != "" && container.Waiting != "PodInitializing" && container.Waiting != "ContainerCreating" {
			waiting = container.Waiting
		}
		found = append(found, fact("kube/pods", strings.TrimSpace(fmt.Sprintf("%s, container %s: %s, %d restarts, exit code %d %s",
			pod.Name, container.Name, orNone(nonEmpty(container.Waiting)), container.Restarts, container.ExitCode, container.Message))))
	}
	logs := do("read its log and events", fmt.Sprintf("kubectl -n kube-system logs --previous --all-containers %s", pod.Name), "kubectl -n kube-system describe pod "+pod.Name)
	switch {
	case pod.Ready:
		return pass("it runs", fact("kube/pods", pod.Name+" is Ready"))
	case strings.HasPrefix(waiting, "ErrImage"), strings.HasPrefix(waiting, "ImagePull"), waiting == "ImageInspectError":
		return fail(report.Certain, fmt.Sprintf("the node cannot pull the image of %s", daemon),
			do("give the node role AmazonEC2ContainerRegistryPullOnly and the node a way to ECR and S3", "kubectl -n kube-system describe pod "+pod.Name), found...)
	case waiting != "":
		return fail(report.Certain, fmt.Sprintf("%s does not run on the node: %s", daemon, waiting), logs, found...)
	case restarts >= crashes:
		return fail(report.Likely, fmt.Sprintf("%s keeps restarting on the node", daemon), logs, found...)
	case s.CollectedAt.Sub(n.Kube.CreatedAt) > joinTime:
		return fail(report.Likely, fmt.Sprintf("%s is not Ready on the node", daemon), logs, append(found, fact("kube/pods", pod.Name+": "+pod.Phase+", not Ready"))...)
	}
	return warn(report.Possible, fmt.Sprintf("%s has not started on the node yet", daemon), do("wait", "kubectl -n kube-system get pod "+pod.Name), append(found, fact("kube/pods", pod.Name+": "+pod.Phase))...)
}

func nonEmpty(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// kubeProxyRuns is not applicable where another plugin than the VPC CNI is
// there: Cilium and others take kube-proxy's place.
func kubeProxyRuns(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	sets := s.Kube.System.DaemonSets
	has := func(names ...string) bool {
		return slices.ContainsFunc(sets, func(set snapshot.DaemonSet) bool { return slices.Contains(names, set.Name) })
	}
	others := has(slices.DeleteFunc(plugins(), func(name string) bool { return name == vpcCNI })...)
	if n.Kube != nil && !has(kubeProxy) && has(vpcCNI) && !others {
		missing := fail(report.Likely, "kube-proxy is not installed, and nothing that takes its place is: addresses of services lead nowhere", do("install it", fmt.Sprintf(
			"aws eks create-addon --region %s --cluster-name %s --addon-name kube-proxy", s.Target.Region, s.Target.ClusterName)), fact("kube/daemonsets", fmt.Sprintf("no kube-proxy among %d DaemonSets", len(sets))))
		return unlessReady(n, missing)
	}
	there := placed(s, n, kubeProxy)
	if len(there) == 0 || there[0].Status != report.Pass {
		return unlessReady(n, there)
	}
	return systemPod(s, n, kubeProxy)
}

// unlessReady makes a warning of a failure for a node that is Ready: something
// that is not known may stand in.
func unlessReady(n *snapshot.Node, results []Result) []Result {
	for i := range results {
		if results[i].Status == report.Fail && n.Kube != nil && n.Kube.Ready() {
			results[i].Status, results[i].Confidence = report.Warn, report.Possible
		}
	}
	return results
}

// calledWebhook finds the webhook's name in the API server's words
// (k8s.io/apiserver, pkg/admission/plugin/webhook/errors).
var calledWebhook = regexp.MustCompile(`failed calling webhook "([^"]+)"`)

func webhookBlocks(s *snapshot.Snapshot) []Result {
	for _, event := range s.Kube.System.Events {
		match := calledWebhook.FindStringSubmatch(event.Message)
		if match == nil || event.Kind != "DaemonSet" || event.Reason != "FailedCreate" || s.CollectedAt.Sub(event.Last) > time.Hour {
			continue
		}
		found := []report.Evidence{fact("kube/events", fmt.Sprintf("%s/%s, %s times: %s", event.Kind, event.Object, fmt.Sprint(event.Count), event.Message))}
		config, kind := "NAME", "validatingwebhookconfiguration"
		for _, hook := range s.Kube.System.Webhooks {
			if hook.Name == match[1] {
				config = hook.Config
				if hook.Mutating {
					kind = "mutatingwebhookconfiguration"
				}
				found = append(found, fact("kube/webhooks", fmt.Sprintf("%s of %s %s: fails closed %t, served by %s", hook.Name, kind, config, hook.FailClosed, orNone(nonEmpty(hook.Service)))))
			}
		}
		fix := do("keep kube-system out of it with a namespaceSelector, or set its failurePolicy to Ignore", fmt.Sprintf("kubectl get %s %s -o yaml", kind, config), fmt.Sprintf("kubectl edit %s %s", kind, config))
		summary := fmt.Sprintf("webhook %s keeps pods of %s from being made", match[1], event.Object)
		if set := s.Kube.System.DaemonSet("kube-system", event.Object); set != nil && set.Ready >= set.Desired {
			return warn(report.Likely, summary, fix, found...)
		}
		return fail(report.Certain, summary, fix, found...)
	}
	return pass("none was in the way in the last hour", fact("kube/events", fmt.Sprintf("%d events", len(s.Kube.System.Events))))
}
