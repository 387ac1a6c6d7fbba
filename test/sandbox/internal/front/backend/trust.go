package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// TrustsEC2 reports whether a role's trust policy lets EC2 assume it. Conditions
// are not read.
func (c *Client) TrustsEC2(ctx context.Context, roleARN string) (bool, error) {
	var x struct {
		Document string `xml:"GetRoleResult>Role>AssumeRolePolicyDocument"`
	}
	form := url.Values{"Action": {"GetRole"}, "Version": {"2010-05-08"}, "RoleName": {roleARN[strings.LastIndexByte(roleARN, '/')+1:]}}
	if err := c.Query(ctx, "iam", "", form, &x); err != nil {
		return false, err
	}
	document, err := url.QueryUnescape(x.Document)
	if err != nil {
		return false, fmt.Errorf("read trust policy of %s: %w", roleARN, err)
	}
	return trusts(document, "ec2.amazonaws.com")
}

// oneOrMany is what policies write as one string, or as a list.
type oneOrMany []string

func (m *oneOrMany) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*m = oneOrMany{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(m))
}

// trusts reports whether a trust policy lets a service assume its role.
func trusts(document, service string) (bool, error) {
	var policy struct {
		Statement []struct {
			Effect    string
			Action    oneOrMany
			Principal struct{ Service oneOrMany }
		}
	}
	if err := json.Unmarshal([]byte(document), &policy); err != nil {
		return false, fmt.Errorf("read trust policy: %w", err)
	}
	allowed := false
	for _, s := range policy.Statement {
		if !slices.Contains(s.Principal.Service, service) || !slices.ContainsFunc(s.Action, assumes) {
			continue
		}
		if s.Effect == "Deny" {
			return false, nil
		}
		allowed = allowed || s.Effect == "Allow"
	}
	return allowed, nil
}

func assumes(action string) bool {
	return slices.Contains([]string{"sts:assumerole", "sts:*", "*"}, strings.ToLower(action))
}
