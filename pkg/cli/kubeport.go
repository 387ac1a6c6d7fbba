package cli

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/kube"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// kubePort makes a connection meet what package nodegroup asks of the
// cluster's API.
type kubePort struct{ conn *kube.Connection }

// patience is how long the API server may be away before a wait for nodes
// gives up on it: a control plane may be scaling, a token be renewed.
const patience = 2 * time.Minute

// WatchNodes hands on the watcher's list until the context ends, the caller
// is not allowed to read nodes, or the API server stays away.
func (p kubePort) WatchNodes(ctx context.Context, changed func([]snapshot.KubeNode)) error {
	watcher := p.conn.WatchNodes(ctx)
	away := time.NewTimer(patience)
	away.Stop()
	defer away.Stop()
	counting := false
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-away.C:
			return watcher.Err()
		case <-watcher.Changed():
		}
		switch err := watcher.Err(); {
		case kube.IsKind(err, kube.Denied):
			return err
		case err != nil && !counting:
			counting = true
			away.Reset(patience)
		case err == nil:
			counting = false
			away.Stop()
			if watcher.Synced() {
				changed(slices.Collect(maps.Values(watcher.Nodes())))
			}
		}
	}
}

func (p kubePort) DeleteNode(ctx context.Context, name, instanceID string) error {
	return p.conn.DeleteNodeOf(ctx, name, instanceID)
}
