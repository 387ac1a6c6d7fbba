// Package eks plays the control-plane API of Amazon EKS for clusters that the
// sandbox has seeded: clusters, access entries with their documented rules, the
// authentication mode and the read calls that tools make beside them.
package eks

import (
	"time"
)

// Authentication modes of a cluster. Changes go in this order only.
const (
	ModeConfigMap       = "CONFIG_MAP"
	ModeAPIAndConfigMap = "API_AND_CONFIG_MAP"
	ModeAPI             = "API"
)

// Cluster is one EKS cluster as it is seeded. Status is always ACTIVE until
// DeleteCluster.
type Cluster struct {
	Name string `json:"name"`
	// Version is the Kubernetes minor version, "1.34"; PlatformVersion "eks.9".
	Version         string `json:"version"`
	PlatformVersion string `json:"platformVersion,omitempty"`
	// Endpoint is the https URL of the API server, CAPEM its certificate
	// authority in PEM.
	Endpoint string `json:"endpoint"`
	CAPEM    string `json:"caPEM"`
	RoleARN  string `json:"roleArn"`
	// OIDCIssuer is the issuer URL, empty for none.
	OIDCIssuer string `json:"oidcIssuer,omitempty"`

	VPCID                string   `json:"vpcId"`
	SubnetIDs            []string `json:"subnetIds"`
	SecurityGroupIDs     []string `json:"securityGroupIds,omitempty"`
	ClusterSecurityGroup string   `json:"clusterSecurityGroupId"`
	// PrivateAccess and PublicAccess are the endpoint's two switches. Both
	// false means the default: public only.
	PrivateAccess bool `json:"endpointPrivateAccess"`
	PublicAccess  bool `json:"endpointPublicAccess"`

	// ServiceIPv4CIDR is "10.100.0.0/16"; ServiceIPv6CIDR is set, with IPFamily
	// "ipv6", for IPv6 clusters only. IPFamily defaults to "ipv4".
	ServiceIPv4CIDR string `json:"serviceIpv4Cidr,omitempty"`
	ServiceIPv6CIDR string `json:"serviceIpv6Cidr,omitempty"`
	IPFamily        string `json:"ipFamily,omitempty"`

	// AuthenticationMode is one of the Mode constants; empty means CONFIG_MAP.
	AuthenticationMode string `json:"authenticationMode"`
	// Entries are access entries to make with the cluster. They obey the rules
	// of CreateAccessEntry, and their principals must exist in IAM.
	Entries []SeedEntry `json:"-"`

	Tags      map[string]string `json:"tags,omitempty"`
	CreatedAt time.Time         `json:"createdAt"`
}

// SeedEntry is an access entry made together with its cluster.
type SeedEntry struct {
	PrincipalARN, Type, Username string
	Groups                       []string
	// PolicyARNs are associated with cluster scope.
	PolicyARNs []string
}

// Access is what the authenticator of a cluster has to honour.
type Access struct {
	ClusterName        string
	AuthenticationMode string
	// Entries is empty in mode CONFIG_MAP: existing entries do not count there.
	Entries []AccessEntry
}

// UsesConfigMap reports whether the aws-auth ConfigMap counts.
func (a Access) UsesConfigMap() bool { return a.AuthenticationMode != ModeAPI }

// AccessEntry is one access entry as the authenticator needs it.
type AccessEntry struct {
	// PrincipalARN is the ARN as given, with its path; CanonicalARN the same
	// without the path, as STS identities show it.
	PrincipalARN, CanonicalARN string
	// PrincipalID is the unique id (AROA…, AIDA…) that the principal had when
	// the entry was made. A principal deleted and made again has another one
	// and must be refused.
	PrincipalID string
	// Type is STANDARD, EC2_LINUX, EC2_WINDOWS, EC2, FARGATE_LINUX, …
	Type string
	// Username is a template: {{EC2PrivateDNSName}} and {{SessionName}} are
	// replaced by the authenticator.
	Username string
	Groups   []string
	// Policies are the associated access policies.
	Policies []AccessPolicy
}

// AccessPolicy is an access policy associated with an entry.
type AccessPolicy struct {
	// ARN is "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy".
	ARN string
	// Namespaces is empty for cluster scope.
	Namespaces []string
}
