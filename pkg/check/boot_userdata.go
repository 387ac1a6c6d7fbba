package check

import (
	"fmt"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

const (
	docNodeadm  = "https://awslabs.github.io/amazon-eks-ami/nodeadm/doc/examples/"
	docAL2023   = "https://docs.aws.amazon.com/eks/latest/userguide/al2023.html"
	docTemplate = "https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html"
	docRocket   = "https://bottlerocket.dev/en/os/latest/#/api/settings/kubernetes/"
)

// userDataChecks are about the form of user data: can the machine read what
// it boots from?
func userDataChecks() []Check {
	config := do("add a NodeConfig as a part of type application/node.eks.aws, in a new version of the launch template")
	toml := do("write the user data in TOML, with nothing else in it")
	return []Check{
		userDataRow("boot.nodeconfig-missing", "NodeConfig in the user data",
			"AL2023 learns from a NodeConfig which cluster to join; it looks nothing up.", docAL2023, nodeConfigMissing,
			lineRow{sig: "no-nodeconfig", status: report.Fail, confidence: report.Certain, summary: "nodeadm found no NodeConfig in the user data", unless: "nodeconfig-yaml", fix: config}),
		userDataRow("boot.nodeconfig-incomplete", "NodeConfig names the cluster in full",
			"nodeadm needs name, apiServerEndpoint, certificateAuthority and cidr, and stops at the first that is missing.", docAL2023, nodeConfigIncomplete,
			lineRow{sig: "nodeconfig-incomplete", status: report.Fail, confidence: report.Certain, summary: "nodeadm stopped: %s is missing in the NodeConfig", value: "field", fix: do("set all four fields of spec.cluster in the launch template")}),
		userDataRow("boot.nodeconfig-yaml", "NodeConfig is YAML that nodeadm takes",
			"nodeadm goes on without a NodeConfig that it cannot decode, and then has none.", docNodeadm, nodeConfigYAML,
			lineRow{sig: "nodeconfig-yaml", status: report.Fail, confidence: report.Likely, summary: "nodeadm cannot read the NodeConfig: %s", value: "what", fix: do("correct the line; `nodeadm config check -c file://FILE` reads it as a machine would")}),
		userDataRow("boot.mime-malformed", "user data is well-formed MIME",
			"A boundary that is misspelt or a blank line that is missing hides the parts from cloud-init and nodeadm.", docTemplate, mimeMalformed),
		userDataRow("boot.mime-part-gzip", "parts of the user data are not compressed",
			"Images before 2024 take a compressed document, but no compressed part.", docTemplate, mimePartGzip),
		userDataRow("boot.userdata-not-mime", "user data is of a known form",
			"Text that is neither MIME nor a script nor a configuration is passed over in silence.", docTemplate, notMIME,
			proof("userdata-not-multipart", "cloud-init knows no such user data, and passed over it", config)),
		userDataRow("boot.userdata-encoding", "user data can be decoded",
			"What cannot be decompressed is not read.", docTemplate, encoding),
		userDataRow("boot.al2-script-on-al2023", "user data fits the image: bootstrap.sh",
			"AL2023 has no bootstrap.sh: a script that calls it ends in an error and the machine joins nothing.", docAL2023, al2Script,
			proof("bootstrap-removed", "the user data calls bootstrap.sh, which AL2023 does not have", config)),
		userDataRow("boot.br-toml-invalid", "Bottlerocket's user data is TOML",
			"Bottlerocket reads settings in TOML and nothing else: no MIME, no scripts.", docRocket, tomlInvalid,
			proof("br-toml", "Bottlerocket cannot read its user data: it is not TOML", toml)),
		userDataRow("boot.br-settings-missing", "Bottlerocket's settings name the cluster",
			"Bottlerocket needs api-server, cluster-certificate and cluster-name under settings.kubernetes.", docRocket, rocketMissing),
		userDataRow("boot.nodeadm-called-manually", "no script runs nodeadm",
			"nodeadm is started by systemd after cloud-init. Run from a script it comes before its configuration.", docNodeadm, callsNodeadm,
			lineRow{sig: "nodeadm-manual", status: report.Warn, confidence: report.Certain, summary: "a script of the user data runs nodeadm itself", fix: do("leave it out: write configuration to /etc/eks/nodeadm.d instead")}),
		userDataRow("boot.extra-args-quoting", "arguments of bootstrap.sh",
			"bootstrap.sh takes values as words of their own; others end up as the cluster's name or nowhere.", docTemplate, arguments),
		userDataRow("boot.userdata-failed", "scripts of the user data run",
			"A script that ends in an error takes the commands after it along, joining included.", docTemplate, scriptBroken,
			lineRow{sig: "userdata-script-failed", status: report.Fail, confidence: report.Likely, summary: "a script of the user data ended in an error", unless: "nodeadm-done", fix: do("read /var/log/cloud-init-output.log, or the console; let the machine join first and do the rest after")}),
	}
}

func nodeConfigMissing(v *bootView) []Result {
	if v.family != familyAL2023 || !v.readable() || v.doc.Bootstrap != nil {
		return nil
	}
	if v.doc.NodeConfigs > 0 {
		return pass("there is a NodeConfig", fact(v.source, fmt.Sprintf("%d NodeConfig documents", v.doc.NodeConfigs)))
	}
	return fail(report.Certain, "the user data has no NodeConfig, and AL2023 joins no cluster without one",
		v.template("add a part of type application/node.eks.aws"), fact(v.source, fmt.Sprintf("user data of %d bytes, form %s", v.doc.Size, v.doc.Format)), fact("ec2:DescribeImages", v.imageName()))
}

func nodeConfigIncomplete(v *bootView) []Result {
	if v.doc.NodeConfigs == 0 || !v.readable() {
		return nil
	}
	if found := v.faults(userdata.FaultMissing); len(found) > 0 {
		return fail(report.Certain, "the NodeConfig does not name the cluster in full", v.template("set the fields that are missing"), found...)
	}
	return pass("all four fields are set", fact(v.source, "name, apiServerEndpoint, certificateAuthority, cidr"))
}

func nodeConfigYAML(v *bootView) []Result {
	if found := v.faults(userdata.FaultYAML); len(found) > 0 {
		return fail(report.Certain, "the NodeConfig is not YAML", v.template("correct the line"), found...)
	}
	if v.doc.NodeConfigs == 0 {
		return nil
	}
	if found := v.faults(userdata.FaultValue); len(found) > 0 && v.fits() {
		return fail(report.Likely, "the NodeConfig has a value that nodeadm does not take", v.template("correct the line"), found...)
	}
	if found := v.faults(userdata.FaultUnknownField); len(found) > 0 {
		return warn(report.Certain, "the NodeConfig has fields that nodeadm does not know and ignores", v.template("correct the names"), found...)
	}
	return pass("it can be read", fact(v.source, "NodeConfig parses"))
}

func mimeMalformed(v *bootView) []Result {
	if v.doc.Format != userdata.FormatMIME {
		return nil
	}
	if found := v.faults(userdata.FaultMIME, userdata.FaultLeadingSpace); len(found) > 0 {
		return fail(report.Certain, "the user data is not well-formed MIME", v.template("correct the line"), found...)
	}
	return pass(fmt.Sprintf("%d parts", len(v.doc.Parts)), fact(v.source, "MIME parses"))
}

func mimePartGzip(v *bootView) []Result {
	for _, part := range v.doc.Parts {
		if part.Gzip {
			return warn(report.Possible, "a part of the user data is compressed by itself", v.template("compress the whole document, or nothing"),
				fact(v.source, fmt.Sprintf("part at line %d: %s, gzip", part.Line, part.Type)))
		}
	}
	if len(v.doc.Parts) == 0 {
		return nil
	}
	return pass("no part is compressed", fact(v.source, fmt.Sprintf("%d parts", len(v.doc.Parts))))
}

func notMIME(v *bootView) []Result {
	if found := v.faults(userdata.FaultNotRead); len(found) > 0 {
		return fail(report.Certain, "nothing on the machine reads such user data", v.template("make it MIME, or a NodeConfig alone"), found...)
	}
	if v.doc.Format == userdata.FormatEmpty {
		return nil
	}
	return pass("it is "+string(v.doc.Format), fact(v.source, string(v.doc.Format)))
}

func encoding(v *bootView) []Result {
	if found := v.faults(userdata.FaultEncoding); len(found) > 0 {
		return fail(report.Certain, "the user data cannot be decoded", v.template("encode it once"), found...)
	}
	return pass("it can be decoded", fact(v.source, fmt.Sprintf("%d bytes", v.doc.Size)))
}

func al2Script(v *bootView) []Result {
	if v.family != familyAL2023 && v.family != familyBottlerocket {
		return nil
	}
	if v.doc.Bootstrap == nil {
		return pass("it calls no bootstrap.sh", fact("ec2:DescribeImages", v.imageName()))
	}
	return fail(report.Certain, fmt.Sprintf("the user data calls bootstrap.sh, which %s does not have", v.family),
		v.template("write a NodeConfig instead"), fact(v.source, fmt.Sprintf("user data line %d calls bootstrap.sh", v.doc.Bootstrap.Line)), fact("ec2:DescribeImages", v.imageName()))
}

func tomlInvalid(v *bootView) []Result {
	found := v.faults(userdata.FaultTOML)
	if v.family == familyBottlerocket && v.doc.Format != userdata.FormatBottlerocket && v.doc.Format != userdata.FormatEmpty {
		found = append(found, fact(v.source, "user data of the form "+string(v.doc.Format)), fact("ec2:DescribeImages", v.imageName()))
	}
	switch {
	case len(found) > 0:
		return fail(report.Certain, "Bottlerocket reads TOML, and the user data is something else", v.template("write TOML"), found...)
	case v.family != familyBottlerocket:
		return nil
	}
	return pass("it is TOML", fact(v.source, "TOML parses"))
}

func rocketMissing(v *bootView) []Result {
	rocket := v.doc.Format == userdata.FormatBottlerocket
	switch {
	case v.family == familyBottlerocket && v.doc.Format == userdata.FormatEmpty:
		return fail(report.Certain, "there is no user data, and Bottlerocket needs settings.kubernetes", v.template("set api-server, cluster-certificate and cluster-name"), fact(v.source, "empty"))
	case !rocket || !v.readable():
		return nil
	}
	if found := v.faults(userdata.FaultMissing); len(found) > 0 {
		return fail(report.Certain, "Bottlerocket's settings do not name the cluster in full", v.template("set what is missing"), found...)
	}
	return pass("the settings are complete", fact(v.source, "api-server, cluster-certificate, cluster-name"))
}

func callsNodeadm(v *bootView) []Result {
	if found := v.faults(userdata.FaultCallsNodeadm); len(found) > 0 {
		return warn(report.Certain, "a script of the user data runs nodeadm itself", v.template("leave it out"), found...)
	}
	return pass("no script runs nodeadm", fact(v.source, fmt.Sprintf("%d parts", len(v.doc.Parts))))
}

func arguments(v *bootView) []Result {
	if v.doc.Bootstrap == nil {
		return nil
	}
	if found := v.faults(userdata.FaultArgument); len(found) > 0 {
		return fail(report.Likely, "bootstrap.sh does not read an argument of the user data", v.template("separate it from its value by a space"), found...)
	}
	return pass("arguments are written as bootstrap.sh reads them", fact(v.source, fmt.Sprintf("user data line %d", v.doc.Bootstrap.Line)))
}

func scriptBroken(v *bootView) []Result {
	found := v.faults(userdata.FaultCarriage, userdata.FaultInterpreter)
	if len(found) == 0 {
		return pass("nothing says that a script fails", fact(v.source, fmt.Sprintf("%d parts", len(v.doc.Parts))))
	}
	if v.doc.NodeConfigs > 0 {
		return warn(report.Likely, "a script of the user data cannot run", v.template("correct the line"), found...)
	}
	return fail(report.Likely, "the script in the user data cannot run", v.template("correct the line"), found...)
}
