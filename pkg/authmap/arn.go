package authmap

import (
	"fmt"
	"slices"
	"strings"
)

// Principal is the kind of AWS identity that an ARN names.
type Principal string

// The principals that the authenticator accepts.
const (
	PrincipalRole          Principal = "role"
	PrincipalUser          Principal = "user"
	PrincipalRoot          Principal = "root"
	PrincipalFederatedUser Principal = "federated-user"
	PrincipalAssumedRole   Principal = "assumed-role"
)

// partitions lists those that aws-iam-authenticator knows (pkg/endpoints).
func partitions() []string {
	return []string{
		"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc",
	}
}

// CanonicalARN gives the ARN under which the authenticator looks an identity
// up: an assumed role becomes its role, everything else stays as it is. It
// follows arn.Canonicalize of aws-iam-authenticator; letter case and a role's
// path are kept, as there.
func CanonicalARN(arn string) (Principal, string, error) {
	parsed, err := splitARN(arn)
	if err != nil {
		return "", "", err
	}
	parts := strings.Split(parsed.resource, "/")
	kind := Principal(parts[0])
	switch parsed.service + ":" + parts[0] {
	case "sts:federated-user", "iam:role", "iam:user", "iam:root":
		return kind, arn, nil
	case "sts:assumed-role":
		if len(parts) < 3 {
			return "", "", fmt.Errorf("assumed-role ARN %q has no session name", arn)
		}
		role := strings.Join(parts[1:len(parts)-1], "/")
		return kind, parsed.role(role), nil
	}
	return "", "", fmt.Errorf("ARN %q names no role, user, root, assumed role or federated user", arn)
}

// StripPath removes the path from a role's ARN, as arn.StripPath of
// aws-iam-authenticator does: STS never tells the path, so a mapping in
// aws-auth must be written without it. Other ARNs stay as they are.
func StripPath(arn string) (string, error) {
	parsed, err := splitARN(arn)
	if err != nil {
		return "", err
	}
	parts := strings.Split(parsed.resource, "/")
	if parts[0] != "role" || len(parts) <= 2 {
		return arn, nil
	}
	return parsed.role(parts[len(parts)-1]), nil
}

// MappingARN gives the form of a role's ARN that belongs into mapRoles: that of
// an IAM role (an assumed role is turned into its role) and without a path.
func MappingARN(arn string) (string, error) {
	kind, canonical, err := CanonicalARN(arn)
	if err != nil {
		return "", err
	}
	if kind != PrincipalRole && kind != PrincipalAssumedRole {
		return "", fmt.Errorf("ARN %q names a %s, not a role", arn, kind)
	}
	stripped, err := StripPath(canonical)
	if err != nil {
		return "", err
	}
	if strings.HasSuffix(stripped, ":role/") || strings.HasSuffix(stripped, ":role") {
		return "", fmt.Errorf("ARN %q has no role name", arn)
	}
	return stripped, nil
}

type parsedARN struct{ partition, service, account, resource string }

func (a parsedARN) role(name string) string {
	return "arn:" + a.partition + ":iam::" + a.account + ":role/" + name
}

func splitARN(arn string) (parsedARN, error) {
	sections := strings.SplitN(arn, ":", 6)
	if sections[0] != "arn" || len(sections) != 6 {
		return parsedARN{}, fmt.Errorf("%q is not an ARN", arn)
	}
	if !slices.Contains(partitions(), sections[1]) {
		return parsedARN{}, fmt.Errorf("ARN %q has the unknown partition %q", arn, sections[1])
	}
	return parsedARN{
		partition: sections[1], service: sections[2], account: sections[4], resource: sections[5],
	}, nil
}
