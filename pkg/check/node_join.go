package check

import (
	"fmt"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// joinTime is how long a machine may take from launch to its Node object
// before its absence is a failure: AL2023 needs one to two minutes, a slow
// first boot up to four.
const joinTime = 5 * time.Minute

// joinChecks hold the symptom at the end of the chain: what is found earlier
// explains it, and it stands alone only when nothing does.
func joinChecks() []Check {
	return []Check{
		{
			ID: "node.absent", Title: "machine has registered as a node",
			Why:  "A running machine without a Node object runs no pods and costs as much as one that does. This is the symptom; whatever else fails for the machine is its cause.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/troubleshooting.html#worker-node-fail",
			Link: LinkNodeObject, Symptom: true, Needs: sections(snapshot.SectionInstances, snapshot.SectionNodes), Node: nodeAbsent,
		},
	}
}

func nodeAbsent(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Kube != nil {
		return pass("it is registered", fact("kube/nodes", "node "+n.Kube.Name))
	}
	if n.Cloud == nil || n.Cloud.State != "running" || n.Group == "" {
		return nil
	}
	if twin := byName(s, n); twin != nil && twin.InstanceID == "" {
		return pass("it is registered, with no provider id of EC2", fact("kube/nodes", "node "+twin.Kube.Name))
	}
	age := s.CollectedAt.Sub(n.Cloud.LaunchedAt).Round(time.Second)
	found := []report.Evidence{
		fact("ec2:DescribeInstances", fmt.Sprintf("%s: %s, running for %s", n.InstanceID, n.Cloud.PrivateDNSName, age)),
		fact("kube/nodes", "no node has the provider id of "+n.InstanceID),
	}
	look := do("read what the machine says of itself, a few minutes after boot", fmt.Sprintf(
		"aws ec2 get-console-output --region %s --latest --output text --instance-id %s", s.Target.Region, n.InstanceID))
	if age < joinTime {
		return warn(report.Possible, "the machine has started and not registered yet", do("wait: it may still be booting"), found...)
	}
	return fail(report.Certain, "the machine runs and has not registered as a node", look, found...)
}
