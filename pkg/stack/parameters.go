package stack

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

// Parameters gives the value of every parameter of AWS's amazon-eks-nodegroup.yaml, of its AL2 and its AL2023
// edition, that the input determines, in a fixed order. A template is sent only those it declares: CloudFormation
// refuses a request that holds one more.
func Parameters(in Input) []Parameter {
	all := []Parameter{
		{"ClusterName", in.Boot.Cluster.Name},
		{"ClusterControlPlaneSecurityGroup", in.ClusterSecurityGroup},
		{"NodeGroupName", in.Group},
		{"NodeAutoScalingGroupMinSize", strconv.Itoa(in.Min)},
		{"NodeAutoScalingGroupDesiredCapacity", strconv.Itoa(in.Desired)},
		{"NodeAutoScalingGroupMaxSize", strconv.Itoa(in.Max)},
		{"NodeInstanceType", in.InstanceType},
		{"NodeImageIdSSMParam", in.ImageSSMParam},
		{"NodeImageId", in.ImageID},
		{"NodeVolumeSize", strconv.Itoa(cmp.Or(in.Volume.SizeGiB, 20))},
		{"NodeVolumeType", cmp.Or(in.Volume.Type, "gp3")},
		{"KeyName", in.KeyName},
		{"BootstrapArguments", userdata.BootstrapArguments(in.Boot)},
		{"DisableIMDSv1", strconv.FormatBool(!in.IMDSv1)},
		{"VpcId", in.VPC},
		{"Subnets", strings.Join(in.Subnets, ",")},
		{"ApiServerEndpoint", in.Boot.Cluster.Endpoint},
		{"CertificateAuthorityData", in.Boot.Cluster.CA},
		{"ServiceCidr", in.Boot.Cluster.CIDR},
		{"AuthenticationMode", displayMode(in.AuthenticationMode)},
	}
	known := all[:0]
	for _, p := range all {
		if p.Value != "" {
			known = append(known, p)
		}
	}
	return known
}

// displayMode turns the EKS API's authentication mode into the words AWS's template takes; the template refuses the
// API's own. An unknown mode is passed on, for the template to judge.
func displayMode(mode string) string {
	switch mode {
	case "API":
		return "EKS API"
	case "API_AND_CONFIG_MAP":
		return "EKS API and ConfigMap"
	case "CONFIG_MAP":
		return "ConfigMap"
	}
	return mode
}

// declarations gives the parameters the builtin template may declare, by name. Of AWS's parameters three are not
// among them: NodeImageIdSSMParam, because CloudFormation would look the image up anew on every stack update;
// BootstrapArguments, which only AL2 knows; and AuthenticationMode, because the access entry is made over the EKS
// API, where a stale one can be detected.
func declarations() map[string]object {
	kind := func(kind, description string) object { return object{"Type": kind, "Description": description} }
	text := func(description string) object { return kind("String", description) }
	return map[string]object{
		"ClusterName":                         text("Name of the EKS cluster."),
		"ClusterControlPlaneSecurityGroup":    kind("AWS::EC2::SecurityGroup::Id", "Security group that EKS made for the cluster."),
		"NodeGroupName":                       text("Name of the node group, unique within the cluster."),
		"NodeAutoScalingGroupMinSize":         kind("Number", "Smallest number of nodes."),
		"NodeAutoScalingGroupDesiredCapacity": kind("Number", "Number of nodes to start with."),
		"NodeAutoScalingGroupMaxSize":         kind("Number", "Largest number of nodes."),
		"NodeInstanceType":                    text("EC2 instance type."),
		"NodeImageId":                         kind("AWS::EC2::Image::Id", "Machine image, pinned."),
		"NodeVolumeSize":                      kind("Number", "Size of the volume for images and containers, in GiB."),
		"NodeVolumeType":                      text("EBS volume type."),
		"KeyName":                             kind("AWS::EC2::KeyPair::KeyName", "EC2 key pair for SSH."),
		"DisableIMDSv1": {"Type": "String", "AllowedValues": []string{"true", "false"},
			"Description": "Whether the instance metadata service refuses requests without a session token."},
		"VpcId":                    kind("AWS::EC2::VPC::Id", "VPC of the cluster."),
		"Subnets":                  kind("List<AWS::EC2::Subnet::Id>", "Subnets to place nodes in."),
		"ApiServerEndpoint":        text("URL of the cluster's API server."),
		"CertificateAuthorityData": text("Certificate authority of the API server, base64."),
		"ServiceCidr":              text("Address range of the cluster's services."),
	}
}

// declare gives the declarations and values of what has a value and is not left out. The parameters that only user
// data refers to are left out when it does not: an unused parameter is a lint fault, and a lie.
func declare(in Input, leftOut func(key string) bool) (object, []Parameter) {
	declared, known := object{}, declarations()
	var values []Parameter
	for _, p := range Parameters(in) {
		if declaration, ok := known[p.Key]; ok && !leftOut(p.Key) {
			declared[p.Key] = declaration
			values = append(values, p)
		}
	}
	return declared, values
}
