package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// hostCNIRows are about the machine's network for pods.
func hostCNIRows() []hostRow {
	return []hostRow{
		{
			id: "cni.config-missing", title: "CNI's configuration on the machine",
			why: "The runtime has a network for pods once a CNI has left its configuration in /etc/cni/net.d; until then the node is NotReady.",
			ref: docCNI, link: LinkCNI, needs: probes(snapshot.ProbeCNI), rule: cniConfigured,
		},
		{
			id: "cni.leftover-config", title: "one CNI's configuration only",
			why: "The runtime takes the first file by name: what another CNI has left behind hides the right one.",
			ref: docCNI, link: LinkCNI, needs: probes(snapshot.ProbeCNI), rule: cniLeftover,
		},
		{
			id: "cni.ipamd", title: "VPC CNI's address manager on the machine",
			why: "It gives pods their addresses. Without it, or without addresses, no pod starts.",
			ref: docCNI, link: LinkCNI, needs: probes(snapshot.ProbeIPAMD), rule: ipamdAnswers,
		},
		{
			id: "cni.nm-cloud-setup", title: "nm-cloud-setup is off",
			why: "It removes the routing rules that the VPC CNI makes for pods.",
			ref: "https://github.com/aws/amazon-vpc-cni-k8s/blob/master/docs/troubleshooting.md", link: LinkCNI, needs: probes(snapshot.ProbeUnits), rule: nmCloudSetup,
		},
	}
}

func cniConfigured(v *hostView) []Result {
	c := v.CNI
	look := do("see why the CNI's pod on this node does not run", "kubectl -n kube-system get pods -o wide -l k8s-app=aws-node", "crictl ps -a --name aws-node")
	if len(c.Files) == 0 {
		return fail(report.Certain, "no CNI has left its configuration on the machine", look, agent(snapshot.ProbeCNI, c.ConfDir+" has no configuration"))
	}
	first := c.Files[0]
	found := agent(snapshot.ProbeCNI, fmt.Sprintf("%s/%s: %s (%s)", c.ConfDir, first.Name, first.Network, strings.Join(first.Plugins, ", ")))
	switch {
	case first.Invalid != "":
		return fail(report.Certain, "the CNI's configuration cannot be read", do("let the CNI write it anew: remove it, and restart its pod", "rm "+c.ConfDir+"/"+first.Name),
			agent(snapshot.ProbeCNI, c.ConfDir+"/"+first.Name+": "+first.Invalid))
	case len(c.Missing) > 0:
		return fail(report.Certain, fmt.Sprintf("the machine does not have the CNI's program %s", strings.Join(c.Missing, ", ")), look, found, agent(snapshot.ProbeCNI, "not in "+c.BinDir))
	}
	return pass("it is there", found)
}

func cniLeftover(v *hostView) []Result {
	if len(v.CNI.Files) < 2 {
		return pass("there is no other", agent(snapshot.ProbeCNI, fmt.Sprintf("%d files in %s", len(v.CNI.Files), v.CNI.ConfDir)))
	}
	ours := slices.IndexFunc(v.CNI.Files, func(f snapshot.HostCNIFile) bool { return slices.Contains(f.Plugins, "aws-cni") })
	names := make([]string, 0, len(v.CNI.Files))
	for _, file := range v.CNI.Files {
		names = append(names, file.Name)
	}
	found := agent(snapshot.ProbeCNI, v.CNI.ConfDir+": "+strings.Join(names, ", "))
	if ours > 0 {
		return fail(report.Likely, fmt.Sprintf("the configuration of another CNI, %s, comes before the VPC CNI's", names[0]),
			do("remove what the other CNI has left, and replace machines that it ran on", "rm "+v.CNI.ConfDir+"/"+names[0]), found)
	}
	return warn(report.Possible, "several CNIs have left configuration: the runtime takes "+names[0], do("remove what is not used"), found)
}

func ipamdAnswers(v *hostView) []Result {
	i := v.IPAMD
	if i.Failure != nil {
		return fail(report.Likely, "the VPC CNI's address manager does not answer", do("read why", "tail -50 /var/log/aws-routed-eni/ipamd.log", "kubectl -n kube-system get pods -o wide -l k8s-app=aws-node"),
			append([]report.Evidence{agent(snapshot.ProbeIPAMD, i.Failure.Detail)}, v.line("ipamd-api")...)...)
	}
	found := agent(snapshot.ProbeIPAMD, fmt.Sprintf("%d interfaces, %d of %d addresses given to pods", i.ENIs, i.Assigned, i.Total))
	if i.Total > 0 && i.Assigned >= i.Total {
		if line := v.line("ipamd-no-ips"); line != nil {
			return fail(report.Certain, "the VPC CNI gets no more addresses from the subnet", do("give the cluster more addresses: another subnet, custom networking or prefixes"), append(line, found)...)
		}
		return warn(report.Possible, "all addresses of the machine are given to pods", do("see whether the subnet has addresses left, and the machine interfaces"), found)
	}
	return pass("it answers", found)
}

func nmCloudSetup(v *hostView) []Result {
	unit := v.Units.Unit("nm-cloud-setup")
	switch {
	case unit == nil && v.Units.Source != "dbus":
		return nil // a list of processes does not know
	case unit == nil || unit.Enabled != "enabled" && unit.Active != "active":
		return pass("it is", agent(snapshot.ProbeUnits, "nm-cloud-setup.service does not run"))
	}
	return fail(report.Likely, "nm-cloud-setup runs, and removes the VPC CNI's routing rules", do("turn it off, in the image too, and restart the machine", "systemctl disable --now nm-cloud-setup.timer nm-cloud-setup.service"),
		agent(snapshot.ProbeUnits, "nm-cloud-setup.service: "+unit.Active+", "+unit.Enabled))
}
