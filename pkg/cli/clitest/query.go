package clitest

import (
	"cmp"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// query plays the services that speak XML.
func (w *World) query(service, operation string, form url.Values) answer {
	switch service {
	case "ec2":
		return w.ec2(operation, form)
	case "autoscaling":
		return w.autoscaling(operation, form)
	case "cloudformation":
		return w.cloudformation(operation, form)
	case "iam":
		if operation == "ListInstanceProfiles" {
			return wrapped(operation, `<IsTruncated>false</IsTruncated><InstanceProfiles><member>
<Arn>arn:aws:iam::%[1]s:instance-profile/workers</Arn><InstanceProfileName>workers</InstanceProfileName>
<Roles><member>%[2]s</member></Roles></member></InstanceProfiles>`, Account, w.roleXML())
		}
		if operation == "GetRole" {
			return w.getRole(form.Get("RoleName"))
		}
		if operation == "ListAttachedRolePolicies" {
			return wrapped(operation, "<IsTruncated>false</IsTruncated><AttachedPolicies></AttachedPolicies>")
		}
	}
	return unknown(service, operation)
}

// roleXML is the nodes' role.
func (w *World) roleXML() string {
	return "<Arn>" + roleARN + "</Arn><RoleName>eksnodes-demo-NodeInstanceRole-1A2B3C</RoleName><RoleId>AROA</RoleId>" + at("CreateDate", w.roleMade)
}

// getRole knows every role that no story has taken away, without a path
// unless a story gives it one.
func (w *World) getRole(name string) answer {
	path, told := w.roles[name]
	switch {
	case told && path == "":
		return refuse("iam", http.StatusNotFound, "NoSuchEntity", "The role with name "+name+" cannot be found.")
	case !told:
		path = "/"
	}
	return wrapped("GetRole", "<Role><Arn>arn:aws:iam::%s:role%s%s</Arn><RoleName>%s</RoleName><RoleId>AROA</RoleId><CreateDate>2026-11-01T10:00:00Z</CreateDate></Role>",
		Account, path, name, name)
}

// wrapped is the shape of an awsquery answer.
func wrapped(operation, format string, args ...any) answer {
	return ok("<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", operation, fmt.Sprintf(format, args...))
}

func (w *World) ec2(operation string, form url.Values) answer {
	switch operation {
	case "DescribeSubnets":
		return ok(`<R><subnetSet>%s%s</subnetSet></R>`, subnet("subnet-0aaaaaaaaaaaaaaaa", "a", 240), subnet("subnet-0bbbbbbbbbbbbbbbb", "b", 243))
	case "DescribeRouteTables":
		return ok(`<R><routeTableSet><item><routeTableId>rtb-1</routeTableId><vpcId>%s</vpcId>
<associationSet><item><main>true</main></item></associationSet>
<routeSet><item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock><natGatewayId>nat-1</natGatewayId><state>active</state></item></routeSet>
</item></routeTableSet></R>`, vpcID)
	case "DescribeNetworkInterfaces":
		if !w.blocked {
			return ok(`<R><networkInterfaceSet/></R>`)
		}
		return ok(`<R><networkInterfaceSet><item><networkInterfaceId>eni-0leaked</networkInterfaceId><status>available</status>
<tagSet><item><key>node.k8s.amazonaws.com/instance_id</key><value>i-0ffffffffffffffff</value></item></tagSet></item></networkInterfaceSet></R>`)
	case "DeleteNetworkInterface":
		w.blocked = false
		return ok(`<R><return>true</return></R>`)
	case "RevokeSecurityGroupIngress":
		return ok(`<R><return>true</return></R>`)
	case "DescribeSecurityGroups":
		switch form.Get("Filter.1.Name") {
		case "ip-permission.group-id":
			return ok(`<R><securityGroupInfo><item><groupId>sg-0db</groupId><groupName>db</groupName><ipPermissions><item><ipProtocol>tcp</ipProtocol>
<fromPort>5432</fromPort><toPort>5432</toPort><groups><item><groupId>sg-0blocked</groupId></item></groups></item></ipPermissions></item></securityGroupInfo></R>`)
		case "egress.ip-permission.group-id":
			return ok(`<R><securityGroupInfo/></R>`)
		}
		return ok(`<R><securityGroupInfo><item><groupId>%[1]s</groupId><groupName>eks</groupName><vpcId>%[2]s</vpcId>
<ipPermissions><item><ipProtocol>-1</ipProtocol><groups><item><groupId>%[1]s</groupId></item></groups></item></ipPermissions>
<ipPermissionsEgress><item><ipProtocol>-1</ipProtocol><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item></ipPermissionsEgress>
<tagSet><item><key>kubernetes.io/cluster/demo</key><value>owned</value></item></tagSet></item></securityGroupInfo></R>`, clusterSG, vpcID)
	case "DescribeInstanceTypes":
		return ok(`<R><instanceTypeSet><item><instanceType>%s</instanceType>
<processorInfo><supportedArchitectures><item>x86_64</item></supportedArchitectures></processorInfo>
<vCpuInfo><defaultVCpus>2</defaultVCpus></vCpuInfo><memoryInfo><sizeInMiB>4096</sizeInMiB></memoryInfo>
<networkInfo><maximumNetworkInterfaces>3</maximumNetworkInterfaces><ipv4AddressesPerInterface>6</ipv4AddressesPerInterface></networkInfo>
<hypervisor>nitro</hypervisor></item></instanceTypeSet></R>`, cmp.Or(form.Get("Filter.1.Value.1"), "t3.medium"))
	case "DescribeInstanceTypeOfferings":
		return ok(`<R><instanceTypeOfferingSet>%s%s</instanceTypeOfferingSet></R>`, offering(form, "a"), offering(form, "b"))
	case "DescribeImages":
		return describeImages(form)
	case "DescribeSecurityGroupRules":
		return ok(`<R><securityGroupRuleSet>%s</securityGroupRuleSet></R>`, w.openings)
	case "CreateTags", "DeleteTags":
		for _, in := range w.instances {
			for i := 1; form.Has(fmt.Sprintf("ResourceId.%d", i)); i++ {
				switch {
				case form.Get(fmt.Sprintf("ResourceId.%d", i)) != in.id:
				case operation == "CreateTags":
					in.tags[form.Get("Tag.1.Key")] = form.Get("Tag.1.Value")
				default:
					delete(in.tags, form.Get("Tag.1.Key"))
				}
			}
		}
		return ok(`<R><return>true</return></R>`)
	case "DescribeKeyPairs": // there are none
		return ok("<R><keySet/></R>")
	case "DescribeLaunchTemplateVersions":
		if !w.templates {
			return unknown("ec2", operation)
		}
		return w.templateVersions(form)
	case "DescribeInstances":
		if w.many > 0 {
			return w.manyInstances(form)
		}
		return ok(`<R><reservationSet><item><instancesSet>%s</instancesSet></item></reservationSet></R>`, w.lookAtInstances())
	}
	return unknown("ec2", operation)
}

func subnet(id, zone string, free int) string {
	return fmt.Sprintf(`<item><subnetId>%s</subnetId><vpcId>%s</vpcId><availabilityZone>%s%s</availabilityZone>
<cidrBlock>10.0.0.0/24</cidrBlock><availableIpAddressCount>%d</availableIpAddressCount></item>`, id, vpcID, Region, zone, free)
}

// offering says that the type that is asked for is sold in a zone.
func offering(form url.Values, zone string) string {
	return fmt.Sprintf(`<item><instanceType>%s</instanceType><locationType>availability-zone</locationType><location>%s%s</location></item>`,
		cmp.Or(form.Get("Filter.1.Value.1"), "t3.medium"), Region, zone)
}

// lookAtInstances takes every machine a step further: pending, running, a
// Node object, Ready.
func (w *World) lookAtInstances() string {
	var out strings.Builder
	for _, in := range w.instances {
		name := fmt.Sprintf("ip-10-0-0-%d.%s.compute.internal", in.n+10, Region)
		var tags strings.Builder
		for key, value := range in.tags {
			fmt.Fprintf(&tags, "<item><key>%s</key><value>%s</value></item>", key, value)
		}
		fmt.Fprintf(&out, `<item><instanceId>%s</instanceId><imageId>%s</imageId><instanceType>t3.medium</instanceType>
<launchTime>2026-11-01T10:00:00Z</launchTime>
<instanceState><name>%s</name></instanceState><placement><availabilityZone>%s</availabilityZone></placement>
<iamInstanceProfile><arn>arn:aws:iam::%s:instance-profile/workers</arn></iamInstanceProfile><privateDnsName>%s</privateDnsName><tagSet>%s</tagSet></item>`,
			in.id, w.imageOf(in), in.state, in.zone, Account, name, tags.String())
		known := w.nodes[name]
		mapped := w.mode != "CONFIG_MAP" && w.entries[roleARN] != nil && w.entries[roleARN].Type == "EC2_LINUX" ||
			w.mode != "API" && strings.Contains(w.awsAuth["mapRoles"], roleARN)
		switch {
		case in.state == "pending":
			in.state = "running"
		case in.state == "running" && known == nil && mapped:
			w.nodes[name] = &node{name: name, providerID: "aws:///" + in.zone + "/" + in.id}
			w.touch()
		case known != nil && !known.ready && !w.neverReady:
			known.ready = true
			w.touch()
		}
	}
	return out.String()
}

func (w *World) autoscaling(operation string, form url.Values) answer {
	switch operation {
	case "DescribeAutoScalingGroups":
		if w.many > 0 {
			return w.manyGroups(form)
		}
		return wrapped(operation, "<AutoScalingGroups>%s</AutoScalingGroups>", w.groupXML())
	case "DescribeScalingActivities":
		return wrapped(operation, "<Activities>%s</Activities>", w.activities())
	case "SetInstanceProtection":
		for _, in := range w.instances {
			for i := 1; form.Has(fmt.Sprintf("InstanceIds.member.%d", i)); i++ {
				if form.Get(fmt.Sprintf("InstanceIds.member.%d", i)) == in.id {
					in.protected = form.Get("ProtectedFromScaleIn") == "true"
				}
			}
		}
		return wrapped(operation, "")
	case "UpdateAutoScalingGroup":
		number := func(key string) int { n, _ := strconv.Atoi(form.Get(key)); return n }
		w.group.min, w.group.desired, w.group.max = number("MinSize"), number("DesiredCapacity"), number("MaxSize")
		w.shrink()
		return wrapped(operation, "")
	case "TerminateInstanceInAutoScalingGroup":
		w.endMember(form.Get("InstanceId"), form.Get("ShouldDecrementDesiredCapacity") == "true")
		return wrapped(operation, "")
	case "CreateOrUpdateTags":
		w.group.tags[form.Get("Tags.member.1.Key")] = form.Get("Tags.member.1.Value")
		return wrapped(operation, "")
	case "DeleteTags":
		delete(w.group.tags, form.Get("Tags.member.1.Key"))
		return wrapped(operation, "")
	case "SuspendProcesses", "ResumeProcesses":
		if w.group != nil {
			w.group.suspended = nil
		}
		for i := 1; operation == "SuspendProcesses" && w.group != nil && form.Has(fmt.Sprintf("ScalingProcesses.member.%d", i)); i++ {
			w.group.suspended = append(w.group.suspended, form.Get(fmt.Sprintf("ScalingProcesses.member.%d", i)))
		}
		return wrapped(operation, "")
	}
	return unknown("autoscaling", operation)
}

// groupAge is how old a group is, whenever it is looked at: 21 days, and an
// hour so that no day ends meanwhile.
const groupAge = (21*24 + 1) * time.Hour

func (w *World) groupXML() string {
	if w.group == nil {
		return ""
	}
	var tags, members, suspended strings.Builder
	for key, value := range w.group.tags {
		fmt.Fprintf(&tags, "<member><Key>%s</Key><Value>%s</Value><PropagateAtLaunch>true</PropagateAtLaunch></member>", key, html.EscapeString(value))
	}
	for _, in := range w.instances {
		fmt.Fprintf(&members, "<member><InstanceId>%s</InstanceId><AvailabilityZone>%s</AvailabilityZone><LifecycleState>InService</LifecycleState><ProtectedFromScaleIn>%t</ProtectedFromScaleIn>"+
			"<LaunchTemplate><LaunchTemplateId>lt-0123456789abcdef0</LaunchTemplateId><Version>%d</Version></LaunchTemplate></member>",
			in.id, in.zone, in.protected, in.version)
	}
	warm := ""
	if w.group.warm > 0 {
		warm = fmt.Sprintf("<WarmPoolSize>%d</WarmPoolSize><WarmPoolConfiguration><PoolState>Stopped</PoolState><MinSize>1</MinSize><MaxGroupPreparedCapacity>1</MaxGroupPreparedCapacity></WarmPoolConfiguration>", w.group.warm)
	}
	for _, process := range w.group.suspended {
		fmt.Fprintf(&suspended, "<member><ProcessName>%s</ProcessName></member>", process)
	}
	return fmt.Sprintf(`<member><AutoScalingGroupName>%s</AutoScalingGroupName><MinSize>%d</MinSize><DesiredCapacity>%d</DesiredCapacity><MaxSize>%d</MaxSize>
<CreatedTime>%s</CreatedTime><VPCZoneIdentifier>subnet-0aaaaaaaaaaaaaaaa,subnet-0bbbbbbbbbbbbbbbb</VPCZoneIdentifier>
<LaunchTemplate><LaunchTemplateId>lt-0123456789abcdef0</LaunchTemplateId><Version>%d</Version></LaunchTemplate><Tags>%s</Tags><Instances>%s</Instances>
<SuspendedProcesses>%s</SuspendedProcesses>%s</member>`,
		w.group.name, w.group.min, w.group.desired, w.group.max, time.Now().Add(-groupAge).UTC().Format(time.RFC3339), len(w.versions), tags.String(), members.String(), suspended.String(), warm)
}

// shrink ends what is too much, from the first on, and passes over what is
// protected.
func (w *World) shrink() {
	for i := 0; i < len(w.instances) && len(w.instances) > w.group.desired; {
		if w.instances[i].protected {
			i++
			continue
		}
		id := w.instances[i].id
		w.dropNode(id)
		w.instances = append(w.instances[:i:i], w.instances[i+1:]...)
	}
	w.touch()
}

func (w *World) activities() string {
	if w.group == nil {
		return ""
	}
	if w.noLaunch != "" {
		return fmt.Sprintf(`<member><ActivityId>a1</ActivityId><Description>Launching a new EC2 instance.</Description><StatusCode>Failed</StatusCode>
<StatusMessage>%s</StatusMessage><StartTime>2026-11-01T10:00:00Z</StartTime></member>`, html.EscapeString(w.noLaunch))
	}
	for len(w.instances) < w.group.desired {
		n := w.launched
		w.launched++
		w.instances = append(w.instances, &instance{id: fmt.Sprintf("i-0%015d%d", 0, n+1), n: n, zone: Region + string(rune('a'+n%2)), state: "pending", version: len(w.versions), tags: map[string]string{}})
	}
	var out strings.Builder
	for _, in := range w.instances {
		fmt.Fprintf(&out, `<member><ActivityId>%[1]s</ActivityId><Description>Launching a new EC2 instance: %[1]s</Description>
<StatusCode>Successful</StatusCode><StartTime>2026-11-01T10:00:00Z</StartTime></member>`, in.id)
	}
	return out.String()
}
