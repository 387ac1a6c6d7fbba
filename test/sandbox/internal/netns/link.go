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
func SetForwarding(name string) error { return setIPv4(name, "ip_forward", "1") }

// AnswerForRouted lets eth0 of the named namespace answer ARP requests for what
// the namespace routes to its other interfaces, and at once: the kernel would
// wait for up to 0.8 s in case that somebody else does.
func AnswerForRouted(name string) error {
	if err := setIPv4(name, "neigh/eth0/proxy_delay", "0"); err != nil {
		return err
	}
	return setIPv4(name, "conf/eth0/proxy_arp", "1")
}

// setIPv4 sets a parameter of IPv4 in the named namespace.
func setIPv4(name, key, value string) error {
	return Do(name, func() error {
		if err := os.WriteFile("/proc/sys/net/ipv4/"+key, []byte(value), 0o644); err != nil {
			return fmt.Errorf("set %s in %s: %w", key, name, err)
		}
		return nil
	})
}
