package snapshottest

import (
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// The parts of the healthy network that tests break.
const (
	NAT     = "nat-0a"
	NATIP   = "198.51.100.7"
	Gateway = "igw-0a"
)

// surroundings adds what the machines depend on: the rest of the network and
// what runs in the cluster for them.
func surroundings(s *snapshot.Snapshot) {
	n := &s.Network
	n.VPC = &snapshot.VPC{ID: VPC, CIDRs: []string{"10.0.0.0/16"}, DHCPOptionsID: "dopt-0a", DNSSupport: true, DNSHostnames: true}
	n.DHCPOptions = []snapshot.DHCPOptions{{ID: "dopt-0a", DomainName: "us-west-2.compute.internal", NameServers: []string{"AmazonProvidedDNS"}}}
	n.NATGateways = []snapshot.NATGateway{{ID: NAT, VPCID: VPC, SubnetID: "subnet-0publica", State: "available", Connectivity: "public", PublicIPs: []string{NATIP}}}
	n.InternetGateways = []snapshot.InternetGateway{{ID: Gateway, VPCIDs: []string{VPC}}}
	n.Endpoints = []snapshot.VPCEndpoint{{
		ID: "vpce-0s3", VPCID: VPC, Service: "com.amazonaws.us-west-2.s3", Type: "Gateway", State: "available", RouteTableIDs: []string{"rtb-0private"}, Policy: AllowAll,
	}}
	n.ACLs = []snapshot.NetworkACL{{
		ID: "acl-0a", VPCID: VPC, Default: true, SubnetIDs: []string{"subnet-0publica", "subnet-0publicb", "subnet-0privatea", "subnet-0privateb"},
		Entries: []snapshot.ACLEntry{
			{Number: 100, Protocol: "-1", Egress: true, Allow: true, CIDR: "0.0.0.0/0"},
			{Number: 32767, Protocol: "-1", Egress: true, CIDR: "0.0.0.0/0"},
			{Number: 100, Protocol: "-1", Allow: true, CIDR: "0.0.0.0/0"},
			{Number: 32767, Protocol: "-1", CIDR: "0.0.0.0/0"},
		},
	}}
	for i := range s.Groups {
		g := &s.Groups[i]
		g.HealthCheck, g.HealthGrace = "EC2", 5*time.Minute
		for _, id := range g.InstanceIDs {
			g.Members = append(g.Members, snapshot.Member{InstanceID: id, Lifecycle: "InService", Health: "Healthy"})
		}
	}
	s.Kube.System = system()
	for i, name := range []string{"coredns-5d9c8f7b6-aaaaa", "coredns-5d9c8f7b6-bbbbb"} {
		s.Kube.System.Pods = append(s.Kube.System.Pods, snapshot.Pod{
			Namespace: "kube-system", Name: name, Owner: "ReplicaSet/coredns-5d9c8f7b6", Node: s.Nodes[i].Kube.Name, Phase: "Running", Ready: true,
			Containers: []snapshot.PodContainer{{Name: "coredns", Ready: true}},
		})
	}
	for i := range s.Nodes {
		node := &s.Nodes[i]
		node.Status = &snapshot.InstanceStatus{System: "ok", Instance: "ok"}
		node.Cloud.HTTPEndpoint = "enabled"
		addPods(&s.Kube.System, node.Kube.Name)
	}
}

// AllowAll is the policy of an endpoint that nobody has narrowed.
const AllowAll = `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}`

func system() snapshot.System {
	return snapshot.System{DaemonSets: []snapshot.DaemonSet{
		{Namespace: "kube-system", Name: "aws-node", Image: "602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon-k8s-cni:v1.20.4-eksbuild.1", Desired: 2, Ready: 2},
		{Namespace: "kube-system", Name: "kube-proxy", Image: "602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/kube-proxy:v1.34.1-eksbuild.2", Desired: 2, Ready: 2},
	}}
}

// addPods places the pods that every node has, and its heartbeat.
func addPods(s *snapshot.System, node string) {
	host, _, _ := strings.Cut(node, ".")
	for _, name := range []string{"aws-node", "kube-proxy"} {
		s.Pods = append(s.Pods, snapshot.Pod{
			Namespace: "kube-system", Name: name + "-" + host[len(host)-5:], Owner: "DaemonSet/" + name, Node: node, Phase: "Running", Ready: true,
			Containers: []snapshot.PodContainer{{Name: name, Ready: true}},
		})
	}
	s.Leases = append(s.Leases, snapshot.Lease{Node: node, Renewed: Now().Add(-5 * time.Second)})
	s.CSRs = append(s.CSRs, snapshot.CSR{
		Name: "csr-" + node[len(node)-8:], Signer: "kubernetes.io/kubelet-serving", Requestor: "system:node:" + node, State: "Approved", CreatedAt: Now().Add(-24 * time.Hour),
	})
}
