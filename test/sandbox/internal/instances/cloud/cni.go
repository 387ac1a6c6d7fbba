package cloud

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/instances"
)

// cniDelay is how long after a node's registration its network configuration
// appears. On EKS that is the time until the aws-node pod runs.
const cniDelay = 500 * time.Millisecond

// conflistPath is where the VPC CNI puts its configuration, relative to the
// node's root.
const conflistPath = "etc/cni/net.d/10-aws.conflist"

// Pod ranges lie in the half of the VPC that has no subnets. Each node has 256
// addresses, more than any instance type's limit of pods in the sandbox.
const (
	podBase  = "10.20.128.0"
	podNodes = 128
)

// network is what one node's pods have.
type network struct {
	index   int // of the pod range
	since   time.Time
	written bool
}

// networks gives each node a range of pod addresses and a configuration of the
// standard CNI plugins in place of the VPC CNI's.
type networks struct {
	now    func() time.Time
	byNode map[string]*network // by instance id
	next   int                 // range to try first
}

func newNetworks(now func() time.Time) *networks {
	return &networks{now: now, byNode: map[string]*network{}}
}

// sync writes the configuration of a registered node when its time has come.
func (n *networks) sync(instanceID string, write func(instanceID, path string, data []byte) error) error {
	own, known := n.byNode[instanceID]
	if !known {
		index, err := n.free()
		if err != nil {
			return err
		}
		own = &network{index: index, since: n.now()}
		n.byNode[instanceID] = own
	}
	if own.written || n.now().Sub(own.since) < cniDelay {
		return nil
	}
	config, err := conflist(podRange(own.index))
	if err != nil {
		return err
	}
	if err := write(instanceID, conflistPath, config); err != nil {
		return fmt.Errorf("configure pod network: %w", err)
	}
	own.written = true
	return nil
}

// forget frees the ranges of instances that are gone.
func (n *networks) forget(byName map[string]instances.Instance) {
	live := map[string]bool{}
	for _, i := range byName {
		live[i.ID] = true
	}
	for id := range n.byNode {
		if !live[id] {
			delete(n.byNode, id)
		}
	}
}

// free finds a range that no node has, one after the other: those of nodes that
// are gone come again as late as can be, since neighbours remember for a while
// whose an address was, which in a VPC they need not.
func (n *networks) free() (int, error) {
	taken := map[int]bool{}
	for _, own := range n.byNode {
		taken[own.index] = true
	}
	for i := range podNodes {
		index := (n.next + i) % podNodes
		if !taken[index] {
			n.next = index + 1
			return index, nil
		}
	}
	return 0, fmt.Errorf("all %d pod ranges are taken", podNodes)
}

func podRange(index int) netip.Prefix {
	base := netip.MustParseAddr(podBase).As4()
	base[2] += byte(index)
	return netip.PrefixFrom(netip.AddrFrom4(base), 24)
}

// conflist is a CNI network configuration list: a veth pair per pod, routed by
// the node, addresses handed out by the node itself.
func conflist(pods netip.Prefix) ([]byte, error) {
	text, err := json.MarshalIndent(map[string]any{
		"cniVersion": "0.4.0",
		"name":       "aws-cni",
		"plugins": []any{
			map[string]any{
				"type": "ptp",
				"ipam": map[string]any{
					"type":    "host-local",
					"dataDir": "/var/lib/cni/ipam",
					"ranges":  [][]map[string]string{{{"subnet": pods.String()}}},
					"routes":  []map[string]string{{"dst": "0.0.0.0/0"}},
				},
			},
			map[string]any{"type": "portmap", "capabilities": map[string]bool{"portMappings": true}, "snat": true},
		},
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write CNI configuration: %w", err)
	}
	return text, nil
}
