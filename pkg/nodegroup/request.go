package nodegroup

import (
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/groupconfig"
	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

// Request is what the user asked `add` for: every flag, parsed and typed.
// The zero value of a field means that the user left the choice to us.
type Request struct {
	Name string // of the node group

	Size         Size
	InstanceType string // the preferred one
	Mixed        Mixed
	Family       Family
	ImageID      string // ami-…; empty: the newest of the family for the cluster's version

	Volume       Volume
	ExtraVolumes []ExtraVolume
	Subnets      SubnetChoice
	Access       SSHKey
	Identity     Identity
	Network      Network
	Kubelet      Kubelet
	Boot         Boot
	Stack        StackOptions

	// Tags are put on everything the stack makes.
	Tags map[string]string
	// AutoscalerTags adds the tags by which the cluster autoscaler finds the
	// group and learns its labels and taints at zero nodes.
	AutoscalerTags bool
	// WarmPool keeps machines ready beside the group.
	WarmPool WarmPool
	// LifecycleHooks hold machines that come or go.
	LifecycleHooks []LifecycleHook
	// GroupMetrics makes the Auto Scaling group tell its numbers to CloudWatch.
	GroupMetrics bool
	// Timeout bounds the wait for the nodes, not the stack's creation.
	Timeout time.Duration
	NoWait  bool

	// Config is the request as a file, which the stack keeps for `describe`;
	// nil keeps none. Before is what an upgrade goes away from, and a rollback
	// back to.
	Config, Before *groupconfig.Config
}

// Size is the number of nodes; nil leaves the choice to [Request.Sizes].
type Size struct {
	Min, Max, Desired *int
}

// Mixed makes a group take machines of several kinds; the zero value takes
// the one instance type on demand.
type Mixed struct {
	Types        []string // more types, in the order in which they are preferred
	Spot         bool
	OnDemandBase int // so many machines on demand before the first Spot instance
}

// InstanceTypes are all types that the group may take, the preferred one first.
func (r *Request) InstanceTypes() []string { return append([]string{r.InstanceType}, r.Mixed.Types...) }

// Family is an operating system with its own kind of user data.
type Family string

// The families.
const (
	FamilyAL2023       Family = "al2023"       // NodeConfig in MIME, read by nodeadm
	FamilyBottlerocket Family = "bottlerocket" // TOML settings
	FamilyCustom       Family = "custom"       // an AMI of one's own that runs nodeadm
)

// Families lists the families in the order help shows them.
func Families() []Family { return []Family{FamilyAL2023, FamilyBottlerocket, FamilyCustom} }

// Volume is the root volume (the data volume of Bottlerocket).
type Volume struct {
	SizeGiB    int
	Type       string // gp3, io2 …
	IOPS       int
	Throughput int  // MiB/s, gp3 only
	Encrypted  bool // with KMSKeyID or the account's default key
	KMSKeyID   string
}

// SubnetChoice says which subnets nodes are put into.
type SubnetChoice struct {
	IDs []string
	// Tags picks among the subnets of the cluster's VPC; every tag must match,
	// an empty value matches any.
	Tags      map[string]string
	Placement Placement
	// Anew chooses among all where nothing is named, whatever an existing stack
	// has.
	Anew bool
}

// Placement says which kind of subnet is wanted.
type Placement string

// The placements.
const (
	PlaceAuto    Placement = ""        // private subnets if the choice has any, else public ones
	PlacePrivate Placement = "private" // only subnets without a route to an internet gateway
	PlacePublic  Placement = "public"  // only subnets with one; nodes get public addresses
)

// SSHKey says how a key pair comes to the nodes; the zero value means none.
type SSHKey struct {
	Name       string // an existing key pair
	PublicKey  string // an authorized_keys line to import
	CreateFile string // PublicKey is of a new key, whose private half goes into this new file
}

// Identity is the role that nodes act as.
type Identity struct {
	Role                string // name or ARN of an existing role
	InstanceProfile     string // name or ARN of an existing instance profile
	PermissionsBoundary string // ARN of a policy, for a role that the stack makes
}

// Network is how nodes are attached to the VPC.
type Network struct {
	SecurityGroups []string // beside the cluster's or the group's own
	// SSHFrom are the address ranges that may reach port 22.
	SSHFrom []string
	// Isolated gives the group a security group of its own in place of the
	// cluster's.
	Isolated bool
	HopLimit int // of IMDS answers: 1 keeps pods away from it
}

// Kubelet is what the kubelet is told at registration.
type Kubelet struct {
	Labels  map[string]string
	Taints  []userdata.Taint
	MaxPods int
	Config  map[string]any // fields of a KubeletConfiguration, merged into ours
}

// Boot is what a node does besides joining.
type Boot struct {
	UserData    []byte // a NodeConfig, script or MIME document of the user's, merged before ours
	Before      []string
	After       []string
	NoBeacon    bool
	BeaconDelay time.Duration
}

// StackOptions are CloudFormation's side of a request.
type StackOptions struct {
	Template  string // builtin, aws, a file or a URL
	RoleARN   string // service role that CloudFormation acts as
	OnFailure string // ROLLBACK, DO_NOTHING or DELETE
}
