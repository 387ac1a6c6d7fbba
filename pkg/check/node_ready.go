package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const (
	docReady = "https://kubernetes.io/docs/reference/node/node-status/"
	// leaseGrace is the controller manager's --node-monitor-grace-period.
	leaseGrace = 50 * time.Second
)

// nodeReadyChecks are about what the kubelet says of itself. Its words are
// those of pkg/kubelet/runtime.go and kubelet.go in Kubernetes' source.
func nodeReadyChecks() []Check {
	nodes := snapshot.SectionNodes
	return []Check{
		{
			ID: "node.heartbeat", Title: "kubelet reports",
			Why:  "When a kubelet stops reporting, its machine is off, overloaded, cut off, or no longer let in.",
			Ref:  docReady,
			Link: LinkNodeObject, Symptom: true, Needs: sections(nodes, snapshot.SectionLeases), Node: heartbeat,
		},
		{
			ID: "node.runtime", Title: "container runtime works",
			Why:  "Without its container runtime a kubelet starts no pod, the CNI's included.",
			Ref:  docReady,
			Link: LinkNodeObject, Needs: sections(nodes), Node: runtimeReady,
		},
		{
			ID: "node.network", Title: "pod network of the node is up",
			Why:  "A node is NotReady until a CNI plugin has written its configuration. This is the symptom; what keeps the plugin from doing so is the cause.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/managing-vpc-cni.html",
			Link: LinkCNI, Symptom: true, Needs: sections(nodes), Node: networkReady,
		},
		{
			ID: "node.ready", Title: "node is Ready",
			Why:  "Nothing is scheduled on a node that is not Ready. This is the symptom; whatever else fails for the machine is its cause.",
			Ref:  docReady,
			Link: LinkReady, Symptom: true, Needs: sections(nodes), Node: nodeReady,
		},
		{
			ID: "node.pressure", Title: "node has memory, disk and process ids to spare",
			Why:  "Under pressure the kubelet evicts pods and takes no new ones.",
			Ref:  "https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/",
			Link: LinkReady, Needs: sections(nodes), Node: pressure,
		},
		{
			ID: "node.monitor", Title: "monitoring agents find the node healthy",
			Why:  "EKS's node monitoring agent and others write what they find wrong into conditions of the node.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/node-health.html",
			Link: LinkReady, Needs: sections(nodes), Node: monitored,
		},
		{
			ID: "node.cordoned", Title: "node takes pods",
			Why:  "A cordoned node is Ready and takes no new pods.",
			Ref:  "https://kubernetes.io/docs/concepts/architecture/nodes/#manual-node-administration",
			Link: LinkReady, Needs: sections(nodes), Node: cordoned,
		},
		{
			ID: "node.startup-taints", Title: "startup taints are taken off",
			Why:  "Some agents start a node with a taint that they take off when they are ready; when the agent does not run, the taint stays.",
			Ref:  "https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/",
			Link: LinkReady, Needs: sections(nodes), Node: startupTaints,
		},
	}
}

// condition returns the condition of the type, or nil.
func condition(n *snapshot.KubeNode, kind string) *snapshot.Condition {
	for i := range n.Conditions {
		if n.Conditions[i].Type == kind {
			return &n.Conditions[i]
		}
	}
	return nil
}

func conditionFact(n *snapshot.KubeNode, c *snapshot.Condition) report.Evidence {
	text := fmt.Sprintf("%s: %s=%s, %s: %s", n.Name, c.Type, c.Status, c.Reason, c.Message)
	if !c.Since.IsZero() {
		text += " (since " + c.Since.UTC().Format(time.RFC3339) + ")"
	}
	return fact("node condition "+c.Type, text)
}

// clusterTime is the time of the newest heartbeat: ages of others are told
// against it, because the clock of the one who looks may be wrong.
func clusterTime(s *snapshot.Snapshot) (newest time.Time) {
	for _, lease := range s.Kube.System.Leases {
		if lease.Renewed.After(newest) {
			newest = lease.Renewed
		}
	}
	return newest
}

func heartbeat(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Kube == nil {
		return nil
	}
	lease, ready := s.Kube.System.Lease(n.Kube.Name), condition(n.Kube, "Ready")
	now := clusterTime(s)
	var found []report.Evidence
	age := time.Duration(-1)
	if lease != nil && !lease.Renewed.IsZero() {
		age = now.Sub(lease.Renewed).Round(time.Second)
		found = append(found, fact("lease kube-node-lease/"+lease.Node, fmt.Sprintf("renewed %s before the newest", age)))
	}
	lost := ready != nil && ready.Status == "Unknown"
	if lost {
		found = append(found, conditionFact(n.Kube, ready))
	}
	fix := do("look whether the machine runs, then at its kubelet; a kubelet that is let in no longer says Unauthorized", fmt.Sprintf(
		"aws ec2 describe-instance-status --region %s --include-all-instances --instance-ids %s", s.Target.Region, nodeName(n)), fmt.Sprintf(
		"aws ec2 get-console-output --region %s --latest --output text --instance-id %s", s.Target.Region, nodeName(n)))
	switch {
	case lost:
		return fail(report.Certain, "the kubelet has stopped reporting", fix, found...)
	case age > leaseGrace:
		return warn(report.Likely, "the node says Ready, but its heartbeat is overdue", fix, found...)
	case len(found) == 0:
		return nil
	}
	return pass("the kubelet reports", found...)
}

// notReady is the Ready condition when the kubelet itself says False.
func notReady(n *snapshot.Node) *snapshot.Condition {
	if n.Kube == nil {
		return nil
	}
	if ready := condition(n.Kube, "Ready"); ready != nil && ready.Status == "False" {
		return ready
	}
	return nil
}

func runtimeReady(_ *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Kube == nil {
		return nil
	}
	ready := notReady(n)
	if ready == nil || !hasAny(ready.Message, "container runtime is down", "container runtime not ready", "PLEG is not healthy", "container runtime status check may not have completed") {
		return pass("the kubelet says nothing against it", fact("kube/nodes", n.Kube.Name+": no complaint about the runtime"))
	}
	return fail(report.Certain, "the container runtime of the node does not work", do("read containerd's log on the machine, or replace it",
		"journalctl -u containerd --no-pager -n 100"), conditionFact(n.Kube, ready))
}

func networkReady(_ *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Kube == nil {
		return nil
	}
	ready := notReady(n)
	if ready == nil || !hasAny(ready.Message, "container runtime network not ready", "NetworkPluginNotReady", "cni plugin not initialized", "cni config uninitialized") {
		return pass("the kubelet says nothing against it", fact("kube/nodes", n.Kube.Name+": no complaint about the network"))
	}
	return fail(report.Certain, "no CNI plugin has set up the node's pod network", do("look at the CNI's pod on the node",
		fmt.Sprintf("kubectl -n kube-system get pods -o wide --field-selector spec.nodeName=%s", n.Kube.Name)), conditionFact(n.Kube, ready))
}

func nodeReady(_ *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Kube == nil {
		return nil
	}
	ready := condition(n.Kube, "Ready")
	switch {
	case ready == nil:
		return warn(report.Possible, "the kubelet has not said yet whether it is Ready", do("wait", "kubectl get node "+n.Kube.Name), fact("kube/nodes", n.Kube.Name+": no condition Ready"))
	case ready.Status == "True":
		return pass("it is", conditionFact(n.Kube, ready))
	}
	return fail(report.Certain, "the node is not Ready", do("see what the kubelet says", "kubectl describe node "+n.Kube.Name), conditionFact(n.Kube, ready))
}

func pressure(_ *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Kube == nil {
		return nil
	}
	var out []Result
	for _, kind := range []string{"MemoryPressure", "DiskPressure", "PIDPressure"} {
		if c := condition(n.Kube, kind); c != nil && c.Status == "True" {
			out = append(out, warn(report.Certain, "the node is under "+kind, do("see what uses it up, or take a larger type or volume",
				"kubectl describe node "+n.Kube.Name), conditionFact(n.Kube, c))...)
		}
	}
	if len(out) > 0 {
		return out
	}
	return pass("there is no pressure", fact("kube/nodes", n.Kube.Name+": no pressure"))
}

// monitored reads the conditions of the node monitoring agent, and the
// NetworkUnavailable of network plugins.
func monitored(_ *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Kube == nil {
		return nil
	}
	bad := map[string]string{
		"KernelReady": "False", "NetworkingReady": "False", "StorageReady": "False", "ContainerRuntimeReady": "False",
		"AcceleratedHardwareReady": "False", "NetworkUnavailable": "True", "KernelDeadlock": "True", "ReadonlyFilesystem": "True",
	}
	var out []Result
	for i := range n.Kube.Conditions {
		c := &n.Kube.Conditions[i]
		if status, known := bad[c.Type]; known && status == c.Status {
			out = append(out, warn(report.Certain, fmt.Sprintf("condition %s is %s: %s", c.Type, c.Status, c.Reason), do("follow its message, or replace the machine",
				"kubectl describe node "+n.Kube.Name), conditionFact(n.Kube, c))...)
		}
	}
	if len(out) > 0 {
		return out
	}
	return pass("no condition says otherwise", fact("kube/nodes", fmt.Sprintf("%s: %d conditions", n.Kube.Name, len(n.Kube.Conditions))))
}

func cordoned(_ *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Kube == nil {
		return nil
	}
	if n.Kube.Unschedulable {
		return warn(report.Certain, "the node is cordoned: somebody, or a drain, closed it to new pods", do("open it again when that is done",
			"kubectl uncordon "+n.Kube.Name), fact("kube/nodes", n.Kube.Name+": unschedulable"))
	}
	return pass("it does", fact("kube/nodes", n.Kube.Name+": schedulable"))
}

// startupOwner says whose taint it is. The keys are documented by Cilium,
// the EBS and EFS CSI drivers, Karpenter and Kubernetes.
func startupOwner(key string) (owner string, known bool) {
	owner, known = map[string]string{
		"node.cilium.io/agent-not-ready":         "cilium's agent",
		"ebs.csi.aws.com/agent-not-ready":        "the EBS CSI driver's node pod",
		"efs.csi.aws.com/agent-not-ready":        "the EFS CSI driver's node pod",
		"fsx.csi.aws.com/agent-not-ready":        "the FSx CSI driver's node pod",
		"karpenter.sh/unregistered":              "Karpenter",
		"node.kubernetes.io/network-unavailable": "the network plugin",
	}[key]
	return owner, known
}

func startupTaints(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Kube == nil {
		return nil
	}
	var out []Result
	for _, taint := range n.Kube.Taints {
		owner, known := startupOwner(taint.Key)
		if !known || s.CollectedAt.Sub(n.Kube.CreatedAt) < joinTime {
			continue
		}
		out = append(out, warn(report.Certain, fmt.Sprintf("taint %s is still there: %s has not taken it off", taint.Key, owner),
			do("mend "+owner+" on the node; taking the taint off by hand only hides it", "kubectl get pods -A -o wide --field-selector spec.nodeName="+n.Kube.Name),
			fact("kube/nodes", fmt.Sprintf("%s: %s:%s, node made %s", n.Kube.Name, taint.Key, taint.Effect, n.Kube.CreatedAt.UTC().Format(time.RFC3339))))...)
	}
	if len(out) > 0 {
		return out
	}
	return pass("none is left", fact("kube/nodes", fmt.Sprintf("%s: %d taints", n.Kube.Name, len(n.Kube.Taints))))
}

// hasAny reports whether the text holds one of the parts.
func hasAny(text string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
}
