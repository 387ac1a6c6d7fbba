package stack

import "cmp"

// launchTemplate describes the machine. Security groups and addresses go to a network interface only when an address
// is asked for: without one, the subnet's own settings apply.
func launchTemplate(in Input, userData any) object {
	data := object{
		"BlockDeviceMappings": []any{volume(in)},
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

func volume(in Input) object {
	ebs := object{
		"VolumeSize":          ref("NodeVolumeSize"),
		"VolumeType":          ref("NodeVolumeType"),
		"DeleteOnTermination": true,
	}
	if in.Volume.Encrypted {
		ebs["Encrypted"] = true
		optional(ebs, "KmsKeyId", in.Volume.KMSKey)
	}
	optional(ebs, "Iops", in.Volume.IOPS)
	optional(ebs, "Throughput", in.Volume.Throughput)
	return object{"DeviceName": cmp.Or(in.Volume.Device, device(in.Family)), "Ebs": ebs}
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
