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
		"ManagedPolicyArns": managedPolicies(in),
	}
	if in.Role.CNIPolicy && in.IPv6 {
		properties["Policies"] = []any{ipv6CNIPolicy()}
	}
	optional(properties, "Path", in.Role.Path)
	optional(properties, "PermissionsBoundary", in.Role.Boundary)
	return resource("AWS::IAM::Role", properties)
}

// managedPolicies lists AWS's own policies and then the user's; one that is among the user's is not listed twice, which
// CloudFormation refuses.
func managedPolicies(in Input) []any {
	names := []string{"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"}
	if !in.Role.WithoutSSMPolicies {
		names = append(names, "AmazonSSMManagedInstanceCore")
	}
	if in.Role.CNIPolicy && !in.IPv6 {
		names = append(names, "AmazonEKS_CNI_Policy")
	}
	given := slices.Compact(slices.Sorted(slices.Values(in.Role.Policies)))
	var managed []any
	for _, name := range names {
		same := func(arn string) bool { return strings.HasSuffix(arn, ":iam::aws:policy/"+name) }
		if !slices.ContainsFunc(given, same) {
			managed = append(managed, awsPolicy(name))
		}
	}
	for _, arn := range given {
		managed = append(managed, arn)
	}
	return managed
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
