// Package snapshottest makes snapshots for tests. The starting point is a
// cluster in which everything is right; a test breaks one thing.
package snapshottest

import (
	"encoding/base64"
	"encoding/pem"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// The names in the healthy cluster.
const (
	Cluster   = "demo"
	Region    = "us-west-2"
	AccountID = "111122223333"
	VPC       = "vpc-0a"
	ClusterSG = "sg-0cluster"
	ExtraSG   = "sg-0extra"
	Group     = "workers"
	Image     = "ami-0aaaaaaaaaaaaaaaa"
	Type      = "m7i.large"
	KeyPair   = "ops"
	RoleARN   = "arn:aws:iam::111122223333:role/nodes/workers-role"
	Endpoint  = "https://0123456789ABCDEF0123456789ABCDEF.gr7.us-west-2.eks.amazonaws.com"
)

// Now is when the healthy snapshot was taken.
func Now() time.Time { return time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC) }

// CA is the cluster's certificate authority, PEM. name tells two apart.
func CA(name string) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("certificate authority of " + name)}))
}

// Edit changes a snapshot in place.
type Edit func(*snapshot.Snapshot)

// Healthy returns a cluster with one group of two Ready machines and nothing
// wrong, after the edits. Every call makes it anew.
func Healthy(edits ...Edit) *snapshot.Snapshot {
	onNode := true
	quota, inUse := 128, 16
	s := &snapshot.Snapshot{
		CollectedAt: Now(),
		Target: snapshot.Target{
			Context: "demo-context", ClusterName: Cluster, Region: Region, Partition: "aws", AccountID: AccountID,
			Server: Endpoint, ServerCA: CA(Cluster),
		},
		Cluster: cluster(),
		Access: snapshot.Access{
			Entries: []snapshot.AccessEntry{{
				PrincipalARN: RoleARN, Type: "EC2_LINUX", Username: "system:node:{{EC2PrivateDNSName}}",
				Groups: []string{"system:nodes"}, CreatedAt: Now().Add(-24 * time.Hour),
			}},
			AwsAuth: &snapshot.AwsAuth{ResourceVersion: "100", Data: map[string]string{"mapRoles": AwsAuthRoles}},
		},
		Network: network(),
		Catalog: snapshot.Catalog{
			InstanceTypes: []snapshot.InstanceType{{
				Name: Type, Architectures: []string{"x86_64"}, VCPUs: 2, MemoryMiB: 8192, MaxENIs: 3, IPsPerENI: 10, Hypervisor: "nitro",
			}},
			Offerings: map[string][]string{Type: {"us-west-2a", "us-west-2b"}},
			Images: []snapshot.Image{{
				ID: Image, Name: "amazon-eks-node-al2023-x86_64-standard-1.34-v20260520", OwnerID: "602401143452", Architecture: "x86_64",
				State: "available", RootDevice: "/dev/xvda", CreatedAt: Now().Add(-12 * 24 * time.Hour), DeprecatedAt: Now().AddDate(2, 0, 0), SnapshotSizeGiB: 20,
			}},
			KeyPairs: []string{KeyPair}, QuotaCode: "L-1216C47A", VCPUQuota: &quota, VCPUInUse: &inUse,
		},
		Roles: []snapshot.Role{{
			ARN: RoleARN, Name: "workers-role", UniqueID: "AROAEXAMPLEEXAMPLE000", CreatedAt: Now().Add(-25 * time.Hour), TrustPolicy: TrustPolicy,
			AttachedPolicies: []string{"arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy", "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly", "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"},
			InstanceProfiles: []string{"arn:aws:iam::111122223333:instance-profile/workers"},
			Policies: &snapshot.RolePolicies{Attached: []string{
				"arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy", "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly", "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy",
			}},
		}},
		ClusterRole: &snapshot.Role{
			ARN: "arn:aws:iam::111122223333:role/demo-cluster", Name: "demo-cluster", UniqueID: "AROAEXAMPLEEXAMPLE001", CreatedAt: Now().AddDate(0, -3, 0),
			TrustPolicy: ClusterTrust, AttachedPolicies: []string{"arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"},
		},
		Profiles: []snapshot.InstanceProfile{{ARN: "arn:aws:iam::111122223333:instance-profile/workers", Name: "workers", RoleARNs: []string{RoleARN}}},
		Kube: snapshot.Kube{ServerVersion: "v1.34.4-eks-0123456", CNIPolicyOnNode: &onNode, CNIVersion: "v1.20.4-eksbuild.1", CNIInitVersion: "v1.20.4-eksbuild.1", Bindings: []snapshot.Binding{{
			Name: "eks:node-bootstrapper", Role: "eks:node-bootstrapper", Subjects: []string{"Group/system:bootstrappers", "Group/system:nodes"},
		}}},
		Stacks: []snapshot.Stack{{Name: product.PluginName + "-demo-workers", Status: "CREATE_COMPLETE", CreatedAt: Now().Add(-24 * time.Hour)}},
		Groups: []snapshot.Group{group()},
		Nodes: []snapshot.Node{
			node("i-0000000000000000a", "us-west-2a", "subnet-0privatea", "10.0.1.10"),
			node("i-0000000000000000b", "us-west-2b", "subnet-0privateb", "10.0.2.10"),
		},
	}
	surroundings(s)
	for _, edit := range edits {
		edit(s)
	}
	return s
}

// Proposed makes the group one that is only planned: it has no machines.
func Proposed(s *snapshot.Snapshot) {
	g := &s.Groups[0]
	g.Proposed, g.ASGName, g.ASGARN, g.InstanceIDs, g.Stack, g.Activities = true, "", "", nil, nil, nil
	s.Nodes = nil
}

// AwsAuthRoles is a mapRoles that maps the healthy group's role.
const AwsAuthRoles = `# nodes
- rolearn: arn:aws:iam::111122223333:role/workers-role
  username: system:node:{{EC2PrivateDNSName}}
  groups:
  - system:bootstrappers
  - system:nodes
`

// Issuer is the healthy cluster's OIDC issuer.
const Issuer = "oidc.eks.us-west-2.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"

// ClusterTrust lets EKS assume a cluster's role.
const ClusterTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`

// TrustPolicy lets EC2 assume a role.
const TrustPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

func cluster() *snapshot.Cluster {
	return &snapshot.Cluster{
		Name: Cluster, ARN: "arn:aws:eks:us-west-2:111122223333:cluster/demo", Status: "ACTIVE", Version: "1.34", PlatformVersion: "eks.9",
		Endpoint: Endpoint, CA: CA(Cluster), RoleARN: "arn:aws:iam::111122223333:role/demo-cluster", AuthMode: snapshot.AuthAPIAndConfigMap,
		IPFamily: "ipv4", ServiceCIDR: "10.100.0.0/16", VPCID: VPC,
		SubnetIDs:   []string{"subnet-0publica", "subnet-0publicb", "subnet-0privatea", "subnet-0privateb"},
		ClusterSGID: ClusterSG, EndpointPublic: true, EndpointPrivate: true, PublicAccessCIDRs: []string{"0.0.0.0/0"},
		OIDCIssuer: "https://" + Issuer, CreatedAt: Now().AddDate(0, -3, 0),
	}
}

func network() snapshot.Network {
	subnet := func(id, zone, cidr string, public bool) snapshot.Subnet {
		return snapshot.Subnet{ID: id, VPCID: VPC, Zone: zone, CIDR: cidr, FreeAddresses: 200, MapPublicIP: public}
	}
	local := snapshot.Route{Destination: "10.0.0.0/16", Target: "local", State: "active"}
	all := snapshot.Rule{Protocol: "-1", Peer: "0.0.0.0/0"}
	return snapshot.Network{
		Subnets: []snapshot.Subnet{
			subnet("subnet-0publica", "us-west-2a", "10.0.101.0/24", true),
			subnet("subnet-0publicb", "us-west-2b", "10.0.102.0/24", true),
			subnet("subnet-0privatea", "us-west-2a", "10.0.1.0/24", false),
			subnet("subnet-0privateb", "us-west-2b", "10.0.2.0/24", false),
		},
		RouteTables: []snapshot.RouteTable{
			{ID: "rtb-0main", VPCID: VPC, Main: true, Routes: []snapshot.Route{local}},
			{ID: "rtb-0public", VPCID: VPC, SubnetIDs: []string{"subnet-0publica", "subnet-0publicb"}, Routes: []snapshot.Route{local, {Destination: "0.0.0.0/0", Target: "igw-0a", State: "active"}}},
			{ID: "rtb-0private", VPCID: VPC, SubnetIDs: []string{"subnet-0privatea", "subnet-0privateb"}, Routes: []snapshot.Route{local, {Destination: "0.0.0.0/0", Target: "nat-0a", State: "active"}}},
		},
		SecurityGroups: []snapshot.SecurityGroup{
			{
				ID: ClusterSG, Name: "eks-cluster-sg-demo", VPCID: VPC, Ingress: []snapshot.Rule{{Protocol: "-1", Peer: ClusterSG}}, Egress: []snapshot.Rule{all},
				Tags: map[string]string{"kubernetes.io/cluster/demo": "owned"},
			},
			{ID: ExtraSG, Name: "extra", VPCID: VPC, Egress: []snapshot.Rule{all}},
		},
	}
}

func group() snapshot.Group {
	no := false
	return snapshot.Group{
		Name: Group, Cluster: Cluster, Tool: product.PluginName, ASGName: "workers-asg-1", ASGARN: "arn:aws:autoscaling:us-west-2:111122223333:autoScalingGroup:0:autoScalingGroupName/workers-asg-1",
		Min: 1, Max: 4, Desired: 2, Zones: []string{"us-west-2a", "us-west-2b"}, Subnets: []string{"subnet-0privatea", "subnet-0privateb"},
		Tags:         map[string]string{product.TagGroup: Group, product.TagCluster: Cluster, "kubernetes.io/cluster/demo": "owned"},
		InstanceTags: map[string]string{"kubernetes.io/cluster/demo": "owned", "Name": "demo-workers"},
		CreatedAt:    Now().Add(-24 * time.Hour),
		InstanceIDs:  []string{"i-0000000000000000a", "i-0000000000000000b"},
		Launch: snapshot.Launch{
			TemplateID: "lt-0a", TemplateName: "workers", TemplateVersion: "1", ImageID: Image, InstanceTypes: []string{Type}, KeyName: KeyPair,
			SecurityGroupIDs: []string{ClusterSG, ExtraSG}, InstanceProfile: "arn:aws:iam::111122223333:instance-profile/workers", RoleARN: RoleARN,
			PublicIP: &no, HTTPTokens: "required", HopLimit: 2, VolumeSizeGiB: 80, VolumeType: "gp3", UserData: UserData(Cluster, Endpoint, CA(Cluster), "10.100.0.0/16"),
		},
		Stack: &snapshot.Stack{Name: product.PluginName + "-demo-workers", Status: "CREATE_COMPLETE", CreatedAt: Now().Add(-24 * time.Hour)},
		Activities: []snapshot.Activity{{
			ID: "1", Description: "Launching a new EC2 instance: i-0000000000000000a", Status: "Successful",
			StartedAt: Now().Add(-24 * time.Hour), EndedAt: Now().Add(-24*time.Hour + time.Minute),
		}},
	}
}

// UserData is what an AL2023 machine of a cluster boots from; ca is PEM.
func UserData(cluster, endpoint, ca, cidr string) string {
	return `MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="//"

--//
Content-Type: application/node.eks.aws

apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  cluster:
    name: ` + cluster + `
    apiServerEndpoint: ` + endpoint + `
    certificateAuthority: ` + base64.StdEncoding.EncodeToString([]byte(ca)) + `
    cidr: ` + cidr + `
--//--
`
}

func node(id, zone, subnet, ip string) snapshot.Node {
	return snapshot.Node{
		InstanceID: id, Group: Group,
		Cloud: &snapshot.Instance{
			State: "running", Type: Type, ImageID: Image, Zone: zone, SubnetID: subnet, VPCID: VPC, PrivateIP: ip,
			PrivateDNSName:  "ip-" + id + ".us-west-2.compute.internal",
			InstanceProfile: "arn:aws:iam::111122223333:instance-profile/workers", SecurityGroupIDs: []string{ClusterSG, ExtraSG}, KeyName: KeyPair,
			LaunchedAt: Now().Add(-24 * time.Hour), HTTPTokens: "required", HopLimit: 2,
			Tags: map[string]string{"kubernetes.io/cluster/demo": "owned"}, Interfaces: 2, Lifecycle: "InService", Health: "Healthy",
		},
		Kube: &snapshot.KubeNode{
			Name: "ip-" + id + ".us-west-2.compute.internal", ProviderID: "aws:///" + zone + "/" + id, CreatedAt: Now().Add(-24*time.Hour + 2*time.Minute),
			KubeletVersion: "v1.34.2-eks-0123456", OSImage: "Amazon Linux 2023", InternalIPs: []string{ip},
			Runtime: "containerd://2.1.4", Allocatable: map[string]int64{"pods": 29},
			Conditions: []snapshot.Condition{{Type: "Ready", Status: "True", Reason: "KubeletReady", Since: Now().Add(-24*time.Hour + 3*time.Minute)}},
		},
	}
}
