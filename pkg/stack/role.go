package stack

import (
	"slices"
	"strings"
)

// addRole adds the node role and the instance profile, as far as neither is given.
func addRole(resources object, in Input) {
	role := in.Role
	if role.ProfileARN != "" {
		return
	}
	profile := object{"Roles": []any{ref("NodeInstanceRole")}}
	optional(profile, "Path", role.Path)
	if role.ARN != "" {
		profile["Roles"] = []string{roleName(role.ARN)}
	} else {
		resources["NodeInstanceRole"] = nodeRole(in)
	}
	resources["NodeInstanceProfile"] = resource("AWS::IAM::InstanceProfile", profile)
}

// nodeRole is the least a node needs: to join, to pull images from ECR, and to be reached over Systems Manager. The
// CNI's permissions come in only when it has no role of its own.
func nodeRole(in Input) object {
	managed := []any{awsPolicy("AmazonEKSWorkerNodePolicy"), awsPolicy("AmazonEC2ContainerRegistryPullOnly")}
	if !in.Role.WithoutSSMPolicies {
		managed = append(managed, awsPolicy("AmazonSSMManagedInstanceCore"))
	}
	if in.Role.CNIPolicy && !in.IPv6 {
		managed = append(managed, awsPolicy("AmazonEKS_CNI_Policy"))
	}
	for _, arn := range slices.Sorted(slices.Values(in.Role.Policies)) {
		managed = append(managed, arn)
	}
	properties := object{
		"AssumeRolePolicyDocument": object{
			"Version": "2012-10-17",
			"Statement": []any{object{
				"Effect": "Allow",
				// The service's name differs between partitions, for example in China.
				"Principal": object{"Service": sub("ec2.${AWS::URLSuffix}")},
				"Action":    "sts:AssumeRole",
			}},
		},
		"ManagedPolicyArns": managed,
	}
	if in.Role.CNIPolicy && in.IPv6 {
		properties["Policies"] = []any{ipv6CNIPolicy()}
	}
	optional(properties, "Path", in.Role.Path)
	optional(properties, "PermissionsBoundary", in.Role.Boundary)
	return resource("AWS::IAM::Role", properties)
}

func awsPolicy(name string) object { return sub("arn:${AWS::Partition}:iam::aws:policy/" + name) }

// ipv6CNIPolicy is what the VPC CNI needs to hand out IPv6 addresses; there is no managed policy for it
// (https://docs.aws.amazon.com/eks/latest/userguide/cni-iam-role.html).
func ipv6CNIPolicy() object {
	return object{
		"PolicyName": "cni-ipv6",
		"PolicyDocument": object{
			"Version": "2012-10-17",
			"Statement": []any{
				object{
					"Effect": "Allow",
					"Action": []string{
						"ec2:AssignIpv6Addresses", "ec2:DescribeInstances", "ec2:DescribeInstanceTypes",
						"ec2:DescribeNetworkInterfaces", "ec2:DescribeTags",
					},
					"Resource": "*",
				},
				object{
					"Effect":   "Allow",
					"Action":   "ec2:CreateTags",
					"Resource": sub("arn:${AWS::Partition}:ec2:*:*:network-interface/*"),
				},
			},
		},
	}
}

// roleName is the last element of a role's ARN: IAM takes a role by its name, without the path.
func roleName(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }
