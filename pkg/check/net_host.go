package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const (
	docProxy = "https://repost.aws/knowledge-center/eks-http-proxy-containerd-automation"
	docMTU   = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/network_mtu.html"
)

// hostNetRows are about the way from the machine to the API server, as the
// machine itself has gone it, step by step.
func hostNetRows() []hostRow {
	api := probes(snapshot.ProbeAPI)
	return []hostRow{
		{
			id: "net.imds-blocked", title: "instance metadata answers the machine",
			why: "A machine takes its credentials, region and name from instance metadata; without it nodeadm and the kubelet cannot start.",
			ref: docIMDS, link: LinkCredentials, needs: probes(snapshot.ProbeIMDS), path: true, rule: metadataAnswers,
		},
		{
			id: "net.sts-unreachable", title: "machine reaches STS",
			why: "nodeadm, the kubelet's credential programs and the CNI call AWS from the machine; STS stands for all of them here.",
			ref: docPrivate, link: LinkAWSAPI, needs: probes(snapshot.ProbeIdentity), path: true, rule: reachesSTS,
		},
		{
			id: "net.resolver-broken-node", title: "name servers of the machine answer",
			why: "A name server that does not answer delays every lookup; when none does, no name resolves.",
			ref: docNetwork, link: LinkAWSAPI, needs: api, path: true, rule: resolversAnswer,
		},
		{
			id: "net.endpoint-nxdomain", title: "endpoint's name resolves on the machine",
			why: "A private endpoint's name is known to the VPC's own name server only, and only with the VPC's DNS attributes on.",
			ref: docNetwork, link: LinkAPIServer, needs: api, path: true, rule: endpointResolves,
		},
		{
			id: "net.api-unreachable", title: "machine reaches the API server's port",
			why: "The kubelet talks to the API server over TCP port 443.",
			ref: docNetwork, link: LinkAPIServer, needs: api, path: true, rule: apiDials,
		},
		{
			id: "net.tls-timeout", title: "TLS handshake with the API server ends",
			why: "When TCP opens and the handshake stalls, large packets get lost on the way (MTU), or something inspects the connection.",
			ref: docMTU, link: LinkAPIServer, needs: api, path: true, rule: tlsEnds,
		},
		{
			id: "net.tls-intercept", title: "API server shows its own certificate",
			why: "Something between the machine and the API server that signs connections anew is trusted by no kubelet.",
			ref: docNetwork, link: LinkAPIServer, needs: api, path: true, rule: tlsOwn,
		},
		{
			id: "net.proxy-wrong", title: "proxy settings of the kubelet and the runtime",
			why: "With a proxy, NO_PROXY must name instance metadata, the API server and the cluster's addresses, or requests to them go to the proxy.",
			ref: docProxy, link: LinkAWSAPI, needs: probes(snapshot.ProbeProxy), path: true, rule: proxySettings,
		},
	}
}

func resolversAnswer(v *hostView) []Result {
	var broken, good []report.Evidence
	for _, r := range v.API.Resolvers {
		if r.Failure != nil {
			broken = append(broken, agent(snapshot.ProbeAPI, fmt.Sprintf("%s: %s", r.Server, r.Failure.Detail)))
			continue
		}
		good = append(good, agent(snapshot.ProbeAPI, fmt.Sprintf("%s: %s", r.Server, strings.Join(r.Addresses, ", "))))
	}
	fix := do("undo what has changed /etc/resolv.conf; the VPC's own name server is its network's address plus two", "cat /etc/resolv.conf", "dig +short "+v.API.Host)
	switch {
	case len(broken) == 0 && len(good) == 0:
		return nil
	case namesDead(v) && v.reports():
		return warn(report.Possible, "no name server answered in time, but the kubelet reaches the API server", fix, broken...)
	case namesDead(v):
		return fail(report.Certain, "no name server of the machine answers", fix, broken...)
	case len(good) == 0:
		return nil // they answer, and do not know the name: net.endpoint-nxdomain
	case len(broken) > 0:
		return warn(report.Likely, "a name server of the machine does not know the endpoint, or does not answer", fix, slices.Concat(broken, good)...)
	}
	return pass("they do", good...)
}

// reports: the kubelet tells the API server how the node is, which it finds by
// its name. A machine that is busy answers no probe in time.
func (v *hostView) reports() bool {
	return v.node.Kube != nil && slices.ContainsFunc(v.node.Kube.Conditions, func(c snapshot.Condition) bool { return c.Type == "Ready" && c.Status != "Unknown" })
}

// namesDead: no name server answers, so that nothing that has a name can be
// reached.
func namesDead(v *hostView) bool {
	if v.API == nil || v.API.System.Failure == nil || saysNoSuchHost(v) || len(v.API.Resolvers) == 0 {
		return false
	}
	return !slices.ContainsFunc(v.API.Resolvers, func(r snapshot.HostResolver) bool { return r.Failure == nil })
}

func saysNoSuchHost(v *hostView) bool {
	return v.API.System.Failure != nil && strings.Contains(v.API.System.Failure.Detail, "no such host")
}

func endpointResolves(v *hostView) []Result {
	s := v.API.System
	switch {
	case s.Failure == nil:
		return pass("it does", agent(snapshot.ProbeAPI, v.API.Host+": "+strings.Join(s.Addresses, ", ")))
	case v.API.Proxy != "" || !saysNoSuchHost(v):
		return nil
	}
	return fail(report.Certain, "the API server's name does not resolve on the machine", do("turn on enableDnsSupport and enableDnsHostnames of the VPC, or let your own name servers ask the VPC's for eks.amazonaws.com; and see that the endpoint is the cluster's",
		"dig "+v.API.Host), agent(snapshot.ProbeAPI, s.Failure.Detail))
}

func apiDials(v *hostView) []Result {
	if len(v.API.Dials) == 0 {
		return nil
	}
	var broken, open []report.Evidence
	var first *snapshot.HostFailure
	for _, dial := range v.API.Dials {
		if dial.Failure == nil {
			open = append(open, agent(snapshot.ProbeAPI, fmt.Sprintf("%s:%s in %d ms", dial.Address, v.API.Port, dial.TookMS)))
			continue
		}
		if first == nil {
			first = dial.Failure
		}
		broken = append(broken, agent(snapshot.ProbeAPI, fmt.Sprintf("%s:%s: %s", dial.Address, v.API.Port, dial.Failure.Detail)))
	}
	if len(open) == 0 {
		what, fix := dialFailed(first.Kind)
		return fail(report.Certain, what, do(fix, fmt.Sprintf("nc -vz -w 5 %s %s", v.API.Host, v.API.Port)), broken...)
	}
	if len(broken) > 0 {
		return warn(report.Likely, "one of the API server's addresses does not answer the machine", do("compare the zones: security group, network ACL and route of each"), slices.Concat(broken, open)...)
	}
	return pass("it does", open...)
}

func dialFailed(kind snapshot.FailureKind) (what, fix string) {
	switch kind {
	case snapshot.FailTimeout:
		return "the API server does not answer the machine", "look at the security groups of machine and cluster, the network ACLs, the routes, and publicAccessCidrs when the endpoint is public"
	case snapshot.FailUnreachable:
		return "the machine has no route to the API server", "give the subnet's route table a way to the endpoint"
	case snapshot.FailRefused:
		return "the connection to the API server is refused", "see whether the endpoint's address is still the cluster's: an entry in /etc/hosts, a name server that is out of date"
	}
	return "the machine cannot connect to the API server", "look at its network"
}

func tlsEnds(v *hostView) []Result {
	t := v.API.TLS
	if t == nil {
		return nil
	}
	if t.Failure != nil && t.Failure.Kind == snapshot.FailTimeout {
		return fail(report.Likely, "TCP to the API server opens, and the TLS handshake stalls", do("lower the MTU, or let ICMP \"fragmentation needed\" through; and take the endpoint out of TLS inspection", "ip link show", "ping -c 3 -M do -s 1400 "+v.API.Host),
			agent(snapshot.ProbeAPI, t.Failure.Detail))
	}
	return pass("it does", agent(snapshot.ProbeAPI, fmt.Sprintf("in %d ms", t.TookMS)))
}

// tlsOwn leaves a certificate of EKS's kind to boot.ca-wrong: then the server
// is one, and the machine trusts another.
func tlsOwn(v *hostView) []Result {
	t := v.API.TLS
	if t == nil {
		return nil
	}
	bypass := do("take the endpoint out of TLS inspection, or send the machines another way", fmt.Sprintf("openssl s_client -connect %s:%s -servername %[1]s </dev/null 2>/dev/null | openssl x509 -noout -issuer -subject", v.API.Host, v.API.Port))
	switch {
	case t.Failure != nil && t.Subject == "" && t.Failure.Kind == snapshot.FailTLS:
		return fail(report.Likely, "what answers at the API server's address does not speak TLS as it does", bypass, agent(snapshot.ProbeAPI, t.Failure.Detail))
	case untrusted(v) && !eksIssuer(t.Issuer):
		return fail(report.Likely, "the API server's certificate comes from somebody else: the connection is intercepted, or leads elsewhere", bypass, agent(snapshot.ProbeAPI, fmt.Sprintf("certificate of %s, issued by %s", t.Subject, t.Issuer)))
	case t.Trusted != nil && *t.Trusted && t.NameMatches != nil && !*t.NameMatches:
		return fail(report.Likely, "the API server's certificate is not for the name that the kubelet uses", replaceUserData("name the endpoint as EKS does"), agent(snapshot.ProbeAPI, "certificate of "+t.Subject))
	case t.Trusted != nil && *t.Trusted:
		return pass("it does", agent(snapshot.ProbeAPI, "issued by "+t.Issuer))
	}
	return nil
}

// proxySettings fails when a request that must not go to the proxy goes
// there, and fails.
func proxySettings(v *hostView) []Result {
	if len(v.Proxy.Units) == 0 {
		return pass("there is none", agent(snapshot.ProbeProxy, "looked at "+strings.Join(v.Proxy.Checked, ", ")))
	}
	var found []report.Evidence
	lacks := false
	for _, unit := range v.Proxy.Units {
		found = append(found, agent(snapshot.ProbeProxy, fmt.Sprintf("%s: HTTP_PROXY=%s HTTPS_PROXY=%s NO_PROXY=%s", unit.Unit, unit.HTTP, unit.HTTPS, unit.No)))
		lacks = lacks || !namesMetadata(unit.No)
	}
	fix := do("set NO_PROXY for kubelet and containerd alike: 169.254.169.254, the API server's name, .internal, and the VPC's and the services' ranges; then restart them", "systemctl show -p Environment kubelet containerd")
	switch {
	case v.API != nil && v.API.Proxy != "" && v.API.Livez == 0:
		if v.API.Failure != nil {
			found = append(found, agent(snapshot.ProbeAPI, "through "+v.API.Proxy+": "+v.API.Failure.Detail))
		}
		return fail(report.Likely, "the kubelet sends its requests to the API server to a proxy, and gets no answer", fix, found...)
	case stsBehindProxy(v):
		return fail(report.Likely, "the kubelet's proxy does not let the machine through to AWS", fix, append(found, agent(snapshot.ProbeIdentity, v.Identity.Endpoint+": "+v.Identity.Failure.Detail))...)
	case lacks:
		return fail(report.Likely, "NO_PROXY does not name instance metadata: what asks it asks the proxy", fix, found...)
	case v.API != nil && v.API.Proxy != "":
		return warn(report.Possible, "the kubelet reaches the API server through a proxy", fix, found...)
	case len(v.Proxy.Units) == 1 && len(v.Proxy.Checked) > 1:
		return warn(report.Possible, "not all of the machine's units have a proxy", fix, found...)
	}
	return pass("NO_PROXY names what it must", found...)
}

// stsBehindProxy: STS was asked through the kubelet's proxy, and not reached.
func stsBehindProxy(v *hostView) bool {
	if v.Proxy == nil || v.Identity == nil || v.Identity.Failure == nil || v.Identity.Failure.Status != 0 || v.Identity.Failure.Kind == snapshot.FailNoCredentials {
		return false
	}
	return slices.ContainsFunc(v.Proxy.Units, func(unit snapshot.HostProxyUnit) bool { return unit.Unit == "kubelet" && unit.HTTPS != "" })
}

func namesMetadata(noProxy string) bool {
	for name := range strings.SplitSeq(noProxy, ",") {
		switch strings.TrimSpace(name) {
		case "*", "169.254.169.254", "169.254.0.0/16", "169.254.169.254/32", "169.254.169.0/24":
			return true
		}
	}
	return false
}

func metadataAnswers(v *hostView) []Result {
	i := v.IMDS
	switch {
	case i.Failure == nil:
		return pass("it answers", agent(snapshot.ProbeIMDS, "instance "+i.InstanceID))
	case i.TokenStatus == 403:
		return nil // off: instance.metadata says so
	case i.Reachable && (i.TokenStatus == 401 || i.DataStatus == 401):
		return fail(report.Certain, "instance metadata refuses the machine: 401", do("look for what stands in between: a proxy for 169.254.169.254, or a program that answers there", "curl -sS -o /dev/null -w '%{http_code}\\n' -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token"),
			agent(snapshot.ProbeIMDS, i.Failure.Detail))
	case i.Reachable:
		return fail(report.Likely, "instance metadata answers with an error", do("look for what stands in between"), agent(snapshot.ProbeIMDS, i.Failure.Detail))
	}
	return fail(report.Certain, "the machine cannot reach instance metadata", do("take out what blocks 169.254.169.254 on the machine: a firewall rule, a route, a proxy", "ip route get 169.254.169.254", "iptables-save | grep 169.254.169.254"),
		agent(snapshot.ProbeIMDS, i.Failure.Detail))
}

func reachesSTS(v *hostView) []Result {
	id := v.Identity
	if id.Failure == nil {
		return pass("it does", agent(snapshot.ProbeIdentity, id.Endpoint))
	}
	if namesDead(v) || stsBehindProxy(v) {
		return nil // net.resolver-broken-node or net.proxy-wrong tells
	}
	what := map[snapshot.FailureKind]string{
		snapshot.FailDNS: "the name of STS does not resolve on the machine", snapshot.FailTimeout: "STS does not answer the machine", snapshot.FailRefused: "the connection to STS is refused",
		snapshot.FailUnreachable: "the machine has no route to STS", snapshot.FailTLS: "the machine does not trust what answers for STS",
	}[id.Failure.Kind]
	if what == "" {
		return nil
	}
	return fail(report.Likely, what, do("give the subnet a way to STS: a NAT, or an interface endpoint for sts with private DNS and a security group that lets the machines in", "curl -sS -o /dev/null -w '%{http_code}\\n' https://"+id.Endpoint+"/"),
		agent(snapshot.ProbeIdentity, id.Endpoint+": "+id.Failure.Detail))
}
