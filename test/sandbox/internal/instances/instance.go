package instances

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node/imds"
)

// Instance is one EC2 instance with all that its node is made from.
type Instance struct {
	imds.Instance // what its metadata service tells

	State    types.InstanceStateName
	Family   Family
	Shutdown types.ShutdownBehavior // what a shutdown from inside does
	Unread   error                  // why the instance is not known completely
}

// Family is the kind of machine image.
type Family string

const (
	// EKSOptimized is an image with nodeadm, kubelet and containerd set up.
	EKSOptimized Family = "eks-optimized-al2023"
	// Bottlerocket cannot run in the sandbox: it is an operating system of its
	// own, with its own kernel and no shell.
	Bottlerocket Family = "bottlerocket"
	// Plain is an image without Kubernetes.
	Plain Family = "plain"
)

// familyOf tells the family from an image's name and description. An image that
// a user has built from an EKS-optimized one names it in its description, as
// the sandbox's custom images do.
func familyOf(name, description string) Family {
	const eks = "amazon-eks-node-al2023-"
	switch {
	case strings.HasPrefix(name, eks), strings.Contains(description, eks):
		return EKSOptimized
	case strings.HasPrefix(name, "bottlerocket-"):
		return Bottlerocket
	default:
		return Plain
	}
}

// power is what an instance's state wants of its node.
type power int

const (
	powerGone power = iota // no node, and nothing kept of it
	powerOff               // no node, the volume kept
	powerOn
)

// wanted maps the life cycle of instances (Amazon EC2 User Guide, "Amazon EC2
// instance state changes") to what a node should do.
func wanted(state types.InstanceStateName) power {
	switch state {
	case types.InstanceStateNamePending, types.InstanceStateNameRunning:
		return powerOn
	case types.InstanceStateNameStopping, types.InstanceStateNameStopped:
		return powerOff
	default:
		return powerGone
	}
}
