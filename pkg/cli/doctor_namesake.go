package cli

import (
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// namesakes are the Node objects of other machines, or of none, that have the
// name or the address of a chosen machine without a Node object of its own:
// one left behind by an earlier machine keeps the new one's name.
func namesakes(all, chosen []snapshot.Node) []snapshot.Node {
	names, addresses, have := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range chosen {
		node := &chosen[i]
		if node.Kube != nil {
			have[node.Kube.Name] = true
		}
		if node.Kube == nil && node.Cloud != nil {
			names[node.Cloud.PrivateDNSName], addresses[node.Cloud.PrivateIP] = true, true
		}
	}
	var found []snapshot.Node
	for i := range all {
		object := all[i].Kube
		if object == nil || have[object.Name] {
			continue
		}
		if names[object.Name] || slices.ContainsFunc(object.InternalIPs, func(ip string) bool { return addresses[ip] }) {
			found = append(found, all[i])
		}
	}
	return found
}
