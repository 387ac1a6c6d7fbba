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
	docNodes = "https://kubernetes.io/docs/concepts/architecture/nodes/"
	docCCM   = "https://kubernetes.io/docs/concepts/architecture/cloud-controller/"
	// initializeTime is how long the cloud controller may take.
	initializeTime = 2 * time.Minute
)

// nodeObjectChecks are about the Node object's identity.
func nodeObjectChecks() []Check {
	const (
		instances = snapshot.SectionInstances
		nodes     = snapshot.SectionNodes
	)
	return []Check{
		{
			ID: "node.removed", Title: "cloud controller leaves the machine's node alone",
			Why:  "The cloud controller deletes a node for which it finds no instance: its name or provider id does not lead to the machine.",
			Ref:  docCCM,
			Link: LinkAuthorisation, Needs: sections(instances, nodes, snapshot.SectionEvents), Node: nodeRemoved,
		},
		{
			ID: "node.stale-twin", Title: "no other machine's node has this one's name",
			Why:  "A node left behind by a machine with the same address keeps the name; the new machine cannot take it over with its own provider id.",
			Ref:  docNodes,
			Link: LinkAuthorisation, Needs: sections(instances, nodes), Node: staleTwin,
		},
		{
			ID: "node.provider-id", Title: "provider id leads to the machine",
			Why:  "Cloud controllers find the instance of a node by its provider id, aws:///ZONE/INSTANCE; without it the node stays uninitialized or is removed.",
			Ref:  docCCM,
			Link: LinkInitialized, Needs: sections(instances, nodes), Node: providerID,
		},
		{
			ID: "node.warm", Title: "machine of a warm pool is no node yet",
			Why:  "A machine that registers while its group keeps it in the warm pool is stopped soon after, and leaves a node behind that is not Ready and that pods may have been put on.",
			Ref:  "https://docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html",
			Link: LinkNodeObject, Needs: sections(snapshot.SectionGroups, instances, nodes), Warm: true, Node: warmNode,
		},
		{
			ID: "node.initialized", Title: "cloud controller has initialized the node",
			Why:  "Until the cloud controller takes its taint off, nothing but system pods is scheduled on the node.",
			Ref:  docCCM,
			Link: LinkInitialized, Needs: sections(nodes), Node: initialized,
		},
	}
}

// warmNode asks the machines of warm pools alone.
func warmNode(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if !n.Warm || n.Cloud == nil {
		return nil
	}
	found := fact("ec2:DescribeInstances", fmt.Sprintf("%s: %s, in the warm pool of %s", n.InstanceID, n.Cloud.State, n.Group))
	if n.Kube == nil {
		return pass("it is no node", found)
	}
	return warn(report.Certain, "the machine is in a warm pool and has a Node object", do(
		"have its user data start the kubelet only when autoscaling/target-lifecycle-state of its metadata is InService, and delete the node",
		"kubectl delete node "+n.Kube.Name), found, fact("kube/nodes", "node "+n.Kube.Name))
}

// byName is the Node object, of whichever machine, with the name that this
// machine would register under.
func byName(s *snapshot.Snapshot, n *snapshot.Node) *snapshot.Node {
	if n.Cloud == nil || n.Cloud.PrivateDNSName == "" && n.Cloud.PrivateIP == "" {
		return nil
	}
	for i := range s.Nodes {
		other := &s.Nodes[i]
		if other.Kube == nil || other.InstanceID == n.InstanceID {
			continue
		}
		if other.Kube.Name == n.Cloud.PrivateDNSName || slices.Contains(other.Kube.InternalIPs, n.Cloud.PrivateIP) {
			return other
		}
	}
	return nil
}

// nodeRemoved looks for the event of the cloud node lifecycle controller
// (k8s.io/cloud-provider, controllers/nodelifecycle: reason DeletingNode,
// "Deleting node NAME because it does not exist in the cloud provider").
func nodeRemoved(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if !running(n) || n.Group == "" {
		return nil
	}
	if n.Kube != nil {
		return pass("it is there", fact("kube/nodes", "node "+n.Kube.Name))
	}
	for _, event := range s.Kube.System.Events {
		if event.Kind != "Node" || event.Object != n.Cloud.PrivateDNSName || event.Reason != "DeletingNode" || event.Last.Before(n.Cloud.LaunchedAt) {
			continue
		}
		return fail(report.Certain, fmt.Sprintf("the cloud controller removed node %s: it found no instance for it", event.Object),
			do("let the machine register under its private DNS name (no hostname override), then restart the kubelet or replace it",
				"kubectl get events --field-selector involvedObject.kind=Node,reason=DeletingNode",
				fmt.Sprintf("aws ec2 describe-instances --region %s --query 'Reservations[].Instances[].PrivateDnsName' --instance-ids %s", s.Target.Region, n.InstanceID)),
			fact("kube/events", fmt.Sprintf("%s %s: %s", event.Last.UTC().Format(time.RFC3339), event.Reason, event.Message)))
	}
	return nil
}

func staleTwin(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if !running(n) {
		return nil
	}
	none := pass("there is none", fact("kube/nodes", "no other node is named "+n.Cloud.PrivateDNSName))
	if n.Kube != nil {
		return none
	}
	twin := byName(s, n)
	if twin == nil || twin.InstanceID == "" || twin.Kube.Name != n.Cloud.PrivateDNSName {
		return none
	}
	if twin.Cloud != nil && !gone(twin) {
		return nil // the other machine lives: a matter of names, not of leftovers
	}
	return fail(report.Certain, fmt.Sprintf("node %s belongs to another machine, %s", twin.Kube.Name, twin.InstanceID),
		do("delete the stale node, then restart the machine: a kubelet registers only when it starts", "kubectl delete node "+twin.Kube.Name,
			fmt.Sprintf("aws ec2 reboot-instances --region %s --instance-ids %s", s.Target.Region, n.InstanceID)),
		fact("kube/nodes", fmt.Sprintf("node %s: providerID %s, made %s", twin.Kube.Name, twin.Kube.ProviderID, twin.Kube.CreatedAt.UTC().Format(time.RFC3339))),
		fact("ec2:DescribeInstances", fmt.Sprintf("%s: %s, launched %s", n.InstanceID, n.Cloud.PrivateDNSName, n.Cloud.LaunchedAt.UTC().Format(time.RFC3339))))
}

func providerID(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if !running(n) {
		return nil
	}
	if n.Kube == nil {
		twin := byName(s, n)
		if twin == nil || twin.InstanceID != "" {
			return nil
		}
		return fail(report.Likely, fmt.Sprintf("node %s has no provider id of EC2: %q", twin.Kube.Name, twin.Kube.ProviderID),
			do("start the kubelet with --cloud-provider=external and without a --provider-id of its own, delete the node, and restart the kubelet: it registers only when it starts", "kubectl delete node "+twin.Kube.Name),
			fact("kube/nodes", fmt.Sprintf("node %s: providerID %q", twin.Kube.Name, twin.Kube.ProviderID)),
			fact("ec2:DescribeInstances", fmt.Sprintf("%s: %s, %s", n.InstanceID, n.Cloud.PrivateDNSName, n.Cloud.PrivateIP)))
	}
	found := fact("kube/nodes", fmt.Sprintf("node %s: providerID %s", n.Kube.Name, n.Kube.ProviderID))
	zone, _, _ := strings.Cut(strings.TrimPrefix(n.Kube.ProviderID, "aws:///"), "/")
	if strings.HasPrefix(n.Kube.ProviderID, "aws:///") && n.Cloud.Zone != "" && zone != n.Cloud.Zone {
		return fail(report.Likely, fmt.Sprintf("the provider id names zone %s, the machine is in %s", zone, n.Cloud.Zone),
			do("delete the node and restart the machine: its kubelet registers anew when it starts, and the cloud controller gives it the right provider id", "kubectl delete node "+n.Kube.Name,
				fmt.Sprintf("aws ec2 reboot-instances --region %s --instance-ids %s", s.Target.Region, n.InstanceID)),
			found, fact("ec2:DescribeInstances", n.InstanceID+": "+n.Cloud.Zone))
	}
	return pass("it does", found)
}

func initialized(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Kube == nil {
		return nil
	}
	i := slices.IndexFunc(n.Kube.Taints, func(t snapshot.Taint) bool { return t.Key == snapshot.TaintUninitialized })
	if i < 0 {
		return pass("it has", fact("kube/nodes", n.Kube.Name+": no uninitialized taint"))
	}
	since := n.Kube.Taints[i].Since
	if since.IsZero() {
		since = n.Kube.CreatedAt // the kubelet registers with it and gives no time
	}
	age := s.CollectedAt.Sub(since).Round(time.Second)
	found := fact("kube/nodes", fmt.Sprintf("%s: taint %s for %s, providerID %q", n.Kube.Name, snapshot.TaintUninitialized, age, n.Kube.ProviderID))
	if age < initializeTime {
		return warn(report.Possible, "the cloud controller has not initialized the node yet", do("wait"), found)
	}
	return fail(report.Certain, "the cloud controller does not initialize the node",
		do("see that the node's name is the instance's private DNS name and that the instance has the cluster's tag; the controller is EKS's own, so AWS Support can read its log",
			fmt.Sprintf("kubectl describe node %s", n.Kube.Name)), found)
}
