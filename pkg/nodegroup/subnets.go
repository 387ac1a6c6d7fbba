package nodegroup

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// chooseSubnets picks the subnets of the nodes and says whether these get
// public addresses; nil leaves that to each subnet. Without ids or tags the
// choice is among the cluster's own subnets.
func chooseSubnets(snap *snapshot.Snapshot, choice SubnetChoice) (chosen []snapshot.Subnet, publicIP *bool, err error) {
	candidates, err := candidates(snap, choice)
	if err != nil {
		return nil, nil, err
	}
	var private, open []snapshot.Subnet
	for _, subnet := range candidates {
		if isPublic(&snap.Network, subnet.ID) {
			open = append(open, subnet)
		} else {
			private = append(private, subnet)
		}
	}
	yes, no := true, false
	switch {
	case choice.Placement == PlacePublic:
		chosen, publicIP = open, &yes
	case choice.Placement == PlacePrivate:
		chosen, publicIP = private, &no
	case len(choice.IDs) > 0 && len(private) > 0 && len(open) > 0:
		chosen = candidates
	case len(private) > 0:
		chosen, publicIP = private, &no
	default:
		chosen, publicIP = open, &yes
	}
	if len(chosen) == 0 {
		return nil, nil, fmt.Errorf("none of the %d subnets to choose from is %s (%s): name others by --subnets",
			len(candidates), cmp.Or(string(choice.Placement), "usable"), strings.Join(subnetIDs(candidates), ", "))
	}
	slices.SortFunc(chosen, func(a, b snapshot.Subnet) int {
		return cmp.Or(cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.ID, b.ID))
	})
	return chosen, publicIP, nil
}

func candidates(snap *snapshot.Snapshot, choice SubnetChoice) ([]snapshot.Subnet, error) {
	if len(choice.Tags) > 0 {
		var found []snapshot.Subnet
		for _, subnet := range snap.Network.Subnets {
			if subnet.VPCID == snap.Cluster.VPCID && hasTags(subnet.Tags, choice.Tags) {
				found = append(found, subnet)
			}
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("no subnet of %s has the tags of --subnet-tag", snap.Cluster.VPCID)
		}
		return found, nil
	}
	wanted := choice.IDs
	if len(wanted) == 0 {
		wanted = snap.Cluster.SubnetIDs
	}
	var found []snapshot.Subnet
	for _, id := range wanted {
		subnet := snap.Network.Subnet(id)
		if subnet == nil {
			return nil, fmt.Errorf("subnet %s does not exist in %s, the VPC of cluster %s", id, snap.Cluster.VPCID, snap.Cluster.Name)
		}
		found = append(found, *subnet)
	}
	return found, nil
}

func hasTags(have, want map[string]string) bool {
	for key, value := range want {
		got, ok := have[key]
		if !ok || value != "" && got != value {
			return false
		}
	}
	return true
}

// isPublic reports whether the subnet's default route leads to an internet
// gateway. A subnet whose route table is not known counts as private: it
// then gets no public addresses.
func isPublic(network *snapshot.Network, subnetID string) bool {
	table := network.RouteTableOf(subnetID)
	if table == nil {
		return false
	}
	return slices.ContainsFunc(table.Routes, func(route snapshot.Route) bool {
		return (route.Destination == "0.0.0.0/0" || route.Destination == "::/0") && strings.HasPrefix(route.Target, "igw-")
	})
}

func subnetIDs(subnets []snapshot.Subnet) []string {
	out := make([]string, 0, len(subnets))
	for _, subnet := range subnets {
		out = append(out, subnet.ID)
	}
	return out
}

func sortedList(text string) []string {
	list := strings.Split(text, ",")
	slices.Sort(list)
	return list
}
