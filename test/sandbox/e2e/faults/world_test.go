package faults

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// world holds clients of its own, to break things with, and the parts of a
// healthy group, to make others like it.
type world struct {
	asg *autoscaling.Client
	ec2 *ec2.Client
	eks *eks.Client
	iam *iam.Client

	vpc          string
	clusterGroup string // the cluster's security group

	role string   // ARN of the healthy group's role
	good template // the healthy group's
	kind ec2types.InstanceType
	maps awsAuth
}

// settle adds the healthy group and reads its parts.
func settle(t *testing.T) *world {
	t.Helper()
	config := sandbox.AWS(t)
	w := &world{asg: autoscaling.NewFromConfig(config), ec2: ec2.NewFromConfig(config), eks: eks.NewFromConfig(config), iam: iam.NewFromConfig(config)}
	sandbox.MustExec(t, "kubectl", "eksnodes", "add", "healthy", "--desired", "1", "--yes")
	stacks, err := cloudformation.NewFromConfig(config).DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("eksnodes-" + layout.ClusterName + "-healthy")})
	must(t, err)
	name := ""
	for _, output := range stacks.Stacks[0].Outputs {
		switch aws.ToString(output.OutputKey) {
		case "NodeInstanceRole":
			w.role = aws.ToString(output.OutputValue)
		case "NodeAutoScalingGroup":
			name = aws.ToString(output.OutputValue)
		}
	}
	cluster, err := w.eks.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: aws.String(layout.ClusterName)})
	must(t, err)
	network := cluster.Cluster.ResourcesVpcConfig
	w.vpc, w.clusterGroup = aws.ToString(network.VpcId), aws.ToString(network.ClusterSecurityGroupId)
	w.readTemplate(t, name)
	return w
}

// readTemplate takes the healthy group's template apart.
func (w *world) readTemplate(t *testing.T, name string) {
	t.Helper()
	groups, err := w.asg.DescribeAutoScalingGroups(t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}})
	must(t, err)
	group := groups.AutoScalingGroups[0]
	versions, err := w.ec2.DescribeLaunchTemplateVersions(t.Context(), &ec2.DescribeLaunchTemplateVersionsInput{
		LaunchTemplateId: group.LaunchTemplate.LaunchTemplateId, Versions: []string{aws.ToString(group.LaunchTemplate.Version)},
	})
	must(t, err)
	data := versions.LaunchTemplateVersions[0].LaunchTemplateData
	text, err := base64.StdEncoding.DecodeString(aws.ToString(data.UserData))
	must(t, err)
	w.kind = data.InstanceType
	w.good = template{
		image: aws.ToString(data.ImageId), profile: aws.ToString(data.IamInstanceProfile.Arn), userData: string(text), metadata: true,
		securityGroups: data.SecurityGroupIds, subnets: strings.Split(aws.ToString(group.VPCZoneIdentifier), ","),
	}
	for _, network := range data.NetworkInterfaces {
		w.good.securityGroups = append(w.good.securityGroups, network.Groups...)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
