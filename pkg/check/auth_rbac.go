package check

import (
	"fmt"
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// bootstrapper is the binding that EKS makes for nodes. What nodes may do
// besides is the node authorizer's to say, and stands in no binding.
const bootstrapper = "eks:node-bootstrapper"

func rbacChecks() []Check {
	return []Check{{
		ID: "auth.rbac-broken", Title: "cluster role bindings of nodes",
		Why:  "EKS lets nodes ask for the certificate that they serve by, in the binding eks:node-bootstrapper. Without it logs and exec fail on new nodes, which join all the same.",
		Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/troubleshooting.html",
		Link: LinkAuthorisation, Needs: sections(snapshot.SectionBindings), Cluster: nodeBindings,
	}}
}

func nodeBindings(s *snapshot.Snapshot) []Result {
	const source = "clusterrolebinding " + bootstrapper
	fix := do("make it again as EKS does", fmt.Sprintf("kubectl create clusterrolebinding %s --clusterrole=%s --group=system:bootstrappers --group=%s", bootstrapper, bootstrapper, nodesGroup))
	i := slices.IndexFunc(s.Kube.Bindings, func(b snapshot.Binding) bool { return b.Name == bootstrapper })
	if i < 0 {
		return warn(report.Likely, "the binding "+bootstrapper+" is gone: new nodes get no serving certificate", fix, fact(source, "not found"))
	}
	binding := s.Kube.Bindings[i]
	found := fact(source, fmt.Sprintf("role %s, subjects %v", binding.Role, binding.Subjects))
	if binding.Role != bootstrapper || !slices.Contains(binding.Subjects, "Group/"+nodesGroup) {
		return warn(report.Likely, "the binding "+bootstrapper+" does not bind nodes: new ones get no serving certificate", do("delete it and make it again as EKS does",
			"kubectl delete clusterrolebinding "+bootstrapper, fix.Commands[0]), found)
	}
	return pass("nodes are bound", found)
}
