package stack

import (
	"fmt"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// TooLargeError says that the template exceeds CloudFormation's limit for a body sent inline. Both numbers are bytes.
type TooLargeError struct {
	Size, Limit int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the stack's template is %d bytes, over CloudFormation's limit of %d: shorten the user data",
		e.Size, e.Limit)
}

// Build makes the builtin template. Equal inputs give equal bytes. The error is a *TooLargeError, or names every
// wish that contradicts another.
//
// There is no update policy: CloudFormation's rolling update terminates nodes without draining them. A stack update
// therefore only prepares the launch template for machines to come.
func Build(in Input) (Template, error) {
	if err := in.Validate(); err != nil {
		return Template{}, err
	}
	userData, bound := bindUserData(string(in.UserData), in.Boot.Cluster)
	body, values, err := render(in, userData, bound)
	if err != nil {
		return Template{}, err
	}
	if len(body) > MaxBody {
		// Many short lines cost an indentation each; base64 costs a third more than the text, whatever it is.
		body, values, err = render(in, encodedUserData(in.UserData), nil)
		if err != nil {
			return Template{}, err
		}
	}
	if len(body) > MaxBody && in.Metadata != nil {
		in.Metadata = nil
		return Build(in)
	}
	if len(body) > MaxBody {
		return Template{}, &TooLargeError{Size: len(body), Limit: MaxBody}
	}
	return Template{Body: string(body), Parameters: values, Capabilities: capabilities(in)}, nil
}

// render assembles the template. Bound names the parameters that userData refers to.
func render(in Input, userData any, bound []string) ([]byte, []Parameter, error) {
	resources := object{
		"NodeLaunchTemplate": launchTemplate(in, userData),
		"NodeGroup":          autoScalingGroup(in),
	}
	if in.WarmPool != nil {
		resources["NodeWarmPool"] = warmPool(*in.WarmPool)
	}
	addRole(resources, in)
	addSecurityGroups(resources, in)

	onlyInUserData := []string{"ApiServerEndpoint", "CertificateAuthorityData", "ServiceCidr"}
	declared, values := declare(in, func(key string) bool {
		return slices.Contains(onlyInUserData, key) && !slices.Contains(bound, key)
	})
	template := object{
		"AWSTemplateFormatVersion": "2010-09-09",
		"Description":              "A self-managed node group of an EKS cluster, made by " + product.Command,
		"Parameters":               declared,
		"Conditions":               object{"IMDSv1Disabled": object{"Fn::Equals": []any{ref("DisableIMDSv1"), "true"}}},
		"Resources":                resources,
		"Outputs":                  outputs(in),
	}
	if in.Metadata != nil {
		template["Metadata"] = in.Metadata
	}
	body, err := yaml.Marshal(template)
	if err != nil {
		return nil, nil, fmt.Errorf("render template: %w", err)
	}
	return body, values, nil
}

func capabilities(in Input) []string {
	if in.Role.ProfileARN != "" {
		return nil
	}
	return []string{CapabilityIAM}
}
