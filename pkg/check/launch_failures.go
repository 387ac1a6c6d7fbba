package check

import (
	"cmp"
	"fmt"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// launchFailures are the known reasons. Words that are EC2 error codes come
// from "Error codes for the Amazon EC2 API". Sentences were held against
// "Troubleshoot Amazon EC2 Auto Scaling: EC2 instance launch failures" and
// "... AMI issues", both at the row's reference. What neither has stands under
// field, and makes a finding likely, not certain.
func launchFailures() []launchFailure {
	return append(capacityFailures(), templateFailures()...)
}

// capacityFailures are launches that EC2 could not serve.
func capacityFailures() []launchFailure {
	return []launchFailure{
		{
			id: "launch.no-capacity", title: "EC2 has capacity",
			why: "A zone can run out of machines of a type for minutes or days.", ref: docCapacity,
			words:   []string{"insufficientinstancecapacity", "we currently do not have sufficient", "insufficienthostcapacity", "insufficientreservedinstancecapacity", "does not have sufficient compatible and available capacity", "capacity block reservation"},
			summary: "EC2 has no capacity for this type in the zone",
			fix: func(s *snapshot.Snapshot, g *snapshot.Group) report.Fix {
				return do("add zones or more instance types to the group", fmt.Sprintf(
					"aws ec2 describe-instance-type-offerings --region %s --location-type availability-zone --filters Name=instance-type,Values=%s", s.Target.Region, firstOr(g.Launch.InstanceTypes, "TYPE")))
			},
		},
		{
			id: "launch.vcpu-limit", title: "launches stay within the vCPU quota",
			why: "EC2 refuses machines beyond the account's quota of running vCPUs of the family.", ref: docEC2Errors,
			words:   []string{"vcpulimitexceeded", "current vcpu limit", "instancelimitexceeded", "maxspotinstancecountexceeded", "instance(s) are already running"},
			summary: "the account's quota of vCPUs or instances is used up",
			fix: func(s *snapshot.Snapshot, _ *snapshot.Group) report.Fix {
				return do("ask for a higher quota, or take fewer or smaller machines", fmt.Sprintf(
					"aws service-quotas list-service-quotas --region %s --service-code ec2 --query \"Quotas[?contains(QuotaName,'Running')].[QuotaCode,QuotaName,Value]\" --output text", s.Target.Region))
			},
		},
		{
			id: "launch.fleet-quota", title: "launches stay within the fleet quota",
			why: "New accounts have a small quota of fleet requests until AWS has verified them.", ref: docEC2Errors,
			words:   []string{"maxfleetcountexceeded", "pendingverification"},
			field:   []string{"quota for maximum fleet requests", "fleetrequestquota"},
			summary: "the account may not request more fleets, or is still being verified by AWS",
			fix: func(*snapshot.Snapshot, *snapshot.Group) report.Fix {
				return do("wait for the verification, or open a case with AWS Support", "aws support create-case help")
			},
		},
		{
			id: "launch.spot", title: "spot requests are filled",
			why: "Spot machines are launched only where there is spare capacity at the price offered.", ref: docEC2Errors,
			words:   []string{"unfulfillablecapacity", "spotmaxpricetoolow", "no spot capacity", "spot price", "spot request price"},
			summary: "no spot capacity at this price",
			fix: func(*snapshot.Snapshot, *snapshot.Group) report.Fix {
				return do("take more instance types and zones, and leave the maximum price out")
			},
		},
		{
			id: "launch.spot-role", title: "spot's service-linked role exists",
			why: "The first spot request of an account needs a service-linked role that the caller may not be allowed to make.", ref: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/service-linked-roles-spot-instance-requests.html",
			words:   []string{"servicelinkedrolecreationnotpermitted"},
			field:   []string{"service-linked role for ec2 spot"},
			summary: "the service-linked role for EC2 Spot is missing",
			fix: func(*snapshot.Snapshot, *snapshot.Group) report.Fix {
				return do("make it once for the account", "aws iam create-service-linked-role --aws-service-name spot.amazonaws.com")
			},
		},
		{
			id: "launch.subnet-full", title: "subnets have addresses for launches",
			why: "A machine takes its first address from the subnet before it starts.", ref: docEC2Errors,
			words:   []string{"insufficientfreeaddressesinsubnet"},
			field:   []string{"not enough free addresses", "insufficient free addresses"},
			summary: "the subnet has no free address",
			fix: func(s *snapshot.Snapshot, g *snapshot.Group) report.Fix {
				return do("use other subnets, or add an address range to the VPC", fmt.Sprintf(
					"aws ec2 describe-subnets --region %s --subnet-ids %s --query 'Subnets[].[SubnetId,AvailableIpAddressCount]' --output text", s.Target.Region, spaced(g.Subnets)))
			},
		},
		{
			id: "launch.type-unsupported", title: "type is supported in the zone",
			why: "Not every zone sells every type, and not every type takes every option of a template.", ref: docLaunchErrors,
			words:   []string{"is not supported in your requested availability zone", "requested configuration is currently not supported", "placement groups may not be used"},
			summary: "the instance type, or an option of it, is not supported in the zone",
			fix: func(s *snapshot.Snapshot, g *snapshot.Group) report.Fix {
				return do("leave the zone's subnet out, or choose another type", fmt.Sprintf(
					"aws ec2 describe-instance-type-offerings --region %s --location-type availability-zone --filters Name=instance-type,Values=%s", s.Target.Region, firstOr(g.Launch.InstanceTypes, "TYPE")))
			},
		},
	}
}

// templateFailures are launches that ask for something that is not there or
// does not fit.
func templateFailures() []launchFailure {
	newVersion := func(what string) func(*snapshot.Snapshot, *snapshot.Group) report.Fix {
		return func(s *snapshot.Snapshot, g *snapshot.Group) report.Fix {
			return do(what+" in a new version of the launch template, then start the launches anew", templateCommand(s, g))
		}
	}
	return []launchFailure{
		{
			id: "launch.image-gone", title: "launches find the image",
			why: "An image that was deregistered, is pending, or belongs to another account or region cannot be launched.", ref: docAMIErrors,
			words:   []string{"invalidamiid", "ami id", "the image id", "and cannot be run"},
			field:   []string{"not authorized for images", "image id '[ami-"},
			summary: "the image does not exist here, is not ready, or is not shared with the account",
			fix:     newVersion("name a current image"),
		},
		{
			id: "launch.architecture", title: "image and type fit each other at launch",
			why: "EC2 refuses an arm64 image on an x86_64 machine and the other way round.", ref: docLaunchErrors,
			words:   []string{"does not match the architecture"},
			summary: "the image's architecture is not the instance type's",
			fix:     newVersion("name an image of the type's architecture"),
		},
		{
			id: "launch.template-gone", title: "launch template exists",
			why: "A group keeps pointing to a template or version after it was deleted.", ref: docEC2Errors,
			words: []string{
				"invalidlaunchtemplateid", "invalidlaunchtemplatename", "invalidlaunchtemplateversion", "launchtemplatename.notfound", "launchtemplateid.notfound",
			},
			field:   []string{"launch template version", "the specified launch template"},
			summary: "the launch template, or its version, is gone",
			fix: func(s *snapshot.Snapshot, g *snapshot.Group) report.Fix {
				return do("point the group to a version that exists", templateCommand(s, g), fmt.Sprintf(
					"aws autoscaling update-auto-scaling-group --region %s --auto-scaling-group-name %s --launch-template 'LaunchTemplateId=%s,Version=$Latest'",
					s.Target.Region, g.ASGName, cmp.Or(g.Launch.TemplateID, "ID")))
			},
		},
		{
			id: "launch.key-pair-gone", title: "launches find the key pair",
			why: "A template that names a deleted key pair launches nothing.", ref: docLaunchErrors,
			words:   []string{"invalidkeypair", "the key pair"},
			summary: "the key pair does not exist",
			fix:     newVersion("drop the key pair or name another"),
		},
		{
			id: "launch.security-group", title: "launches find the security groups in the VPC",
			why: "Security groups that were deleted, or are of another VPC than the subnet, refuse the launch.", ref: docLaunchErrors,
			words:   []string{"invalidgroup.notfound", "invalidsecuritygroupid", "the security group"},
			field:   []string{"belong to different networks"},
			summary: "a security group is gone, or is of another VPC than the subnet",
			fix:     newVersion("name security groups of the cluster's VPC"),
		},
		{
			id: "launch.kms", title: "Auto Scaling may use the volumes' key",
			why: "Auto Scaling launches with its service-linked role, which needs a grant on the customer managed key that encrypts the volumes.",
			ref: "https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html",
			words: []string{
				"client.internalerror", "client error on launch", "invalidkmskey",
			},
			field:   []string{"kms key"},
			summary: "the volumes' KMS key cannot be used by Auto Scaling",
			fix:     func(s *snapshot.Snapshot, _ *snapshot.Group) report.Fix { return kmsFix(s) },
		},
		{
			id: "launch.instance-profile", title: "launches find the instance profile",
			why: "A profile's name may be wrong, the profile deleted, or so new that EC2 does not know it yet.", ref: docLaunchErrors,
			words:   []string{"iaminstanceprofile"},
			field:   []string{"iam instance profile", "instance profile name", "instance profile arn"},
			summary: "the instance profile does not exist, or not yet",
			fix: func(s *snapshot.Snapshot, g *snapshot.Group) report.Fix {
				return do("wait a minute if it is new; else name one that exists in a new version of the launch template",
					"aws iam get-instance-profile --instance-profile-name "+lastOf(cmp.Or(g.Launch.InstanceProfile, "NAME")), templateCommand(s, g))
			},
		},
		{
			id: "launch.pass-role", title: "launches are authorized",
			why: "Who launches must be allowed ec2:RunInstances and to pass the node role; a policy of the organisation may forbid either.", ref: docEC2Errors,
			words:   []string{"unauthorizedoperation", "not authorized to perform", "encoded authorization failure message", "iam:passrole"},
			summary: "the launch is not authorized",
			fix: func(*snapshot.Snapshot, *snapshot.Group) report.Fix {
				return do("read what is denied, and allow it for the group's service-linked role (iam:PassRole on the node role, ec2:RunInstances)",
					"aws sts decode-authorization-message --query DecodedMessage --output text --encoded-message MESSAGE")
			},
		},
		{
			id: "launch.volume", title: "volumes of the template can be made",
			why: "A root volume smaller than the image's snapshot, a wrong device name, or a quota of volumes refuses the launch.", ref: docLaunchErrors,
			words: []string{
				"invalidblockdevicemapping", "invalid device name", "volumelimitexceeded",
				"invalidsnapshot", "maxiopslimitexceeded", "parameter virtualname", "ebs block device mappings not supported",
			},
			field:   []string{"smaller than snapshot", "maximum number of volumes", "volume storage limit"},
			summary: "a volume of the launch template cannot be made",
			fix:     newVersion("mend BlockDeviceMappings (root: /dev/xvda; Bottlerocket's data: /dev/xvdb)"),
		},
		{
			id: "launch.interfaces", title: "network interfaces of the template fit the type",
			why: "Each network card of a type takes a number of interfaces, and a template may ask for more.", ref: docEC2Errors,
			words:   []string{"attachmentlimitexceeded", "networkinterfacelimitexceeded"},
			field:   []string{"maximum number of network interfaces", "network card"},
			summary: "the template asks for more network interfaces than the type takes",
			fix:     newVersion("set one interface with device index 0 on each network card"),
		},
		{
			id: "launch.rule-quota", title: "security groups stay within their quotas",
			why: "Quotas limit the rules of a security group and the groups of an interface.", ref: "https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html",
			words:   []string{"rulespersecuritygrouplimitexceeded", "securitygroupsperinterfacelimitexceeded", "securitygroupsperinstancelimitexceeded"},
			field:   []string{"maximum number of rules per security group"},
			summary: "a quota of security groups or their rules is used up",
			fix: func(s *snapshot.Snapshot, _ *snapshot.Group) report.Fix {
				return do("join rules or groups, or ask for a higher quota", fmt.Sprintf("aws service-quotas list-service-quotas --region %s --service-code vpc", s.Target.Region))
			},
		},
	}
}

func templateCommand(s *snapshot.Snapshot, g *snapshot.Group) string {
	return fmt.Sprintf("aws ec2 describe-launch-template-versions --region %s --launch-template-id %s --versions '$Latest'", s.Target.Region, cmp.Or(g.Launch.TemplateID, "ID"))
}

func kmsFix(s *snapshot.Snapshot) report.Fix {
	return do("enable the key, and give Auto Scaling's service-linked role a grant on it", fmt.Sprintf(
		"aws kms create-grant --region %s --key-id KEY --grantee-principal arn:%s:iam::%s:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling --operations Encrypt Decrypt ReEncryptFrom ReEncryptTo GenerateDataKey GenerateDataKeyWithoutPlaintext DescribeKey CreateGrant",
		s.Target.Region, cmp.Or(s.Target.Partition, "aws"), cmp.Or(s.Target.AccountID, "ACCOUNT")))
}
