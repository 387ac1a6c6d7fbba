//go:build linux

package host

import (
	"context"
	"net"
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/host/hostfile"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// maxResolvers bounds how many name servers are asked.
const maxResolvers = 4

// askResolvers asks each of the machine's name servers by itself: one that
// does not answer delays every lookup, and one that knows nothing of the
// endpoint ends it.
func (m *Machine) askResolvers(ctx context.Context, name string) []snapshot.HostResolver {
	if net.ParseIP(name) != nil {
		return nil
	}
	servers := m.nameServers()
	answers := make([]snapshot.HostResolver, len(servers))
	done := make(chan struct{})
	for i, server := range servers {
		go func() {
			resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return m.dial(ctx, network, net.JoinHostPort(server, m.resolver))
			}}
			// The final dot keeps search domains and the hosts file out of it.
			answers[i] = snapshot.HostResolver{Server: server, HostLookup: m.lookup(ctx, resolver, name+".")}
			done <- struct{}{}
		}()
	}
	for range servers {
		<-done
	}
	return answers
}

// nameServers are those of resolv.conf; of systemd-resolved, those behind it. The
// third is where Bottlerocket's kubelet has them from.
func (m *Machine) nameServers() []string {
	var servers []string
	for _, path := range []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf", "/run/netdog/resolv.conf"} {
		data, err := m.root.read(path)
		if err != nil {
			continue
		}
		for _, server := range hostfile.NameServers(data) {
			if !slices.Contains(servers, server) {
				servers = append(servers, server)
			}
		}
	}
	return servers[:min(len(servers), maxResolvers)]
}
