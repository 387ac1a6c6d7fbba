package check

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// roleTrust judges who may assume the role: without EC2 the machine gets no
// credentials.
func roleTrust(_ *snapshot.Snapshot, use roleUse) []Result {
	role := use.role
	if role == nil {
		if use.arn == "" || !use.proposed {
			return nil // made with the group, or not read
		}
		return fail(report.Certain, fmt.Sprintf("role %s does not exist", use.arn),
			do("name a role that does, or leave --role out and get one made"), fact("iam:GetRole", "no such role"))
	}
	if role.TrustPolicy == "" {
		return nil
	}
	if !trustsService(role.TrustPolicy, "ec2") {
		return fail(report.Certain, fmt.Sprintf("role %s does not let EC2 assume it", role.Name),
			do("let ec2.amazonaws.com assume it", fmt.Sprintf(`aws iam update-assume-role-policy --role-name %s --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'`, role.Name)),
			fact("iam:GetRole", "trust policy "+role.TrustPolicy))
	}
	return pass(fmt.Sprintf("EC2 may assume %s", role.Name), fact("iam:GetRole", "ec2 is trusted"))
}

// trustPolicy is the part of an IAM policy that names who may assume a role.
type trustPolicy struct {
	Statement oneOrMany[trustStatement]
}

type trustStatement struct {
	Effect    string
	Principal json.RawMessage
	Action    oneOrMany[string]
	Condition map[string]map[string]oneOrMany[string]
}

// permits reports whether the statement is about the action.
func (s *trustStatement) permits(action string) bool {
	return slices.ContainsFunc(s.Action, func(pattern string) bool { return wildcard(strings.ToLower(pattern), strings.ToLower(action)) })
}

// oneOrMany reads IAM's habit of writing a list of one without brackets.
type oneOrMany[T any] []T

// UnmarshalJSON takes a value or a list of values.
func (o *oneOrMany[T]) UnmarshalJSON(data []byte) error {
	var many []T
	if err := json.Unmarshal(data, &many); err == nil {
		*o = many
		return nil
	}
	var one T
	if err := json.Unmarshal(data, &one); err != nil {
		return err
	}
	*o = oneOrMany[T]{one}
	return nil
}
