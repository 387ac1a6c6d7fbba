package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const docTags = "https://docs.aws.amazon.com/eks/latest/userguide/launch-workers.html"

// instanceChecks are about what EC2 says of a machine after it was launched.
func instanceChecks() []Check {
	instances := snapshot.SectionInstances
	return []Check{
		{
			ID: "instance.state", Title: "machine runs",
			Why:  "A machine that EC2 ended or that somebody stopped joins nothing; EC2 keeps the reason for about an hour.",
			Ref:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html",
			Link: LinkLaunch, Needs: sections(instances), Warm: true, Node: instanceState,
		},
		{
			ID: "instance.status-checks", Title: "EC2's status checks",
			Why:  "An impaired machine has trouble below Kubernetes: its host, its kernel, its file system or its network.",
			Ref:  "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html",
			Link: LinkBoot, Needs: sections(instances, snapshot.SectionInstanceStatus), Path: true, Node: statusChecks,
		},
		{
			ID: "instance.vpc", Title: "machine is in the cluster's VPC",
			Why:  "Machines in another VPC need peering or a transit gateway to the cluster's, and the VPC CNI gives their pods addresses that the cluster cannot reach.",
			Ref:  docNetwork,
			Link: LinkLaunch, Needs: sections(instances, snapshot.SectionCluster), Path: true, Node: instanceVPC,
		},
		{
			ID: "instance.metadata", Title: "instance metadata is on",
			Why:  "A machine takes its credentials, region and name from instance metadata; without it nodeadm and the kubelet cannot start.",
			Ref:  "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html",
			Link: LinkCredentials, Needs: sections(instances), Path: true, Node: metadataOn,
		},
		{
			ID: "instance.cluster-tag", Title: "machine carries the cluster's tag, and no other's",
			Why:  "Cloud controllers and load balancers find the machines of a cluster by the tag kubernetes.io/cluster/NAME; two such tags make them give up.",
			Ref:  docTags,
			Link: LinkInitialized, Needs: sections(instances), Node: clusterTags,
		},
	}
}

// endReason says what a code in an instance's StateReason means. The codes
// are those of StateReason in github.com/aws/aws-sdk-go-v2/service/ec2@v1.344.1
// types/types.go; Client.InvalidKMSKey.InvalidState is of "Troubleshoot
// instance launch issues" in the EC2 user guide.
func endReason(s *snapshot.Snapshot, reason string) (meaning string, fix report.Fix, known bool) {
	code, _, _ := strings.Cut(reason, ": ")
	switch code {
	case "Client.InternalError", "Client.InvalidKMSKey.InvalidState":
		return "EC2 could not start it: its volume's KMS key cannot be used", kmsFix(s), true
	case "Client.InvalidSnapshot.NotFound":
		return "EC2 could not start it: the image's snapshot is gone", do("name a current image in a new version of the launch template"), true
	case "Client.VolumeLimitExceeded":
		return "EC2 could not start it: the account's quota of volumes is used up",
			do("ask for a higher quota, or delete volumes", "aws service-quotas list-service-quotas --service-code ebs --region "+s.Target.Region), true
	case "Server.InsufficientInstanceCapacity":
		return "EC2 could not start it: no capacity in the zone", do("add zones or more instance types to the group"), true
	case "Server.SpotInstanceTermination", "Server.SpotInstanceShutdown":
		return "EC2 took the spot machine back", do("take more instance types and zones, or on-demand machines for what must stay"), true
	case "Server.InternalError", "Server.ScheduledStop":
		return "EC2 ended it for a fault or maintenance of its own", do("let the group start another one"), true
	}
	return "", report.Fix{}, false
}

// instanceState leaves machines alone that the group or a person ended: only
// an end that EC2 or a stop brought about keeps a machine from joining. One
// that is stopped in a warm pool, or in no group that is known, waits on purpose.
func instanceState(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Cloud == nil || n.Group == "" && n.Cloud.State != "running" {
		return nil
	}
	found := fact("ec2:DescribeInstances", strings.TrimSuffix(fmt.Sprintf("%s: %s, %s", n.InstanceID, n.Cloud.State, n.Cloud.StateReason), ", "))
	if n.Warm {
		return pass("it is "+n.Cloud.State+" in its group's warm pool", found)
	}
	switch n.Cloud.State {
	case "running", "pending":
		return pass("it is "+n.Cloud.State, found)
	case "stopped", "stopping":
		return fail(report.Certain, "the machine is "+n.Cloud.State, do("start it, or end it and let the group launch another", fmt.Sprintf(
			"aws ec2 start-instances --region %s --instance-ids %s", s.Target.Region, n.InstanceID)), found)
	}
	if meaning, fix, known := endReason(s, n.Cloud.StateReason); known {
		return fail(report.Certain, meaning, fix, found)
	}
	return nil
}

func statusChecks(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Cloud == nil || n.Cloud.State != "running" || n.Status == nil {
		return nil
	}
	found := fact("ec2:DescribeInstanceStatus", fmt.Sprintf("%s: system %s, instance %s", n.InstanceID, n.Status.System, n.Status.Instance))
	replace := do("let the group replace it; its console says more", fmt.Sprintf(
		"aws ec2 get-console-output --region %s --latest --output text --instance-id %s", s.Target.Region, n.InstanceID), fmt.Sprintf(
		"aws autoscaling terminate-instance-in-auto-scaling-group --region %s --no-should-decrement-desired-capacity --instance-id %s", s.Target.Region, n.InstanceID))
	switch {
	case n.Status.System == "impaired":
		return fail(report.Certain, "EC2's system status check fails: the host has trouble", replace, found)
	case n.Status.Instance == "impaired":
		return fail(report.Likely, "EC2's instance status check fails: the machine does not answer on its network", replace, found)
	case len(n.Status.Events) > 0:
		return warn(report.Certain, "EC2 has planned something for the machine: "+n.Status.Events[0], do("replace it before"), found)
	case n.Status.System != "ok" || n.Status.Instance != "ok":
		return nil // not known yet: the checks take a few minutes
	}
	return pass("both status checks pass", found)
}

func instanceVPC(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Cloud == nil || n.Cloud.VPCID == "" {
		return nil
	}
	found := fact("ec2:DescribeInstances", fmt.Sprintf("%s: %s, %s", n.InstanceID, n.Cloud.SubnetID, n.Cloud.VPCID))
	if n.Cloud.VPCID != s.Cluster.VPCID {
		return fail(report.Likely, fmt.Sprintf("the machine is in %s, the cluster in %s", n.Cloud.VPCID, s.Cluster.VPCID),
			do("give the group subnets of the cluster's VPC", fmt.Sprintf("aws ec2 describe-subnets --region %s --filters Name=vpc-id,Values=%s --query 'Subnets[].SubnetId' --output text",
				s.Target.Region, s.Cluster.VPCID)), found, fact("eks:DescribeCluster", s.Cluster.VPCID))
	}
	return pass("it is in the cluster's VPC", found)
}

func metadataOn(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Cloud == nil || n.Cloud.HTTPEndpoint == "" {
		return nil
	}
	found := fact("ec2:DescribeInstances", fmt.Sprintf("%s: MetadataOptions.HttpEndpoint %s, HttpTokens %s, HttpPutResponseHopLimit %d",
		n.InstanceID, n.Cloud.HTTPEndpoint, n.Cloud.HTTPTokens, n.Cloud.HopLimit))
	if n.Cloud.HTTPEndpoint == "disabled" {
		return fail(report.Certain, "instance metadata is off", do("turn it on, in the launch template too", fmt.Sprintf(
			"aws ec2 modify-instance-metadata-options --region %s --http-endpoint enabled --http-tokens required --instance-id %s", s.Target.Region, n.InstanceID)), found)
	}
	return pass("instance metadata is on", found)
}

// clusterTags warns where the tag is missing: modern ways to join work
// without, cloud controllers and load balancers may not.
func clusterTags(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Cloud == nil || n.Group == "" {
		return nil
	}
	const prefix = "kubernetes.io/cluster/"
	var clusters []string
	for key := range n.Cloud.Tags {
		if name, ok := strings.CutPrefix(key, prefix); ok {
			clusters = append(clusters, name)
		}
	}
	slices.Sort(clusters)
	found := fact("ec2:DescribeInstances", fmt.Sprintf("%s: tagged %s for %s", n.InstanceID, prefix, orNone(clusters)))
	ours := s.Target.ClusterName
	switch {
	case !slices.Contains(clusters, ours):
		return warn(report.Possible, fmt.Sprintf("the machine lacks the tag %s%s", prefix, ours), do("tag it, and let the group tag new ones", fmt.Sprintf(
			"aws ec2 create-tags --region %s --tags Key=%s%s,Value=owned --resources %s", s.Target.Region, prefix, ours, n.InstanceID)), found)
	case len(clusters) > 1:
		others := slices.DeleteFunc(slices.Clone(clusters), func(c string) bool { return c == ours })
		return warn(report.Likely, "the machine carries the tags of several clusters: "+strings.Join(clusters, ", "), do("keep one", fmt.Sprintf(
			"aws ec2 delete-tags --region %s --tags Key=%s%s --resources %s", s.Target.Region, prefix, others[0], n.InstanceID)), found)
	}
	return pass("it carries this cluster's tag alone", found)
}
