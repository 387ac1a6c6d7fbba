package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// hostBootRows are about what the boot has made of the machine.
func hostBootRows() []hostRow {
	node := do("use a node image of EKS, of the cluster's version")
	config := do("correct the NodeConfig in the user data, and replace the machine: user data is read at the first boot only", "nodeadm config check -c imds://user-data")
	script := do("read what its scripts printed; let them come after joining, or go on after an error", "less /var/log/cloud-init-output.log")
	return []hostRow{
		{
			id: "boot.nodeadm-ec2-unreachable", title: "nodeadm reaches EC2", why: "It asks EC2 for the machine's name.", ref: docAL2023, link: LinkAWSAPI, needs: probes(snapshot.ProbeNodeadm),
			rule: func(v *hostView) []Result {
				if v.Nodeadm.Initialized != nil && *v.Nodeadm.Initialized {
					return pass("it has finished", agent(snapshot.ProbeNodeadm, "/run/nodeadm/init is there"))
				}
				return nil
			},
		},
		loggedRow("boot.nodeconfig-missing", "NodeConfig", "nodeadm needs one.", docNodeadm, proof("no-nodeconfig", "nodeadm found no NodeConfig", config)),
		loggedRow("boot.nodeconfig-incomplete", "NodeConfig is complete", "nodeadm needs name, endpoint, certificate authority and CIDR.", docNodeadm,
			lineRow{sig: "nodeconfig-incomplete", status: report.Fail, confidence: report.Certain, summary: "%s is missing in the NodeConfig", value: "field", fix: config}),
		loggedRow("boot.nodeconfig-yaml", "NodeConfig can be read", "It is YAML.", docNodeadm,
			lineRow{sig: "nodeconfig-yaml", status: report.Fail, confidence: report.Certain, summary: "the NodeConfig cannot be read: %s", value: "what", fix: config}),
		loggedRow("boot.al2-script-on-al2023", "user data is for this image", "AL2023 has no bootstrap.sh.", docAL2023, proof("bootstrap-removed", "the user data calls bootstrap.sh, which AL2023 does not have", config)),
		{
			id: "boot.nodeadm", title: "nodeadm has finished",
			why: "nodeadm configures and starts containerd and the kubelet; without it there is no kubelet to join.",
			ref: docNodeadm, link: LinkBoot, needs: probes(snapshot.ProbeNodeadm), rule: nodeadmDone,
		},
		{
			id: "boot.kubeconfig", title: "kubelet's kubeconfig",
			why: "The kubelet reaches the cluster with it; the bootstrap writes it.",
			ref: docAL2023, link: LinkBoot, symptom: true, rule: kubeconfigThere,
		},
		{
			id: "boot.userdata-failed", title: "user data's scripts", why: "Scripts that end in an error before the bootstrap keep it from running.", ref: docTemplate,
			link: LinkBoot, needs: probes(snapshot.ProbeCloudInit), rule: func(v *hostView) []Result { return cloudInitDone(v, script) },
		},
		{
			id: "boot.userdata-never-ran", title: "user data has been run on this machine",
			why: "An image that was made of a machine that had booted counts its user data as done.",
			ref: "https://cloudinit.readthedocs.io/en/latest/reference/cli.html#clean", link: LinkBoot, needs: probes(snapshot.ProbeCloudInit), rule: userDataRan,
		},
		{
			id: "ami.not-eks", title: "node image", why: "Other images lack kubelet, runtime and bootstrap.", ref: docAL2023,
			link: LinkBoot, needs: probes(snapshot.ProbeKubelet, snapshot.ProbeSystem), rule: func(v *hostView) []Result { return nodeImage(v, node) },
		},
		{
			id: "boot.cluster-name-wrong", title: "cluster's name", why: "It is signed into the token.", ref: docJoin,
			link: LinkAuthentication, needs: probes(snapshot.ProbeKubeconfig), rule: rightCluster,
		},
		{
			id: "boot.endpoint-wrong", title: "endpoint", why: "The kubelet is sent there.", ref: docAL2023,
			link: LinkBoot, needs: probes(snapshot.ProbeKubeconfig), rule: rightEndpoint,
		},
		{
			id: "boot.ca-wrong", title: "certificate authority", why: "The kubelet trusts the API server by it.", ref: docAL2023,
			link: LinkBoot, needs: probes(snapshot.ProbeKubeconfig), rule: rightAuthority,
		},
		{
			id: "boot.region-wrong", title: "region that the kubelet's token is signed for",
			why: "A token that is signed for an STS of another region is refused where that region is off, and crosses regions where it is not.",
			ref: docJoin, link: LinkCredentials, needs: probes(snapshot.ProbeKubeconfig, snapshot.ProbeIMDS), rule: rightRegion,
		},
	}
}

func nodeadmDone(v *hostView) []Result {
	n := v.Nodeadm
	if n.Initialized != nil && *n.Initialized && !phaseIs(n, "failed") {
		return pass("it has finished", agent(snapshot.ProbeNodeadm, "/run/nodeadm/init is there"))
	}
	var found []report.Evidence
	for _, phase := range n.Phases {
		found = append(found, agent(snapshot.ProbeNodeadm, phase.Name+": "+phase.State))
	}
	if n.LastFatal != "" {
		found = append([]report.Evidence{agent(snapshot.ProbeNodeadm, n.LastFatal)}, found...)
	}
	look := do("correct the user data, and replace the machine", "journalctl -u nodeadm-config -u nodeadm-run --no-pager | tail -30")
	switch {
	case phaseIs(n, "failed"):
		return fail(report.Certain, cmp.Or(prefixed("nodeadm gave up: ", n.LastFatal), "nodeadm gave up"), look, found...)
	case phaseIs(n, "running"):
		if v.System != nil && v.System.Uptime < 120 {
			return warn(report.Possible, "nodeadm is still at work", do("wait for it"), found...)
		}
		return fail(report.Likely, "nodeadm is still at work: it waits for AWS, or for its configuration", look, found...)
	case len(n.Phases) == 0:
		return nil
	}
	return fail(report.Likely, "nodeadm has not run to its end", look, found...)
}

func phaseIs(n *snapshot.HostNodeadm, state string) bool {
	return slices.ContainsFunc(n.Phases, func(p snapshot.HostPhase) bool { return p.State == state })
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

func kubeconfigThere(v *hostView) []Result {
	gap, missing := v.Gap(snapshot.ProbeKubeconfig)
	again := do("let the bootstrap write it: see why it did not", "journalctl -u nodeadm-run --no-pager | tail -30")
	switch {
	case missing && gap.Reason == snapshot.GapAbsent:
		return fail(report.Certain, "the kubelet has no kubeconfig", again, agent(snapshot.ProbeKubeconfig, gap.Detail))
	case missing && gap.Reason == snapshot.GapNotAsked:
		return nil
	case missing:
		return unknownProbe(gap)
	case v.Kubeconfig.Invalid != "":
		return fail(report.Certain, "the kubelet's kubeconfig cannot be used", again, agent(snapshot.ProbeKubeconfig, v.Kubeconfig.Path+": "+v.Kubeconfig.Invalid))
	}
	return pass("it is there", agent(snapshot.ProbeKubeconfig, fmt.Sprintf("%s: %s, by %s", v.Kubeconfig.Path, v.Kubeconfig.Server, v.Kubeconfig.Auth)))
}

// cloudInitDone warns: what failed need not have kept the machine from
// joining, and when it did, the kubelet tells.
func cloudInitDone(v *hostView, fix report.Fix) []Result {
	if found := v.line("userdata-script-failed"); found != nil && (v.Kubelet == nil || v.Kubelet.Healthz != 200) {
		return fail(report.Likely, "a script of the user data ended in an error", fix, found...)
	}
	if v.CloudInit.Status != "error" {
		return pass("cloud-init: "+v.CloudInit.Status, agent(snapshot.ProbeCloudInit, "status "+v.CloudInit.Status))
	}
	var found []report.Evidence
	for _, text := range v.CloudInit.Errors[:min(len(v.CloudInit.Errors), 4)] {
		found = append(found, agent(snapshot.ProbeCloudInit, text))
	}
	return warn(report.Likely, "cloud-init tells of errors", fix, found...)
}

func userDataRan(v *hostView) []Result {
	clean := do("run cloud-init clean before an image is made of a machine, and replace this one", "cloud-init clean --logs")
	c := v.CloudInit
	found := agent(snapshot.ProbeCloudInit, fmt.Sprintf("status %s, ran for %s", c.Status, cmp.Or(c.InstanceID, "no instance")))
	switch {
	case v.IMDS != nil && v.IMDS.InstanceID != "" && c.InstanceID != "" && c.InstanceID != v.IMDS.InstanceID:
		return fail(report.Likely, "cloud-init ran for another machine: the image was made of one that had booted", clean, found, agent(snapshot.ProbeIMDS, "this is "+v.IMDS.InstanceID))
	case c.Status == "not-run", c.Status == "disabled":
		return warn(report.Possible, "cloud-init has not run on this machine: "+c.Status, clean, found)
	}
	return pass("it has", found)
}

func nodeImage(v *hostView, fix report.Fix) []Result {
	if found := v.line("bootstrap-nofile"); found != nil {
		return fail(report.Certain, "the image has no /etc/eks/bootstrap.sh: it is not one of EKS's", fix, found...)
	}
	if v.System.NodeImage == nil {
		return nil
	}
	found := agent(snapshot.ProbeSystem, cmp.Or(v.System.OS, "an unknown system")+"; kubelet: "+cmp.Or(v.Kubelet.Binary, "not there"))
	if !*v.System.NodeImage && v.Kubelet.Binary == "" && v.System.Family != "bottlerocket" && !strings.Contains(v.System.OSID, "bottlerocket") {
		return fail(report.Certain, "there is no kubelet on the machine: its image is not a node image", fix, found)
	}
	return nil
}

// rightCluster compares with the cluster that is judged, where that is known.
func rightCluster(v *hostView) []Result {
	if v.Kubeconfig.Exec == nil || v.Kubeconfig.Exec.Cluster == "" || v.snap.Cluster == nil {
		return nil
	}
	found := agent(snapshot.ProbeKubeconfig, "the kubelet signs for "+v.Kubeconfig.Exec.Cluster)
	if name := v.snap.Cluster.Name; v.Kubeconfig.Exec.Cluster != name {
		return fail(report.Certain, fmt.Sprintf("the kubelet signs its tokens for cluster %q, not %q", v.Kubeconfig.Exec.Cluster, name), replaceUserData("name the cluster right"), found, fact("eks:DescribeCluster", "cluster "+name))
	}
	return pass("it is the cluster's", found)
}

func rightEndpoint(v *hostView) []Result {
	if v.Kubeconfig.Server == "" || v.snap.Cluster == nil {
		return nil
	}
	found := agent(snapshot.ProbeKubeconfig, "server "+v.Kubeconfig.Server)
	if !sameHost(v.Kubeconfig.Server, v.snap.Cluster.Endpoint) {
		return fail(report.Certain, "the kubelet is sent to an endpoint that is not the cluster's", replaceUserData("name the endpoint right"), found, fact("eks:DescribeCluster", "endpoint "+v.snap.Cluster.Endpoint))
	}
	return pass("it is the cluster's", found)
}

func rightAuthority(v *hostView) []Result {
	if len(v.Kubeconfig.CA) == 0 {
		return nil
	}
	found := agent(snapshot.ProbeKubeconfig, "certificate authority sha256 "+shortSum(v.Kubeconfig.CA))
	if v.snap.Cluster != nil {
		ours, theirs := slices.Sorted(slices.Values(v.Kubeconfig.CA)), fingerprints(v.snap.Cluster.CA)
		if len(theirs) > 0 && !slices.Equal(ours, theirs) {
			return fail(report.Certain, "the kubelet trusts a certificate authority that is not the cluster's", replaceUserData("take the certificate authority over whole"), found,
				fact("eks:DescribeCluster", "certificate authority sha256 "+short(theirs)))
		}
		return pass("it is the cluster's", found)
	}
	if untrusted(v) && eksIssuer(v.API.TLS.Issuer) {
		return fail(report.Likely, "the API server's certificate is not from the authority that the kubelet trusts: it is another cluster's, or a former one's", replaceUserData("take the certificate authority over whole"), found,
			agent(snapshot.ProbeAPI, "the server shows a certificate of "+v.API.TLS.Issuer))
	}
	return nil
}

// shortSum is for sums that a machine reported: they may be anything.
func shortSum(sums []string) string {
	return sums[0][:min(len(sums[0]), 16)]
}

// untrusted: the server showed a certificate that the kubeconfig's authority
// has not signed.
func untrusted(v *hostView) bool {
	return v.API != nil && v.API.TLS != nil && v.API.TLS.Trusted != nil && !*v.API.TLS.Trusted
}

// eksIssuer: EKS signs API servers' certificates by an authority of this name.
func eksIssuer(issuer string) bool { return issuer == "CN=kubernetes" }

// replaceUserData is the way to a right kubeconfig. The bootstrap writes it from
// the user data, once: where that is right, the file was changed by hand.
func replaceUserData(what string) report.Fix {
	return do(what + " in a new version of the launch template, if the user data has it wrong; then replace the machine: user data is read at the first boot only")
}

func rightRegion(v *hostView) []Result {
	if v.Kubeconfig.Exec == nil || v.Kubeconfig.Exec.Region == "" || v.IMDS.Region == "" {
		return nil
	}
	found := agent(snapshot.ProbeKubeconfig, "--region "+v.Kubeconfig.Exec.Region)
	if v.Kubeconfig.Exec.Region != v.IMDS.Region {
		return warn(report.Likely, fmt.Sprintf("the kubelet signs its tokens for %s, the machine is in %s", v.Kubeconfig.Exec.Region, v.IMDS.Region), replaceUserData("leave the region to the bootstrap"), found, agent(snapshot.ProbeIMDS, "region "+v.IMDS.Region))
	}
	return pass("it is the machine's", found)
}
