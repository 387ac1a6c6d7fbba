package snapshot

import "time"

// System is what runs in the cluster for the nodes' sake.
type System struct {
	DaemonSets []DaemonSet `json:"daemonSets,omitempty"` // SectionDaemonSets: of all namespaces
	Pods       []Pod       `json:"pods,omitempty"`       // SectionSystemPods: of kube-system
	Events     []Event     `json:"events,omitempty"`     // SectionEvents: about nodes, and warnings in kube-system
	Leases     []Lease     `json:"leases,omitempty"`     // SectionLeases: of kube-node-lease
	CSRs       []CSR       `json:"csrs,omitempty"`       // SectionCSRs
	Webhooks   []Webhook   `json:"webhooks,omitempty"`   // SectionWebhooks
}

// DaemonSet is a DaemonSet, as far as nodes depend on it.
type DaemonSet struct {
	Namespace string            `json:"namespace"`
	Name      string            `json:"name"`
	Image     string            `json:"image,omitempty"` // of the first container
	Desired   int               `json:"desired"`
	Ready     int               `json:"ready"`
	Selector  map[string]string `json:"selector,omitempty"` // nodeSelector of its pods
}

// Pod is a pod of a DaemonSet or Deployment in kube-system.
type Pod struct {
	Namespace  string         `json:"namespace"`
	Name       string         `json:"name"`
	Owner      string         `json:"owner,omitempty"` // DaemonSet/aws-node
	Node       string         `json:"node,omitempty"`  // spec.nodeName; for one that waits, the node its DaemonSet wants
	Phase      string         `json:"phase"`
	Ready      bool           `json:"ready"`
	Reason     string         `json:"reason,omitempty"`
	Containers []PodContainer `json:"containers,omitempty"` // init containers first
	// How the pod comes by AWS credentials of its own: RoleARN by its service
	// account's role, PodIdentity by EKS Pod Identity.
	RoleARN     string `json:"roleARN,omitempty"`
	PodIdentity bool   `json:"podIdentity,omitempty"`
}

// PodContainer is a container's state.
type PodContainer struct {
	Name     string `json:"name"`
	Ready    bool   `json:"ready"`
	Restarts int    `json:"restarts,omitempty"`
	Waiting  string `json:"waiting,omitempty"` // CrashLoopBackOff, ImagePullBackOff …
	Message  string `json:"message,omitempty"` // of the waiting or the last ended state
	ExitCode int    `json:"exitCode,omitempty"`
}

// Event is a Kubernetes event.
type Event struct {
	Kind    string    `json:"kind"` // of the object: Node, DaemonSet …
	Object  string    `json:"object"`
	Type    string    `json:"type"` // Normal, Warning
	Reason  string    `json:"reason"`
	Message string    `json:"message"`
	Count   int       `json:"count,omitempty"`
	Last    time.Time `json:"last,omitzero"`
}

// Lease is a node's heartbeat.
type Lease struct {
	Node    string    `json:"node"`
	Renewed time.Time `json:"renewed,omitzero"`
}

// CSR is a request for a certificate.
type CSR struct {
	Name      string    `json:"name"`
	Signer    string    `json:"signer"`
	Requestor string    `json:"requestor"` // system:node:NAME
	State     string    `json:"state"`     // Pending, Approved, Denied, Failed
	CreatedAt time.Time `json:"createdAt"`
}

// Webhook is an admission webhook that can refuse pods.
type Webhook struct {
	Config     string `json:"config"` // name of the configuration object
	Name       string `json:"name"`
	Mutating   bool   `json:"mutating,omitempty"`
	FailClosed bool   `json:"failClosed"`        // failurePolicy Fail
	Service    string `json:"service,omitempty"` // namespace/name
}

// DaemonSet returns the DaemonSet with the name in the namespace, or nil.
func (s *System) DaemonSet(namespace, name string) *DaemonSet {
	for i := range s.DaemonSets {
		if s.DaemonSets[i].Namespace == namespace && s.DaemonSets[i].Name == name {
			return &s.DaemonSets[i]
		}
	}
	return nil
}

// Lease returns the lease of the node, or nil.
func (s *System) Lease(node string) *Lease {
	for i := range s.Leases {
		if s.Leases[i].Node == node {
			return &s.Leases[i]
		}
	}
	return nil
}
