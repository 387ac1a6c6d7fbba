package snapshot

import "time"

// AuthMode is EKS's accessConfig.authenticationMode: which of aws-auth and
// access entries the cluster's authenticator reads.
type AuthMode string

// The authentication modes of EKS, in the only order a cluster can move.
const (
	AuthConfigMap       AuthMode = "CONFIG_MAP"
	AuthAPIAndConfigMap AuthMode = "API_AND_CONFIG_MAP"
	AuthAPI             AuthMode = "API"
)

// ReadsAwsAuth reports whether the mode reads kube-system/aws-auth at all.
func (m AuthMode) ReadsAwsAuth() bool { return m != AuthAPI }

// ReadsEntries reports whether the mode reads access entries at all.
func (m AuthMode) ReadsEntries() bool { return m == AuthAPI || m == AuthAPIAndConfigMap }

// Cluster is DescribeCluster's answer, as far as joining nodes needs it.
type Cluster struct {
	Name            string   `json:"name"`
	ARN             string   `json:"arn"`
	Status          string   `json:"status"`  // ACTIVE, CREATING, UPDATING …
	Version         string   `json:"version"` // minor: "1.34"
	PlatformVersion string   `json:"platformVersion,omitempty"`
	Endpoint        string   `json:"endpoint"`
	CA              string   `json:"ca"` // PEM
	RoleARN         string   `json:"roleARN,omitempty"`
	AuthMode        AuthMode `json:"authMode"`
	IPFamily        string   `json:"ipFamily"`              // ipv4 or ipv6
	ServiceCIDR     string   `json:"serviceCIDR,omitempty"` // of the cluster's IP family

	VPCID             string            `json:"vpcID"`
	SubnetIDs         []string          `json:"subnetIDs,omitempty"`
	SecurityGroupIDs  []string          `json:"securityGroupIDs,omitempty"` // additional ones on the control plane's interfaces
	ClusterSGID       string            `json:"clusterSGID,omitempty"`      // made by EKS, allows all to itself
	EndpointPublic    bool              `json:"endpointPublic"`
	EndpointPrivate   bool              `json:"endpointPrivate"`
	PublicAccessCIDRs []string          `json:"publicAccessCIDRs,omitempty"`
	OIDCIssuer        string            `json:"oidcIssuer,omitempty"` // URL that service accounts' tokens are issued by
	CreatedAt         time.Time         `json:"createdAt,omitzero"`
	Tags              map[string]string `json:"tags,omitempty"`
	HealthIssues      []HealthIssue     `json:"healthIssues,omitempty"`
	// DeletionProtection keeps EKS from deleting it.
	DeletionProtection bool `json:"deletionProtection,omitempty"`
}

// HealthIssue is what EKS itself finds wrong with a cluster.
type HealthIssue struct {
	Code      string   `json:"code"` // SUBNET_NOT_FOUND, ASSUME_ROLE_ACCESS_DENIED …
	Message   string   `json:"message,omitempty"`
	Resources []string `json:"resources,omitempty"`
}

// Access is who may come in: both lists, whatever the mode reads.
type Access struct {
	Entries []AccessEntry `json:"entries,omitempty"` // SectionAccessEntries
	AwsAuth *AwsAuth      `json:"awsAuth,omitempty"` // SectionAwsAuth; nil with no gap: there is no such ConfigMap
}

// AccessEntry is an EKS access entry.
type AccessEntry struct {
	PrincipalARN string   `json:"principalARN"` // with the role's path
	Type         string   `json:"type"`         // STANDARD, EC2_LINUX, EC2_WINDOWS, FARGATE_LINUX, EC2 …
	Username     string   `json:"username,omitempty"`
	Groups       []string `json:"groups,omitempty"`
	// Policies are names of access policies associated with it, for the whole
	// cluster or NAME (NAMESPACES); only who asks for them reads them.
	Policies  []string  `json:"policies,omitempty"`
	CreatedAt time.Time `json:"createdAt,omitzero"`
}

// AwsAuth is the ConfigMap kube-system/aws-auth, unparsed: the texts are the
// evidence, package authmap reads them as the authenticator would.
type AwsAuth struct {
	Data            map[string]string `json:"data"` // mapRoles, mapUsers, mapAccounts, others
	ResourceVersion string            `json:"resourceVersion,omitempty"`
}

// Role is an IAM role that nodes use.
type Role struct {
	ARN              string    `json:"arn"` // with path
	Name             string    `json:"name"`
	UniqueID         string    `json:"uniqueID,omitempty"` // AROA…
	CreatedAt        time.Time `json:"createdAt,omitzero"`
	TrustPolicy      string    `json:"trustPolicy,omitempty"`      // JSON
	AttachedPolicies []string  `json:"attachedPolicies,omitempty"` // ARNs
	InstanceProfiles []string  `json:"instanceProfiles,omitempty"` // ARNs of profiles holding it
	// Policies is nil when they were not read, SectionRolePolicies.
	Policies *RolePolicies `json:"policies,omitempty"`
	// Missing means that it was asked for and does not exist.
	Missing bool `json:"missing,omitempty"`
}

// Kube is what the cluster's own API says, apart from nodes.
type Kube struct {
	ServerVersion string `json:"serverVersion,omitempty"` // "v1.34.4", SectionKubeVersion
	// CNIPolicyOnNode is true when the VPC CNI has no IAM role of its own,
	// so that the node role must carry AmazonEKS_CNI_Policy. Nil: not known.
	CNIPolicyOnNode *bool  `json:"cniPolicyOnNode,omitempty"` // SectionCNI
	CNIVersion      string `json:"cniVersion,omitempty"`
	// CNIInitVersion is the version of the VPC CNI's init container, which
	// its manifest keeps the same as CNIVersion. SectionCNI.
	CNIInitVersion string `json:"cniInitVersion,omitempty"`
	// CNIRoleARN is the role that the VPC CNI's service account is annotated
	// with; "" for none. SectionCNI.
	CNIRoleARN string `json:"cniRoleARN,omitempty"`
	// CNISettings are those environment variables of the VPC CNI that rules
	// know, SectionCNI.
	CNISettings map[string]string `json:"cniSettings,omitempty"`
	ENIConfigs  []ENIConfig       `json:"eniConfigs,omitempty"` // SectionENIConfigs
	System      System            `json:"system,omitzero"`
	// Bindings are those cluster role bindings that nodes live on,
	// SectionBindings.
	Bindings []Binding `json:"bindings,omitempty"`
}

// ENIConfig says where the VPC CNI takes pods' addresses from with custom
// networking on.
type ENIConfig struct {
	Name             string   `json:"name"` // of a zone, or what nodes are labelled with
	SubnetID         string   `json:"subnetID"`
	SecurityGroupIDs []string `json:"securityGroupIDs,omitempty"`
}
