package snapshot

// Interface is a network interface that a security group is on.
type Interface struct {
	ID          string `json:"id"`
	Status      string `json:"status"` // available: attached to nothing; in-use …
	Description string `json:"description,omitempty"`
	// InstanceID is what it is attached to, or was made for.
	InstanceID string `json:"instanceID,omitempty"`
	FromCNI    bool   `json:"fromCNI,omitempty"` // the VPC CNI made it
	// Leaked means that the VPC CNI left it behind: detached, its instance gone.
	Leaked bool `json:"leaked,omitempty"`
}

// ForeignRule is a rule of another security group.
type ForeignRule struct {
	GroupID   string `json:"groupID"`
	GroupName string `json:"groupName,omitempty"`
	Egress    bool   `json:"egress,omitempty"`
	Rule      Rule   `json:"rule"`
}
