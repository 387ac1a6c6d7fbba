package check

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func targetChecks() []Check {
	return []Check{
		{
			ID:        "target.cluster-match",
			Title:     "kubeconfig and EKS mean the same cluster",
			Why:       "If they do not, machines would join one cluster while aws-auth is edited in another.",
			Ref:       "https://docs.aws.amazon.com/eks/latest/userguide/create-kubeconfig.html",
			Link:      LinkTarget,
			Needs:     []snapshot.Section{snapshot.SectionCluster},
			Preflight: true,
			Cluster:   clusterMatch,
		},
		{
			ID:        "target.cluster-active",
			Title:     "cluster status",
			Why:       "Machines that start before the cluster is ACTIVE never register and must be replaced.",
			Ref:       "https://docs.aws.amazon.com/eks/latest/userguide/launch-workers.html",
			Link:      LinkTarget,
			Needs:     []snapshot.Section{snapshot.SectionCluster},
			Preflight: true,
			Cluster:   clusterActive,
		},
	}
}

func clusterMatch(s *snapshot.Snapshot) []Result {
	if s.Target.Server == "" {
		return nil // no kubeconfig is in play
	}
	fix := do("point the kubeconfig at the cluster, or choose another context",
		fmt.Sprintf("aws eks update-kubeconfig --region %s --name %s", s.Target.Region, s.Cluster.Name))
	where := []report.Evidence{
		fact("kubeconfig", fmt.Sprintf("context %q, server %s", s.Target.Context, s.Target.Server)),
		fact("eks:DescribeCluster", fmt.Sprintf("cluster %q, endpoint %s", s.Cluster.Name, s.Cluster.Endpoint)),
	}
	if !sameHost(s.Target.Server, s.Cluster.Endpoint) {
		return fail(report.Certain, fmt.Sprintf("the kubeconfig's server is not the endpoint of cluster %q", s.Cluster.Name), fix, where...)
	}
	ours, theirs := fingerprints(s.Target.ServerCA), fingerprints(s.Cluster.CA)
	if len(theirs) == 0 {
		return fail(report.Certain, "DescribeCluster gives no certificate authority to compare", fix, where...)
	}
	if !slices.Equal(ours, theirs) {
		return fail(report.Certain, fmt.Sprintf("the kubeconfig trusts another certificate authority than that of cluster %q", s.Cluster.Name), fix,
			fact("kubeconfig", "certificate authority sha256 "+short(ours)),
			fact("eks:DescribeCluster", "certificate authority sha256 "+short(theirs)))
	}
	return pass("endpoint and certificate authority are the same", where...)
}

// sameHost compares API server URLs: letter case of the host, the default
// port and a trailing slash do not count.
func sameHost(a, b string) bool {
	normal := func(s string) string {
		u, err := url.Parse(s)
		if err != nil || u.Host == "" {
			return s
		}
		port := u.Port()
		if port == "" {
			port = "443"
		}
		return strings.ToLower(u.Scheme+"://"+u.Hostname()) + ":" + port + strings.TrimSuffix(u.Path, "/")
	}
	return normal(a) == normal(b)
}

// fingerprints of the certificates in a PEM bundle, sorted.
func fingerprints(bundle string) []string {
	var prints []string
	rest := []byte(bundle)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		sum := sha256.Sum256(block.Bytes)
		prints = append(prints, hex.EncodeToString(sum[:]))
	}
	slices.Sort(prints)
	return slices.Compact(prints)
}

func short(prints []string) string {
	if len(prints) == 0 {
		return "none"
	}
	return prints[0][:16]
}

func clusterActive(s *snapshot.Snapshot) []Result {
	found := fact("eks:DescribeCluster", "status "+s.Cluster.Status)
	wait := do("wait until it is ACTIVE", fmt.Sprintf("aws eks wait cluster-active --region %s --name %s", s.Target.Region, s.Cluster.Name))
	switch s.Cluster.Status {
	case "ACTIVE":
		return pass("the cluster is ACTIVE", found)
	case "UPDATING":
		return warn(report.Possible, "the cluster is UPDATING: machines join, but its version or endpoint may change", wait, found)
	case "CREATING", "PENDING":
		return fail(report.Certain, fmt.Sprintf("the cluster is %s: machines started now never register", s.Cluster.Status), wait, found)
	default:
		return fail(report.Certain, "the cluster is "+s.Cluster.Status, do("choose another cluster"), found)
	}
}
