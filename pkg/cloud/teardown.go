package cloud

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/eks"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// ManagedNodeGroups lists the names of the node groups that EKS manages.
func (c *Client) ManagedNodeGroups(ctx context.Context, cluster string) ([]string, error) {
	pages := eks.NewListNodegroupsPaginator(c.eks(), &eks.ListNodegroupsInput{ClusterName: aws.String(cluster)})
	var names []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap(err)
		}
		names = append(names, page.Nodegroups...)
	}
	return names, nil
}

// FargateProfiles lists the names of the cluster's Fargate profiles.
func (c *Client) FargateProfiles(ctx context.Context, cluster string) ([]string, error) {
	pages := eks.NewListFargateProfilesPaginator(c.eks(), &eks.ListFargateProfilesInput{ClusterName: aws.String(cluster)})
	var names []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap(err)
		}
		names = append(names, page.FargateProfileNames...)
	}
	return names, nil
}

// DeleteCluster asks for the deletion of a cluster. It does not wait.
func (c *Client) DeleteCluster(ctx context.Context, name string) error {
	_, err := c.eks().DeleteCluster(ctx, &eks.DeleteClusterInput{Name: aws.String(name)})
	return wrap(err)
}

// GroupStacks returns the stacks of all node groups that this product has made
// for a cluster, in whatever state: one call per hundred stacks of the region.
func (c *Client) GroupStacks(ctx context.Context, cluster string) ([]snapshot.Stack, error) {
	pages := cloudformation.NewDescribeStacksPaginator(c.cfn(), &cloudformation.DescribeStacksInput{})
	var stacks []snapshot.Stack
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap(err)
		}
		for _, in := range page.Stacks {
			stack := ConvertStack(in)
			if stack.Tags[product.TagCluster] == cluster && stack.Tags[product.TagGroup] != "" {
				stacks = append(stacks, stack)
			}
		}
	}
	return stacks, nil
}

// StackResourceTypes lists the types of what a stack holds, sorted, each as
// often as there are resources of it.
func (c *Client) StackResourceTypes(ctx context.Context, nameOrID string) ([]string, error) {
	pages := cloudformation.NewListStackResourcesPaginator(c.cfn(), &cloudformation.ListStackResourcesInput{StackName: aws.String(nameOrID)})
	var types []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap(err)
		}
		for _, resource := range page.StackResourceSummaries {
			if resource.ResourceStatus != "DELETE_COMPLETE" {
				types = append(types, aws.ToString(resource.ResourceType))
			}
		}
	}
	slices.Sort(types)
	return types, nil
}
