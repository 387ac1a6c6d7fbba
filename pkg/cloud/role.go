package cloud

import (
	"context"
	"net/url"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// GetRole returns a role by name, or nil when there is none: one call.
func (c *Client) GetRole(ctx context.Context, name string) (*snapshot.Role, error) {
	out, err := c.iam().GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(name)})
	if err := wrap(err); err != nil {
		if IsKind(err, Absent) {
			return nil, nil
		}
		return nil, err
	}
	if out.Role == nil {
		return nil, emptyAnswer("iam:GetRole")
	}
	role := ConvertRole(*out.Role)
	return &role, nil
}

// DescribeRole returns a role by name with its attached policies, or nil when
// there is none: two calls.
func (c *Client) DescribeRole(ctx context.Context, name string) (*snapshot.Role, error) {
	role, err := c.GetRole(ctx, name)
	if role == nil || err != nil {
		return nil, err
	}
	if role.AttachedPolicies, err = c.attachedPolicies(ctx, name); err != nil {
		return nil, err
	}
	return role, nil
}

// attachedPolicies lists the ARNs of a role's managed policies.
func (c *Client) attachedPolicies(ctx context.Context, role string) ([]string, error) {
	pages := iam.NewListAttachedRolePoliciesPaginator(c.iam(), &iam.ListAttachedRolePoliciesInput{RoleName: aws.String(role)})
	return readPages(ctx, pages, func(p *iam.ListAttachedRolePoliciesOutput) []iamtypes.AttachedPolicy { return p.AttachedPolicies },
		func(policy iamtypes.AttachedPolicy) string { return aws.ToString(policy.PolicyArn) })
}

// ConvertInstanceProfile turns IAM's instance profile into facts.
func ConvertInstanceProfile(in iamtypes.InstanceProfile) snapshot.InstanceProfile {
	profile := snapshot.InstanceProfile{ARN: aws.ToString(in.Arn), Name: aws.ToString(in.InstanceProfileName)}
	for _, role := range in.Roles {
		profile.RoleARNs = append(profile.RoleARNs, aws.ToString(role.Arn))
	}
	return profile
}

// DescribeInstanceProfile returns the role inside an instance profile (by
// name), or nil when profile or role is missing.
func (c *Client) DescribeInstanceProfile(ctx context.Context, name string) (*snapshot.Role, error) {
	out, err := c.iam().GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: aws.String(name)})
	if err := wrap(err); err != nil {
		if IsKind(err, Absent) {
			return nil, nil
		}
		return nil, err
	}
	if out.InstanceProfile == nil || len(out.InstanceProfile.Roles) == 0 {
		return nil, nil
	}
	role := ConvertRole(out.InstanceProfile.Roles[0])
	role.InstanceProfiles = []string{aws.ToString(out.InstanceProfile.Arn)}
	return &role, nil
}

func (r reader) roles(ctx context.Context, known *snapshot.Snapshot) (gather.Fill, error) {
	found := map[string]snapshot.Role{}
	for _, role := range known.Roles {
		found[role.ARN] = role
	}
	profiles := known.Profiles
	if r.req.AllProfiles {
		var err error
		if profiles, err = r.allProfiles(ctx, found); err != nil {
			return nil, err
		}
	}
	for _, name := range r.req.InstanceProfiles {
		role, err := r.DescribeInstanceProfile(ctx, name)
		if err != nil {
			return nil, err
		}
		addRole(found, role)
	}
	for _, name := range r.req.RoleNames {
		role, err := r.DescribeRole(ctx, name)
		if err != nil {
			return nil, err
		}
		addRole(found, role)
	}
	return func(snap *snapshot.Snapshot) { snap.Roles, snap.Profiles = sortedValues(found), profiles }, nil
}

// allProfiles reads the instance profiles of the account with the roles
// inside: one call per thousand.
func (r reader) allProfiles(ctx context.Context, found map[string]snapshot.Role) ([]snapshot.InstanceProfile, error) {
	var profiles []snapshot.InstanceProfile
	pages := iam.NewListInstanceProfilesPaginator(r.iam(), &iam.ListInstanceProfilesInput{MaxItems: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap(err)
		}
		for _, profile := range page.InstanceProfiles {
			profiles = append(profiles, ConvertInstanceProfile(profile))
			for _, in := range profile.Roles {
				role := ConvertRole(in)
				role.InstanceProfiles = []string{aws.ToString(profile.Arn)}
				addRole(found, &role)
			}
		}
	}
	return profiles, nil
}

// addRole joins what different calls say of one role.
func addRole(found map[string]snapshot.Role, role *snapshot.Role) {
	if role == nil {
		return
	}
	have, ok := found[role.ARN]
	if !ok {
		found[role.ARN] = *role
		return
	}
	for _, profile := range role.InstanceProfiles {
		if !slices.Contains(have.InstanceProfiles, profile) {
			have.InstanceProfiles = append(have.InstanceProfiles, profile)
		}
	}
	if len(have.AttachedPolicies) == 0 {
		have.AttachedPolicies = role.AttachedPolicies
	}
	found[role.ARN] = have
}

// ConvertRole turns IAM's role into facts; IAM gives the trust policy
// URL-encoded.
func ConvertRole(in iamtypes.Role) snapshot.Role {
	policy := aws.ToString(in.AssumeRolePolicyDocument)
	if plain, err := url.QueryUnescape(policy); err == nil {
		policy = plain
	}
	return snapshot.Role{
		ARN:         aws.ToString(in.Arn),
		Name:        aws.ToString(in.RoleName),
		UniqueID:    aws.ToString(in.RoleId),
		CreatedAt:   aws.ToTime(in.CreateDate),
		TrustPolicy: policy,
	}
}
