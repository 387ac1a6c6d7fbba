package cloud

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// pager is what the SDK's paginators have in common.
type pager[Page, Options any] interface {
	HasMorePages() bool
	NextPage(ctx context.Context, options ...func(*Options)) (*Page, error)
}

// readPages reads all pages and converts what is on them, in AWS's order.
func readPages[Page, Options, Item, Fact any](ctx context.Context, pages pager[Page, Options], items func(*Page) []Item, convert func(Item) Fact) ([]Fact, error) {
	var facts []Fact
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap(err)
		}
		for _, item := range items(page) {
			facts = append(facts, convert(item))
		}
	}
	return facts, nil
}

// fillPages reads all pages for a snapshot; put takes what is on them to its
// place there.
func fillPages[Page, Options, Item, Fact any](ctx context.Context, pages pager[Page, Options], items func(*Page) []Item, convert func(Item) Fact,
	put func(*snapshot.Snapshot, []Fact),
) (gather.Fill, error) {
	facts, err := readPages(ctx, pages, items, convert)
	if err != nil {
		return nil, err
	}
	return func(snap *snapshot.Snapshot) { put(snap, facts) }, nil
}

// eachMachine reads something that takes a call for every machine. One that
// cannot be read is a gap of its own and does not stop the others.
func eachMachine(ctx context.Context, section snapshot.Section, ids []string, read func(ctx context.Context, id string) (snapshot.Node, error)) (gather.Fill, error) {
	found := make([]snapshot.Node, len(ids))
	failed := make([]error, len(ids))
	var tasks errgroup.Group
	tasks.SetLimit(fanOut)
	for i, id := range ids {
		tasks.Go(func() error {
			found[i], failed[i] = read(ctx, id)
			return nil
		})
	}
	if err := tasks.Wait(); err != nil {
		return nil, err
	}
	return func(snap *snapshot.Snapshot) {
		for i, id := range ids {
			if failed[i] != nil {
				gap := gather.GapOf(section, failed[i])
				gap.Subject = id
				snap.Gaps = append(slices.Clip(snap.Gaps), gap)
				continue
			}
			found[i].InstanceID = id
			snap.AddNodes(found[i])
		}
	}, nil
}
