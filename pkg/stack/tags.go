package stack

import (
	"maps"
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

// MaxGroupTags is Auto Scaling's limit on the tags of one group.
const MaxGroupTags = 50

// spareTags are kept free of that limit for tags the caller puts on the stack, which CloudFormation passes on to the
// group.
const spareTags = 5

// StackTags gives the tags for the stack itself; CloudFormation passes them on to most resources. They are the user's
// and those by which list finds the group.
//
//nolint:revive // "stack tags" is CloudFormation's own term, and they are not the tags of the Input
func StackTags(in Input) map[string]string {
	tags := maps.Clone(in.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	tags[product.TagCluster] = in.Boot.Cluster.Name
	tags[product.TagGroup] = in.Group
	return tags
}

// groupTags gives the tags of the Auto Scaling group. kubernetes.io/cluster/NAME on the instance is what EKS requires
// of every self-managed node.
func groupTags(in Input) []any {
	tags := []any{
		propagated("Name", sub("${ClusterName}-${NodeGroupName}-Node")),
		propagated(sub("kubernetes.io/cluster/${ClusterName}"), "owned"),
		propagated(product.TagCluster, ref("ClusterName")),
		propagated(product.TagGroup, ref("NodeGroupName")),
	}
	for _, key := range slices.Sorted(maps.Keys(in.Tags)) {
		tags = append(tags, propagated(key, in.Tags[key]))
	}
	if in.AutoscalerTags {
		tags = append(tags, autoscalerTags(in.Boot)...)
	}
	return tags
}

// autoscalerTags are read by the cluster autoscaler from the group, and need not be on instances: two by which it
// discovers the group, and one for each label and taint, so that it knows what a node would bring when there is none
// yet (https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md).
func autoscalerTags(boot userdata.Config) []any {
	const prefix = "k8s.io/cluster-autoscaler/"
	tags := []any{
		onGroup(prefix+"enabled", "true"),
		onGroup(sub(prefix+"${ClusterName}"), "owned"),
	}
	for _, key := range slices.Sorted(maps.Keys(boot.Labels)) {
		tags = append(tags, onGroup(prefix+"node-template/label/"+key, boot.Labels[key]))
	}
	seen := map[string]bool{} // one tag holds one taint of a key: the first counts
	for _, taint := range boot.Taints {
		if !seen[taint.Key] {
			tags = append(tags, onGroup(prefix+"node-template/taint/"+taint.Key, taint.Value+":"+taint.Effect))
			seen[taint.Key] = true
		}
	}
	return tags
}

// userTags are the user's and the group's own, for resources that take no tags from the stack.
func userTags(in Input) []any {
	tags := make([]any, 0, len(in.Tags))
	for _, key := range slices.Sorted(maps.Keys(in.Tags)) {
		tags = append(tags, tag(key, in.Tags[key]))
	}
	return tags
}

func tag(key, value any) object { return object{"Key": key, "Value": value} }
func propagated(key, value any) object {
	return object{"Key": key, "Value": value, "PropagateAtLaunch": true}
}
func onGroup(key, value any) object {
	return object{"Key": key, "Value": value, "PropagateAtLaunch": false}
}
