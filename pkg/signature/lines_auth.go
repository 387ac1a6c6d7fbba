package signature

// authLines are of authentication and authorisation: the kubelet's side, and
// the control plane's own logs.
func authLines() []Line {
	const (
		authenticator = "sigs.k8s.io/aws-iam-authenticator@v0.7.18 "
		kubernetes    = "k8s.io/kubernetes@v1.34.4 "
		clientgo      = "k8s.io/client-go@v0.34.4 "
	)
	return []Line{
		{
			ID: "kubelet-401", In: []string{Kubelet, Console},
			Find:    []string{`Unable to register node.*(?:Unauthorized|must be logged in|provide credentials)`, `Failed to ensure lease exists.*(?:Unauthorized|provide credentials)`, `CSINode publishing: Unauthorized`, `failed to list \*v1\.\w+: Unauthorized`},
			Source:  kubernetes + "pkg/kubelet/kubelet_node_status.go, pkg/volume/csi/csi_plugin.go; k8s.io/component-helpers@v0.34.4 apimachinery/lease/controller.go",
			Match:   []string{`E0101 00:00:09.000000    1234 kubelet_node_status.go:107] "Unable to register node with API server" err="Unauthorized" node="ip-10-0-1-5.us-west-2.compute.internal"`, `E0101 00:00:09.000000    1234 controller.go:145] "Failed to ensure lease exists, will retry" err="Unauthorized" interval="200ms"`, `Failed to contact API server when waiting for CSINode publishing: Unauthorized`, `"Failed to watch" err="failed to list *v1.Node: Unauthorized" type="*v1.Node"`},
			NoMatch: `"Unable to register node with API server" err="dial tcp 10.0.1.7:443: i/o timeout"`,
		},
		{
			ID: "not-allowed-to-modify-node", In: []string{Kubelet, Console, Audit},
			Find:    []string{`node \\*"(?P<auth>[^"\\]+)\\*" (?:is not allowed to|cannot) modify node \\*"(?P<reg>[^"\\]+)`, `node '(?P<auth>[^']+)' cannot read '(?P<reg>[^']+)', only its own Node object`},
			Source:  kubernetes + "plugin/pkg/admission/noderestriction/admission.go; plugin/pkg/auth/authorizer/node/node_authorizer.go, which a kubelet meets first",
			Match:   []string{`err="nodes \"custom\" is forbidden: node \"ip-10-0-1-5.ec2.internal\" is not allowed to modify node \"custom\""`, `"Unable to register node with API server, error getting existing node" err="nodes \"custom\" is forbidden: User \"system:node:ip-10-0-1-5.ec2.internal\" cannot get resource \"nodes\" in API group \"\" at the cluster scope: node 'ip-10-0-1-5.ec2.internal' cannot read 'custom', only its own Node object"`},
			NoMatch: `node "a" is not allowed to update fields other than status.quantity`,
		},
		{
			ID: "lease-wrong-name", In: []string{Kubelet, Console, Audit},
			Find:    []string{`can only access node lease with the same name as the requesting node`},
			Source:  kubernetes + "plugin/pkg/auth/authorizer/node/node_authorizer.go",
			Match:   []string{`leases.coordination.k8s.io "custom" is forbidden: User "system:node:a" cannot get resource "leases" in API group "coordination.k8s.io" in the namespace "kube-node-lease": can only access node lease with the same name as the requesting node`},
			NoMatch: "can only access objects of its own node",
		},
		{
			ID: "node-deny", In: []string{Audit},
			Find:    []string{`NODE DENY: '(?P<node>[^']+)'`, `NODE DENY: unknown node for user "(?P<user>[^"]+)"`},
			Source:  kubernetes + "plugin/pkg/auth/authorizer/node/node_authorizer.go",
			Match:   []string{`NODE DENY: 'ip-10-0-1-5.ec2.internal' &authorizer.AttributesRecord{}`, `NODE DENY: unknown node for user "arn:aws:iam::111122223333:role/nodes"`},
			NoMatch: "RBAC DENY: user \"a\"",
		},
		{
			ID: "forbidden-user", In: []string{Kubelet, Console},
			Find:    []string{`forbidden: User \\*"(?P<user>[^"\\]+)\\*" cannot (?P<verb>\w+) resource \\*"(?P<resource>[^"\\]+)\\*"`},
			Source:  "k8s.io/apiserver@v0.34.4 pkg/endpoints/handlers/responsewriters/errors.go",
			Match:   []string{`nodes is forbidden: User "system:anonymous" cannot create resource "nodes" in API group "" at the cluster scope`},
			NoMatch: `nodes "a" is forbidden: node "b" is not allowed to modify node "a"`,
		},
		{
			ID: "exec-not-found", In: []string{Kubelet, Console},
			Find:    []string{`exec: executable (?P<bin>\S+) not found`, `exec: "(?P<bin>[^"]+)": executable file not found`},
			Source:  clientgo + "plugin/pkg/client/auth/exec/exec.go; Go os/exec",
			Match:   []string{`getting credentials: exec: executable aws-iam-authenticator not found`, `exec: "heptio-authenticator-aws": executable file not found in $PATH`},
			NoMatch: "exec: executable aws failed with exit code 255",
		},
		{
			ID: "exec-apiversion", In: []string{Kubelet, Console},
			Find:    []string{`exec plugin is configured to use API version (?P<want>[^\s,]+), plugin returned version (?P<got>[^\s"]+)`, `exec plugin: invalid apiVersion \\*"(?P<want>[^"\\]+)`},
			Source:  clientgo + "plugin/pkg/client/auth/exec/exec.go",
			Match:   []string{`exec plugin is configured to use API version client.authentication.k8s.io/v1beta1, plugin returned version client.authentication.k8s.io/v1alpha1`, `exec plugin: invalid apiVersion "client.authentication.k8s.io/v1alpha1"`},
			NoMatch: "exec plugin didn't return a status field",
		},
		{
			ID: "exec-failed", In: []string{Kubelet, Console},
			Find:    []string{`getting credentials: exec: executable (?P<bin>\S+) failed with exit code (?P<code>\d+)`},
			Source:  clientgo + "plugin/pkg/client/auth/exec/exec.go",
			Match:   []string{`Get "https://x/api": getting credentials: exec: executable aws failed with exit code 255`},
			NoMatch: "exec: executable aws not found",
		},
		{
			ID: "authn-not-mapped", In: []string{Authenticator},
			Find:    []string{`identity is not mapped`, `ARN is not mapped`},
			Source:  authenticator + "pkg/errutil/errors.go ErrNotMapped",
			Match:   []string{`level=warning msg="access denied" arn="arn:aws:iam::111122223333:role/nodes" error="identity is not mapped"`, `error="ARN is not mapped: arn:aws:iam::111122223333:role/nodes"`},
			NoMatch: `level=info msg="access granted" arn="arn:aws:iam::111122223333:role/nodes"`,
		},
		{
			ID: "authn-aws-auth-broken", In: []string{Authenticator},
			Find:    []string{`There was an error parsing the config maps`},
			Source:  authenticator + "pkg/mapper/configmap/configmap.go",
			Match:   []string{`level=error msg="There was an error parsing the config maps.  Only saving data that was good, error parsing config map"`},
			NoMatch: `level=info msg="Received aws-auth watch event"`,
		},
		{
			ID: "authn-sts-refused", In: []string{Authenticator},
			Find:    []string{`sts getCallerIdentity failed: error from AWS \(expected 200, got (?P<code>\d+)\)`},
			Source:  authenticator + "pkg/token/token.go STSError",
			Match:   []string{`sts getCallerIdentity failed: error from AWS (expected 200, got 403) on us-west-2 endpoint. Body: {}`},
			NoMatch: "sts getCallerIdentity was throttled: error from AWS",
		},
		{
			ID: "authn-sts-throttled", In: []string{Authenticator},
			Find:    []string{`sts getCallerIdentity was throttled`},
			Source:  authenticator + "pkg/token/token.go STSThrottling",
			Match:   []string{`sts getCallerIdentity was throttled: error from AWS (expected 200, got 429)`},
			NoMatch: "sts getCallerIdentity failed: error during GET",
		},
		{
			ID: "authn-format", In: []string{Authenticator},
			Find:    []string{`input token was not properly formatted: (?P<why>[^"]+)`},
			Source:  authenticator + "pkg/token/token.go FormatError",
			Match:   []string{`input token was not properly formatted: token is missing expected "k8s-aws-v1." prefix`},
			NoMatch: "token accepted",
		},
		{
			ID: "authn-reserved", In: []string{Authenticator},
			Find:    []string{`invalid username '(?P<user>[^']*)' for mapper (?P<mapper>\w+): username must not begin with with the following prefixes`},
			Source:  authenticator + "pkg/server/server.go doMapping",
			Match:   []string{`level=error msg="unable to map" error="invalid username 'eks:node' for mapper EKSConfigMap: username must not begin with with the following prefixes: [eks:]"`},
			NoMatch: `error="identity is not mapped"`,
		},
		{
			ID: "authn-id-mismatch", In: []string{Authenticator},
			Find:    []string{`ARN does not match User ID`},
			Source:  authenticator + "pkg/errutil/errors.go ErrIDAndARNMismatch",
			Match:   []string{`error="ARN does not match User ID"`},
			NoMatch: "ARN matches",
		},
		{
			ID: "authn-ec2", In: []string{Authenticator},
			Find:    []string{`failed querying private DNS from EC2 API`, `failed to find node (?P<id>i-[0-9a-f]+)`, `SessionName did not contain an instance id`},
			Source:  authenticator + "pkg/ec2provider/ec2provider.go, pkg/server/server.go",
			Match:   []string{`failed querying private DNS from EC2 API for node i-0123456789abcdef0: AccessDenied`, `failed to find node i-0123456789abcdef0 `, `error rendering username template: SessionName did not contain an instance id`},
			NoMatch: "queried private DNS from EC2 API",
		},
	}
}
