package snapshot

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// String is the rule as `kubectl auth can-i` takes it, verbs joined.
func (r RBACRule) String() string {
	resource := r.Resource
	if r.APIGroup != "" {
		resource += "." + r.APIGroup
	}
	text := strings.Join(r.Verbs, "/") + " " + resource
	if len(r.Names) > 0 {
		text += "/" + strings.Join(r.Names, ",")
	}
	if r.Namespace != "" {
		text += " in " + r.Namespace
	}
	return text
}

// IAMPolicy is the policy document that allows reading the sections, as AWS
// takes it. Every action is one that reads.
func IAMPolicy(sections []Section) []byte {
	var actions []string
	for _, section := range sections {
		actions = append(actions, Permissions()[section].Actions...)
	}
	slices.Sort(actions)
	type statement struct {
		Sid, Effect string
		Action      []string
		Resource    string
	}
	document := struct {
		Version   string
		Statement []statement
	}{"2012-10-17", []statement{{"Read", "Allow", slices.Compact(actions), "*"}}}
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil { // strings always marshal
		panic(err)
	}
	return append(text, '\n')
}

// ClusterRole is the Kubernetes role, as YAML, that allows reading the
// sections.
func ClusterRole(sections []Section) []byte {
	var rules []RBACRule
	for _, section := range sections {
		for _, rule := range Permissions()[section].RBAC {
			rule.Namespace = "" // a role of the cluster's allows it everywhere
			rules = append(rules, rule)
		}
	}
	key := func(r RBACRule) string { return r.APIGroup + " " + r.Resource + " " + r.String() }
	slices.SortFunc(rules, func(a, b RBACRule) int { return cmp.Compare(key(a), key(b)) })
	rules = slices.CompactFunc(rules, func(a, b RBACRule) bool { return key(a) == key(b) })
	list := func(items []string) string {
		quoted := make([]string, 0, len(items))
		for _, item := range items {
			quoted = append(quoted, fmt.Sprintf("%q", item))
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	var out strings.Builder
	out.WriteString("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: " + product.PluginName + "-doctor\nrules:\n")
	for _, rule := range rules {
		fmt.Fprintf(&out, "- apiGroups: %s\n  resources: %s\n", list([]string{rule.APIGroup}), list([]string{rule.Resource}))
		if len(rule.Names) > 0 {
			fmt.Fprintf(&out, "  resourceNames: %s\n", list(rule.Names))
		}
		fmt.Fprintf(&out, "  verbs: %s\n", list(rule.Verbs))
	}
	return []byte(out.String())
}
