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
			lineRow{sig: "forbidden-user", only: "system:anonymous", status: report.Fail, confidence: report.Certain, summary: "the kubelet sends no token: it is taken for %s", value: "user", fix: do("put the users section of the machine's kubeconfig right, or take its replacement out of the user data")}),
		linesRow("auth.clock-skew", "clock of the machine",
			"A token is good for 15 minutes from the time that the machine's clock says.", docJoin, LinkAuthentication,
			lineRow{sig: "clock-skew", status: report.Fail, confidence: report.Likely, summary: "AWS refuses what the machine signs: its clock is wrong", fix: do("let chronyd reach 169.254.169.123, and restart it")}),
		linesRow("auth.exec-missing", "program that makes tokens",
			"The kubelet runs a program to get its token.", docExec, LinkCredentials,
			lineRow{sig: "exec-not-found", status: report.Fail, confidence: report.Certain, summary: "the machine does not have %s, which makes the kubelet's tokens", value: "bin", fix: do("use a node image of EKS, or install it")}),
		linesRow("auth.exec-apiversion", "program that makes tokens speaks the kubelet's version",
			"Kubelets since 1.24 take credentials of v1beta1 and later only.", docExec, LinkCredentials,
			proof("exec-apiversion", "the program that makes tokens speaks another version than the kubelet", do("update it, and set the version in the kubeconfig"))),
		linesRow("auth.exec-fails", "program that makes tokens ends well",
			"It needs credentials of the machine's role and, for some, the region.", docExec, LinkCredentials,
			lineRow{sig: "exec-failed", status: report.Fail, confidence: report.Likely, summary: "%s ends in an error, and the kubelet has no token", value: "bin", fix: do("run it on the machine by hand and read its error")}),
	}
}
