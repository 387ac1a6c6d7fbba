// Package stack makes the CloudFormation template of a node group and its parameters, and fits the same wishes to a
// template of somebody else's that has the parameter names of AWS's amazon-eks-nodegroup.yaml. It is pure: values
// in, text out.
//
// The template is assembled from Go values, not kept as a file with conditions: tags, security groups and policies
// are lists of any length that conditions cannot express, and what is printed for review then shows exactly what
// will be made and nothing else. Parameters, outputs and logical ids bear the names of AWS's template, so that both
// kinds of stack are read by the same code and edited by the same hands.
package stack

import (
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

// LabelNodegroup is the node label that carries the group's name; it has the key of the tag that says the same. A
// kubelet may set it, since it is outside kubernetes.io.
const LabelNodegroup = product.TagGroup

// MaxBody is CloudFormation's limit on a template sent inline, in bytes.
const MaxBody = 51200

// CapabilityIAM must be acknowledged when a stack makes IAM resources. The builtin template names none of them, so
// CAPABILITY_NAMED_IAM is never needed.
const CapabilityIAM = "CAPABILITY_IAM"

// Family is the kind of machine image.
type Family string

// The families the builtin template knows.
const (
	AL2023       Family = "al2023"
	Bottlerocket Family = "bottlerocket"
	Custom       Family = "custom"
)

// Input is everything a node group's stack is made from.
type Input struct {
	Group  string // name of the node group
	Family Family
	// Boot is what UserData was rendered from: it gives the cluster's coordinates, and the labels and taints for
	// the cluster autoscaler's tags.
	Boot     userdata.Config
	UserData []byte // plain, before base64

	ClusterSecurityGroup string // the one EKS made for the cluster
	AuthenticationMode   string // as the EKS API spells it: API, API_AND_CONFIG_MAP, CONFIG_MAP
	VPC                  string
	Subnets              []string
	IPv6                 bool // the cluster's pods have IPv6 addresses

	Min, Desired, Max int
	InstanceType      string // the preferred one
	Mixed             Mixed  `json:"Mixed,omitzero"`
	ImageID           string // pinned: a later stack update must not pick up another image by surprise
	ImageSSMParam     string // the public parameter ImageID was read from, for templates that insist on one; may be empty
	KeyName           string // EC2 key pair; empty for none

	Volume       Volume
	ExtraVolumes []Volume `json:"ExtraVolumes,omitempty"` // each with its device, size and type
	Role         Role
	Network      Network
	HopLimit     int  // of IMDS answers; 0 means 2, and 1 keeps pods without host network away from IMDS
	IMDSv1       bool // also answer IMDSv1 requests

	// Metadata is kept in the template for whoever reads it, and makes nothing. It is left out of a template that
	// it would make too large. It is no part of what was asked for, and so of no digest.
	Metadata map[string]any `json:"-"`

	Tags           map[string]string // of the user, put on everything that takes tags
	AutoscalerTags bool              // tags by which the cluster autoscaler finds the group and scales it from zero

	GroupMetrics   bool            `json:"GroupMetrics,omitempty"`   // CloudWatch metrics of the group itself, one a minute
	LifecycleHooks []LifecycleHook `json:"LifecycleHooks,omitempty"` // each with its name and seconds
	WarmPool       *WarmPool       `json:"WarmPool,omitempty"`       // Boot.WarmPool and UserData must know of it
}

// WarmPool keeps machines ready beside the group, stopped or running.
type WarmPool struct {
	Min int // machines kept at least
	// Prepared bounds the machines of group and pool together: the pool is filled up to it. With Prepared equal to Min,
	// the pool has always Min of them
	// (https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutWarmPool.html).
	Prepared int
	Running  bool // running, not stopped
}

// LifecycleHook holds machines that come or go until somebody completes it.
type LifecycleHook struct {
	Name      string
	Launching bool // before a machine is in service; else before it ends
	Seconds   int  // how long it holds a machine for which nobody completes it
	Continue  bool // what then: go on; else end the machine at once
}

// Mixed makes the group take machines of several kinds. The zero value takes InstanceType on demand.
type Mixed struct {
	Types        []string // more instance types, in the order in which they are preferred
	Spot         bool     // Spot instances, of whichever type is least likely to be taken back for its price
	OnDemandBase int      // so many machines are on demand before the first Spot instance
}

// Asked reports whether the group is to be more than machines of one type on demand.
func (m Mixed) Asked() bool { return len(m.Types) > 0 || m.Spot }

// Volume is the disk that holds images and containers.
type Volume struct {
	SizeGiB    int    // 0 means 20
	Type       string // "" means gp3
	IOPS       int    // 0 means the type's default
	Throughput int    // MiB/s, gp3 only; 0 means the type's default
	Encrypted  bool
	KMSKey     string // id, alias or ARN; "" means the account's default key for EBS
	Device     string // "" means the family's: /dev/xvda, and /dev/xvdb (the data volume) for Bottlerocket
}

// Role says which IAM role the nodes get. With neither ARN set, the stack makes one.
type Role struct {
	ARN                string // existing role; with ProfileARN, the role inside that profile
	ProfileARN         string // existing instance profile
	Path               string // of a role made here, "/…/"
	Boundary           string // ARN of the permissions boundary of a role made here
	Policies           []string
	CNIPolicy          bool // the CNI takes its permissions from the node, not from a role of its own
	WithoutSSMPolicies bool // leave AmazonSSMManagedInstanceCore out
}

// Network says how the nodes are connected.
type Network struct {
	// Isolated gives the group a tagged security group of its own with rules to and from the cluster's, as AWS's
	// template does, in place of attaching the cluster security group.
	Isolated       bool
	SecurityGroups []string // further groups to attach
	Ingress        []Rule   // of the group's own security group
	PublicIP       *bool    // nil leaves it to the subnet
}

// Rule lets traffic in. Exactly one of CIDR, SourceGroup and PrefixList is set; CIDR is of either IP family.
type Rule struct {
	Protocol         string // "tcp", "udp", "icmp" or "-1" for all
	FromPort, ToPort int
	CIDR             string
	SourceGroup      string
	PrefixList       string
	Description      string
}

// Parameter is one stack parameter, its value as CloudFormation takes it: lists are joined by commas.
type Parameter struct {
	Key   string `json:"ParameterKey"`
	Value string `json:"ParameterValue"`
}

// Template is a stack ready to be created.
type Template struct {
	Body         string      // YAML, at most MaxBody bytes
	Parameters   []Parameter // exactly those that Body declares, in its order
	Capabilities []string    // to acknowledge; empty when no IAM resource is made
}
