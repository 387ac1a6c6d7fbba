package check

import "github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"

func restrictVPC(in snapshot.Network, may func(snapshot.Section) bool, out *snapshot.Network) {
	if may(snapshot.SectionVPC) {
		out.VPC = in.VPC
	}
	if may(snapshot.SectionDHCPOptions) {
		out.DHCPOptions = in.DHCPOptions
	}
	if may(snapshot.SectionNATGateways) {
		out.NATGateways = in.NATGateways
	}
	if may(snapshot.SectionInternetGateways) {
		out.InternetGateways = in.InternetGateways
	}
	if may(snapshot.SectionVPCEndpoints) {
		out.Endpoints = in.Endpoints
	}
	if may(snapshot.SectionNetworkACLs) {
		out.ACLs = in.ACLs
	}
}

func restrictSystem(in snapshot.System, may func(snapshot.Section) bool) (out snapshot.System) {
	if may(snapshot.SectionDaemonSets) {
		out.DaemonSets = in.DaemonSets
	}
	if may(snapshot.SectionSystemPods) {
		out.Pods = in.Pods
	}
	if may(snapshot.SectionEvents) {
		out.Events = in.Events
	}
	if may(snapshot.SectionLeases) {
		out.Leases = in.Leases
	}
	if may(snapshot.SectionCSRs) {
		out.CSRs = in.CSRs
	}
	if may(snapshot.SectionWebhooks) {
		out.Webhooks = in.Webhooks
	}
	return out
}
