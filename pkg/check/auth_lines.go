package check

import (
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// authLineChecks are failures to say who the machine is, or to be the one that
// the cluster takes it for, that only logs tell of.
func authLineChecks() []Check {
	const docExec = "https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins"
	name := do("let the kubelet register under EC2's private DNS name: leave --hostname-override out of the user data, and replace machines whose name changed after launch")
	return []Check{
		linesRow("auth.node-name-mismatch", "kubelet registers under its own name",
			"A node may act on the Node object of its own name only, and its name is EC2's private DNS name.", docJoin, LinkAuthorisation,
			lineRow{sig: "not-allowed-to-modify-node", status: report.Fail, confidence: report.Certain, summary: "the kubelet registers as %q, which is not the name that it is let in under", value: "reg", fix: name},
			proof("lease-wrong-name", "the kubelet asks for the lease of another node's name", name)),
		linesRow("auth.anonymous", "kubelet sends a token",
			"Requests without a token are of the user system:anonymous, who may do nothing.", docExec, LinkAuthentication,
			lineRow{sig: "forbidden-user", only: []string{"system:anonymous"}, status: report.Fail, confidence: report.Certain, summary: "the kubelet sends no token: it is taken for %s", value: "user", fix: do("put the users section of the machine's kubeconfig right, or take its replacement out of the user data")}),
		linesRow("auth.clock-skew", "clock of the machine",
			"A token is good for 15 minutes from the time that the machine's clock says.", docJoin, LinkAuthentication,
			lineRow{sig: "clock-skew", status: report.Fail, confidence: report.Likely, summary: "AWS refuses what the machine signs: its clock is wrong", fix: do("let chronyd reach 169.254.169.123, and restart it")},
			lineRow{sig: "x509-time", status: report.Fail, confidence: report.Likely, summary: "the API server's certificate is not valid at the time of the machine's clock", fix: do("let chronyd reach 169.254.169.123, and restart it")}),
		linesRow("auth.exec-missing", "program that makes tokens",
			"The kubelet runs a program to get its token.", docExec, LinkCredentials,
			lineRow{sig: "exec-not-found", status: report.Fail, confidence: report.Certain, summary: "the machine does not have %s, which makes the kubelet's tokens", value: "bin", fix: do("use a node image of EKS, or install it")}),
		linesRow("auth.exec-apiversion", "program that makes tokens speaks the kubelet's version",
			"Kubelets since 1.24 take credentials of v1beta1 and later only.", docExec, LinkCredentials,
			proof("exec-apiversion", "the program that makes tokens speaks another version than the kubelet", do("update it, and set the version in the kubeconfig"))),
		symptomRow(linesRow("auth.exec-fails", "program that makes tokens ends well",
			"It needs credentials of the machine's role and, for some, the region.", docExec, LinkCredentials,
			lineRow{sig: "exec-failed", status: report.Fail, confidence: report.Likely, summary: "%s ends in an error, and the kubelet has no token", value: "bin", fix: do("run it on the machine by hand and read its error")})),
		linesRow("auth.wrong-cluster-id", "token is for this cluster",
			"The cluster's name is signed into the token: STS refuses it when it stands for another cluster.", docJoin, LinkAuthentication,
			lineRow{sig: "authn-sts-refused", status: report.Fail, confidence: report.Likely, summary: "STS refuses the machine's token with %s: it is signed for another cluster's name, or by a wrong clock", value: "code", fix: do("compare the cluster's name in the user data, and the machine's clock")}),
		linesRow("auth.token-malformed", "token is well-formed",
			"The authenticator takes tokens of one form only, no older than 15 minutes.", docExec, LinkAuthentication,
			lineRow{sig: "authn-format", status: report.Fail, confidence: report.Certain, summary: "the authenticator does not take the machine's token: %s", value: "why", fix: do("use the program of the node image to make tokens, and let chronyd keep the time")}),
		linesRow("auth.reserved-username", "machine's user name is free to use",
			"The authenticator refuses user names with prefixes that the cluster reserves for itself.", docAwsAuth, LinkAuthentication,
			lineRow{sig: "authn-reserved", status: report.Fail, confidence: report.Certain, summary: "the authenticator refuses the user name %q: its prefix is reserved", value: "user", fix: do("map the role to system:node:{{EC2PrivateDNSName}}, by an access entry of type EC2_LINUX or in aws-auth")}),
		linesRow("auth.sts-throttled", "STS answers the authenticator",
			"The authenticator asks STS about every new token; many clients that keep none wear the limit out.", docExec, LinkAuthentication,
			lineRow{sig: "authn-sts-throttled", status: report.Warn, confidence: report.Certain, summary: "STS throttles the cluster's authenticator", fix: do("find the clients that make a token for every request: the control plane's authenticator log names them")}),
		linesRow("auth.dns-lookup", "cluster finds the machine's name",
			"For {{EC2PrivateDNSName}} the authenticator asks EC2 about the instance that the session is named after.", docAwsAuth, LinkAuthentication,
			proof("authn-ec2", "the authenticator could not learn the machine's private DNS name from EC2", do("let the cluster's role call ec2:DescribeInstances (AmazonEKSClusterPolicy), and let machines come with their instance profile only"))),
		linesRow("auth.dns-name-changed", "machine's name has stayed",
			"The authenticator keeps a machine's private DNS name. When VPC settings change it later, kubelet and cluster name the node differently.", docJoin, LinkAuthorisation,
			lineRow{sig: "node-deny", status: report.Fail, confidence: report.Possible, summary: "the node authorizer refuses the machine as %s: it asks for objects of another node", value: "node", fix: do("replace the machine")}),
		unauthorized(docJoin),
	}
}

// unauthorized is the symptom of all mistakes of the family. It stands alone
// only when no rule finds one.
func unauthorized(ref string) Check {
	row := linesRow("auth.unauthorized", "API server accepts the machine",
		"401 means that the cluster does not know the machine: its role is not mapped, its token is for another cluster, or its clock is wrong.", ref, LinkAuthentication,
		proof("kubelet-401", "the API server refuses the machine: 401 Unauthorized", do("look at the control plane's authenticator log: it says why",
			"aws eks update-cluster-config --name CLUSTER --logging '{\"clusterLogging\":[{\"types\":[\"authenticator\"],\"enabled\":true}]}'")),
		proof("authn-id-mismatch", "the cluster's authenticator knows the role's name for another role: it was deleted and made again", do("delete the role's access entry and make it again")),
		proof("authn-not-mapped", "the cluster's authenticator does not know the machine's role", do("map the role: an access entry of type EC2_LINUX, or mapRoles in aws-auth")))
	row.Symptom = true
	return row
}
