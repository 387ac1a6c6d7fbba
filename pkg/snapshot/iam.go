package snapshot

// InstanceProfile is what hands a role to instances.
type InstanceProfile struct {
	ARN  string `json:"arn,omitempty"` // "" for one that is missing
	Name string `json:"name"`
	// RoleARNs holds at most one role: IAM allows no more.
	RoleARNs []string `json:"roleARNs,omitempty"`
	// Missing means that it was asked for and does not exist.
	Missing bool `json:"missing,omitempty"`
}

// RolePolicies are the permissions of a role.
type RolePolicies struct {
	Attached []string `json:"attached,omitempty"` // ARNs of managed policies
	Inline   []Policy `json:"inline,omitempty"`
	// Boundary is the ARN of the permissions boundary, if there is one.
	Boundary string `json:"boundary,omitempty"`
}

// Policy is an IAM policy document.
type Policy struct {
	Name     string `json:"name"`
	Document string `json:"document"` // JSON
}

// Binding is a ClusterRoleBinding.
type Binding struct {
	Name     string   `json:"name"`
	Role     string   `json:"role"`               // the ClusterRole's name
	Subjects []string `json:"subjects,omitempty"` // Group/system:nodes, User/…, ServiceAccount/NAMESPACE/NAME
}
