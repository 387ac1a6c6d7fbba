package check

import (
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// userOfNode is the prefix of the user name that a kubelet has.
const userOfNode = "system:node:"

// belongings are what the cluster has for the sake of one node.
type belongings struct {
	pods   []snapshot.Pod
	leases []snapshot.Lease
	csrs   []snapshot.CSR
}

// near makes the view that a rule has of one machine: of the lists that grow
// with the machines, nothing but what is its node's, and the newest heartbeat,
// which is the cluster's clock. Otherwise each machine would be looked up among
// all. A rule that compares machines is asked by Join.
func (*court) near(seen *snapshot.Snapshot) func(*snapshot.Node) *snapshot.Snapshot {
	system := &seen.Kube.System
	if len(system.Pods)+len(system.Leases)+len(system.CSRs) == 0 {
		return func(*snapshot.Node) *snapshot.Snapshot { return seen }
	}
	of := map[string]*belongings{}
	at := func(node string) *belongings {
		if of[node] == nil {
			of[node] = &belongings{}
		}
		return of[node]
	}
	for _, pod := range system.Pods {
		at(pod.Node).pods = append(at(pod.Node).pods, pod)
	}
	var newest snapshot.Lease
	for _, lease := range system.Leases {
		at(lease.Node).leases = append(at(lease.Node).leases, lease)
		if lease.Renewed.After(newest.Renewed) {
			newest = lease
		}
	}
	for _, csr := range system.CSRs {
		if node, ok := strings.CutPrefix(csr.Requestor, userOfNode); ok {
			at(node).csrs = append(at(node).csrs, csr)
		}
	}
	return func(node *snapshot.Node) *snapshot.Snapshot {
		view, own := *seen, &belongings{}
		if node.Kube != nil && of[node.Kube.Name] != nil {
			own = of[node.Kube.Name]
		}
		view.Kube.System.Pods, view.Kube.System.Leases, view.Kube.System.CSRs = own.pods, slices.Concat(own.leases, []snapshot.Lease{newest}), own.csrs
		return &view
	}
}
