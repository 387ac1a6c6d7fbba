package nodegroup

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// The states of a cluster that a teardown tells apart.
const (
	clusterActive   = "ACTIVE"
	clusterFailed   = "FAILED"
	clusterDeleting = "DELETING"
)

// TeardownPlan is what `teardown` will do, in order: the groups, then the
// cluster.
type TeardownPlan struct {
	Cluster string        `json:"cluster"`
	Region  string        `json:"region"`
	Status  string        `json:"status"` // of the cluster
	Groups  []*DeletePlan `json:"groups,omitempty"`
	// Stack is the one that the cluster came by, and goes with; nil: EKS is
	// asked to delete the cluster.
	Stack *ClusterStack `json:"stack,omitempty"`
	Pods  int           `json:"pods,omitempty"` // that end with the groups' nodes
	// Leftovers is nil when it could not be read, and LeftoversGap says why.
	Leftovers    *snapshot.Leftovers `json:"leftovers,omitempty"`
	LeftoversGap string              `json:"leftoversGap,omitempty"`
	Stays        []string            `json:"stays,omitempty"`    // what is not deleted, in words
	Refusals     []Refusal           `json:"refusals,omitempty"` // nothing is deleted while there are any
	SkipDrain    bool                `json:"skipDrain,omitempty"`
	ServiceRole  string              `json:"serviceRole,omitempty"` // that CloudFormation acts as
}

// ClusterStack is the stack that a cluster came by.
type ClusterStack struct {
	snapshot.Stack
	Resources []string `json:"resources"` // types of all that it holds, as often as there are
}

// Refusal is a reason not to tear a cluster down.
type Refusal struct {
	What string `json:"what"`
	Fix  string `json:"fix"` // a command, or what to do
	// Unknown means that it is not known whether there is a reason.
	Unknown bool `json:"unknown,omitempty"`
}

// TeardownFacts is what a plan is made of beside the snapshot, whose stacks
// are those of all groups of this product.
type TeardownFacts struct {
	ManagedGroups   []string
	FargateProfiles []string
	Stack           *ClusterStack
	Leftovers       *snapshot.Leftovers
	LeftoversGap    string
	Pods            int
}

// TeardownOptions is what the user allows.
type TeardownOptions struct {
	OrphanLoadBalancers bool
	OrphanVolumes       bool
	SkipDrain           bool
	ServiceRole         string
}

// MakeTeardownPlan decides what deleting the cluster with this product's
// groups takes, and what speaks against it: machines that would be left without
// a cluster, and what controllers in the cluster have made in AWS. Those of
// other makers are named and left to them.
func MakeTeardownPlan(snap *snapshot.Snapshot, facts *TeardownFacts, options TeardownOptions) (*TeardownPlan, error) {
	cluster := snap.Cluster
	if cluster == nil {
		return nil, errors.New("the cluster was not read")
	}
	plan := &TeardownPlan{
		Cluster: cluster.Name, Region: snap.Target.Region, Status: cluster.Status, Stack: facts.Stack, Pods: facts.Pods,
		Leftovers: facts.Leftovers, LeftoversGap: facts.LeftoversGap,
		SkipDrain: options.SkipDrain || cluster.Status == clusterDeleting, ServiceRole: options.ServiceRole,
	}
	for _, name := range groupNames(snap) {
		group, err := MakeDeletePlan(snap, name)
		if err != nil {
			plan.refuse(err.Error(), "")
			continue
		}
		group.ServiceRole = options.ServiceRole
		plan.Groups = append(plan.Groups, group)
	}
	plan.Stays = append(stays(cluster, facts.Stack), behind(facts.Leftovers, options)...)
	if cluster.Status == clusterDeleting {
		return plan, nil // too late to refuse
	}
	plan.refuseState(cluster)
	plan.refuseForeign(snap, facts)
	plan.refuseLeftovers(options)
	return plan, nil
}

func (p *TeardownPlan) refuse(what, fix string) {
	p.Refusals = append(p.Refusals, Refusal{What: what, Fix: fix})
}

// groupNames are all groups of this product: those that stand, those whose
// stack was left over, and those of which only Node objects or the mapping of
// the stack's role are left.
func groupNames(snap *snapshot.Snapshot) []string {
	var names []string
	for i := range snap.Groups {
		if group := &snap.Groups[i]; group.Tool == ToolOurs && !group.Proposed {
			names = append(names, group.Name)
		}
	}
	for i := range snap.Stacks {
		if name := snap.Stacks[i].Tags[product.TagGroup]; snap.Stacks[i].Tags[product.TagCluster] == snap.Cluster.Name && name != "" {
			names = append(names, name)
		}
	}
	for i := range snap.Nodes {
		node := &snap.Nodes[i]
		if node.Kube == nil || node.Group != "" {
			continue
		}
		if name := node.Kube.Labels[product.TagGroup]; name != "" && len(orphans(snap, name)) > 0 {
			names = append(names, name)
		}
	}
	for _, arn := range mappedRoles(snap) {
		if name := groupOfRole(snap.Cluster.Name, arn); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// groupOfRole takes a group's name out of the name that CloudFormation gave to
// the role of its stack, "" for any other role.
func groupOfRole(cluster, arn string) string {
	prefix, err := StackName(cluster, "")
	if err != nil {
		return ""
	}
	rest, ours := strings.CutPrefix(nameInARN(arn), prefix)
	name, _, made := strings.Cut(rest, roleOfStackName)
	if !ours || !made || ValidateName(name) != nil {
		return ""
	}
	return name
}

// refuseState refuses a cluster that EKS would not delete now.
func (p *TeardownPlan) refuseState(cluster *snapshot.Cluster) {
	if cluster.Status != clusterActive && cluster.Status != clusterFailed {
		p.refuse(fmt.Sprintf("cluster %s is %s", cluster.Name, cluster.Status), "wait until it is "+clusterActive)
	}
	if cluster.DeletionProtection {
		p.refuse("cluster "+cluster.Name+" is protected from deletion",
			"aws eks update-cluster-config --no-deletion-protection --name "+cluster.Name+" --region "+p.Region)
	}
	switch stack := p.Stack; {
	case stack == nil:
	case stack.Root != "":
		p.refuse(fmt.Sprintf("the cluster's stack %s is nested in stack %s, which may hold more than the cluster", stack.Name, stackName(stack.Root)),
			"aws cloudformation delete-stack --region "+p.Region+" --stack-name "+stackName(stack.Root))
	case stack.TerminationProtection:
		p.refuse("the cluster's stack "+stack.Name+" is protected",
			"aws cloudformation update-termination-protection --no-enable-termination-protection --region "+p.Region+" --stack-name "+stack.Name)
	}
}

// refuseForeign refuses to take the cluster from machines that this product
// did not make.
func (p *TeardownPlan) refuseForeign(snap *snapshot.Snapshot, facts *TeardownFacts) {
	for _, name := range facts.ManagedGroups {
		p.refuse("managed node group "+name, fmt.Sprintf("aws eks delete-nodegroup --cluster-name %s --nodegroup-name %s --region %s", p.Cluster, name, p.Region))
	}
	for _, name := range facts.FargateProfiles {
		p.refuse("Fargate profile "+name, fmt.Sprintf("aws eks delete-fargate-profile --cluster-name %s --fargate-profile-name %s --region %s", p.Cluster, name, p.Region))
	}
	for i := range snap.Groups {
		group := &snap.Groups[i]
		if group.Tool == ToolOurs || group.Proposed {
			continue
		}
		p.refuse(fmt.Sprintf("node group %s, made by %s (Auto Scaling group %s)", group.Name, group.Tool, group.ASGName), p.foreignFix(group))
	}
	for i := range snap.Nodes {
		if node := &snap.Nodes[i]; node.Group == "" && (node.Kube != nil || lives(node.Cloud)) {
			p.refuseStray(snap, node)
		}
	}
}

// toolEksctl is what a group's Tool says of eksctl's.
const toolEksctl = "eksctl"

// foreignFix says how a group of another tool is removed.
func (p *TeardownPlan) foreignFix(group *snapshot.Group) string {
	switch {
	case group.Tool == toolEksctl:
		return fmt.Sprintf("eksctl delete nodegroup --cluster %s --name %s --region %s", p.Cluster, group.Name, p.Region)
	case group.Stack != nil:
		return "aws cloudformation delete-stack --region " + p.Region + " --stack-name " + group.Stack.Name
	}
	return "delete it with what made it"
}

// lives reports whether a machine is there and can come back: a stopped one
// costs its volumes.
func lives(machine *snapshot.Instance) bool {
	return machine != nil && machine.State != "terminated" && machine.State != "shutting-down"
}

// Labels of nodes, and tags of instances, by which they say who runs them.
const (
	labelManaged  = "eks.amazonaws.com/nodegroup"
	tagManaged    = "eks:nodegroup-name"
	labelCompute  = "eks.amazonaws.com/compute-type" // fargate, auto, hybrid
	labelNodePool = "karpenter.sh/nodepool"          // Karpenter tags its instances with it, too
)

// refuseStray refuses a machine that no group has, and that would run on
// without a cluster.
func (p *TeardownPlan) refuseStray(snap *snapshot.Snapshot, node *snapshot.Node) {
	var labels, tags map[string]string
	what := "instance " + node.InstanceID
	if node.Cloud != nil {
		tags = node.Cloud.Tags
	}
	if node.Kube != nil {
		labels, what = node.Kube.Labels, "node "+node.Kube.Name
	}
	compute := labels[labelCompute]
	switch {
	case labels[labelManaged] != "", tags[tagManaged] != "", compute == "fargate", compute == "auto":
		return // its group or profile is named; EKS itself ends those of Auto Mode
	case !lives(node.Cloud) && len(orphans(snap, labels[product.TagGroup])) > 0:
		return // goes with its group
	case cmp.Or(labels[labelNodePool], tags[labelNodePool]) != "":
		p.refuse(what+", made by Karpenter", "kubectl delete nodepool "+cmp.Or(labels[labelNodePool], tags[labelNodePool]))
	case compute == "hybrid":
		p.refuse(what+" is a hybrid one", "run nodeadm uninstall on it, then: kubectl delete node "+node.Kube.Name)
	case lives(node.Cloud):
		p.refuse(fmt.Sprintf("%s belongs to no group (%s is %s)", what, node.InstanceID, node.Cloud.State),
			"aws ec2 terminate-instances --region "+p.Region+" --instance-ids "+node.InstanceID)
	default:
		p.refuse(what+" belongs to no group, and its machine is not known", "kubectl delete node "+node.Kube.Name)
	}
}

// refuseLeftovers refuses to leave behind what goes on costing.
func (p *TeardownPlan) refuseLeftovers(options TeardownOptions) {
	if p.Leftovers == nil {
		if !options.OrphanLoadBalancers || !options.OrphanVolumes {
			p.Refusals = append(p.Refusals, Refusal{Unknown: true,
				What: "load balancers and volumes that the cluster has made could not be looked for: " + p.LeftoversGap,
				Fix:  "--orphan-load-balancers --orphan-volumes leaves them behind, if there are any"})
		}
		return
	}
	for _, one := range p.Leftovers.LoadBalancers {
		if !options.OrphanLoadBalancers {
			p.refuse(fmt.Sprintf("the load balancer of %s %s/%s would be left behind%s", one.Kind, one.Namespace, one.Name, inBrackets(one.Address)),
				fmt.Sprintf("kubectl delete %s --namespace %s %s, or --orphan-load-balancers", one.Kind, one.Namespace, one.Name))
		}
	}
	for _, one := range p.Leftovers.Volumes {
		if !options.OrphanVolumes && !one.Kept {
			p.refuse(fmt.Sprintf("volume %s of %s (%s) would be left behind", one.ID, cmp.Or(one.Claim, one.Name), one.Size), volumeFix(one)+", or --orphan-volumes")
		}
	}
}

func inBrackets(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

func volumeFix(disk snapshot.ClaimedDisk) string {
	namespace, name, claimed := strings.Cut(disk.Claim, "/")
	if !claimed {
		return "kubectl delete persistentvolume " + disk.Name
	}
	return fmt.Sprintf("kubectl delete persistentvolumeclaim --namespace %s %s", namespace, name)
}

// behind says what of the cluster's makings stays: on purpose, or because the
// user said so.
func behind(leftovers *snapshot.Leftovers, options TeardownOptions) []string {
	if leftovers == nil {
		return nil
	}
	var out []string
	for _, one := range leftovers.Volumes {
		switch {
		case one.Kept:
			out = append(out, fmt.Sprintf("volume %s of %s, which is to outlive its claim", one.ID, cmp.Or(one.Claim, one.Name)))
		case options.OrphanVolumes:
			out = append(out, fmt.Sprintf("volume %s of %s, orphaned", one.ID, cmp.Or(one.Claim, one.Name)))
		}
	}
	for _, one := range leftovers.LoadBalancers {
		if options.OrphanLoadBalancers {
			out = append(out, fmt.Sprintf("the load balancer of %s %s/%s%s, orphaned", one.Kind, one.Namespace, one.Name, inBrackets(one.Address)))
		}
	}
	return out
}

// stays says what is around a cluster and is not deleted with it.
func stays(cluster *snapshot.Cluster, stack *ClusterStack) []string {
	if stack != nil {
		return nil // whatever the stack holds goes
	}
	var out []string
	if cluster.VPCID != "" {
		out = append(out, "VPC "+cluster.VPCID+" with its subnets")
	}
	if cluster.RoleARN != "" {
		out = append(out, "the cluster's role "+nameInARN(cluster.RoleARN))
	}
	return out
}
