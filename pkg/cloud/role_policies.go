package cloud

import (
	"context"
	"net/url"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"golang.org/x/sync/errgroup"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// RolePolicies reads what a role is permitted: two calls and one for every
// inline policy. Of managed policies only the names are read.
func (c *Client) RolePolicies(ctx context.Context, name string) (*snapshot.RolePolicies, error) {
	attached, err := c.attachedPolicies(ctx, name)
	if err != nil {
		return nil, err
	}
	policies := &snapshot.RolePolicies{Attached: attached}
	inline := iam.NewListRolePoliciesPaginator(c.iam(), &iam.ListRolePoliciesInput{RoleName: aws.String(name)})
	for inline.HasMorePages() {
		page, err := inline.NextPage(ctx)
		if err != nil {
			return nil, wrap(err)
		}
		for _, policy := range page.PolicyNames {
			out, err := c.iam().GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: aws.String(name), PolicyName: aws.String(policy)})
			if err != nil {
				return nil, wrap(err)
			}
			policies.Inline = append(policies.Inline, ConvertRolePolicy(out))
		}
	}
	return policies, nil
}

// ConvertRolePolicy decodes an inline policy; IAM gives it URL-encoded.
func ConvertRolePolicy(in *iam.GetRolePolicyOutput) snapshot.Policy {
	document := aws.ToString(in.PolicyDocument)
	if plain, err := url.QueryUnescape(document); err == nil {
		document = plain
	}
	return snapshot.Policy{Name: aws.ToString(in.PolicyName), Document: document}
}

// rolePolicies reads the policies of the roles asked for that exist.
func (r reader) rolePolicies(ctx context.Context, known *snapshot.Snapshot) (gather.Fill, error) {
	names := slices.DeleteFunc(slices.Clone(r.req.RoleNames), func(name string) bool {
		return !slices.ContainsFunc(known.Roles, func(role snapshot.Role) bool { return role.Name == name })
	})
	found := make([]*snapshot.RolePolicies, len(names))
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.SetLimit(fanOut)
	for i, name := range names {
		tasks.Go(func() (err error) {
			found[i], err = r.RolePolicies(ctx, name)
			return err
		})
	}
	if err := tasks.Wait(); err != nil {
		return nil, err
	}
	return func(snap *snapshot.Snapshot) {
		snap.Roles = slices.Clone(snap.Roles)
		for i := range snap.Roles {
			if at := slices.Index(names, snap.Roles[i].Name); at >= 0 {
				snap.Roles[i].Policies = found[at]
			}
		}
	}, nil
}
