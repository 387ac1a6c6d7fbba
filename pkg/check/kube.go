package check

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const (
	servingSigner = "kubernetes.io/kubelet-serving" // k8s.io/api/certificates/v1, KubeletServingSignerName
	// approveTime is how long a serving certificate may wait for approval.
	approveTime = 5 * time.Minute
)

// kubeChecks are about a node's standing with the control plane.
func kubeChecks() []Check {
	nodes := snapshot.SectionNodes
	return []Check{
		{
			ID: "kube.version-skew", Title: "kubelet's version fits the API server's",
			Why:  "A kubelet may be up to three minor versions older than the API server and never newer.",
			Ref:  "https://kubernetes.io/releases/version-skew-policy/",
			Link: LinkReady, Needs: sections(nodes, snapshot.SectionKubeVersion), Node: versionSkew,
		},
		{
			ID: "kube.serving-certificate", Title: "kubelet's serving certificate is approved",
			Why:  "Without its serving certificate a kubelet answers logs and exec with a TLS error. EKS approves requests whose user and addresses are the machine's own.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/cert-signing.html",
			Link: LinkReady, Needs: sections(nodes, snapshot.SectionCSRs), Node: servingCertificate,
		},
	}
}

var minorVersion = regexp.MustCompile(`^v?1\.(\d+)`)

func minorOf(version string) (int, bool) {
	match := minorVersion.FindStringSubmatch(version)
	if match == nil {
		return 0, false
	}
	n, err := strconv.Atoi(match[1])
	return n, err == nil
}

func versionSkew(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Kube == nil {
		return nil
	}
	kubelet, okK := minorOf(n.Kube.KubeletVersion)
	server, okS := minorOf(s.Kube.ServerVersion)
	if !okK || !okS {
		return nil
	}
	found := []report.Evidence{fact("kube/nodes", n.Kube.Name+": kubelet "+n.Kube.KubeletVersion), fact("kube/version", s.Kube.ServerVersion)}
	switch {
	case kubelet > server:
		return warn(report.Certain, fmt.Sprintf("kubelet 1.%d is newer than the API server's 1.%d", kubelet, server),
			do("upgrade the control plane first, or take an image of its version", fmt.Sprintf("aws eks update-cluster-version --region %s --name %s --kubernetes-version 1.%d",
				s.Target.Region, s.Target.ClusterName, server+1)), found...)
	case kubelet < server-maxSkew:
		return warn(report.Certain, fmt.Sprintf("kubelet 1.%d is more than %d versions older than the API server's 1.%d", kubelet, maxSkew, server),
			do("replace the machine with one of a newer image"), found...)
	}
	return pass(fmt.Sprintf("kubelet 1.%d, API server 1.%d", kubelet, server), found...)
}

func servingCertificate(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Kube == nil {
		return nil
	}
	pending, denied := "", ""
	var found []report.Evidence
	newest := time.Time{}
	for _, csr := range s.Kube.System.CSRs {
		if csr.Signer != servingSigner || csr.Requestor != "system:node:"+n.Kube.Name || csr.CreatedAt.Before(newest) {
			continue
		}
		newest, pending, denied = csr.CreatedAt, "", ""
		found = []report.Evidence{fact("kube/csrs", fmt.Sprintf("%s of %s: %s since %s", csr.Name, csr.Requestor, csr.State, csr.CreatedAt.UTC().Format(time.RFC3339)))}
		switch {
		case csr.State == "Pending" && s.CollectedAt.Sub(csr.CreatedAt) > approveTime:
			pending = csr.Name
		case csr.State == "Denied" || csr.State == "Failed":
			denied = csr.Name
		}
	}
	look := "kubectl describe csr "
	switch {
	case pending != "":
		return warn(report.Likely, "the kubelet's serving certificate waits for approval: logs and exec fail",
			do("see that the node's name is the instance's private DNS name; approve it by hand when it is", look+pending, "kubectl certificate approve "+pending), found...)
	case denied != "":
		return warn(report.Certain, "the kubelet's serving certificate was refused: logs and exec fail", do("see why", look+denied), found...)
	case len(found) == 0:
		return nil // requests are deleted after an hour
	}
	return pass("nothing waits", found...)
}
