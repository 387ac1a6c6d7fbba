package clitest

import (
	"net/url"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func (p *Play) ec2(operation string, form url.Values) answer {
	n, catalog := &p.snap.Network, &p.snap.Catalog
	switch operation {
	case "DescribeInstances":
		return ec2List(p, form, "reservationSet", p.instances(form), func(n snapshot.Node) string {
			return set("instancesSet", []snapshot.Node{n}, instanceXML)
		})
	case "DescribeInstanceStatus":
		status := slices.DeleteFunc(slices.Clone(p.snap.Nodes), func(n snapshot.Node) bool { return n.Status == nil })
		return ec2List(p, form, "instanceStatusSet", status, func(n snapshot.Node) string {
			return txt("instanceId", n.InstanceID) + el("systemStatus", txt("status", n.Status.System)) + el("instanceStatus", txt("status", n.Status.Instance))
		})
	case "GetConsoleOutput":
		id := form.Get("InstanceId")
		for i := range p.snap.Nodes {
			if node := &p.snap.Nodes[i]; node.InstanceID == id && node.Console != nil {
				return ok("<R>%s%s%s</R>", txt("instanceId", id), at("timestamp", node.Console.At), txt("output", encode([]byte(node.Console.Text))))
			}
		}
		return ok("<R>%s</R>", txt("instanceId", id))
	case "DescribeInstanceAttribute":
		return ok("<R>%s%s</R>", txt("instanceId", form.Get("InstanceId")), el("userData", txt("value", encode([]byte(p.userData(form.Get("InstanceId")))))))
	case "DescribeLaunchTemplateVersions":
		return ec2List(p, form, "launchTemplateVersionSet", p.templates(form.Get("LaunchTemplateId")), launchXML)
	case "DescribeImages":
		return ec2List(p, form, "imagesSet", catalog.Images, imageXML)
	case "DescribeInstanceTypes":
		return ec2List(p, form, "instanceTypeSet", catalog.InstanceTypes, typeXML)
	case "DescribeInstanceTypeOfferings":
		var offerings [][2]string
		for name, zones := range catalog.Offerings {
			for _, zone := range zones {
				offerings = append(offerings, [2]string{name, zone})
			}
		}
		return ec2List(p, form, "instanceTypeOfferingSet", offerings, func(o [2]string) string { return txt("instanceType", o[0]) + txt("location", o[1]) })
	case "DescribeKeyPairs":
		return ec2List(p, form, "keySet", catalog.KeyPairs, func(name string) string { return txt("keyName", name) })
	case "DescribeSubnets":
		return ec2List(p, form, "subnetSet", n.Subnets, subnetXML)
	case "DescribeSecurityGroupRules": // those that the plugin itself left open: none
		return ok("<R><securityGroupRuleSet></securityGroupRuleSet></R>")
	case "DescribeSecurityGroups":
		return ec2List(p, form, "securityGroupInfo", n.SecurityGroups, securityGroupXML)
	}
	return p.vpc(operation, form)
}

// vpc answers the calls about the network.
func (p *Play) vpc(operation string, form url.Values) answer {
	n := &p.snap.Network
	switch operation {
	case "DescribeRouteTables":
		return ec2List(p, form, "routeTableSet", n.RouteTables, routeTableXML)
	case "DescribeVpcs":
		return ec2List(p, form, "vpcSet", []*snapshot.VPC{n.VPC}, func(v *snapshot.VPC) string {
			return txt("vpcId", v.ID) + txt("cidrBlock", v.CIDRs[0]) + txt("dhcpOptionsId", v.DHCPOptionsID)
		})
	case "DescribeVpcAttribute":
		name, value := "enableDnsSupport", n.VPC.DNSSupport
		if form.Get("Attribute") == "enableDnsHostnames" {
			name, value = "enableDnsHostnames", n.VPC.DNSHostnames
		}
		return ok("<R>%s%s</R>", txt("vpcId", n.VPC.ID), el(name, yes("value", value)))
	case "DescribeDhcpOptions":
		return ec2List(p, form, "dhcpOptionsSet", n.DHCPOptions, dhcpXML)
	case "DescribeNatGateways":
		return ec2List(p, form, "natGatewaySet", n.NATGateways, func(g snapshot.NATGateway) string {
			return txt("natGatewayId", g.ID) + txt("vpcId", g.VPCID) + txt("subnetId", g.SubnetID) + txt("state", g.State) + txt("connectivityType", g.Connectivity) +
				set("natGatewayAddressSet", g.PublicIPs, func(ip string) string { return txt("publicIp", ip) })
		})
	case "DescribeInternetGateways":
		return ec2List(p, form, "internetGatewaySet", n.InternetGateways, func(g snapshot.InternetGateway) string {
			return txt("internetGatewayId", g.ID) + set("attachmentSet", g.VPCIDs, func(id string) string { return txt("vpcId", id) + txt("state", "available") })
		})
	case "DescribeVpcEndpoints":
		return ec2List(p, form, "vpcEndpointSet", n.Endpoints, endpointXML)
	case "DescribeNetworkAcls":
		return ec2List(p, form, "networkAclSet", n.ACLs, aclXML)
	}
	return unknown("ec2", operation)
}

// instances are those that the request's filter lets through; a filter by
// anything but the id lets all of them through: they are all the cluster's.
func (p *Play) instances(form url.Values) []snapshot.Node {
	var ids []string
	if form.Get("Filter.1.Name") == "instance-id" {
		for key, values := range form {
			if strings.HasPrefix(key, "Filter.1.Value.") {
				ids = append(ids, values...)
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(p.snap.Nodes), func(n snapshot.Node) bool {
		return n.Cloud == nil || ids != nil && !slices.Contains(ids, n.InstanceID)
	})
}

// userData is a machine's own, else that of its group's template.
func (p *Play) userData(id string) string {
	for i := range p.snap.Nodes {
		if node := &p.snap.Nodes[i]; node.InstanceID == id {
			if group := p.snap.Group(node.Group); node.UserData == "" && group != nil {
				return group.Launch.UserData
			}
			return node.UserData
		}
	}
	return ""
}

func (p *Play) templates(id string) []snapshot.Launch {
	for _, group := range p.snap.Groups {
		if group.Launch.TemplateID == id {
			return []snapshot.Launch{group.Launch}
		}
	}
	return nil
}

func instanceXML(n snapshot.Node) string {
	c := n.Cloud
	return txt("instanceId", n.InstanceID) + txt("imageId", c.ImageID) + txt("instanceType", c.Type) + el("instanceState", txt("name", c.State)) +
		txt("privateDnsName", c.PrivateDNSName) + txt("privateIpAddress", c.PrivateIP) + txt("subnetId", c.SubnetID) + txt("vpcId", c.VPCID) +
		txt("keyName", c.KeyName) + at("launchTime", c.LaunchedAt) + el("placement", txt("availabilityZone", c.Zone)) +
		el("iamInstanceProfile", txt("arn", c.InstanceProfile)) + set("groupSet", c.SecurityGroupIDs, func(id string) string { return txt("groupId", id) }) +
		el("metadataOptions", txt("httpTokens", c.HTTPTokens), num("httpPutResponseHopLimit", c.HopLimit), txt("httpEndpoint", c.HTTPEndpoint)) +
		set("networkInterfaceSet", make([]struct{}, c.Interfaces), func(struct{}) string { return "" }) +
		el("cpuOptions", num("coreCount", 1), num("threadsPerCore", 2)) + tags(c.Tags)
}

func launchXML(l snapshot.Launch) string {
	public := ""
	if l.PublicIP != nil {
		public = set("networkInterfaceSet", []bool{*l.PublicIP}, func(b bool) string { return num("deviceIndex", 0) + yes("associatePublicIpAddress", b) })
	}
	return txt("launchTemplateId", l.TemplateID) + txt("launchTemplateName", l.TemplateName) + num("versionNumber", 1) + yes("defaultVersion", true) +
		el("launchTemplateData", txt("imageId", l.ImageID), txt("instanceType", l.InstanceTypes[0]), txt("keyName", l.KeyName),
			set("securityGroupIdSet", l.SecurityGroupIDs, itself), public, txt("userData", encode([]byte(l.UserData))),
			el("iamInstanceProfile", txt("arn", l.InstanceProfile)),
			el("metadataOptions", txt("httpTokens", l.HTTPTokens), num("httpPutResponseHopLimit", l.HopLimit)),
			set("blockDeviceMappingSet", []int{l.VolumeSizeGiB}, func(size int) string {
				return txt("deviceName", "/dev/xvda") + el("ebs", num("volumeSize", size), txt("volumeType", l.VolumeType))
			}))
}
