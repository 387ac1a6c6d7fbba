package snapshot

// VPC is an EC2 VPC with the attributes that name resolution needs.
type VPC struct {
	ID            string   `json:"id"`
	CIDRs         []string `json:"cidrs,omitempty"` // IPv4, the primary one first
	DHCPOptionsID string   `json:"dhcpOptionsID,omitempty"`
	DNSSupport    bool     `json:"dnsSupport"`   // enableDnsSupport
	DNSHostnames  bool     `json:"dnsHostnames"` // enableDnsHostnames
}

// DHCPOptions is a set of DHCP options.
type DHCPOptions struct {
	ID          string   `json:"id"`
	DomainName  string   `json:"domainName,omitempty"`
	NameServers []string `json:"nameServers,omitempty"` // AmazonProvidedDNS or addresses
}

// NATGateway is a NAT gateway.
type NATGateway struct {
	ID           string   `json:"id"`
	VPCID        string   `json:"vpcID"`
	SubnetID     string   `json:"subnetID"`
	State        string   `json:"state"`        // pending, available, failed, deleting, deleted
	Connectivity string   `json:"connectivity"` // public, private
	PublicIPs    []string `json:"publicIPs,omitempty"`
	Failure      string   `json:"failure,omitempty"` // code and message of a failed one
}

// InternetGateway is an internet gateway with what it is attached to.
type InternetGateway struct {
	ID     string   `json:"id"`
	VPCIDs []string `json:"vpcIDs,omitempty"` // attached or available
}

// VPCEndpoint is a VPC endpoint.
type VPCEndpoint struct {
	ID               string   `json:"id"`
	VPCID            string   `json:"vpcID"`
	Service          string   `json:"service"` // com.amazonaws.us-west-2.ecr.api
	Type             string   `json:"type"`    // Interface, Gateway, GatewayLoadBalancer
	State            string   `json:"state"`   // available, pending, rejected, failed …
	SubnetIDs        []string `json:"subnetIDs,omitempty"`
	RouteTableIDs    []string `json:"routeTableIDs,omitempty"`
	SecurityGroupIDs []string `json:"securityGroupIDs,omitempty"`
	PrivateDNS       bool     `json:"privateDNS"`
	Policy           string   `json:"policy,omitempty"` // JSON
}

// NetworkACL is a network ACL with the subnets that it guards.
type NetworkACL struct {
	ID        string     `json:"id"`
	VPCID     string     `json:"vpcID"`
	Default   bool       `json:"default"`
	SubnetIDs []string   `json:"subnetIDs,omitempty"`
	Entries   []ACLEntry `json:"entries,omitempty"`
}

// ACLEntry is one rule of a network ACL; the lowest matching number decides.
type ACLEntry struct {
	Number   int    `json:"number"`   // 32767 is the closing denial
	Protocol string `json:"protocol"` // IANA number: 6 for TCP, 17 for UDP, -1 for all
	Egress   bool   `json:"egress"`
	Allow    bool   `json:"allow"`
	CIDR     string `json:"cidr"` // IPv4 or IPv6
	FromPort int    `json:"fromPort,omitempty"`
	ToPort   int    `json:"toPort,omitempty"` // both zero: all ports
}

// InstanceStatus is what EC2's status checks say of a running instance.
type InstanceStatus struct {
	System   string   `json:"system"`           // ok, impaired, initializing, insufficient-data
	Instance string   `json:"instance"`         // the same words
	Events   []string `json:"events,omitempty"` // scheduled: "system-reboot: …"
}

// NATGateway returns the NAT gateway with the id, or nil.
func (n *Network) NATGateway(id string) *NATGateway {
	for i := range n.NATGateways {
		if n.NATGateways[i].ID == id {
			return &n.NATGateways[i]
		}
	}
	return nil
}

// SecurityGroup returns the security group with the id, or nil.
func (n *Network) SecurityGroup(id string) *SecurityGroup {
	for i := range n.SecurityGroups {
		if n.SecurityGroups[i].ID == id {
			return &n.SecurityGroups[i]
		}
	}
	return nil
}

// ACLOf returns the network ACL that guards a subnet, or nil (not read).
func (n *Network) ACLOf(subnetID string) *NetworkACL {
	for i := range n.ACLs {
		for _, id := range n.ACLs[i].SubnetIDs {
			if id == subnetID {
				return &n.ACLs[i]
			}
		}
	}
	return nil
}
