package cloud

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/instances"
)

// Taints of cloud providers (k8s.io/cloud-provider/api, "well known taints").
const (
	taintUninitialized = "node.cloudprovider.kubernetes.io/uninitialized"
	taintShutdown      = "node.cloudprovider.kubernetes.io/shutdown"
)

func providerID(i instances.Instance) string { return "aws:///" + i.Zone + "/" + i.ID }

// initialized gives the node as the AWS cloud controller manager leaves it: the
// provider id if it is missing, type and topology labels, the instance's
// addresses, without the taint that keeps pods off an uninitialized node, and
// with the shutdown taint while the instance is stopped.
func initialized(n *corev1.Node, i instances.Instance) *corev1.Node {
	n = n.DeepCopy()
	if n.Spec.ProviderID == "" {
		n.Spec.ProviderID = providerID(i)
	}
	if n.Labels == nil {
		n.Labels = map[string]string{}
	}
	for key, value := range map[string]string{
		corev1.LabelInstanceTypeStable:      i.Type,
		corev1.LabelInstanceType:            i.Type,
		corev1.LabelTopologyZone:            i.Zone,
		corev1.LabelFailureDomainBetaZone:   i.Zone,
		corev1.LabelTopologyRegion:          i.Region,
		corev1.LabelFailureDomainBetaRegion: i.Region,
		"topology.k8s.aws/zone-id":          i.ZoneID,
	} {
		if value != "" {
			n.Labels[key] = value
		}
	}
	n.Status.Addresses = addresses(i)
	n.Spec.Taints = slices.DeleteFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Key == taintUninitialized })
	if i.State == types.InstanceStateNameStopped {
		if !slices.ContainsFunc(n.Spec.Taints, isShutdown) {
			n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: taintShutdown, Effect: corev1.TaintEffectNoSchedule})
		}
	} else {
		n.Spec.Taints = slices.DeleteFunc(n.Spec.Taints, isShutdown)
	}
	return n
}

func isShutdown(t corev1.Taint) bool { return t.Key == taintShutdown }

// addresses are in the order of the AWS cloud provider.
func addresses(i instances.Instance) []corev1.NodeAddress {
	all := []corev1.NodeAddress{
		{Type: corev1.NodeInternalIP, Address: i.PrivateIP},
		{Type: corev1.NodeExternalIP, Address: i.PublicIP},
		{Type: corev1.NodeInternalDNS, Address: i.PrivateDNS},
		{Type: corev1.NodeHostName, Address: i.PrivateDNS},
		{Type: corev1.NodeExternalDNS, Address: i.PublicDNS},
	}
	return slices.DeleteFunc(all, func(a corev1.NodeAddress) bool { return a.Address == "" })
}

// initialize writes what differs, the taint last: pods may come when the rest
// is right.
func (c *Controllers) initialize(ctx context.Context, n *corev1.Node, i instances.Instance) error {
	want := initialized(n, i)
	if !apiequality.Semantic.DeepEqual(n.Status.Addresses, want.Status.Addresses) {
		withAddresses := n.DeepCopy()
		withAddresses.Status.Addresses = want.Status.Addresses
		updated, err := c.client.CoreV1().Nodes().UpdateStatus(ctx, withAddresses, metav1.UpdateOptions{})
		if err != nil {
			return ignoreRace(fmt.Errorf("set addresses of node %s: %w", n.Name, err))
		}
		want.ResourceVersion = updated.ResourceVersion
	}
	if apiequality.Semantic.DeepEqual(n.Spec, want.Spec) && apiequality.Semantic.DeepEqual(n.Labels, want.Labels) {
		return nil
	}
	if _, err := c.client.CoreV1().Nodes().Update(ctx, want, metav1.UpdateOptions{}); err != nil {
		return ignoreRace(fmt.Errorf("initialize node %s: %w", n.Name, err))
	}
	return nil
}

func (c *Controllers) deleteNode(ctx context.Context, n *corev1.Node) error {
	c.log.Info("node's instance is gone", "node", n.Name)
	if err := c.client.CoreV1().Nodes().Delete(ctx, n.Name, metav1.DeleteOptions{}); err != nil {
		return ignoreRace(fmt.Errorf("delete node %s: %w", n.Name, err))
	}
	return nil
}

// ignoreRace drops errors of an object that has changed or gone meanwhile: the
// cache will show it soon.
func ignoreRace(err error) error {
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
