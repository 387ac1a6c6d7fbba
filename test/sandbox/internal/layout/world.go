// Package layout names everything the sandbox is made of: the invented AWS
// account and its network (world.go) and the files of one sandbox on disk
// (sandbox.go). It holds no behaviour, so that every other package can import it.
package layout

// The AWS side. The account id is the one that AWS's own documentation uses in
// examples, the endpoint's host name has the shape of a real EKS endpoint.
const (
	Account   = "111122223333"
	Partition = "aws"
	Region    = "us-west-2"

	ClusterName = "demo"
	ClusterARN  = "arn:" + Partition + ":eks:" + Region + ":" + Account + ":cluster/" + ClusterName
	ClusterRole = "eks-cluster-" + ClusterName

	// KubernetesVersion is what DescribeCluster says; KubernetesRelease is what
	// the binaries built from controlplane/ say.
	KubernetesVersion = "1.34"
	KubernetesRelease = "v1.34.4"

	EndpointHost = "0123456789ABCDEF0123456789ABCDEF.gr7." + Region + ".eks.amazonaws.com"
	Endpoint     = "https://" + EndpointHost

	// User is the IAM user at the keyboard.
	User = "alice"
	// KeyPair is the EC2 key pair that the seed makes; its private key lies in
	// the user's home as ~/.ssh/id_ed25519.
	KeyPair = "alice"
)

// Network. One bridge carries the VPC; the control plane, AWS and the user's
// seat are reached through the hub, which routes between them. Nothing routes out.
const (
	VPCCIDR     = "10.20.0.0/16"
	ServiceCIDR = "10.100.0.0/16"
	// ServiceIP is the first address of ServiceCIDR: the Service "kubernetes".
	ServiceIP = "10.100.0.1"

	VPCGateway     = "10.20.0.1"
	VPCResolver    = "10.20.0.2" // the VPC's base address plus two, as on AWS
	ControlPlaneIP = "10.20.0.10"

	AWSGateway = "198.51.100.1"
	AWSIP      = "198.51.100.10"

	LaptopGateway = "203.0.113.1" // also the laptop's DNS server
	LaptopIP      = "203.0.113.10"

	// IMDSIP is the instance metadata service's address, on each node's lo.
	IMDSIP = "169.254.169.254"
)

// Network namespaces, by their names in the sandbox's private /run/netns. Each
// instance has one more, named by its instance id.
const (
	NetHub          = "hub"
	NetAWS          = "aws" // the supervisor's own
	NetControlPlane = "cp"
	NetLaptop       = "laptop"

	// Bridge is the VPC's bridge inside NetHub.
	Bridge = "br0"
)

// Ports inside the namespaces.
const (
	// MotoAddr is where moto listens, on the supervisor's loopback.
	MotoAddr = "127.0.0.1:5000"
	// ProxyPort is the front's CONNECT proxy on AWSIP.
	ProxyPort = "3128"
)

// Subnet is one subnet of the VPC, made by the seed.
type Subnet struct {
	Name   string // tag Name
	Zone   string // availability zone
	CIDR   string
	Public bool
}

// Subnets returns the VPC's subnets: three private ones and a public one.
func Subnets() []Subnet {
	return []Subnet{
		{Name: "private-a", Zone: Region + "a", CIDR: "10.20.16.0/20"},
		{Name: "private-b", Zone: Region + "b", CIDR: "10.20.32.0/20"},
		{Name: "private-c", Zone: Region + "c", CIDR: "10.20.48.0/20"},
		{Name: "public-a", Zone: Region + "a", CIDR: "10.20.64.0/20", Public: true},
	}
}
