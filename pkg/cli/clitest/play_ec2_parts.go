package clitest

import (
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func imageXML(i snapshot.Image) string {
	return txt("imageId", i.ID) + txt("name", i.Name) + txt("imageOwnerId", i.OwnerID) + txt("architecture", i.Architecture) + txt("imageState", i.State) +
		txt("rootDeviceName", i.RootDevice) + at("creationDate", i.CreatedAt) + at("deprecationTime", i.DeprecatedAt) +
		set("blockDeviceMapping", []int{i.SnapshotSizeGiB}, func(size int) string {
			return txt("deviceName", i.RootDevice) + el("ebs", num("volumeSize", size))
		})
}

func typeXML(t snapshot.InstanceType) string {
	return txt("instanceType", t.Name) + el("processorInfo", set("supportedArchitectures", t.Architectures, itself)) +
		el("vCpuInfo", num("defaultVCpus", t.VCPUs)) + el("memoryInfo", num("sizeInMiB", t.MemoryMiB)) +
		el("networkInfo", num("maximumNetworkInterfaces", t.MaxENIs), num("ipv4AddressesPerInterface", t.IPsPerENI)) + txt("hypervisor", t.Hypervisor)
}

func subnetXML(s snapshot.Subnet) string {
	return txt("subnetId", s.ID) + txt("vpcId", s.VPCID) + txt("availabilityZone", s.Zone) + txt("cidrBlock", s.CIDR) +
		num("availableIpAddressCount", s.FreeAddresses) + yes("mapPublicIpOnLaunch", s.MapPublicIP) + tags(s.Tags)
}

func securityGroupXML(g snapshot.SecurityGroup) string {
	rule := func(r snapshot.Rule) string {
		peer := set("ipRanges", []string{r.Peer}, func(cidr string) string { return txt("cidrIp", cidr) })
		if strings.HasPrefix(r.Peer, "sg-") {
			peer = set("groups", []string{r.Peer}, func(id string) string { return txt("groupId", id) })
		}
		return txt("ipProtocol", r.Protocol) + num("fromPort", r.FromPort) + num("toPort", r.ToPort) + peer
	}
	return txt("groupId", g.ID) + txt("groupName", g.Name) + txt("vpcId", g.VPCID) + set("ipPermissions", g.Ingress, rule) +
		set("ipPermissionsEgress", g.Egress, rule) + tags(g.Tags)
}

func routeTableXML(t snapshot.RouteTable) string {
	associations := set("associationSet", t.SubnetIDs, func(id string) string { return txt("subnetId", id) })
	if t.Main {
		associations = set("associationSet", []bool{true}, func(main bool) string { return yes("main", main) })
	}
	return txt("routeTableId", t.ID) + txt("vpcId", t.VPCID) + associations + set("routeSet", t.Routes, func(r snapshot.Route) string {
		target := "gatewayId"
		if strings.HasPrefix(r.Target, "nat-") {
			target = "natGatewayId"
		}
		return txt("destinationCidrBlock", r.Destination) + txt(target, r.Target) + txt("state", r.State)
	})
}

func dhcpXML(o snapshot.DHCPOptions) string {
	type option struct {
		key    string
		values []string
	}
	value := func(v string) string { return txt("value", v) }
	return txt("dhcpOptionsId", o.ID) + set("dhcpConfigurationSet", []option{{"domain-name", []string{o.DomainName}}, {"domain-name-servers", o.NameServers}},
		func(o option) string { return txt("key", o.key) + set("valueSet", o.values, value) })
}

func endpointXML(e snapshot.VPCEndpoint) string {
	return txt("vpcEndpointId", e.ID) + txt("vpcId", e.VPCID) + txt("serviceName", e.Service) + txt("vpcEndpointType", e.Type) + txt("state", e.State) +
		set("routeTableIdSet", e.RouteTableIDs, itself) + set("subnetIdSet", e.SubnetIDs, itself) +
		set("groupSet", e.SecurityGroupIDs, func(id string) string { return txt("groupId", id) }) +
		yes("privateDnsEnabled", e.PrivateDNS) + txt("policyDocument", e.Policy)
}

func aclXML(a snapshot.NetworkACL) string {
	return txt("networkAclId", a.ID) + txt("vpcId", a.VPCID) + yes("default", a.Default) +
		set("associationSet", a.SubnetIDs, func(id string) string { return txt("subnetId", id) }) +
		set("entrySet", a.Entries, func(e snapshot.ACLEntry) string {
			action := "deny"
			if e.Allow {
				action = "allow"
			}
			ports := ""
			if e.FromPort+e.ToPort > 0 {
				ports = el("portRange", num("from", e.FromPort), num("to", e.ToPort))
			}
			return num("ruleNumber", e.Number) + txt("protocol", e.Protocol) + txt("ruleAction", action) + yes("egress", e.Egress) + txt("cidrBlock", e.CIDR) + ports
		})
}
