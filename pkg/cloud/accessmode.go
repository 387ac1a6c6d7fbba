package cloud

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"
	"golang.org/x/sync/errgroup"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// policyARN is the ARN of an access policy of EKS.
func policyARN(partition, name string) string {
	return "arn:" + partition + ":eks::aws:cluster-access-policy/" + name
}

// AssociateAccessPolicy gives an access entry a policy of EKS, by its name,
// for the whole cluster. One that it has already is no error to EKS.
func (c *Client) AssociateAccessPolicy(ctx context.Context, partition, cluster, principal, name string) error {
	_, err := c.eks().AssociateAccessPolicy(ctx, &eks.AssociateAccessPolicyInput{
		ClusterName: aws.String(cluster), PrincipalArn: aws.String(principal), PolicyArn: aws.String(policyARN(partition, name)),
		AccessScope: &ekstypes.AccessScope{Type: ekstypes.AccessScopeTypeCluster},
	})
	return wrap(err)
}

// EntryPolicies returns the access policies of each principal's entry: one call
// each, few at a time.
func (c *Client) EntryPolicies(ctx context.Context, cluster string, principals []string) (map[string][]string, error) {
	found := make([][]string, len(principals))
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.SetLimit(fanOut)
	for i, principal := range principals {
		tasks.Go(func() error {
			pages := eks.NewListAssociatedAccessPoliciesPaginator(c.eks(), &eks.ListAssociatedAccessPoliciesInput{
				ClusterName: aws.String(cluster), PrincipalArn: aws.String(principal),
			})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				if err != nil {
					return wrap(err)
				}
				for _, policy := range page.AssociatedAccessPolicies {
					found[i] = append(found[i], ConvertAccessPolicy(policy))
				}
			}
			return nil
		})
	}
	if err := tasks.Wait(); err != nil {
		return nil, err
	}
	byPrincipal := map[string][]string{}
	for i, principal := range principals {
		byPrincipal[principal] = found[i]
	}
	return byPrincipal, nil
}

// ConvertAccessPolicy names an associated access policy and, unless it is for
// the whole cluster, its namespaces.
func ConvertAccessPolicy(in ekstypes.AssociatedAccessPolicy) string {
	name := aws.ToString(in.PolicyArn)
	name = name[strings.LastIndexByte(name, '/')+1:]
	if scope := in.AccessScope; scope != nil && scope.Type == ekstypes.AccessScopeTypeNamespace {
		name += " (" + strings.Join(scope.Namespaces, ", ") + ")"
	}
	return name
}

// SetAuthMode asks for another authentication mode. EKS takes the next one
// only and never goes back. It does not wait.
func (c *Client) SetAuthMode(ctx context.Context, cluster string, mode snapshot.AuthMode) error {
	_, err := c.eks().UpdateClusterConfig(ctx, &eks.UpdateClusterConfigInput{
		Name: aws.String(cluster), AccessConfig: &ekstypes.UpdateAccessConfigRequest{AuthenticationMode: ekstypes.AuthenticationMode(mode)},
	})
	return wrap(err)
}

// FindRoles returns the roles with the names, with one call each, few at a
// time, and the names that IAM does not know.
func (c *Client) FindRoles(ctx context.Context, names []string) (roles []snapshot.Role, absent []string, err error) {
	found := make([]*snapshot.Role, len(names))
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.SetLimit(fanOut)
	for i, name := range names {
		tasks.Go(func() (err error) {
			found[i], err = c.GetRole(ctx, name)
			return err
		})
	}
	if err := tasks.Wait(); err != nil {
		return nil, nil, err
	}
	for i, role := range found {
		if role == nil {
			absent = append(absent, names[i])
			continue
		}
		roles = append(roles, *role)
	}
	slices.Sort(absent)
	return roles, absent, nil
}
