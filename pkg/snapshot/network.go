package snapshot

// Network is the part of the VPC that nodes live in.
type Network struct {
	Subnets        []Subnet        `json:"subnets,omitempty"`        // SectionSubnets
	RouteTables    []RouteTable    `json:"routeTables,omitempty"`    // SectionRouteTables
	SecurityGroups []SecurityGroup `json:"securityGroups,omitempty"` // SectionSecurityGroups

	VPC              *VPC              `json:"vpc,omitempty"`              // SectionVPC: the cluster's
	DHCPOptions      []DHCPOptions     `json:"dhcpOptions,omitempty"`      // SectionDHCPOptions
	NATGateways      []NATGateway      `json:"natGateways,omitempty"`      // SectionNATGateways
	InternetGateways []InternetGateway `json:"internetGateways,omitempty"` // SectionInternetGateways
	Endpoints        []VPCEndpoint     `json:"endpoints,omitempty"`        // SectionVPCEndpoints
	ACLs             []NetworkACL      `json:"acls,omitempty"`             // SectionNetworkACLs
}

// Subnet returns the subnet with the id, or nil.
func (n *Network) Subnet(id string) *Subnet {
	for i := range n.Subnets {
		if n.Subnets[i].ID == id {
			return &n.Subnets[i]
		}
	}
	return nil
}

// Subnet is an EC2 subnet.
type Subnet struct {
	ID            string            `json:"id"`
	VPCID         string            `json:"vpcID"`
	Zone          string            `json:"zone"` // us-west-2a
	CIDR          string            `json:"cidr"`
	IPv6CIDR      string            `json:"ipv6CIDR,omitempty"`
	FreeAddresses int               `json:"freeAddresses"`
	MapPublicIP   bool              `json:"mapPublicIP"`
	AssignIPv6    bool              `json:"assignIPv6"`
	Tags          map[string]string `json:"tags,omitempty"`
}

// RouteTable is an EC2 route table with its associations.
type RouteTable struct {
	ID        string   `json:"id"`
	VPCID     string   `json:"vpcID"`
	Main      bool     `json:"main"`
	SubnetIDs []string `json:"subnetIDs,omitempty"` // explicit associations
	Routes    []Route  `json:"routes,omitempty"`
}

// Route is one route; Target is the id of the gateway, interface or "local".
type Route struct {
	Destination string `json:"destination"` // CIDR or prefix list id
	Target      string `json:"target"`      // igw-…, nat-…, tgw-…, eni-…, vpce-…, local
	State       string `json:"state"`       // active, blackhole
}

// RouteTableOf returns the table that decides for a subnet: its explicit one,
// else the VPC's main table, else nil (not read).
func (n *Network) RouteTableOf(subnetID string) *RouteTable {
	subnet := n.Subnet(subnetID)
	var main *RouteTable
	for i := range n.RouteTables {
		table := &n.RouteTables[i]
		for _, id := range table.SubnetIDs {
			if id == subnetID {
				return table
			}
		}
		if table.Main && subnet != nil && table.VPCID == subnet.VPCID {
			main = table
		}
	}
	return main
}

// SecurityGroup is an EC2 security group.
type SecurityGroup struct {
	ID      string            `json:"id"`
	Name    string            `json:"name"`
	VPCID   string            `json:"vpcID"`
	Ingress []Rule            `json:"ingress,omitempty"`
	Egress  []Rule            `json:"egress,omitempty"`
	Tags    map[string]string `json:"tags,omitempty"`
}

// Rule is one permission of a security group, one peer each.
type Rule struct {
	Protocol    string `json:"protocol"` // tcp, udp, icmp, -1 for all
	FromPort    int    `json:"fromPort"`
	ToPort      int    `json:"toPort"`
	Peer        string `json:"peer"` // CIDR, sg-… or pl-…
	Description string `json:"description,omitempty"`
}
