package check

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
)

// endpointDocument is the policy of a VPC endpoint.
type endpointDocument struct {
	Statement oneOrMany[endpointStatement]
}

type endpointStatement struct {
	Effect    string
	Principal json.RawMessage
	Action    oneOrMany[string]
	NotAction oneOrMany[string]
	Resource  oneOrMany[string]
	Condition map[string]json.RawMessage
}

// policyAllows reports whether an endpoint's policy lets a call through. Only
// what is plain counts against it: a denial or an allowance with conditions
// or of some principals may or may not be about nodes, so it is taken to let
// them through. So is a policy that is empty or cannot be read.
func policyAllows(document, action, resource string) bool {
	var policy endpointDocument
	if document == "" || json.Unmarshal([]byte(document), &policy) != nil || len(policy.Statement) == 0 {
		return true
	}
	allowed := false
	for i := range policy.Statement {
		statement := &policy.Statement[i]
		if !statement.about(action, resource) {
			continue
		}
		if statement.Effect == "Deny" {
			if statement.plain() {
				return false
			}
			continue
		}
		allowed = true
	}
	return allowed
}

func (s *endpointStatement) about(action, resource string) bool {
	matches := func(patterns []string, value string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool { return wildcard(strings.ToLower(pattern), strings.ToLower(value)) })
	}
	if len(s.NotAction) > 0 {
		if matches(s.NotAction, action) {
			return false
		}
	} else if !matches(s.Action, action) {
		return false
	}
	return len(s.Resource) == 0 || matches(s.Resource, resource) || resource == "*"
}

// plain reports whether the statement is about everybody, always.
func (s *endpointStatement) plain() bool {
	var any string
	if json.Unmarshal(s.Principal, &any) != nil || any != "*" {
		var principal struct{ AWS oneOrMany[string] }
		if json.Unmarshal(s.Principal, &principal) != nil || !slices.Contains(principal.AWS, "*") {
			return false
		}
	}
	return len(s.Condition) == 0
}

// wildcard matches IAM's patterns: * and ?, over slashes too.
func wildcard(pattern, value string) bool {
	hide := strings.NewReplacer("/", "\x00", "[", "\x01", "\\", "\x02")
	ok, err := path.Match(hide.Replace(pattern), hide.Replace(value))
	return err == nil && ok
}
