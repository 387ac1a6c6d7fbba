package stack

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"sigs.k8s.io/yaml"
)

// Comparison says how one template differs from another. What is kept in
// their metadata makes nothing, and does not count.
type Comparison struct {
	Same bool
	// Launch says that machines would be started otherwise.
	Launch bool
	// Gone are the resources that only the first template has, by their logical
	// names, sorted: somebody may still use them. A warm pool is no such thing.
	Gone []string
}

// Compare reads two templates in JSON or YAML.
func Compare(have, want string) (Comparison, error) {
	old, err := sections(have)
	if err != nil {
		return Comparison{}, fmt.Errorf("read the stack's template: %w", err)
	}
	fresh, err := sections(want)
	if err != nil {
		return Comparison{}, fmt.Errorf("read the new template: %w", err)
	}
	out := Comparison{Same: reflect.DeepEqual(old, fresh)}
	before, after := resources(old), resources(fresh)
	out.Launch = !reflect.DeepEqual(before["NodeLaunchTemplate"], after["NodeLaunchTemplate"])
	for _, name := range slices.Sorted(maps.Keys(before)) {
		kind, _ := before[name]["Type"].(string)
		if _, stays := after[name]; !stays && kind != "AWS::AutoScaling::WarmPool" {
			out.Gone = append(out.Gone, name)
		}
	}
	return out, nil
}

// Keeps reports whether a template has metadata of the key.
func Keeps(body, key string) (bool, error) {
	var template struct{ Metadata map[string]any }
	if err := yaml.Unmarshal([]byte(body), &template); err != nil {
		return false, fmt.Errorf("read the new template: %w", err)
	}
	_, keeps := template.Metadata[key]
	return keeps, nil
}

func sections(body string) (map[string]any, error) {
	var template map[string]any
	if err := yaml.Unmarshal([]byte(body), &template); err != nil {
		return nil, err
	}
	delete(template, "Metadata")
	return template, nil
}

func resources(template map[string]any) map[string]map[string]any {
	out := map[string]map[string]any{}
	all, _ := template["Resources"].(map[string]any)
	for name, resource := range all {
		out[name], _ = resource.(map[string]any)
	}
	return out
}
