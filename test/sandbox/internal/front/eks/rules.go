package eks

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
)

const (
	typeStandard = "STANDARD"
	typeEC2      = "EC2"
)

// entryType is what a type of access entries brings with it.
type entryType struct {
	// username is fixed for all types but STANDARD.
	username string
	// shownGroups are those that DescribeAccessEntry shows, groups those that
	// the authenticator gives.
	shownGroups, groups []string
}

// entryTypes are the types of access entries.
//
//nolint:gochecknoglobals // a table that nothing changes
var entryTypes = map[string]entryType{
	typeStandard: {},
	"EC2_LINUX": {
		username: "system:node:{{EC2PrivateDNSName}}", shownGroups: []string{"system:nodes"},
		groups: []string{"system:bootstrappers", "system:nodes"},
	},
	"EC2_WINDOWS": {
		username: "system:node:{{EC2PrivateDNSName}}", shownGroups: []string{"eks:kube-proxy-windows", "system:nodes"},
		groups: []string{"eks:kube-proxy-windows", "system:bootstrappers", "system:nodes"},
	},
	typeEC2: {
		username: "system:node:{{EC2PrivateDNSName}}", shownGroups: []string{"system:nodes"},
		groups: []string{"system:bootstrappers", "system:nodes"},
	},
	"FARGATE_LINUX": {
		username: "system:node:{{SessionName}}", shownGroups: []string{"system:nodes"},
		groups: []string{"system:bootstrappers", "system:nodes", "system:node-proxier"},
	},
	"HYBRID_LINUX": {
		username: "system:node:{{SessionName}}", shownGroups: []string{"system:nodes"},
		groups: []string{"system:bootstrappers", "system:nodes"},
	},
	"HYPERPOD_LINUX": {
		username: "system:node:{{SessionName}}", shownGroups: []string{"system:nodes"},
		groups: []string{"system:bootstrappers", "system:nodes"},
	},
}

// principal is an IAM role or user that an access entry can name.
type principal struct{ arn, account, kind, name string }

// A session (arn:aws:sts::…:assumed-role) or a whole account is no principal.
var principalARN = regexp.MustCompile(`^arn:(aws[a-z-]*):iam::(\d{12}):(role|user)/(?:[\x21-\x7e]+/)?([\w+=,.@-]+)$`)

// defaultUsername is the user name that EKS makes up: EKS User Guide, "Set a
// custom username for EKS access entries".
func (p principal) defaultUsername(partition string) string {
	if p.kind == "role" {
		return fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/{{SessionName}}", partition, p.account, p.name)
	}
	return p.arn
}

// checkCreate applies the rules of the EKS User Guide, "Create access entries",
// and fills in the default type.
func (s *Service) checkCreate(clusterName string, in *createInput) (principal, error) {
	if in.Type == "" {
		in.Type = typeStandard
	}
	if _, ok := entryTypes[in.Type]; !ok {
		return principal{}, invalidParameter(clusterName, fmt.Sprintf("The specified type is invalid: %s", in.Type))
	}
	m := principalARN.FindStringSubmatch(in.PrincipalARN)
	if m == nil || m[1] != s.cfg.Partition || strings.Contains(in.PrincipalARN, ":role/aws-service-role/") {
		return principal{}, invalidParameter(clusterName, "The specified principalArn is invalid: invalid principal.")
	}
	p := principal{arn: in.PrincipalARN, account: m[2], kind: m[3], name: m[4]}
	if in.Type == typeStandard {
		if err := checkGroups(clusterName, in.KubernetesGroups); err != nil {
			return principal{}, err
		}
		return p, checkUsername(clusterName, in.Username)
	}
	switch {
	case len(in.KubernetesGroups) > 0:
		return principal{}, invalidParameter(clusterName, "You cannot specify Kubernetes groups for an access entry of type "+in.Type+".")
	case in.Username != "":
		return principal{}, invalidParameter(clusterName, "You cannot specify a username for an access entry of type "+in.Type+".")
	case p.kind != "role":
		return principal{}, invalidParameter(clusterName, "The principal of an access entry of type "+in.Type+" must be an IAM role.")
	case p.account != s.cfg.Account:
		return principal{}, invalidParameter(clusterName,
			"The principal of an access entry of type "+in.Type+" must be in the same account as the cluster.")
	}
	return p, nil
}

// checkUpdate applies the same rules to UpdateAccessEntry; nil leaves a member
// as it is.
func checkUpdate(clusterName string, e *entry, groups *[]string, username *string) error {
	if groups != nil {
		if err := checkGroups(clusterName, *groups); err != nil {
			return err
		}
	}
	if username != nil {
		if err := checkUsername(clusterName, *username); err != nil {
			return err
		}
	}
	if e.Type != typeStandard && (groups != nil || username != nil) {
		return invalidRequest(clusterName, fmt.Sprintf("Username and groups of an access entry of type %s cannot be updated.", e.Type))
	}
	return nil
}

// reserved prefixes of user names and groups.
var reserved = regexp.MustCompile(`^(system|eks|aws|amazon|iam):`)

func checkGroups(clusterName string, groups []string) error {
	for _, g := range groups {
		if g == "" || reserved.MatchString(g) {
			return invalidParameter(clusterName, fmt.Sprintf(
				"The kubernetes group name %s is invalid, it cannot start with %s", g, reserved.FindString(g)))
		}
	}
	return nil
}

// checkUsername allows the empty name, which stands for the default.
func checkUsername(clusterName, username string) error {
	if reserved.MatchString(username) {
		return invalidParameter(clusterName, "The username must not begin with "+reserved.FindString(username))
	}
	if i := strings.Index(username, "{{SessionName"); i >= 0 && !strings.Contains(username[:i], ":") {
		return invalidParameter(clusterName, "The username must contain a colon before {{SessionName}}.")
	}
	return nil
}

// checkPolicy says whether an access policy can be associated with an entry.
func (s *Service) checkPolicy(clusterName string, e *entry, policyARN string) *awsapi.Error {
	if e.Type != typeStandard && e.Type != typeEC2 {
		return invalidRequest(clusterName, "Access policies cannot be associated with an access entry of type "+e.Type+".")
	}
	name, ok := strings.CutPrefix(policyARN, s.policyPrefix())
	if !ok || !isAccessPolicy(name) {
		return invalidParameter(clusterName, "The policyArn parameter format is not valid")
	}
	return nil
}
