package cloud

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"golang.org/x/sync/errgroup"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// fanOut bounds the calls that are made one per group: Auto Scaling and
// CloudFormation publish no rates, so be few.
const fanOut = 4

// The tools that make groups, as Group.Tool says them.
const (
	ToolEKSNodes       = product.PluginName
	ToolEksctl         = "eksctl"
	ToolTerraform      = "terraform"
	ToolCloudFormation = "cloudformation"
	ToolManaged        = "eks" // a managed node group's Auto Scaling group: not self-managed, never listed
	ToolOther          = "other"
)

// ClusterTag is the tag key by which a machine belongs to a cluster.
func ClusterTag(cluster string) string { return "kubernetes.io/cluster/" + cluster }

// groups reads every Auto Scaling group that carries the cluster's tag, with
// its members: one call per hundred groups.
func (r reader) groups(ctx context.Context, _ *snapshot.Snapshot) (gather.Fill, error) {
	input := &autoscaling.DescribeAutoScalingGroupsInput{MaxRecords: aws.Int32(100)}
	if !r.req.AllClusters {
		input.Filters = []astypes.Filter{{Name: aws.String("tag-key"), Values: []string{ClusterTag(r.req.Cluster)}}}
	}
	pages := autoscaling.NewDescribeAutoScalingGroupsPaginator(r.asg(), input)
	var groups []snapshot.Group
	var machines []snapshot.Node
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap(err)
		}
		for _, in := range page.AutoScalingGroups {
			group := ConvertGroup(in)
			if !r.req.AllClusters {
				group.Cluster = r.req.Cluster
			}
			if group.Tool == ToolManaged || group.Cluster == "" {
				continue
			}
			groups = append(groups, group)
			for _, id := range group.InstanceIDs {
				machines = append(machines, snapshot.Node{InstanceID: id, Group: group.Name})
			}
		}
	}
	slices.SortFunc(groups, func(a, b snapshot.Group) int {
		return cmp.Or(cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ASGName, b.ASGName))
	})
	return func(snap *snapshot.Snapshot) {
		snap.Groups = append(proposed(snap.Groups), groups...)
		snap.AddNodes(machines...)
	}, nil
}

// proposed keeps the groups that do not exist yet.
func proposed(groups []snapshot.Group) []snapshot.Group {
	return slices.DeleteFunc(slices.Clone(groups), func(g snapshot.Group) bool { return !g.Proposed })
}

// wanted are the existing groups that the request is about.
func (r reader) wanted(known *snapshot.Snapshot) []snapshot.Group {
	return slices.DeleteFunc(slices.Clone(known.Groups), func(g snapshot.Group) bool {
		return g.Proposed || len(r.req.Groups) > 0 && !slices.Contains(r.req.Groups, g.Name)
	})
}

// activities reads the scaling activities of the wanted groups, one call each.
func (r reader) activities(ctx context.Context, known *snapshot.Snapshot) (gather.Fill, error) {
	groups := r.wanted(known)
	found := make([][]snapshot.Activity, len(groups))
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.SetLimit(fanOut)
	for i, group := range groups {
		tasks.Go(func() (err error) {
			found[i], err = r.ScalingActivities(ctx, group.ASGName)
			return err
		})
	}
	if err := tasks.Wait(); err != nil {
		return nil, err
	}
	return func(snap *snapshot.Snapshot) {
		for i, group := range groups {
			changeGroup(snap, group.ASGName, func(g *snapshot.Group) { g.Activities = found[i] })
		}
	}, nil
}

// changeGroup changes a group in a fresh slice, so that earlier copies of the
// snapshot stay as they were.
func changeGroup(snap *snapshot.Snapshot, asgName string, change func(*snapshot.Group)) {
	snap.Groups = slices.Clone(snap.Groups)
	for i := range snap.Groups {
		if snap.Groups[i].ASGName == asgName && !snap.Groups[i].Proposed {
			change(&snap.Groups[i])
		}
	}
}

// ConvertGroup turns an Auto Scaling group into facts. Group.Cluster is the
// first cluster whose tag it carries.
func ConvertGroup(in astypes.AutoScalingGroup) snapshot.Group {
	group := snapshot.Group{
		ASGName:      aws.ToString(in.AutoScalingGroupName),
		ASGARN:       aws.ToString(in.AutoScalingGroupARN),
		Min:          int(aws.ToInt32(in.MinSize)),
		Max:          int(aws.ToInt32(in.MaxSize)),
		Desired:      int(aws.ToInt32(in.DesiredCapacity)),
		Zones:        in.AvailabilityZones,
		CreatedAt:    aws.ToTime(in.CreatedTime),
		HealthCheck:  aws.ToString(in.HealthCheckType),
		HealthGrace:  time.Duration(aws.ToInt32(in.HealthCheckGracePeriod)) * time.Second,
		Tags:         map[string]string{},
		InstanceTags: map[string]string{},
	}
	if ids := aws.ToString(in.VPCZoneIdentifier); ids != "" {
		group.Subnets = strings.Split(ids, ",")
	}
	for _, tag := range in.Tags {
		key, value := aws.ToString(tag.Key), aws.ToString(tag.Value)
		group.Tags[key] = value
		if aws.ToBool(tag.PropagateAtLaunch) {
			group.InstanceTags[key] = value
		}
		if cluster, ok := strings.CutPrefix(key, ClusterTag("")); ok && group.Cluster == "" {
			group.Cluster = cluster
		}
	}
	for _, process := range in.SuspendedProcesses {
		group.Suspended = append(group.Suspended, aws.ToString(process.ProcessName))
	}
	group.WarmPool = warmPoolOf(in)
	launch := launchOf(in)
	for _, member := range in.Instances {
		group.InstanceIDs = append(group.InstanceIDs, aws.ToString(member.InstanceId))
		group.Members = append(group.Members, snapshot.Member{
			InstanceID: aws.ToString(member.InstanceId), Lifecycle: string(member.LifecycleState), Health: aws.ToString(member.HealthStatus),
			Protected: aws.ToBool(member.ProtectedFromScaleIn), Template: templateNumber(member.LaunchTemplate, launch.TemplateID),
		})
	}
	if name := group.Tags["aws:cloudformation:stack-name"]; name != "" {
		group.Stack = &snapshot.Stack{Name: name, ID: group.Tags["aws:cloudformation:stack-id"]}
	}
	group.Launch = launch
	group.Name, group.Tool = nameAndTool(group)
	return group
}

// warmPoolOf is the group's warm pool, nil for none.
func warmPoolOf(in astypes.AutoScalingGroup) *snapshot.WarmPool {
	config := in.WarmPoolConfiguration
	if config == nil {
		return nil
	}
	return &snapshot.WarmPool{
		State: strings.ToLower(cmp.Or(string(config.PoolState), string(astypes.WarmPoolStateStopped))), Size: int(aws.ToInt32(in.WarmPoolSize)),
		Min: int(aws.ToInt32(config.MinSize)), Prepared: max(int(aws.ToInt32(config.MaxGroupPreparedCapacity)), 0), Status: string(config.Status),
	}
}

// templateNumber is the version that a member was started from; 0 when it was
// started from another template than the group's.
func templateNumber(member *astypes.LaunchTemplateSpecification, template string) int {
	if member == nil || aws.ToString(member.LaunchTemplateId) != template {
		return 0
	}
	number, err := strconv.Atoi(aws.ToString(member.Version))
	if err != nil {
		return 0
	}
	return number
}

// launchOf says which launch template the group uses and with which types.
func launchOf(in astypes.AutoScalingGroup) snapshot.Launch {
	spec := in.LaunchTemplate
	var launch snapshot.Launch
	if mixed := in.MixedInstancesPolicy; mixed != nil && mixed.LaunchTemplate != nil {
		spec = mixed.LaunchTemplate.LaunchTemplateSpecification
		for _, override := range mixed.LaunchTemplate.Overrides {
			if override.LaunchTemplateSpecification != nil {
				continue // of a template of its own, which is not the one judged
			}
			if name := aws.ToString(override.InstanceType); name != "" {
				launch.InstanceTypes = append(launch.InstanceTypes, name)
			}
		}
	}
	if spec != nil {
		launch.TemplateID = aws.ToString(spec.LaunchTemplateId)
		launch.TemplateName = aws.ToString(spec.LaunchTemplateName)
		launch.TemplateVersion = aws.ToString(spec.Version)
	}
	return launch
}

// terraformSuffix is what Terraform adds to a name_prefix: a timestamp of 18
// digits and a counter of 8 hex digits.
var terraformSuffix = regexp.MustCompile(`-?\d{18}[0-9a-f]{8}$`)

// nameAndTool tells from the tags which tool made a group and what that tool
// calls it.
func nameAndTool(group snapshot.Group) (name, tool string) {
	tags := group.Tags
	switch {
	case tags[product.TagGroup] != "":
		return tags[product.TagGroup], ToolEKSNodes
	case tags["eks:nodegroup-name"] != "":
		return tags["eks:nodegroup-name"], ToolManaged
	case tags["alpha.eksctl.io/nodegroup-name"] != "":
		return tags["alpha.eksctl.io/nodegroup-name"], ToolEksctl
	case terraformSuffix.MatchString(group.ASGName):
		return cmp.Or(terraformSuffix.ReplaceAllString(group.ASGName, ""), group.ASGName), ToolTerraform
	case group.Stack != nil:
		return cmp.Or(templateName(group), group.ASGName), ToolCloudFormation
	}
	return group.ASGName, ToolOther
}

// templateName reads the NodeGroupName parameter back from the Name tag that
// AWS's amazon-eks-nodegroup.yaml writes: CLUSTER-NODEGROUP-Node.
func templateName(group snapshot.Group) string {
	rest, ok := strings.CutPrefix(group.Tags["Name"], group.Cluster+"-")
	if !ok {
		return ""
	}
	name, ok := strings.CutSuffix(rest, "-Node")
	if !ok {
		return ""
	}
	return name
}

// ConvertMembers lists the instances of a group as the group sees them.
func ConvertMembers(in astypes.AutoScalingGroup) []GroupMember {
	members := make([]GroupMember, 0, len(in.Instances))
	for _, m := range in.Instances {
		members = append(members, GroupMember{
			InstanceID: aws.ToString(m.InstanceId),
			Zone:       aws.ToString(m.AvailabilityZone),
			Lifecycle:  string(m.LifecycleState),
			Health:     aws.ToString(m.HealthStatus),
			Protected:  aws.ToBool(m.ProtectedFromScaleIn),
		})
	}
	return members
}

// ConvertActivity turns a scaling activity into facts.
func ConvertActivity(in astypes.Activity) snapshot.Activity {
	return snapshot.Activity{
		ID:          aws.ToString(in.ActivityId),
		Description: redact.Line(aws.ToString(in.Description)),
		Cause:       redact.Line(aws.ToString(in.Cause)),
		Status:      string(in.StatusCode),
		Message:     redact.Line(aws.ToString(in.StatusMessage)),
		StartedAt:   aws.ToTime(in.StartTime),
		EndedAt:     aws.ToTime(in.EndTime),
	}
}
