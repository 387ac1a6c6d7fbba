package cloud

import (
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// offlineRow says how an operation is answered out of files.
type offlineRow struct {
	out func() any // *eks.DescribeClusterOutput …
	// suffix tells the files of one operation apart: the role, the
	// instance … that was asked for; nil: there is one file.
	suffix func(in any) string
	// choose takes from a file what was asked for, where the file may hold
	// more and the reader relies on AWS to leave that out.
	choose func(in, out any) error
	// read answers where the layout has something else than the CLI's
	// output; done false goes on with the CLI's file.
	read func(c offlineCall, out any) (done bool, err error)
	// optional: what the group could be launched from is beside the question
	// why a machine that was launched does not join.
	optional bool
}

func of[Out any]() func() any { return func() any { return new(Out) } }

// part makes a suffix of a parameter of the operation.
func part[In any](get func(*In) *string) func(any) string {
	return func(in any) string {
		request, ok := in.(*In)
		if !ok {
			return ""
		}
		return lastPart(aws.ToString(get(request)))
	}
}

// lastPart is the name in an ARN or path.
func lastPart(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }

// choosing makes a choice of an operation's types.
func choosing[In, Out any](choose func(*In, *Out) error) func(in, out any) error {
	return func(in, out any) error {
		request, fits := in.(*In)
		answer, also := out.(*Out)
		if !fits || !also {
			return errors.New("not the types of this operation")
		}
		return choose(request, answer)
	}
}

// offlineRows lists the operations of the readers.
func offlineRows() map[string]offlineRow {
	return map[string]offlineRow{
		"DescribeCluster":             {out: of[eks.DescribeClusterOutput]()},
		"ListAccessEntries":           {out: of[eks.ListAccessEntriesOutput]()},
		"DescribeAccessEntry":         {out: of[eks.DescribeAccessEntryOutput](), suffix: part(func(in *eks.DescribeAccessEntryInput) *string { return in.PrincipalArn }), read: unlistedEntry},
		"ListAddons":                  {out: of[eks.ListAddonsOutput]()},
		"DescribeAddon":               {out: of[eks.DescribeAddonOutput](), suffix: part(func(in *eks.DescribeAddonInput) *string { return in.AddonName })},
		"ListPodIdentityAssociations": {out: of[eks.ListPodIdentityAssociationsOutput]()},

		"DescribeSubnets":                {out: of[ec2.DescribeSubnetsOutput]()},
		"DescribeRouteTables":            {out: of[ec2.DescribeRouteTablesOutput]()},
		"DescribeSecurityGroups":         {out: of[ec2.DescribeSecurityGroupsOutput]()},
		"DescribeNetworkAcls":            {out: of[ec2.DescribeNetworkAclsOutput]()},
		"DescribeNatGateways":            {out: of[ec2.DescribeNatGatewaysOutput]()},
		"DescribeInternetGateways":       {out: of[ec2.DescribeInternetGatewaysOutput]()},
		"DescribeVpcEndpoints":           {out: of[ec2.DescribeVpcEndpointsOutput]()},
		"DescribeDhcpOptions":            {out: of[ec2.DescribeDhcpOptionsOutput]()},
		"DescribeNetworkInterfaces":      {out: of[ec2.DescribeNetworkInterfacesOutput]()},
		"DescribeVpcs":                   {out: of[ec2.DescribeVpcsOutput](), choose: choosing(chooseVPC)},
		"DescribeVpcAttribute":           {out: of[ec2.DescribeVpcAttributeOutput](), suffix: vpcAttribute},
		"DescribeInstanceTypes":          {out: of[ec2.DescribeInstanceTypesOutput](), optional: true},
		"DescribeInstanceTypeOfferings":  {out: of[ec2.DescribeInstanceTypeOfferingsOutput](), optional: true},
		"DescribeImages":                 {out: of[ec2.DescribeImagesOutput]()},
		"DescribeKeyPairs":               {out: of[ec2.DescribeKeyPairsOutput](), optional: true},
		"DescribeInstances":              {out: of[ec2.DescribeInstancesOutput](), choose: choosing(chooseInstances)},
		"DescribeInstanceStatus":         {out: of[ec2.DescribeInstanceStatusOutput]()},
		"DescribeLaunchTemplateVersions": {out: of[ec2.DescribeLaunchTemplateVersionsOutput](), choose: choosing(chooseVersion)},
		"GetConsoleOutput":               {out: of[ec2.GetConsoleOutputOutput](), suffix: part(func(in *ec2.GetConsoleOutputInput) *string { return in.InstanceId }), read: consoleText},
		"DescribeInstanceAttribute":      {out: of[ec2.DescribeInstanceAttributeOutput](), suffix: instanceAttribute, read: userDataText},

		"DescribeAutoScalingGroups": {out: of[autoscaling.DescribeAutoScalingGroupsOutput](), choose: choosing(chooseGroups)},
		"DescribeScalingActivities": {out: of[autoscaling.DescribeScalingActivitiesOutput](), choose: choosing(chooseActivities)},
		"DescribeStacks":            {out: of[cloudformation.DescribeStacksOutput](), choose: choosing(chooseStack)},
		"DescribeStackEvents":       {out: of[cloudformation.DescribeStackEventsOutput](), suffix: part(func(in *cloudformation.DescribeStackEventsInput) *string { return in.StackName })},

		"GetRole":                    {out: of[iam.GetRoleOutput](), suffix: part(func(in *iam.GetRoleInput) *string { return in.RoleName }), choose: choosing(escapePolicy)},
		"ListAttachedRolePolicies":   {out: of[iam.ListAttachedRolePoliciesOutput](), suffix: part(func(in *iam.ListAttachedRolePoliciesInput) *string { return in.RoleName })},
		"ListRolePolicies":           {out: of[iam.ListRolePoliciesOutput](), suffix: part(func(in *iam.ListRolePoliciesInput) *string { return in.RoleName })},
		"GetRolePolicy":              {out: of[iam.GetRolePolicyOutput](), suffix: rolePolicy, choose: choosing(escapeInline)},
		"GetInstanceProfile":         {out: of[iam.GetInstanceProfileOutput](), suffix: part(func(in *iam.GetInstanceProfileInput) *string { return in.InstanceProfileName }), choose: choosing(escapeProfile)},
		"ListInstanceProfiles":       {out: of[iam.ListInstanceProfilesOutput](), read: collectProfiles},
		"ListOpenIDConnectProviders": {out: of[iam.ListOpenIDConnectProvidersOutput]()},
		"SimulatePrincipalPolicy":    {out: of[iam.SimulatePrincipalPolicyOutput](), suffix: part(func(in *iam.SimulatePrincipalPolicyInput) *string { return in.PolicySourceArn })},

		"DescribeInstanceInformation": {out: of[ssm.DescribeInstanceInformationOutput]()},
	}
}

func vpcAttribute(in any) string {
	request, ok := in.(*ec2.DescribeVpcAttributeInput)
	if !ok {
		return ""
	}
	return string(request.Attribute)
}

func instanceAttribute(in any) string {
	request, ok := in.(*ec2.DescribeInstanceAttributeInput)
	if !ok {
		return ""
	}
	return string(request.Attribute) + "." + aws.ToString(request.InstanceId)
}

func rolePolicy(in any) string {
	request, ok := in.(*iam.GetRolePolicyInput)
	if !ok {
		return ""
	}
	return aws.ToString(request.RoleName) + "." + aws.ToString(request.PolicyName)
}
