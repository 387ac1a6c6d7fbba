package nodegroup

import (
	"context"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Stacks reads CloudFormation.
type Stacks interface {
	// Stack returns the stack with a name or an id, nil when there is none.
	// A deleted stack is found by its id only.
	Stack(ctx context.Context, nameOrID string) (*snapshot.Stack, error)
	// StackEvents returns the events after the one with the id (all for ""),
	// oldest first.
	StackEvents(ctx context.Context, nameOrID, after string) ([]StackEvent, error)
}

// StackWriter makes and deletes stacks.
type StackWriter interface {
	CreateStack(ctx context.Context, stack NewStack) (id string, err error)
	DeleteStack(ctx context.Context, id, serviceRoleARN string) error
}

// NewStack is what CreateStack is called with.
type NewStack struct {
	Name         string            `json:"name"`
	TemplateBody string            `json:"templateBody,omitempty"` // or TemplateURL
	TemplateURL  string            `json:"templateURL,omitempty"`
	Parameters   map[string]string `json:"parameters"`
	Capabilities []string          `json:"capabilities,omitempty"`
	Tags         map[string]string `json:"tags"`
	RoleARN      string            `json:"roleARN,omitempty"`
	OnFailure    string            `json:"onFailure"` // ROLLBACK, DO_NOTHING or DELETE
	Token        string            `json:"token"`     // client request token
}

// StackEvent is one event of one resource of a stack.
type StackEvent struct {
	ID           string
	Time         time.Time
	Resource     string // logical id; the stack's name for the stack itself
	ResourceType string // AWS::AutoScaling::AutoScalingGroup
	PhysicalID   string
	Status       string // CREATE_IN_PROGRESS …
	Reason       string
	Token        string // client request token of the operation that it is part of
}

// Groups reads an Auto Scaling group and its machines.
type Groups interface {
	// Group returns the Auto Scaling group with the name, nil when there is none.
	Group(ctx context.Context, name string) (*snapshot.Group, error)
	// Activities returns the scaling activities, newest first.
	Activities(ctx context.Context, name string) ([]snapshot.Activity, error)
	// Instances returns what EC2 says of the ids; unknown ids are left out.
	Instances(ctx context.Context, ids []string) (map[string]snapshot.Instance, error)
}

// NodeWatcher follows the cluster's Node objects.
type NodeWatcher interface {
	// WatchNodes calls changed with the full list at once and after every
	// change, until the context ends. A watch that closes is opened again;
	// an error means that nodes can no longer be read at all.
	WatchNodes(ctx context.Context, changed func([]snapshot.KubeNode)) error
}

// Entries reads and writes EKS access entries.
type Entries interface {
	// AccessEntry returns the entry of a principal, nil when there is none.
	AccessEntry(ctx context.Context, cluster, principalARN string) (*snapshot.AccessEntry, error)
	// CreateAccessEntry makes one; an entry that exists already is no error.
	CreateAccessEntry(ctx context.Context, cluster, principalARN, kind string, tags map[string]string) error
	DeleteAccessEntry(ctx context.Context, cluster, principalARN string) error
}

// AwsAuth edits the ConfigMap kube-system/aws-auth without losing anything
// of it.
type AwsAuth interface {
	// AddNodeRole maps a role to system:node with the groups nodes need.
	AddNodeRole(ctx context.Context, roleARN string) (MapChange, error)
	// RemoveNodeRole takes back exactly what AddNodeRole added.
	RemoveNodeRole(ctx context.Context, roleARN string) (MapChange, error)
}

// MapChange is what an edit of aws-auth did.
type MapChange struct {
	Changed bool
	Action  string   // added, merged, removed, trimmed or none
	Diff    string   // unified, empty when nothing changed
	Backup  string   // file that holds the map as it was before
	Notes   []string // what else was seen in the map
}

// Keys imports public keys into EC2.
type Keys interface {
	// ImportKeyPair makes a key pair of a public key (authorized_keys form).
	ImportKeyPair(ctx context.Context, name, publicKey string, tags map[string]string) error
}

// Progress is told what happens while it happens. Implementations must be
// quick and safe to call from one goroutine at a time.
type Progress interface {
	Report(Step)
}

// Step is one line of progress.
type Step struct {
	Topic   string // stack, mapping, node, wait, note …
	Subject string // a resource, an instance id, a role
	State   string // CREATE_COMPLETE, Ready, created …
	Detail  string
	Bad     bool // it failed
}
