package kube

import (
	"context"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// nodePage is how many nodes one list call brings.
const nodePage = 500

// roleAnnotation gives a service account an IAM role of its own (IRSA).
const roleAnnotation = "eks.amazonaws.com/role-arn"

// Sources returns the readers for the sections named; none: all of them.
func (c *Connection) Sources(sections ...snapshot.Section) []gather.Source {
	all := []gather.Source{
		{Section: snapshot.SectionKubeVersion, Read: c.readVersion},
		{Section: snapshot.SectionAwsAuth, Read: c.readAwsAuth},
		{Section: snapshot.SectionNodes, Read: c.readNodes},
		{Section: snapshot.SectionCNI, Read: c.readCNI},
		{Section: snapshot.SectionBindings, Read: c.readBindings},
		{Section: snapshot.SectionENIConfigs, Read: c.readENIConfigs},
	}
	all = append(all, c.systemSources()...)
	if len(sections) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(s gather.Source) bool { return !slices.Contains(sections, s.Section) })
}

func (c *Connection) readVersion(ctx context.Context, _ *snapshot.Snapshot) (gather.Fill, error) {
	version, err := c.Client.ServerVersion(ctx)
	if err != nil {
		return nil, wrap("get the server's version", err)
	}
	return func(snap *snapshot.Snapshot) { snap.Kube.ServerVersion = version.GitVersion }, nil
}

func (c *Connection) readAwsAuth(ctx context.Context, _ *snapshot.Snapshot) (gather.Fill, error) {
	config, err := c.Client.ConfigMaps("kube-system").Get(ctx, "aws-auth", metav1.GetOptions{})
	if err := wrap("get configmaps kube-system/aws-auth", err); err != nil {
		if IsKind(err, Absent) {
			return func(snap *snapshot.Snapshot) { snap.Access.AwsAuth = nil }, nil
		}
		return nil, err
	}
	return func(snap *snapshot.Snapshot) { snap.Access.AwsAuth = ConvertAwsAuth(config) }, nil
}

func (c *Connection) readNodes(ctx context.Context, _ *snapshot.Snapshot) (gather.Fill, error) {
	var nodes []snapshot.KubeNode
	opts := metav1.ListOptions{Limit: nodePage}
	for {
		page, err := c.Client.Nodes().List(ctx, opts)
		if err != nil {
			return nil, wrap("list nodes", err)
		}
		for i := range page.Items {
			nodes = append(nodes, ConvertNode(&page.Items[i]))
		}
		if opts.Continue = page.Continue; opts.Continue == "" {
			break
		}
	}
	joined := make([]snapshot.Node, 0, len(nodes))
	for i := range nodes {
		joined = append(joined, snapshot.Node{InstanceID: snapshot.InstanceIDFromProviderID(nodes[i].ProviderID), Kube: &nodes[i]})
	}
	return func(snap *snapshot.Snapshot) { snap.AddNodes(joined...) }, nil
}

// readCNI finds out whether the VPC CNI lives on the node's role. Without
// aws-node (another CNI, or none) nobody needs the policy.
func (c *Connection) readCNI(ctx context.Context, _ *snapshot.Snapshot) (gather.Fill, error) {
	daemon, err := c.Client.DaemonSets("kube-system").Get(ctx, "aws-node", metav1.GetOptions{})
	if err := wrap("get daemonsets kube-system/aws-node", err); err != nil {
		if IsKind(err, Absent) {
			onNode := false
			return func(snap *snapshot.Snapshot) { snap.Kube.CNIPolicyOnNode = &onNode }, nil
		}
		return nil, err
	}
	account, err := c.Client.ServiceAccounts("kube-system").Get(ctx, "aws-node", metav1.GetOptions{})
	if err != nil {
		return nil, wrap("get serviceaccounts kube-system/aws-node", err)
	}
	return func(snap *snapshot.Snapshot) { ConvertCNI(daemon, account, &snap.Kube) }, nil
}

// cniSettings are the environment variables of the VPC CNI that rules know
// (aws/amazon-vpc-cni-k8s, README).
func cniSettings() []string {
	return []string{"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "ENI_CONFIG_LABEL_DEF", "ENI_CONFIG_ANNOTATION_DEF", "ENABLE_PREFIX_DELEGATION", "ENABLE_IPv6"}
}

// ConvertCNI turns the VPC CNI's DaemonSet and service account into facts.
func ConvertCNI(daemon *appsv1.DaemonSet, account *corev1.ServiceAccount, out *snapshot.Kube) {
	out.CNIRoleARN = account.Annotations[roleAnnotation]
	onNode := out.CNIRoleARN == ""
	out.CNIPolicyOnNode = &onNode
	for _, container := range daemon.Spec.Template.Spec.InitContainers {
		if container.Name == "aws-vpc-cni-init" {
			out.CNIInitVersion = imageTag(container.Image)
		}
	}
	for _, container := range daemon.Spec.Template.Spec.Containers {
		if container.Name != "aws-node" {
			continue
		}
		out.CNIVersion = imageTag(container.Image)
		for _, env := range container.Env {
			if slices.Contains(cniSettings(), env.Name) && env.Value != "" {
				if out.CNISettings == nil {
					out.CNISettings = map[string]string{}
				}
				out.CNISettings[env.Name] = redact.Line(env.Value)
			}
		}
	}
}

// imageTag is the tag of an image reference, or "".
func imageTag(image string) string {
	image, _, _ = strings.Cut(image, "@")
	name := image[strings.LastIndexByte(image, '/')+1:]
	_, tag, _ := strings.Cut(name, ":")
	return tag
}

// ConvertAwsAuth turns the ConfigMap into facts.
func ConvertAwsAuth(in *corev1.ConfigMap) *snapshot.AwsAuth {
	return &snapshot.AwsAuth{Data: in.Data, ResourceVersion: in.ResourceVersion}
}

// ConvertNode turns the Node object into facts.
func ConvertNode(in *corev1.Node) snapshot.KubeNode {
	node := snapshot.KubeNode{
		Name:           in.Name,
		ProviderID:     in.Spec.ProviderID,
		CreatedAt:      in.CreationTimestamp.Time,
		KubeletVersion: in.Status.NodeInfo.KubeletVersion,
		OSImage:        in.Status.NodeInfo.OSImage,
		Unschedulable:  in.Spec.Unschedulable,
		Labels:         in.Labels,
		Runtime:        in.Status.NodeInfo.ContainerRuntimeVersion,
	}
	for key, value := range in.Annotations {
		if strings.HasPrefix(key, "k8s.amazonaws.com/") {
			if node.Annotations == nil {
				node.Annotations = map[string]string{}
			}
			node.Annotations[key] = value
		}
	}
	for name, quantity := range in.Status.Allocatable {
		if name == corev1.ResourcePods || strings.Contains(string(name), "/") {
			if node.Allocatable == nil {
				node.Allocatable = map[string]int64{}
			}
			node.Allocatable[string(name)] = quantity.Value()
		}
	}
	for _, taint := range in.Spec.Taints {
		out := snapshot.Taint{Key: taint.Key, Value: taint.Value, Effect: string(taint.Effect)}
		if taint.TimeAdded != nil {
			out.Since = taint.TimeAdded.Time
		}
		node.Taints = append(node.Taints, out)
	}
	for _, condition := range in.Status.Conditions {
		node.Conditions = append(node.Conditions, snapshot.Condition{
			Type: string(condition.Type), Status: string(condition.Status), Reason: condition.Reason,
			Message: condition.Message, Since: condition.LastTransitionTime.Time,
		})
	}
	for _, address := range in.Status.Addresses {
		if address.Type == corev1.NodeInternalIP {
			node.InternalIPs = append(node.InternalIPs, address.Address)
		}
	}
	return node
}
