package snapshot

import "time"

// Group is a self-managed node group: an Auto Scaling group whose instances
// carry the cluster's tag, whichever tool made it.
type Group struct {
	Name    string `json:"name"`    // the tool's name for it: eksnodes' NAME, eksctl's node group, else the Auto Scaling group's
	Cluster string `json:"cluster"` // cluster it belongs to
	Tool    string `json:"tool"`    // eksnodes, eksctl, terraform, cloudformation, other
	// Proposed is true for a group that does not exist yet: a plan that is
	// judged before anything is made.
	Proposed bool `json:"proposed,omitempty"`

	ASGName string            `json:"asgName,omitempty"`
	ASGARN  string            `json:"asgARN,omitempty"`
	Min     int               `json:"min"`
	Max     int               `json:"max"`
	Desired int               `json:"desired"`
	Zones   []string          `json:"zones,omitempty"`
	Subnets []string          `json:"subnets,omitempty"`
	Tags    map[string]string `json:"tags,omitempty"`
	// InstanceTags are the tags that instances get at launch.
	InstanceTags map[string]string `json:"instanceTags,omitempty"`
	Suspended    []string          `json:"suspended,omitempty"` // Launch, Terminate …
	CreatedAt    time.Time         `json:"createdAt,omitzero"`
	InstanceIDs  []string          `json:"instanceIDs,omitempty"`
	Members      []Member          `json:"members,omitempty"` // InstanceIDs with their states
	HealthCheck  string            `json:"healthCheck,omitempty"`
	HealthGrace  time.Duration     `json:"healthGrace,omitempty"` // before the health check counts
	WarmPool     *WarmPool         `json:"warmPool,omitempty"`    // nil: it has none

	Launch     Launch     `json:"launch"`
	Stack      *Stack     `json:"stack,omitempty"`
	Activities []Activity `json:"activities,omitempty"` // newest first, SectionActivities
}

// WarmPool holds machines that are ready for a group, and no members of it.
type WarmPool struct {
	State string `json:"state"` // stopped, running, hibernated
	Size  int    `json:"size"`  // machines that are in it now
	Min   int    `json:"min"`   // machines that are kept at least
	// Prepared bounds the machines of group and pool together; 0: the group's
	// largest size does.
	Prepared int    `json:"prepared,omitempty"`
	Status   string `json:"status,omitempty"` // PendingDelete while it is taken away
}

// Member is an instance as its Auto Scaling group sees it.
type Member struct {
	InstanceID string `json:"instanceID"`
	Lifecycle  string `json:"lifecycle"` // Pending, Pending:Wait, InService, Terminating:Wait …
	Health     string `json:"health,omitempty"`
	Protected  bool   `json:"protected,omitempty"` // from scale-in
	// Template is the version of the group's launch template that it was
	// started from; 0 when it was started from something else.
	Template int `json:"template,omitempty"`
}

// TemplateVersion is one version of a launch template.
type TemplateVersion struct {
	Number int    `json:"number"`
	Launch Launch `json:"launch"`
	// Digest is the same for versions that machines are started from alike.
	Digest string `json:"digest"`
	// Rest is a digest of all but image, type, size and type of the first
	// volume: what a stack's parameters set.
	Rest string `json:"rest"`
}

// Launch is what an instance of the group will be started from.
type Launch struct {
	TemplateID       string   `json:"templateID,omitempty"`
	TemplateName     string   `json:"templateName,omitempty"`
	TemplateVersion  string   `json:"templateVersion,omitempty"` // as the group names it: 3, $Latest …
	TemplateNumber   int      `json:"templateNumber,omitempty"`  // the version that that is now
	ImageID          string   `json:"imageID,omitempty"`
	InstanceTypes    []string `json:"instanceTypes,omitempty"`
	KeyName          string   `json:"keyName,omitempty"`
	SecurityGroupIDs []string `json:"securityGroupIDs,omitempty"`
	InstanceProfile  string   `json:"instanceProfile,omitempty"` // name or ARN
	RoleARN          string   `json:"roleARN,omitempty"`
	PublicIP         *bool    `json:"publicIP,omitempty"`   // nil: the subnet decides
	HTTPTokens       string   `json:"httpTokens,omitempty"` // required, optional
	HopLimit         int      `json:"hopLimit,omitempty"`
	VolumeSizeGiB    int      `json:"volumeSizeGiB,omitempty"`
	VolumeType       string   `json:"volumeType,omitempty"`
	Volumes          []Volume `json:"volumes,omitempty"`  // by device, as the template has them
	UserData         string   `json:"userData,omitempty"` // decoded
}

// Volume is an EBS volume that a launch template asks for.
type Volume struct {
	Device  string `json:"device"` // /dev/xvda
	SizeGiB int    `json:"sizeGiB,omitempty"`
}

// Stack is the CloudFormation stack behind a group.
type Stack struct {
	Name                  string            `json:"name"`
	ID                    string            `json:"id"`
	Status                string            `json:"status"` // CREATE_COMPLETE, ROLLBACK_COMPLETE …
	Reason                string            `json:"reason,omitempty"`
	Outputs               map[string]string `json:"outputs,omitempty"`
	Parameters            map[string]string `json:"parameters,omitempty"`
	Tags                  map[string]string `json:"tags,omitempty"`
	CreatedAt             time.Time         `json:"createdAt,omitzero"`
	TerminationProtection bool              `json:"terminationProtection,omitempty"`
	Root                  string            `json:"root,omitempty"` // id of the stack that it is nested in, at the top
	// Failures are what could not be made, oldest first; read only for a
	// stack whose status says that something failed.
	Failures []StackFailure `json:"failures,omitempty"`
}

// StackFailure is a resource of a stack that CloudFormation could not make.
type StackFailure struct {
	Resource string    `json:"resource"` // logical id
	Type     string    `json:"type"`     // AWS::EKS::AccessEntry …
	Reason   string    `json:"reason"`
	At       time.Time `json:"at,omitzero"`
}

// Activity is a scaling activity of an Auto Scaling group.
type Activity struct {
	ID          string    `json:"id"`
	Description string    `json:"description"`
	Cause       string    `json:"cause,omitempty"`
	Status      string    `json:"status"` // Successful, Failed, InProgress, Cancelled …
	Message     string    `json:"message,omitempty"`
	StartedAt   time.Time `json:"startedAt"`
	EndedAt     time.Time `json:"endedAt,omitzero"`
}
