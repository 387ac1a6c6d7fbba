package snapshot

import "time"

// HostIMDS is instance metadata, asked by version 2 only.
type HostIMDS struct {
	// Reachable: something answered at all. TokenStatus is the HTTP status of
	// the request for a session token: 200, or 403 where metadata is off;
	// DataStatus that of a request with the token.
	Reachable   bool         `json:"reachable"`
	TokenStatus int          `json:"tokenStatus,omitempty"`
	DataStatus  int          `json:"dataStatus,omitempty"`
	Failure     *HostFailure `json:"failure,omitempty"`

	Region       string `json:"region,omitempty"`
	Zone         string `json:"zone,omitempty"`
	AccountID    string `json:"accountID,omitempty"`
	InstanceID   string `json:"instanceID,omitempty"`
	InstanceType string `json:"instanceType,omitempty"`
	ImageID      string `json:"imageID,omitempty"`
	PrivateDNS   string `json:"privateDNS,omitempty"` // meta-data/local-hostname
	PrivateIP    string `json:"privateIP,omitempty"`

	// InfoCode is the Code of iam/info: Success, or why there is no role.
	InfoCode   string `json:"infoCode,omitempty"`
	ProfileARN string `json:"profileARN,omitempty"`
	// HasProfile is false when iam/ is not there: the instance has no profile.
	HasProfile         *bool     `json:"hasProfile,omitempty"`
	RoleName           string    `json:"roleName,omitempty"`
	CredentialsCode    string    `json:"credentialsCode,omitempty"` // Success, AssumeRoleUnauthorizedAccess …
	CredentialsExpires time.Time `json:"credentialsExpires,omitzero"`
}

// HostHopLimit is how far instance metadata's session tokens travel, as packets
// say that came to the machine.
type HostHopLimit struct {
	// Hops is the smallest IP time to live of an answer's packets: 1 ends at
	// the machine, and pods with a network of their own are one hop behind it.
	Hops int `json:"hops"`
}

// HostIdentity is sts:GetCallerIdentity by the machine's own credentials.
type HostIdentity struct {
	ARN          string       `json:"arn,omitempty"`
	CanonicalARN string       `json:"canonicalARN,omitempty"` // as the authenticator maps it: arn:…:role/NAME
	AccountID    string       `json:"accountID,omitempty"`
	UserID       string       `json:"userID,omitempty"`  // AROA…:SESSION
	Session      string       `json:"session,omitempty"` // a machine's instance id
	Endpoint     string       `json:"endpoint,omitempty"`
	Failure      *HostFailure `json:"failure,omitempty"`
}

// HostToken is the token that the machine would show to the cluster, made by
// the agent in memory and described; it is nowhere kept.
type HostToken struct {
	Claims TokenClaims `json:"claims"`
	// Rules are the authenticator's, in its order, up to the first broken one.
	Rules []TokenRule `json:"rules,omitempty"`
	// Accepted: all rules hold and STS took the token. Nil: STS was not asked
	// or did not answer.
	Accepted *bool        `json:"accepted,omitempty"`
	ARN      string       `json:"arn,omitempty"` // whom STS takes its bearer for
	Failure  *HostFailure `json:"failure,omitempty"`
}

// TokenClaims are what a token says, without what makes it one.
type TokenClaims struct {
	Host          string    `json:"host,omitempty"`   // of the STS endpoint
	Region        string    `json:"region,omitempty"` // of its signature
	Cluster       string    `json:"cluster,omitempty"`
	ClusterSigned bool      `json:"clusterSigned"` // x-k8s-aws-id is signed
	SignedAt      time.Time `json:"signedAt,omitzero"`
	ExpiresIn     int       `json:"expiresIn,omitempty"` // seconds, X-Amz-Expires
	KeyEnd        string    `json:"keyEnd,omitempty"`    // last four characters of the access key id
	Temporary     bool      `json:"temporary"`           // of a session: with X-Amz-Security-Token
	Length        int       `json:"length"`              // bytes of the token
}

// TokenRule is one of the authenticator's rules for tokens.
type TokenRule struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
}

// HostKubeconfig is the file that the kubelet reaches the cluster with.
type HostKubeconfig struct {
	Path   string `json:"path"`
	Server string `json:"server,omitempty"`
	CAFile string `json:"caFile,omitempty"` // "" when it is inline
	// CA are the sha256 sums of the certificates it trusts, hexadecimal.
	CA []string `json:"ca,omitempty"`
	// Auth is how it authenticates: exec, client-certificate, token, none.
	Auth    string    `json:"auth,omitempty"`
	Exec    *HostExec `json:"exec,omitempty"`
	Invalid string    `json:"invalid,omitempty"` // why it cannot be used
}

// HostExec is the program that makes the kubelet's tokens.
type HostExec struct {
	Command    string `json:"command"`
	APIVersion string `json:"apiVersion,omitempty"`
	Found      *bool  `json:"found,omitempty"` // nil: not looked for
	Path       string `json:"path,omitempty"`
	Cluster    string `json:"cluster,omitempty"` // that it signs for
	Region     string `json:"region,omitempty"`
	RoleARN    string `json:"roleARN,omitempty"`
}

// HostExecRun is one run of that program, its output thrown away but for what
// kind it is.
type HostExecRun struct {
	ExitCode   int    `json:"exitCode"`
	APIVersion string `json:"apiVersion,omitempty"` // of the answer
	Error      string `json:"error,omitempty"`      // last line of its stderr
	// Claims of the token that it made, if it made one.
	Claims *TokenClaims `json:"claims,omitempty"`
}

// HostAPI is the way from the machine to the API server.
type HostAPI struct {
	Host string `json:"host"`
	Port string `json:"port"`
	// Resolvers are asked one by one; System is what the machine's own lookup
	// (hosts file, resolvers) gives.
	Resolvers []HostResolver `json:"resolvers,omitempty"`
	System    HostLookup     `json:"system"`
	Dials     []HostDial     `json:"dials,omitempty"` // one for each address, at most four
	TLS       *HostTLS       `json:"tls,omitempty"`
	// Livez is the status of GET /livez without a token, zero: no answer.
	Livez   int          `json:"livez,omitempty"`
	Failure *HostFailure `json:"failure,omitempty"` // the first that broke
	Proxy   string       `json:"proxy,omitempty"`   // that the kubelet would take
}

// HostResolver is a name server of the machine.
type HostResolver struct {
	Server string `json:"server"`
	HostLookup
}

// HostLookup is one lookup of a name.
type HostLookup struct {
	Addresses []string     `json:"addresses,omitempty"`
	Failure   *HostFailure `json:"failure,omitempty"`
	TookMS    int64        `json:"tookMS"`
}

// HostDial is one TCP connection.
type HostDial struct {
	Address string       `json:"address"`
	Failure *HostFailure `json:"failure,omitempty"`
	TookMS  int64        `json:"tookMS"`
}

// HostTLS is what the server shows.
type HostTLS struct {
	Subject  string    `json:"subject,omitempty"`
	Issuer   string    `json:"issuer,omitempty"`
	NotAfter time.Time `json:"notAfter,omitzero"`
	SHA256   string    `json:"sha256,omitempty"`
	// Trusted: the certificate is good by the kubeconfig's authority. Nil: no
	// authority to compare with.
	Trusted *bool `json:"trusted,omitempty"`
	// NameMatches: it is one for the server's name.
	NameMatches *bool        `json:"nameMatches,omitempty"`
	Failure     *HostFailure `json:"failure,omitempty"`
	TookMS      int64        `json:"tookMS"`
}

// HostSelfReview is whom the cluster takes the machine for: a
// SelfSubjectReview with the agent's own token.
type HostSelfReview struct {
	Status   int                 `json:"status,omitempty"` // HTTP: 201, 401, 403; zero: no answer
	Username string              `json:"username,omitempty"`
	Groups   []string            `json:"groups,omitempty"`
	Extra    map[string][]string `json:"extra,omitempty"` // arn, canonicalArn, sessionName, principalId
	Failure  *HostFailure        `json:"failure,omitempty"`
}

// HostProxy are the proxy settings of the units and of the system.
type HostProxy struct {
	Units []HostProxyUnit `json:"units,omitempty"` // those that have any
	// Checked are the units whose environment was read.
	Checked []string `json:"checked,omitempty"`
}

// HostProxyUnit is one unit's proxy settings, without credentials.
type HostProxyUnit struct {
	Unit  string `json:"unit"`
	HTTP  string `json:"http,omitempty"`
	HTTPS string `json:"https,omitempty"`
	No    string `json:"no,omitempty"`
}

// HostClock is the machine's time.
type HostClock struct {
	Source string `json:"source,omitempty"` // chronyd, systemd-timesyncd, ntpd; "" none runs
	// Synchronized is the kernel's word (adjtimex, STA_UNSYNC).
	Synchronized *bool `json:"synchronized,omitempty"`
	// EstimatedErrorMS and MaxErrorMS are the kernel's.
	EstimatedErrorMS *int64 `json:"estimatedErrorMS,omitempty"`
	MaxErrorMS       *int64 `json:"maxErrorMS,omitempty"`
	// Chrony is chronyd's own tracking, nil when it was not asked.
	Chrony *HostChrony `json:"chrony,omitempty"`
	// Dates compares with the Date headers of servers, good to a second.
	Dates []HostDate `json:"dates,omitempty"`
}

// HostChrony is chronyd's tracking.
type HostChrony struct {
	Reference  string  `json:"reference,omitempty"` // address of the time source
	Stratum    int     `json:"stratum"`
	OffsetMS   float64 `json:"offsetMS"` // of the system clock: positive is fast
	LeapStatus string  `json:"leapStatus,omitempty"`
}

// HostDate is the difference to a server's clock.
type HostDate struct {
	Server   string `json:"server"`   // sts, api-server, imds
	OffsetMS int64  `json:"offsetMS"` // machine minus server: positive is fast
}
