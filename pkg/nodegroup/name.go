package nodegroup

import (
	"regexp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// maxStackName is CloudFormation's limit of a stack's name.
const maxStackName = 128

// ValidateName reports whether a node group can have the name: it becomes
// part of a stack's name and the value of a tag.
func ValidateName(name string) error {
	if !regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,62}$`).MatchString(name) {
		return usagef("node group name %q: use a letter, then letters, digits and hyphens, at most 63 characters", name)
	}
	return nil
}

// StackName returns the name of the stack that holds a node group.
//
// EKS allows underscores in a cluster's name and CloudFormation does not in a
// stack's; they become hyphens. The stack's tags carry the true names.
func StackName(cluster, group string) (string, error) {
	name := []byte(product.PluginName + "-" + cluster + "-" + group)
	for i, c := range name {
		if c == '_' {
			name[i] = '-'
		}
	}
	if len(name) > maxStackName {
		return "", usagef("stack name %q has %d characters, CloudFormation takes %d: choose a shorter node group name",
			name, len(name), maxStackName)
	}
	return string(name), nil
}
