package check

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// removedFlags are flags that the kubelet had, by the minor version that no
// longer takes them. Those of the dockershim went with it in 1.24, and
// --container-runtime in 1.27 (CHANGELOG-1.24, CHANGELOG-1.27); none of all is
// in cmd/kubelet/app/options of k8s.io/kubernetes@v1.34.4.
func removedFlags() map[string]int {
	return map[string]int{
		"--network-plugin": 24, "--network-plugin-mtu": 24, "--cni-bin-dir": 24, "--cni-conf-dir": 24, "--cni-cache-dir": 24,
		"--docker-endpoint": 24, "--image-pull-progress-deadline": 24, "--experimental-dockershim-root-directory": 24,
		"--non-masquerade-cidr": 24, "--dynamic-config-dir": 24, "--container-runtime": 27,
		"--master-service-namespace": 34, "--register-schedulable": 34, "--keep-terminated-pod-volumes": 34, "--cloud-config": 34,
	}
}

// kubeletDataChecks are about what user data hands to the kubelet.
func kubeletDataChecks() []Check {
	rows := []Check{
		userDataRow("kubelet.unknown-flag", "flags of the kubelet",
			"The kubelet does not start with a flag that it does not know; the error is on the machine only.",
			"https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/", unknownFlag,
			lineRow{sig: "kubelet-unknown-flag", status: report.Fail, confidence: report.Certain, summary: "the kubelet does not start: it does not know the flag %s", value: "flag", fix: do("take the flag out of the user data")}),
		userDataRow("kubelet.bad-labels", "labels that a node gives itself",
			"Within kubernetes.io and k8s.io a node may set only labels that are meant for it: with others the kubelet does not start.",
			"https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction", badLabels,
			proof("kubelet-label-forbidden", "the kubelet does not start: --node-labels has a label that is Kubernetes' own", do("use a prefix of your own, or set the label with kubectl"))),
	}
	for i := range rows {
		rows[i].Link = LinkNodeObject
	}
	return rows
}

// kubeletMinor is the kubelet's version by the image's name, else the
// cluster's.
func (v *bootView) kubeletMinor() int {
	if v.image != nil {
		if match := imageVersion.FindStringSubmatch(v.image.Name); match != nil {
			if n, err := strconv.Atoi(match[1]); err == nil {
				return n
			}
		}
	}
	n, _ := minor(v.snap.Cluster.Version)
	return n
}

func unknownFlag(v *bootView) []Result {
	kubelet := v.kubeletMinor()
	var found []report.Evidence
	for _, flag := range v.doc.KubeletFlags {
		name, value, _ := strings.Cut(flag, "=")
		since, removed := removedFlags()[name]
		switch {
		case removed && kubelet >= since:
			found = append(found, fact(v.source, fmt.Sprintf("user data: kubelet flag %s, which 1.%d no longer has", name, kubelet)))
		case name == "--cloud-provider" && value == "aws" && kubelet >= 27:
			found = append(found, fact(v.source, fmt.Sprintf("user data: --cloud-provider=aws, which 1.%d no longer has: external is the only one", kubelet)))
		}
	}
	if len(found) > 0 {
		return fail(report.Certain, "the user data gives the kubelet flags that it no longer has, and it does not start", v.template("take them out"), found...)
	}
	return pass("no flag is known to be gone", fact(v.source, fmt.Sprintf("%d kubelet flags", len(v.doc.KubeletFlags))))
}

func badLabels(v *bootView) []Result {
	var found []report.Evidence
	for _, key := range slices.Sorted(maps.Keys(v.doc.Labels)) {
		if reservedLabel(key) {
			found = append(found, fact(v.source, fmt.Sprintf("user data: label %s is Kubernetes' own", key)))
		}
	}
	if len(found) > 0 {
		return fail(report.Certain, "the user data has labels that a node may not give itself", v.template("use a prefix of your own"), found...)
	}
	return pass("labels are a node's to set", fact(v.source, fmt.Sprintf("%d labels", len(v.doc.Labels))))
}

// reservedLabel reports whether the kubelet, or the admission of nodes,
// refuses a label by its key. Package nodelabels judges the same by
// Kubernetes' own packages, which rules must not depend on; a test holds the
// two to each other.
func reservedLabel(key string) bool {
	namespace, _, found := strings.Cut(key, "/")
	below := func(domain string) bool { return namespace == domain || strings.HasSuffix(namespace, "."+domain) }
	switch {
	case !found, !below("kubernetes.io") && !below("k8s.io"):
		return false
	case below("node-restriction.kubernetes.io"), below("node-role.kubernetes.io"):
		return true
	case below("kubelet.kubernetes.io"), below("node.kubernetes.io"):
		return false
	}
	return !slices.Contains([]string{
		"kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch", "beta.kubernetes.io/os", "beta.kubernetes.io/arch", "beta.kubernetes.io/instance-type",
		"topology.kubernetes.io/zone", "topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region",
	}, key)
}
