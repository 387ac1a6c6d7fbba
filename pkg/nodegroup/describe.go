package nodegroup

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/access"
	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// lastActivities is how many scaling activities a description has.
const lastActivities = 5

// Description is all that is known of one group.
type Description struct {
	Listed
	Region     string
	Stack      *snapshot.Stack // nil: not made by one, or not read
	Launch     snapshot.Launch
	Zones      []string
	Subnets    []string
	Suspended  []string
	WarmPool   *snapshot.WarmPool // nil: none
	Image      *ImageAge          // nil: not known
	Answer     access.Answer
	Nodes      []DescribedNode
	Activities []snapshot.Activity // newest first
	// Drift is what the Auto Scaling group has otherwise than its stack says.
	Drift []Difference
	// ClusterSecurityGroup is the cluster's own, by which those of the launch
	// template can be told apart.
	ClusterSecurityGroup string
}

// ImageAge compares a group's image with the newest of its family.
type ImageAge struct {
	snapshot.Image
	// Newest is the newest of the family for the cluster's version; nil when
	// there is none that it could be compared with, and then Unknown says why.
	Newest  *snapshot.Image
	Unknown string
}

// DescribedNode is one machine of a group.
type DescribedNode struct {
	InstanceID string    `json:"instanceID"`
	Node       string    `json:"node,omitempty"`
	Zone       string    `json:"zone,omitempty"`
	Type       string    `json:"type,omitempty"`
	LaunchedAt time.Time `json:"launchedAt,omitzero"`
	Status     string    `json:"status"` // Ready, NotReady, running, pending …
	Cordoned   bool      `json:"cordoned,omitempty"`
	Version    string    `json:"version,omitempty"` // the kubelet's
	ImageID    string    `json:"imageID,omitempty"`
	Lifecycle  string    `json:"lifecycle,omitempty"` // InService, Pending:Wait … of its group
	Reason     string    `json:"reason,omitempty"`    // why it is not Ready
	// Answer is what the authenticator would answer to it.
	Answer access.Answer `json:"-"`
}

// Describe joins what a snapshot knows of the group with the name. newest is
// the newest image of the group's family, or unknown says why there is none.
func Describe(snap *snapshot.Snapshot, name string, newest *snapshot.Image, unknown string) (*Description, error) {
	group := snap.Group(name)
	if group == nil {
		return nil, &AbsentError{Group: name, Cluster: snap.Target.ClusterName}
	}
	out := &Description{
		Region: snap.Target.Region, Launch: group.Launch, Zones: group.Zones, Subnets: group.Subnets, Suspended: group.Suspended, WarmPool: group.WarmPool,
		Activities: group.Activities[:min(len(group.Activities), lastActivities)],
	}
	if snap.Cluster != nil {
		out.ClusterSecurityGroup = snap.Cluster.ClusterSGID
	}
	for _, row := range List(snap) {
		if row.Name == name {
			out.Listed = row
		}
	}
	if group.Stack != nil {
		out.Stack = snap.Stack(group.Stack.Name)
	}
	if out.Stack != nil {
		out.Drift = drift(group, out.Stack)
	}
	if out.ImageID != "" {
		out.Image = &ImageAge{Image: snapshot.Image{ID: out.ImageID}, Newest: newest, Unknown: unknown}
		if image := snap.Catalog.Image(out.ImageID); image != nil {
			out.Image.Image = *image
		}
	}
	view := access.View{Snap: snap}
	out.Answer = roleAnswer(view, out.RoleARN)
	for i := range snap.Nodes {
		if snap.Nodes[i].Group == name {
			out.Nodes = append(out.Nodes, describeNode(view, &snap.Nodes[i], group))
		}
	}
	sortNodes(out.Nodes)
	return out, nil
}

// roleAnswer is the answer to any machine that comes with the role.
func roleAnswer(view access.View, roleARN string) access.Answer {
	if roleARN == "" {
		return access.Answer{Unknown: "the nodes' role is not known"}
	}
	id, err := authmap.NodeIdentity(roleARN, "i-00000000000000000", "")
	if err != nil {
		return access.Answer{Unknown: err.Error()}
	}
	return view.Ask(id)
}

func describeNode(view access.View, node *snapshot.Node, group *snapshot.Group) DescribedNode {
	out := DescribedNode{InstanceID: node.InstanceID, Status: "unknown"}
	for _, member := range group.Members {
		if member.InstanceID == node.InstanceID {
			out.Lifecycle = member.Lifecycle
		}
	}
	if machine := node.Cloud; machine != nil {
		out.Zone, out.Type, out.LaunchedAt, out.ImageID, out.Status = machine.Zone, machine.Type, machine.LaunchedAt, machine.ImageID, machine.State
		if node.Warm {
			out.Status = "warm, " + machine.State
		}
		if machine.State == "running" && node.Kube == nil && !node.Warm {
			out.Reason = "no Node object has its providerID"
		}
	}
	if kube := node.Kube; kube != nil {
		out.Node, out.Version, out.Cordoned, out.Status = kube.Name, kube.KubeletVersion, kube.Unschedulable, "Ready"
		if !kube.Ready() || kube.HeldBy() != "" {
			out.Status, out.Reason = "NotReady", notReadyReason(kube)
		}
	}
	subject, err := view.Find(node.InstanceID, "")
	if err != nil {
		out.Answer = access.Answer{Unknown: err.Error()}
		return out
	}
	out.Answer = view.Ask(subject.Identity)
	return out
}

// The stack's parameters that hold the group's sizes; AWS's template has the
// same.
const (
	paramMin     = "NodeAutoScalingGroupMinSize"
	paramDesired = "NodeAutoScalingGroupDesiredCapacity"
	paramMax     = "NodeAutoScalingGroupMaxSize"
)

// drift compares the sizes of a group with those that its stack would set.
func drift(group *snapshot.Group, stack *snapshot.Stack) []Difference {
	var out []Difference
	for _, size := range []struct {
		name, parameter string
		have            int
	}{{"min", paramMin, group.Min}, {"desired", paramDesired, group.Desired}, {"max", paramMax, group.Max}} {
		if want, told := stack.Parameters[size.parameter]; told && want != strconv.Itoa(size.have) {
			out = append(out, Difference{Setting: size.name, Have: strconv.Itoa(size.have), Want: want})
		}
	}
	return out
}

// ImageFamily tells from an image's name which family AWS publishes it in: one
// of cloud's words, or "" for an image that is nobody's or not published any
// more.
func ImageFamily(image *snapshot.Image) Family {
	switch {
	case image == nil:
	case strings.HasPrefix(image.Name, "amazon-eks-node-al2023-"):
		return FamilyAL2023
	case strings.HasPrefix(image.Name, "bottlerocket-aws-k8s-"):
		return FamilyBottlerocket
	}
	return ""
}

// Words says how old the image is, and how far behind the newest.
func (i *ImageAge) Words(now time.Time) string {
	age := func(image *snapshot.Image) string {
		if image.CreatedAt.IsZero() {
			return "of unknown age"
		}
		return fmt.Sprintf("%d days old", int(now.Sub(image.CreatedAt).Hours()/24))
	}
	switch {
	case i.Newest == nil:
		return age(&i.Image) + "; the newest is not known: " + i.Unknown
	case i.Newest.ID == i.ID:
		return age(&i.Image) + ", the newest"
	}
	return fmt.Sprintf("%s; the newest is %s %s, %s", age(&i.Image), i.Newest.ID, i.Newest.Name, age(i.Newest))
}

// sortNodes orders nodes by zone, then age, oldest first.
func sortNodes(nodes []DescribedNode) {
	slices.SortStableFunc(nodes, func(a, b DescribedNode) int {
		return cmp.Or(cmp.Compare(a.Zone, b.Zone), a.LaunchedAt.Compare(b.LaunchedAt), cmp.Compare(a.InstanceID, b.InstanceID))
	})
}
