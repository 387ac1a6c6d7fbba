// Package dns answers the sandbox's DNS questions: AWS's true host names lead to
// the AWS front, the cluster's endpoint to the API server, instances' private
// names to their addresses, and everything else does not exist.
package dns

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// ttl is short, so that a name follows its instance at once.
const ttl = 1

// Zone is the names. Its methods may be called at any time.
type Zone struct {
	aws netip.Addr

	mu    sync.RWMutex
	hosts map[string]netip.Addr
}

// NewZone makes a zone whose AWS host names lead to the given address.
func NewZone(aws netip.Addr) *Zone {
	return &Zone{aws: aws, hosts: map[string]netip.Addr{}}
}

// Set gives a host name an address. It wins over the rule for AWS's domains.
func (z *Zone) Set(host string, addr netip.Addr) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.hosts[canonical(host)] = addr
}

// Remove takes a host name away.
func (z *Zone) Remove(host string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	delete(z.hosts, canonical(host))
}

// endpoints is the domain of EKS endpoints: a cluster that does not exist has no
// address, and does not lead to the AWS front.
const endpoints = ".eks.amazonaws.com"

// Lookup finds a name's address.
func (z *Zone) Lookup(host string) (netip.Addr, bool) {
	host = canonical(host)
	z.mu.RLock()
	addr, ok := z.hosts[host]
	z.mu.RUnlock()
	switch {
	case ok:
		return addr, true
	case strings.HasSuffix(host, endpoints) && strings.Contains(host, ".gr7."):
		return netip.Addr{}, false
	}
	for _, domain := range []string{".amazonaws.com", ".amazonaws.com.cn", ".api.aws"} {
		if strings.HasSuffix(host, domain) {
			return z.aws, true
		}
	}
	return netip.Addr{}, false
}

func canonical(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// ServeDNS implements dns.Handler.
func (z *Zone) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	// A client that is gone before its answer is no concern of ours.
	_ = w.WriteMsg(z.answer(query))
}

func (z *Zone) answer(query *dns.Msg) *dns.Msg {
	reply := new(dns.Msg).SetReply(query)
	reply.Authoritative, reply.RecursionAvailable = true, true
	if len(query.Question) != 1 || query.Question[0].Qclass != dns.ClassINET {
		return reply.SetRcode(query, dns.RcodeNotImplemented)
	}
	q := query.Question[0]
	addr, ok := z.Lookup(q.Name)
	if !ok {
		return reply.SetRcode(query, dns.RcodeNameError)
	}
	if q.Qtype == dns.TypeA {
		reply.Answer = []dns.RR{&dns.A{
			Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: ttl},
			A:   addr.AsSlice(),
		}}
	}
	return reply
}

// Serve answers on the given sockets until ctx is done.
func (z *Zone) Serve(ctx context.Context, packets []net.PacketConn, listeners []net.Listener) error {
	var servers []*dns.Server
	for _, p := range packets {
		servers = append(servers, &dns.Server{PacketConn: p, Handler: z})
	}
	for _, l := range listeners {
		servers = append(servers, &dns.Server{Listener: l, Handler: z})
	}
	failed := make(chan error, len(servers))
	for _, s := range servers {
		go func() { failed <- s.ActivateAndServe() }()
	}
	select {
	case err := <-failed:
		return fmt.Errorf("serve DNS: %w", err)
	case <-ctx.Done():
		return nil // the process ends, and its sockets with it
	}
}
