package cloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// DescribeAccessEntry returns the entry of a principal (ARN with path), or
// nil when there is none.
func (c *Client) DescribeAccessEntry(ctx context.Context, cluster, principal string) (*snapshot.AccessEntry, error) {
	out, err := c.eks().DescribeAccessEntry(ctx, &eks.DescribeAccessEntryInput{ClusterName: aws.String(cluster), PrincipalArn: aws.String(principal)})
	if err := wrap(err); err != nil {
		if IsKind(err, Absent) {
			return nil, nil
		}
		return nil, err
	}
	if out.AccessEntry == nil {
		return nil, emptyAnswer("eks:DescribeAccessEntry")
	}
	entry := ConvertAccessEntry(*out.AccessEntry)
	return &entry, nil
}

// CreateAccessEntry makes an entry. One that exists is an error of kind
// Exists: describe it and compare. tags and token may be empty.
func (c *Client) CreateAccessEntry(ctx context.Context, cluster, principal, entryType string, tags map[string]string, token string) error {
	_, err := c.eks().CreateAccessEntry(ctx, &eks.CreateAccessEntryInput{
		ClusterName:        aws.String(cluster),
		PrincipalArn:       aws.String(principal),
		Type:               aws.String(entryType),
		Tags:               tags,
		ClientRequestToken: optional(token),
	})
	return wrap(err)
}

// DeleteAccessEntry removes an entry; one that is gone is no error.
func (c *Client) DeleteAccessEntry(ctx context.Context, cluster, principal string) error {
	_, err := c.eks().DeleteAccessEntry(ctx, &eks.DeleteAccessEntryInput{ClusterName: aws.String(cluster), PrincipalArn: aws.String(principal)})
	if err := wrap(err); !IsKind(err, Absent) {
		return err
	}
	return nil
}

// accessEntries reads nothing when the cluster's mode reads no entries: EKS
// refuses the call then, and there are none that count.
func (r reader) accessEntries(ctx context.Context, known *snapshot.Snapshot) (gather.Fill, error) {
	if !known.Cluster.AuthMode.ReadsEntries() {
		return nil, nil
	}
	entries := map[string]snapshot.AccessEntry{}
	if r.req.ListEntries {
		pages := eks.NewListAccessEntriesPaginator(r.eks(), &eks.ListAccessEntriesInput{ClusterName: aws.String(r.req.Cluster), MaxResults: aws.Int32(100)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, wrap(err)
			}
			for _, principal := range page.AccessEntries {
				entries[principal] = snapshot.AccessEntry{PrincipalARN: principal}
			}
		}
	}
	for _, principal := range r.req.Principals {
		if _, listed := entries[principal]; r.req.ListEntries && !listed {
			continue // the list tells that there is none
		}
		entry, err := r.DescribeAccessEntry(ctx, r.req.Cluster, principal)
		if err != nil {
			return nil, err
		}
		if entry != nil {
			entries[principal] = *entry
		}
	}
	return func(snap *snapshot.Snapshot) { snap.Access.Entries = sortedValues(entries) }, nil
}

// ConvertAccessEntry turns EKS's access entry into facts.
func ConvertAccessEntry(in ekstypes.AccessEntry) snapshot.AccessEntry {
	return snapshot.AccessEntry{
		PrincipalARN: aws.ToString(in.PrincipalArn),
		Type:         aws.ToString(in.Type),
		Username:     aws.ToString(in.Username),
		Groups:       in.KubernetesGroups,
		CreatedAt:    aws.ToTime(in.CreatedAt),
	}
}
