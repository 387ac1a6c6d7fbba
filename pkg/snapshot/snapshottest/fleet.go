package snapshottest

import (
	"fmt"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Fleet is the healthy cluster with one group of so many Ready machines, at
// most 60,000, after the edits.
func Fleet(machines int, edits ...Edit) *snapshot.Snapshot {
	s := Healthy()
	quota, inUse := 4*machines, 2*machines
	s.Catalog.VCPUQuota, s.Catalog.VCPUInUse = &quota, &inUse
	s.Network.VPC.CIDRs = []string{"10.0.0.0/8"}
	for i := range s.Network.Subnets {
		s.Network.Subnets[i].CIDR = fmt.Sprintf("10.%d.0.0/16", i+1)
		s.Network.Subnets[i].FreeAddresses = 60000
	}
	for i := range s.Network.RouteTables {
		s.Network.RouteTables[i].Routes[0].Destination = "10.0.0.0/8"
	}
	g := &s.Groups[0]
	g.Desired, g.Max, g.InstanceIDs, g.Members = machines, machines, nil, nil
	s.Nodes, s.Kube.System = nil, system()
	for i := range s.Kube.System.DaemonSets {
		s.Kube.System.DaemonSets[i].Desired, s.Kube.System.DaemonSets[i].Ready = machines, machines
	}
	for i := range machines {
		id, zone, subnet := fmt.Sprintf("i-%017x", i+1), "us-west-2a", 3
		if i%2 == 1 {
			zone, subnet = "us-west-2b", 4
		}
		n := node(id, zone, s.Network.Subnets[subnet-1].ID, fmt.Sprintf("10.%d.%d.%d", subnet, i/2/250, i/2%250+4))
		n.Status = &snapshot.InstanceStatus{System: "ok", Instance: "ok"}
		n.Cloud.HTTPEndpoint = "enabled"
		s.Nodes = append(s.Nodes, n)
		g.InstanceIDs = append(g.InstanceIDs, id)
		g.Members = append(g.Members, snapshot.Member{InstanceID: id, Lifecycle: "InService", Health: "Healthy"})
		addPods(&s.Kube.System, n.Kube.Name)
	}
	for _, edit := range edits {
		edit(s)
	}
	return s
}

// Unmapped is a fleet that was let in nowhere: nothing maps its role, and no
// machine has joined. Some consoles say so.
func Unmapped(s *snapshot.Snapshot) {
	s.Access.Entries, s.Access.AwsAuth = nil, &snapshot.AwsAuth{Data: map[string]string{"mapRoles": "# nobody\n"}}
	s.Kube.System.Pods, s.Kube.System.Leases, s.Kube.System.CSRs = nil, nil, nil
	for i := range s.Kube.System.DaemonSets {
		s.Kube.System.DaemonSets[i].Desired, s.Kube.System.DaemonSets[i].Ready = 0, 0
	}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		n.Kube = nil
		n.Cloud.LaunchedAt = Now().Add(-time.Hour)
		if i >= 10 {
			for _, section := range []snapshot.Section{snapshot.SectionConsole, snapshot.SectionUserData} {
				s.Gaps = append(s.Gaps, snapshot.Gap{Section: section, Subject: n.InstanceID, Reason: snapshot.GapNotAsked, Detail: "other machines were asked"})
			}
			continue
		}
		n.Console = &snapshot.Console{Text: "[  300.1] kubelet[1500]: Unable to register node with API server: Unauthorized\n", At: Now()}
	}
}
