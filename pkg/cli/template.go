package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/stack"
)

// awsTemplate is the node group template that AWS publishes for AL2023.
//
// https://docs.aws.amazon.com/eks/latest/userguide/launch-workers.html
const awsTemplate = "https://s3.us-west-2.amazonaws.com/amazon-eks/cloudformation/2025-11-26/amazon-eks-nodegroup.yaml"

// source reads the template that --template names. Any but our own is shown
// to CloudFormation first: a parameter that it does not declare would make
// the whole request fail.
func (c *addCommand) source(ctx context.Context) (nodegroup.Source, error) {
	source := nodegroup.Source{Name: c.flags.template}
	switch {
	case source.Builtin():
		return source, nil
	case source.Name == "aws":
		source.URL = awsTemplate
	case strings.HasPrefix(source.Name, "https://"), strings.HasPrefix(source.Name, "s3://"):
		source.URL = source.Name
	default:
		text, err := readFile("--template", source.Name)
		if err != nil {
			return source, err
		}
		if len(text) > stack.MaxBody {
			return source, usagef("--template %s has %d bytes, CloudFormation takes %d inline: put it on S3 and give its https URL",
				source.Name, len(text), stack.MaxBody)
		}
		source.Body = string(text)
	}
	summary, err := c.session.aws.GetTemplateSummary(ctx, source.Body, source.URL)
	if err != nil {
		return source, fmt.Errorf("ask CloudFormation about template %s: %w", source.Name, err)
	}
	source.Summary.Capabilities = summary.Capabilities
	for _, parameter := range summary.Parameters {
		source.Summary.Parameters = append(source.Summary.Parameters, stack.Declared{
			Key: parameter.Key, Type: parameter.Type, Default: parameter.Default, Allowed: parameter.AllowedValues,
		})
	}
	return source, nil
}

// keyFileFree finds out early that a private key would have no place to go.
func keyFileFree(name string) error {
	if _, err := os.Lstat(name); err == nil {
		return usagef("--create-key-pair %s: the file exists and is never overwritten: name another, or use its key pair "+
			"by --key-pair", name)
	}
	return nil
}
