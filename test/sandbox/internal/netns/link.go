package netns

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Link is a veth pair: eth0 in the namespace Peer, Name in the namespace Hub.
type Link struct {
	Hub    string // namespace of the hub's end
	Name   string // interface name of the hub's end, at most 15 bytes
	Bridge string // bridge in Hub that the end joins; empty: it gets HubAddr
	// HubAddr is the hub end's address with prefix length.
	HubAddr string

	Peer     string // namespace that gets eth0
	PeerAddr string // eth0's address with prefix length
	PeerMAC  string // eth0's hardware address; empty: the kernel's choice
	Gateway  string // default route of Peer
}

// Connect makes the pair, its addresses and the default route.
func (l Link) Connect(ctx context.Context) error {
	add := []string{"link", "add", l.Name, "type", "veth", "peer", "name", "eth0", "netns", l.Peer}
	if l.PeerMAC != "" {
		add = append(add, "address", l.PeerMAC)
	}
	hub := [][]string{add}
	if l.Bridge != "" {
		hub = append(hub, []string{"link", "set", l.Name, "master", l.Bridge})
	} else {
		hub = append(hub, []string{"addr", "add", l.HubAddr, "dev", l.Name})
	}
	hub = append(hub, []string{"link", "set", l.Name, "up"})
	if err := IP(ctx, l.Hub, hub...); err != nil {
		return err
	}
	return IP(ctx, l.Peer,
		[]string{"addr", "add", l.PeerAddr, "dev", "eth0"},
		[]string{"link", "set", "eth0", "up"},
		[]string{"route", "add", "default", "via", l.Gateway},
	)
}

// IP runs ip(8) commands in the named namespace, in one process.
func IP(ctx context.Context, name string, commands ...[]string) error {
	var batch strings.Builder
	for _, c := range commands {
		batch.WriteString(strings.Join(c, " ") + "\n")
	}
	cmd := exec.CommandContext(ctx, "ip", "-n", name, "-batch", "-")
	cmd.Stdin = strings.NewReader(batch.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ip in %s: %w: %s", name, err, bytes.TrimSpace(out))
	}
	return nil
}

// SetForwarding lets the named namespace route IPv4 between its interfaces.
func SetForwarding(name string) error {
	return Do(name, func() error {
		const file = "/proc/sys/net/ipv4/ip_forward"
		if err := os.WriteFile(file, []byte("1"), 0o644); err != nil {
			return fmt.Errorf("let %s forward: %w", name, err)
		}
		return nil
	})
}
