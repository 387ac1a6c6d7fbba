package snapshot

import (
	"strings"
	"time"
)

// Node is one machine, seen from three sides. Each side is nil when that side
// does not know the machine; whether it could not be asked is in Gaps.
type Node struct {
	InstanceID string `json:"instanceID"`
	Group      string `json:"group,omitempty"` // Group.Name
	// Warm says that the machine is in the warm pool of its group: no member of
	// it, and not to join the cluster yet.
	Warm    bool      `json:"warm,omitempty"`
	Cloud   *Instance `json:"cloud,omitempty"`
	Kube    *KubeNode `json:"kube,omitempty"`
	Console *Console  `json:"console,omitempty"`
	// UserData is what the machine itself was started with, decoded; "" when
	// it was not read, SectionUserData. It is never printed whole.
	UserData string `json:"userData,omitempty"`
	// Status is nil when EC2 has none: the instance does not run.
	Status *InstanceStatus `json:"status,omitempty"` // SectionInstanceStatus
	// Logs are the known lines of its console and, where somebody collected
	// them, of its journals; SectionConsole.
	Logs []Seen `json:"logs,omitempty"`
	// Host is what the machine says of itself, nil when no report of it came
	// home; SectionHost.
	Host *Host `json:"host,omitempty"`
}

// Instance is EC2's view of a machine.
type Instance struct {
	State            string            `json:"state"` // pending, running, shutting-down, terminated, stopping, stopped
	StateReason      string            `json:"stateReason,omitempty"`
	Type             string            `json:"type"`
	ImageID          string            `json:"imageID"`
	Zone             string            `json:"zone"`
	SubnetID         string            `json:"subnetID"`
	VPCID            string            `json:"vpcID"`
	PrivateIP        string            `json:"privateIP,omitempty"`
	PublicIP         string            `json:"publicIP,omitempty"`
	PrivateDNSName   string            `json:"privateDNSName,omitempty"`
	InstanceProfile  string            `json:"instanceProfile,omitempty"` // ARN
	SecurityGroupIDs []string          `json:"securityGroupIDs,omitempty"`
	KeyName          string            `json:"keyName,omitempty"`
	LaunchedAt       time.Time         `json:"launchedAt"`
	HTTPTokens       string            `json:"httpTokens,omitempty"`
	HopLimit         int               `json:"hopLimit,omitempty"`
	HTTPEndpoint     string            `json:"httpEndpoint,omitempty"` // enabled, disabled
	Tags             map[string]string `json:"tags,omitempty"`
	Interfaces       int               `json:"interfaces,omitempty"` // network interfaces attached
	// Lifecycle and health as the Auto Scaling group sees them: Pending,
	// InService, Pending:Wait …; Healthy, Unhealthy.
	Lifecycle string `json:"lifecycle,omitempty"`
	Health    string `json:"health,omitempty"`
}

// KubeNode is the Node object.
type KubeNode struct {
	Name           string            `json:"name"`
	ProviderID     string            `json:"providerID"`
	CreatedAt      time.Time         `json:"createdAt"`
	KubeletVersion string            `json:"kubeletVersion,omitempty"`
	OSImage        string            `json:"osImage,omitempty"`
	Unschedulable  bool              `json:"unschedulable,omitempty"`
	Labels         map[string]string `json:"labels,omitempty"`
	Taints         []Taint           `json:"taints,omitempty"`
	Conditions     []Condition       `json:"conditions,omitempty"`
	InternalIPs    []string          `json:"internalIPs,omitempty"`
	Runtime        string            `json:"runtime,omitempty"` // containerd://2.1.4
	// Annotations are those of the VPC CNI: k8s.amazonaws.com/…
	Annotations map[string]string `json:"annotations,omitempty"`
	// Allocatable counts pods, and devices such as nvidia.com/gpu.
	Allocatable map[string]int64 `json:"allocatable,omitempty"`
}

// Ready reports whether the Ready condition is True.
func (n *KubeNode) Ready() bool {
	for _, c := range n.Conditions {
		if c.Type == "Ready" {
			return c.Status == "True"
		}
	}
	return false
}

// The taints that the control plane itself puts on a node and takes off again.
const (
	// TaintUninitialized is set by the kubelet and taken off by the cloud
	// controller when it has found the instance
	// (k8s.io/cloud-provider/api, TaintExternalCloudProvider).
	TaintUninitialized = "node.cloudprovider.kubernetes.io/uninitialized"
	// TaintNotReady is taken off by the node lifecycle controller, a moment
	// after the Ready condition turned True.
	TaintNotReady = "node.kubernetes.io/not-ready"
)

// HeldBy returns the taint by which the control plane still keeps pods off
// the node, "" when it does not. Taints that users set do not count.
func (n *KubeNode) HeldBy() string {
	for _, taint := range n.Taints {
		if taint.Key == TaintUninitialized || taint.Key == TaintNotReady {
			return taint.Key
		}
	}
	return ""
}

// Condition is a condition of a Node.
type Condition struct {
	Type    string    `json:"type"`
	Status  string    `json:"status"` // True, False, Unknown
	Reason  string    `json:"reason,omitempty"`
	Message string    `json:"message,omitempty"`
	Since   time.Time `json:"since,omitzero"` // lastTransitionTime
}

// Taint is a taint of a Node.
type Taint struct {
	Key    string    `json:"key"`
	Value  string    `json:"value,omitempty"`
	Effect string    `json:"effect"`
	Since  time.Time `json:"since,omitzero"`
}

// Console is what the serial console holds.
type Console struct {
	Text string    `json:"text"` // at most 64 KiB, control characters and credentials removed
	At   time.Time `json:"at,omitzero"`
}

// InstanceIDFromProviderID takes "aws:///us-west-2a/i-0123456789abcdef0" apart.
// It returns "" for anything that is not EC2's form.
func InstanceIDFromProviderID(providerID string) string {
	rest, ok := strings.CutPrefix(providerID, "aws://")
	if !ok {
		return ""
	}
	id := rest[strings.LastIndexByte(rest, '/')+1:]
	if !strings.HasPrefix(id, "i-") {
		return ""
	}
	return id
}
