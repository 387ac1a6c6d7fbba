package stack

import (
	"fmt"

	"sigs.k8s.io/yaml"
)

// Rolls reports whether CloudFormation itself replaces the instances of a
// group when the template's launch template changes. It ends them without
// draining: AWS's own template asks for that, the builtin one does not.
func Rolls(body string) (bool, error) {
	var template struct {
		Resources map[string]struct {
			UpdatePolicy map[string]any
		}
	}
	if err := yaml.Unmarshal([]byte(body), &template); err != nil {
		return false, fmt.Errorf("read the stack's template: %w", err)
	}
	for _, resource := range template.Resources {
		for _, policy := range []string{"AutoScalingRollingUpdate", "AutoScalingReplacingUpdate"} {
			if _, has := resource.UpdatePolicy[policy]; has {
				return true, nil
			}
		}
	}
	return false, nil
}
