package kube

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// NodeWatcher keeps the cluster's nodes up to date, by instance id, for as
// long as its context lives. It lists, then watches from that version on, and
// lists again when the watch closes or falls behind.
type NodeWatcher struct {
	mu      sync.Mutex
	byName  map[string]snapshot.KubeNode
	err     error
	synced  bool
	changed chan struct{}
}

// WatchNodes starts a watcher of all nodes.
func (c *Connection) WatchNodes(ctx context.Context) *NodeWatcher {
	return c.Client.WatchNodes(ctx)
}

// WatchNodes starts a watcher of all nodes; it stops with the context.
func (c *Client) WatchNodes(ctx context.Context) *NodeWatcher {
	w := &NodeWatcher{byName: map[string]snapshot.KubeNode{}, changed: make(chan struct{}, 1)}
	nodes := c.Nodes()
	lister := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
			list, err := nodes.List(ctx, opts)
			w.note("list nodes", err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
			events, err := nodes.Watch(ctx, opts)
			w.note("watch nodes", err)
			return events, err
		},
	}
	silent := logr.NewContext(ctx, logr.Discard()) // errors are reported by Err, not by a log on stderr
	reflector := cache.NewReflectorWithOptions(
		cache.ToListWatcherWithWatchListSemantics(lister, c), &corev1.Node{}, (*nodeStore)(w),
		cache.ReflectorOptions{Name: "nodes", Backoff: &wait.Backoff{Duration: 500 * time.Millisecond, Cap: 5 * time.Second, Steps: 10, Factor: 2, Jitter: 0.2}},
	)
	go reflector.RunWithContext(silent)
	return w
}

// Nodes returns the nodes as they are known now, by instance id. Nodes that
// are not EC2 machines are left out.
func (w *NodeWatcher) Nodes() map[string]snapshot.KubeNode {
	w.mu.Lock()
	defer w.mu.Unlock()
	byID := make(map[string]snapshot.KubeNode, len(w.byName))
	for _, node := range w.byName {
		id := snapshot.InstanceIDFromProviderID(node.ProviderID)
		if have, twice := byID[id]; id == "" || twice && have.CreatedAt.After(node.CreatedAt) {
			continue
		}
		byID[id] = node
	}
	return byID
}

// Changed receives after changes; several changes may make one message.
func (w *NodeWatcher) Changed() <-chan struct{} { return w.changed }

// Synced reports whether the nodes were read at least once.
func (w *NodeWatcher) Synced() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.synced
}

// Err is why the last request to the API server failed, nil when it did not.
// The watcher goes on trying all the same.
func (w *NodeWatcher) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (w *NodeWatcher) note(doing string, err error) {
	w.change(func() { w.err = wrap(doing, err) })
}

func (w *NodeWatcher) change(do func()) {
	w.mu.Lock()
	do()
	w.mu.Unlock()
	select {
	case w.changed <- struct{}{}:
	default: // a message waits already
	}
}

// nodeStore is the watcher as the reflector's store.
type nodeStore NodeWatcher

func (s *nodeStore) put(obj any) error {
	if node, ok := obj.(*corev1.Node); ok {
		(*NodeWatcher)(s).change(func() { s.byName[node.Name] = ConvertNode(node) })
	}
	return nil
}

// Add takes a new node.
func (s *nodeStore) Add(obj any) error { return s.put(obj) }

// Update takes a changed node.
func (s *nodeStore) Update(obj any) error { return s.put(obj) }

// Delete forgets a node.
func (s *nodeStore) Delete(obj any) error {
	if node, ok := obj.(*corev1.Node); ok {
		(*NodeWatcher)(s).change(func() { delete(s.byName, node.Name) })
	}
	return nil
}

// Replace takes a whole list.
func (s *nodeStore) Replace(list []any, _ string) error {
	fresh := make(map[string]snapshot.KubeNode, len(list))
	for _, obj := range list {
		if node, ok := obj.(*corev1.Node); ok {
			fresh[node.Name] = ConvertNode(node)
		}
	}
	(*NodeWatcher)(s).change(func() {
		clear(s.byName)
		maps.Copy(s.byName, fresh)
		s.synced = true
	})
	return nil
}

// Resync has nothing to do.
func (s *nodeStore) Resync() error { return nil }
