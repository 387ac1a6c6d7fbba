package stack

import "cmp"

// launchTemplate describes the machine. Security groups and addresses go to a network interface only when an address
// is asked for: without one, the subnet's own settings apply.
func launchTemplate(in Input, userData any) object {
	data := object{
		"BlockDeviceMappings": volumes(in),
		"IamInstanceProfile":  object{"Arn": profileARN(in)},
		"ImageId":             ref("NodeImageId"),
		"InstanceType":        ref("NodeInstanceType"),
		"MetadataOptions":     metadataOptions(in),
		"UserData":            userData,
	}
	if in.KeyName != "" {
		data["KeyName"] = ref("KeyName")
	}
	if in.Network.PublicIP == nil && !in.IPv6 {
		data["SecurityGroupIds"] = attached(in)
	} else {
		data["NetworkInterfaces"] = []any{networkInterface(in)}
	}
	if tags := userTags(in); len(tags) > 0 {
		// Instances get the group's tags from the Auto Scaling group; volumes do not.
		data["TagSpecifications"] = []any{object{"ResourceType": "volume", "Tags": tags}}
	}
	return resource("AWS::EC2::LaunchTemplate", object{"LaunchTemplateData": data})
}

func networkInterface(in Input) object {
	device := object{"DeviceIndex": 0, "Groups": attached(in), "DeleteOnTermination": true}
	if in.Network.PublicIP != nil {
		device["AssociatePublicIpAddress"] = *in.Network.PublicIP
	}
	if in.IPv6 {
		device["Ipv6AddressCount"] = 1
	}
	return device
}

// volumes are the one for images and containers, whose size and type are parameters, and those that were asked for
// besides.
func volumes(in Input) []any {
	first := in.Volume
	first.Device = cmp.Or(first.Device, device(in.Family))
	all := []any{volume(first, ref("NodeVolumeSize"), ref("NodeVolumeType"))}
	for _, extra := range in.ExtraVolumes {
		all = append(all, volume(extra, extra.SizeGiB, extra.Type))
	}
	return all
}

// volume is one device; all of them go with the machine.
func volume(v Volume, size, kind any) object {
	ebs := object{"VolumeSize": size, "VolumeType": kind, "DeleteOnTermination": true}
	if v.Encrypted {
		ebs["Encrypted"] = true
		optional(ebs, "KmsKeyId", v.KMSKey)
	}
	optional(ebs, "Iops", v.IOPS)
	optional(ebs, "Throughput", v.Throughput)
	return object{"DeviceName": v.Device, "Ebs": ebs}
}

// device is where a family keeps images and containers. Bottlerocket's /dev/xvda holds the system alone.
func device(family Family) string {
	if family == Bottlerocket {
		return "/dev/xvdb"
	}
	return "/dev/xvda"
}

func metadataOptions(in Input) object {
	options := object{
		"HttpTokens":              choose("IMDSv1Disabled", "required", "optional"),
		"HttpPutResponseHopLimit": cmp.Or(in.HopLimit, 2),
	}
	if in.IPv6 {
		options["HttpProtocolIpv6"] = "enabled"
	}
	return options
}

func profileARN(in Input) any {
	if in.Role.ProfileARN != "" {
		return in.Role.ProfileARN
	}
	return getAtt("NodeInstanceProfile", "Arn")
}
