package cloud

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"
	"golang.org/x/sync/errgroup"

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

// EntryInput is an access entry to make.
type EntryInput struct {
	Principal string // ARN, a role's with its path
	Type      string
	Username  string // with Groups: of type STANDARD only; "" leaves it to EKS
	Groups    []string
	Tags      map[string]string
	Token     string // client request token, may be empty
}

// CreateAccessEntry makes an entry. One that exists is an error of kind
// Exists: describe it and compare.
func (c *Client) CreateAccessEntry(ctx context.Context, cluster string, in EntryInput) error {
	_, err := c.eks().CreateAccessEntry(ctx, &eks.CreateAccessEntryInput{
		ClusterName:        aws.String(cluster),
		PrincipalArn:       aws.String(in.Principal),
		Type:               aws.String(in.Type),
		Username:           optional(in.Username),
		KubernetesGroups:   in.Groups,
		Tags:               in.Tags,
		ClientRequestToken: optional(in.Token),
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
	wanted := slices.DeleteFunc(slices.Clone(r.req.Principals), func(principal string) bool {
		_, listed := entries[principal]
		return r.req.ListEntries && !listed // the list tells that there is none
	})
	described := make([]*snapshot.AccessEntry, len(wanted))
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.SetLimit(fanOut)
	for i, principal := range wanted {
		tasks.Go(func() (err error) {
			described[i], err = r.DescribeAccessEntry(ctx, r.req.Cluster, principal)
			return err
		})
	}
	if err := tasks.Wait(); err != nil {
		return nil, err
	}
	for _, entry := range described {
		if entry != nil {
			entries[entry.PrincipalARN] = *entry
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
