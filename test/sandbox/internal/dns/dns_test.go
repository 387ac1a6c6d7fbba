package dns

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"github.com/miekg/dns"
)

const cluster = "0123456789ABCDEF0123456789ABCDEF.gr7.us-west-2.eks.amazonaws.com"

func testZone() *Zone {
	z := NewZone(netip.MustParseAddr("198.51.100.10"))
	z.Set(cluster, netip.MustParseAddr("10.20.0.10"))
	z.Set("ip-10-20-16-5.us-west-2.compute.internal", netip.MustParseAddr("10.20.16.5"))
	return z
}

func TestAnswer(t *testing.T) {
	tests := []struct {
		name  string
		qtype uint16
		rcode int
		want  string
	}{
		{"sts.us-west-2.amazonaws.com", dns.TypeA, dns.RcodeSuccess, "198.51.100.10"},
		{"STS.amazonaws.com", dns.TypeA, dns.RcodeSuccess, "198.51.100.10"},
		{"eks.us-west-2.api.aws", dns.TypeA, dns.RcodeSuccess, "198.51.100.10"},
		{"ec2.cn-north-1.amazonaws.com.cn", dns.TypeA, dns.RcodeSuccess, "198.51.100.10"},
		{"sts.us-west-2.amazonaws.com", dns.TypeAAAA, dns.RcodeSuccess, ""},
		{cluster, dns.TypeA, dns.RcodeSuccess, "10.20.0.10"},
		{"FFFF.gr7.us-west-2.eks.amazonaws.com", dns.TypeA, dns.RcodeNameError, ""},
		{"ip-10-20-16-5.us-west-2.compute.internal", dns.TypeA, dns.RcodeSuccess, "10.20.16.5"},
		{"ip-10-20-16-6.us-west-2.compute.internal", dns.TypeA, dns.RcodeNameError, ""},
		{"amazonaws.com.example.org", dns.TypeA, dns.RcodeNameError, ""},
		{"notamazonaws.com", dns.TypeA, dns.RcodeNameError, ""},
		{"registry.k8s.io", dns.TypeA, dns.RcodeNameError, ""},
	}
	z := testZone()
	for _, tt := range tests {
		got := z.answer(new(dns.Msg).SetQuestion(tt.name+".", tt.qtype))
		addr := ""
		if len(got.Answer) == 1 {
			addr = got.Answer[0].(*dns.A).A.String()
		}
		if got.Rcode != tt.rcode || addr != tt.want {
			t.Errorf("%s %s = %s %q, want %s %q", tt.name, dns.TypeToString[tt.qtype],
				dns.RcodeToString[got.Rcode], addr, dns.RcodeToString[tt.rcode], tt.want)
		}
	}
}

func TestAnswerToNoQuestion(t *testing.T) {
	if got := testZone().answer(new(dns.Msg)); got.Rcode != dns.RcodeNotImplemented {
		t.Errorf("rcode %s", dns.RcodeToString[got.Rcode])
	}
}

func TestServeFollowsInstances(t *testing.T) {
	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	z := testZone()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		if err := z.Serve(ctx, []net.PacketConn{p}, []net.Listener{l}); err != nil {
			t.Errorf("serve: %v", err)
		}
	}()
	const name = "ip-10-20-16-7.us-west-2.compute.internal"
	ask := func(network, addr string) int {
		t.Helper()
		c := &dns.Client{Net: network}
		got, _, err := c.ExchangeContext(ctx, new(dns.Msg).SetQuestion(name+".", dns.TypeA), addr)
		if err != nil {
			t.Fatal(err)
		}
		return got.Rcode
	}
	if got := ask("udp", p.LocalAddr().String()); got != dns.RcodeNameError {
		t.Errorf("before: %s", dns.RcodeToString[got])
	}
	z.Set(name, netip.MustParseAddr("10.20.16.7"))
	if got := ask("tcp", l.Addr().String()); got != dns.RcodeSuccess {
		t.Errorf("after Set: %s", dns.RcodeToString[got])
	}
	z.Remove(name)
	if got := ask("udp", p.LocalAddr().String()); got != dns.RcodeNameError {
		t.Errorf("after Remove: %s", dns.RcodeToString[got])
	}
}
