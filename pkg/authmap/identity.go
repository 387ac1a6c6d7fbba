package authmap

import (
	"fmt"
	"regexp"
	"strings"
)

// Identity is who a token says the caller is: what sts:GetCallerIdentity
// answers, and what is known besides.
type Identity struct {
	// ARN is as STS gives it: arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION for
	// a role, without the role's path.
	ARN string
	// AccountID and SessionName are taken from the ARN when they are empty. The
	// session of an instance's role is the instance id.
	AccountID   string
	SessionName string
	// UserID is the unique id of the role or user (AROA…, AIDA…); "" when it is
	// not known.
	UserID      string
	AccessKeyID string
	// PrivateDNSName is what EC2 says of the instance named by the session; ""
	// when it is not known, and then its template stays in the username.
	PrivateDNSName string
}

// NodeIdentity is the identity with which an instance comes: its role, with the
// instance id as the session.
func NodeIdentity(roleARN, instanceID, privateDNSName string) (Identity, error) {
	arn, err := MappingARN(roleARN)
	if err != nil {
		return Identity{}, err
	}
	parsed, err := splitARN(arn)
	if err != nil {
		return Identity{}, err
	}
	name := strings.TrimPrefix(parsed.resource, "role/")
	return Identity{
		ARN:            fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", parsed.partition, parsed.account, name, instanceID),
		PrivateDNSName: privateDNSName,
	}, nil
}

// complete fills in what the ARN tells, and gives the canonical ARN.
func (id Identity) complete() (Identity, string, error) {
	kind, canonical, err := CanonicalARN(id.ARN)
	if err != nil {
		return Identity{}, "", err
	}
	parsed, err := splitARN(id.ARN)
	if err != nil {
		return Identity{}, "", err
	}
	if id.AccountID == "" {
		id.AccountID = parsed.account
	}
	if id.SessionName == "" && kind == PrincipalAssumedRole {
		id.SessionName = parsed.resource[strings.LastIndex(parsed.resource, "/")+1:]
	}
	return id, canonical, nil
}

var instanceIDPattern = regexp.MustCompile(`^i-(\w{8}|\w{17})$`)

// render fills in the templates of usernames and groups, in the
// authenticator's order.
func (id Identity) render(template string) (string, error) {
	const dnsName = "{{EC2PrivateDNSName}}"
	if strings.Contains(template, dnsName) {
		if !instanceIDPattern.MatchString(id.SessionName) {
			return "", fmt.Errorf("%s needs an instance: the session name %q is no instance id", dnsName, id.SessionName)
		}
		if id.PrivateDNSName != "" {
			template = strings.ReplaceAll(template, dnsName, id.PrivateDNSName)
		}
	}
	for _, t := range [][2]string{
		{"{{AccountID}}", id.AccountID},
		{"{{SessionName}}", strings.ReplaceAll(id.SessionName, "@", "-")},
		{"{{SessionNameRaw}}", id.SessionName},
		{"{{AccessKeyID}}", id.AccessKeyID},
	} {
		template = strings.ReplaceAll(template, t[0], t[1])
	}
	return template, nil
}
