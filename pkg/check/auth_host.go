package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// hostAuthRows are about whom the machine shows itself as, and whom the
// cluster takes it for.
func hostAuthRows() []hostRow {
	const docReview = "https://kubernetes.io/docs/reference/access-authn-authz/authentication/#self-subject-review"
	review := probes(snapshot.ProbeSelfReview)
	return []hostRow{
		{id: "auth.clock-skew", title: "clock of the machine", why: "A token is good for 15 minutes from the time that the machine's clock says.", ref: docJoin, link: LinkAuthentication, needs: probes(snapshot.ProbeClock), path: true, rule: clockRight},
		{id: "auth.exec-missing", title: "program that makes tokens", why: "The kubelet runs a program to get its token.", ref: docReview, link: LinkCredentials, needs: probes(snapshot.ProbeKubeconfig), rule: execThere},
		{id: "auth.exec-fails", title: "program that makes tokens ends well", why: "It needs credentials.", ref: docReview, link: LinkCredentials, needs: probes(snapshot.ProbeExec), rule: execEnds},
		{id: "auth.exec-apiversion", title: "program that makes tokens speaks the kubelet's version", why: "Kubelets refuse others.", ref: docReview, link: LinkCredentials, needs: probes(snapshot.ProbeExec, snapshot.ProbeKubeconfig), rule: execVersion},
		{
			id: "auth.token-expired", title: "token of the kubelet is fresh",
			why: "A token is good for 15 minutes; a program that keeps old ones, or a machine that slept, shows one that no cluster takes.",
			ref: docJoin, link: LinkAuthentication, needs: probes(snapshot.ProbeExec), path: true, rule: tokenFresh,
		},
		{id: "auth.token-malformed", title: "token is well-formed", why: "The authenticator takes tokens of one form only.", ref: docReview, link: LinkAuthentication, needs: probes(snapshot.ProbeToken), rule: tokenFormed},
		{id: "auth.wrong-cluster-id", title: "token is for this cluster", why: "The cluster's name is signed into it.", ref: docJoin, link: LinkAuthentication, needs: probes(snapshot.ProbeToken, snapshot.ProbeKubeconfig), rule: tokenForCluster},
		{id: "auth.unauthorized", title: "API server accepts the machine", why: "401 means that the cluster does not know it.", ref: docJoin, link: LinkAuthentication, needs: review, symptom: true, rule: clusterKnows},
		{id: "auth.groups-wrong", title: "groups of the machine", why: "Nodes act as the group system:nodes.", ref: docReview, link: LinkAuthorisation, needs: review, rule: rightGroups},
		{id: "auth.username-template", title: "user name of the machine", why: "Nodes are users system:node:NAME.", ref: docReview, link: LinkAuthorisation, needs: review, rule: rightUser},
		{id: "auth.node-name-mismatch", title: "kubelet registers under its own name", why: "A node may act on its own Node object only.", ref: docJoin, link: LinkAuthorisation, needs: probes(snapshot.ProbeSelfReview, snapshot.ProbeKubeletConfig), path: true, rule: sameName},
		{id: "auth.anonymous", title: "kubelet sends a token", why: "Without one it is system:anonymous.", ref: docReview, link: LinkAuthentication, needs: probes(snapshot.ProbeKubeconfig), rule: sendsToken},
	}
}

// skew is the largest difference to a server's clock, good to a second.
func skew(c *snapshot.HostClock) (worst snapshot.HostDate, known bool) {
	for _, date := range c.Dates {
		if !known || abs(date.OffsetMS) > abs(worst.OffsetMS) {
			worst, known = date, true
		}
	}
	return worst, known
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

// maxClockSkew is how far off a clock may be: AWS refuses what is signed at a time
// that is more than five minutes from its own.
const maxClockSkew = 5 * time.Minute

// clockWrong: AWS and the cluster refuse what the machine signs, whatever else
// is right about it.
func clockWrong(v *hostView) bool {
	if v.Clock == nil {
		return false
	}
	worst, known := skew(v.Clock)
	return known && time.Duration(abs(worst.OffsetMS))*time.Millisecond > maxClockSkew
}

func clockRight(v *hostView) []Result {
	c := v.Clock
	fix := do("let chronyd reach 169.254.169.123, and restart it", "systemctl restart chronyd", "chronyc tracking")
	source := agent(snapshot.ProbeClock, "kept by "+cmp.Or(c.Source, "nothing that is known"))
	worst, known := skew(c)
	off := time.Duration(abs(worst.OffsetMS)) * time.Millisecond
	direction := "ahead"
	if worst.OffsetMS < 0 {
		direction = "behind"
	}
	seen := agent(snapshot.ProbeClock, fmt.Sprintf("%s %s of the clock of %s", off.Round(time.Second), direction, worst.Server))
	switch {
	case clockWrong(v):
		return fail(report.Certain, fmt.Sprintf("the machine's clock is %s %s: AWS and the cluster refuse what it signs", off.Round(time.Second), direction), fix, seen, source)
	case known && off > time.Minute:
		return warn(report.Likely, fmt.Sprintf("the machine's clock is %s %s", off.Round(time.Second), direction), fix, seen, source)
	case known:
		return pass("it is right to a few seconds", seen, source)
	case c.Chrony != nil && abs(int64(c.Chrony.OffsetMS)) > 60_000:
		return warn(report.Likely, "chronyd finds the clock wrong", fix, agent(snapshot.ProbeClock, fmt.Sprintf("%.0f ms fast of NTP", c.Chrony.OffsetMS)), source)
	}
	return nil // nobody to compare with: lines of the log may still tell
}

func execThere(v *hostView) []Result {
	e := v.Kubeconfig.Exec
	if e == nil || e.Found == nil {
		return nil
	}
	if !*e.Found {
		return fail(report.Certain, fmt.Sprintf("the machine does not have %s, which makes the kubelet's tokens", e.Command), do("use a node image of EKS, or install it", "command -v "+e.Command),
			agent(snapshot.ProbeKubeconfig, v.Kubeconfig.Path+" runs "+e.Command+", which is not there"))
	}
	return pass("it is there", agent(snapshot.ProbeKubeconfig, e.Path))
}

func execEnds(v *hostView) []Result {
	e := v.Exec
	switch {
	case withoutCredentials(v):
		return nil // it cannot end well, and why is told where the credentials are
	case e.ExitCode != 0:
		return fail(report.Certain, "the program that makes the kubelet's tokens ends in an error", do("run it by hand and read its error", execCommand(v)), agent(snapshot.ProbeExec, strings.TrimSuffix(fmt.Sprintf("exit code %d: %s", e.ExitCode, e.Error), ": ")))
	case e.Error != "":
		return fail(report.Likely, "the program that makes the kubelet's tokens makes none", do("run it by hand and look at its output", execCommand(v)), agent(snapshot.ProbeExec, e.Error))
	}
	return pass("it does", agent(snapshot.ProbeExec, "it made a token"))
}

// withoutCredentials: the machine has none to make a token of.
func withoutCredentials(v *hostView) bool {
	return v.IMDS != nil && (v.IMDS.Failure != nil || v.IMDS.HasProfile != nil && !*v.IMDS.HasProfile || v.IMDS.CredentialsCode != "" && v.IMDS.CredentialsCode != "Success")
}

// execCommand runs the program with its output thrown away: it is a token.
func execCommand(v *hostView) string {
	if v.Kubeconfig == nil || v.Kubeconfig.Exec == nil {
		return "journalctl -u kubelet | grep 'getting credentials' | tail -3"
	}
	e := v.Kubeconfig.Exec
	if strings.HasSuffix(e.Command, "aws") {
		return fmt.Sprintf("%s eks get-token --cluster-name %s --region %s >/dev/null", e.Command, e.Cluster, cmp.Or(e.Region, "REGION"))
	}
	return fmt.Sprintf("%s token -i %s >/dev/null", e.Command, e.Cluster)
}

func execVersion(v *hostView) []Result {
	want := ""
	if v.Kubeconfig.Exec != nil {
		want = v.Kubeconfig.Exec.APIVersion
	}
	got := v.Exec.APIVersion
	if want == "" || got == "" {
		return nil
	}
	found := agent(snapshot.ProbeExec, fmt.Sprintf("the kubeconfig wants %s, the program answers %s", want, got))
	if strings.HasSuffix(want, "/v1alpha1") {
		return fail(report.Certain, "the kubeconfig asks for a version of credentials that kubelets no longer take", do("set client.authentication.k8s.io/v1beta1 in the kubeconfig, and update the program"), found)
	}
	if want != got {
		return fail(report.Certain, "the program that makes tokens speaks another version than the kubelet", do("update it, and set the version in the kubeconfig"), found)
	}
	return pass("it does", found)
}

func tokenFresh(v *hostView) []Result {
	c := v.Exec.Claims
	if c == nil || c.SignedAt.IsZero() {
		return nil
	}
	found := agent(snapshot.ProbeExec, "signed at "+stamp(c.SignedAt)+", now "+stamp(v.CollectedAt))
	if v.CollectedAt.Sub(c.SignedAt) > 15*time.Minute {
		return fail(report.Certain, "the kubelet's program hands out a token that has run out", do("clear the program's cache, and let it make a new one for every call", "rm -rf ~root/.kube/cache/aws-iam-authenticator"), found)
	}
	return pass("it is", found)
}

func tokenFormed(v *hostView) []Result {
	for _, rule := range v.Token.Rules {
		if !rule.OK {
			return fail(report.Certain, "the authenticator does not take the machine's token: "+rule.Name, do("let chronyd keep the time, and see which STS endpoint is used"), agent(snapshot.ProbeToken, rule.Detail))
		}
	}
	if len(v.Token.Rules) == 0 {
		return nil
	}
	return pass("it keeps all rules of the authenticator", agent(snapshot.ProbeToken, fmt.Sprintf("%d bytes for %s", v.Token.Claims.Length, v.Token.Claims.Host)))
}

// tokenForCluster compares with the name that nodeadm was given; the cluster
// that is judged, where it is known, is boot.cluster-name-wrong's to compare.
func tokenForCluster(v *hostView) []Result {
	t := v.Token
	found := []report.Evidence{agent(snapshot.ProbeToken, "signed for cluster "+t.Claims.Cluster)}
	if v.Nodeadm != nil && v.Nodeadm.Config != nil && v.Nodeadm.Config.Cluster != "" && v.Nodeadm.Config.Cluster != t.Claims.Cluster {
		return fail(report.Certain, fmt.Sprintf("the kubelet signs its tokens for cluster %q, nodeadm was told %q", t.Claims.Cluster, v.Nodeadm.Config.Cluster),
			do("let nodeadm write the kubeconfig: replace the machine"), append(found, agent(snapshot.ProbeNodeadm, "cluster "+v.Nodeadm.Config.Cluster))...)
	}
	if t.Accepted != nil && !*t.Accepted && t.Failure != nil {
		return fail(report.Likely, "STS refuses the machine's token", do("see whether the role still exists, and the clock is right", "timedatectl"), append(found, agent(snapshot.ProbeToken, t.Failure.Detail))...)
	}
	return nil
}

func clusterKnows(v *hostView) []Result {
	r := v.SelfReview
	who := "the machine"
	if v.Identity != nil && v.Identity.CanonicalARN != "" {
		who = v.Identity.CanonicalARN
	}
	switch {
	case r.Failure == nil:
		return pass("it is "+r.Username, agent(snapshot.ProbeSelfReview, strings.Join(r.Groups, ", ")))
	case r.Status == 401:
		return fail(report.Certain, "the cluster does not know the machine: 401 Unauthorized", do("map its role: an access entry of type EC2_LINUX, or mapRoles in aws-auth; and compare the cluster's name",
			fmt.Sprintf("aws eks create-access-entry --region %s --cluster-name %s --type EC2_LINUX --principal-arn %s", region(v), cmp.Or(v.snap.Target.ClusterName, "CLUSTER"), who)),
			agent(snapshot.ProbeSelfReview, r.Failure.Detail), agent(snapshot.ProbeIdentity, who))
	case r.Status == 404:
		return nil // older than 1.28
	case r.Failure.Kind == snapshot.FailDenied, r.Failure.Kind == snapshot.FailAnswer:
		return fail(report.Likely, fmt.Sprintf("the API server answers the machine with %d", r.Status), do("read the API server's words"), agent(snapshot.ProbeSelfReview, r.Failure.Detail))
	}
	return nil // the way there is others' to judge
}

func rightGroups(v *hostView) []Result {
	r := v.SelfReview
	if r.Failure != nil {
		return nil
	}
	found := agent(snapshot.ProbeSelfReview, r.Username+": "+strings.Join(r.Groups, ", "))
	if !slices.Contains(r.Groups, "system:nodes") {
		return fail(report.Certain, "the cluster does not take the machine for a node: it is not in the group system:nodes", do("map the role to the groups system:bootstrappers and system:nodes, or make its access entry one of type EC2_LINUX"), found)
	}
	return nil // the mapping itself is the rule's to judge
}

func rightUser(v *hostView) []Result {
	r := v.SelfReview
	if r.Failure != nil || strings.HasPrefix(r.Username, "system:node:") {
		return nil
	}
	return fail(report.Certain, fmt.Sprintf("the cluster takes the machine for %q, which is no node's user name", r.Username), do("set the mapping's user name to system:node:{{EC2PrivateDNSName}}"), agent(snapshot.ProbeSelfReview, r.Username))
}

func sameName(v *hostView) []Result {
	name, isNode := strings.CutPrefix(v.SelfReview.Username, "system:node:")
	if !isNode || v.KubeletConfig.NodeName == "" {
		return nil
	}
	found := []report.Evidence{agent(snapshot.ProbeSelfReview, "let in as "+name), agent(snapshot.ProbeKubeletConfig, "registers "+v.KubeletConfig.NodeName)}
	if !strings.EqualFold(name, v.KubeletConfig.NodeName) {
		return fail(report.Certain, fmt.Sprintf("the kubelet registers as %q, and is let in as %q", v.KubeletConfig.NodeName, name),
			do("let the kubelet register under EC2's private DNS name: leave --hostname-override out of the user data, and replace machines whose name changed after launch"), found...)
	}
	return pass("it does", found...)
}

func sendsToken(v *hostView) []Result {
	if v.Kubeconfig.Auth != "none" {
		return nil
	}
	return fail(report.Certain, "the kubelet's kubeconfig has nothing to show the cluster", do("let the bootstrap write it anew: replace the machine"), agent(snapshot.ProbeKubeconfig, v.Kubeconfig.Path+": its user has no program, token or certificate"))
}
