//go:build linux

package host

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// packet is an IPv4 packet of TCP that brings data, or none.
func packet(ttl byte, from, to uint16, data string) []byte {
	p := make([]byte, 40, 40+len(data))
	p[0], p[8], p[9] = 0x45, ttl, 6
	binary.BigEndian.PutUint16(p[2:], uint16(40+len(data)))
	binary.BigEndian.PutUint16(p[20:], from)
	binary.BigEndian.PutUint16(p[22:], to)
	p[32] = 5 << 4
	return append(p, data...)
}

// fakeTap shows of each connection to the metadata service a handshake with 64
// hops left, and an answer with two.
type fakeTap struct {
	rig  *rig
	from uint16
	left [][]byte
	read bool
}

func (f *fakeTap) next() ([]byte, error) {
	f.rig.mutex.Lock()
	defer f.rig.mutex.Unlock()
	if !f.read {
		for _, port := range f.rig.ports {
			f.left = append(f.left, packet(64, f.from, port, ""), packet(2, f.from, port, "HTTP/1.1 200 OK"))
		}
		f.read = true
	}
	if len(f.left) == 0 {
		return nil, nil
	}
	first := f.left[0]
	f.left = f.left[1:]
	return first, nil
}

func (f *fakeTap) Close() error { return nil }

// packets is a tap of packets that are there already.
type packets [][]byte

func (p *packets) next() ([]byte, error) {
	if len(*p) == 0 {
		return nil, nil
	}
	first := (*p)[0]
	*p = (*p)[1:]
	return first, nil
}

func (p *packets) Close() error { return nil }

// Only packets with data of the one connection count, and what is cut short or
// made up is none of them.
func TestFewestHops(t *testing.T) {
	good := func() []byte { return packet(3, 80, 40000, "token") }
	changed := func(change func([]byte)) []byte { p := good(); change(p); return p }
	for name, test := range map[string]struct {
		seen []packets
		want int
	}{
		"an answer":                       {[]packets{{good()}}, 3},
		"an answer in two packets":        {[]packets{{packet(64, 80, 40000, "HTTP/1.1 200 OK"), good()}, {good(), packet(64, 80, 40000, "token")}}, 3},
		"options of IP and TCP":           {[]packets{{optioned()}}, 3},
		"a handshake":                     {[]packets{{packet(3, 80, 40000, "")}}, 0},
		"another connection":              {[]packets{{packet(3, 80, 40001, "token")}, {packet(3, 81, 40000, "token")}}, 0},
		"the other direction":             {[]packets{{packet(3, 40000, 80, "token")}}, 0},
		"nothing":                         {[]packets{{}, {{}}}, 0},
		"IPv6":                            {[]packets{{changed(func(p []byte) { p[0] = 0x65 })}}, 0},
		"UDP":                             {[]packets{{changed(func(p []byte) { p[9] = 17 })}}, 0},
		"a fragment's rest":               {[]packets{{changed(func(p []byte) { p[7] = 1 })}}, 0},
		"a header longer than the packet": {[]packets{{changed(func(p []byte) { p[0] = 0x4f })}}, 0},
		"a header shorter than one":       {[]packets{{changed(func(p []byte) { p[0] = 0x44 })}}, 0},
		"a TCP header that is too long":   {[]packets{{changed(func(p []byte) { p[32] = 15 << 4 })}}, 0},
		"a TCP header that is too short":  {[]packets{{changed(func(p []byte) { p[32] = 4 << 4 })}}, 0},
		"a length beyond the packet":      {[]packets{{changed(func(p []byte) { p[3] = 200 })}}, 0},
		"cut short":                       {[]packets{{good()[:39]}, {good()[:19]}}, 0},
	} {
		for _, seen := range test.seen {
			if got, err := fewestHops(&seen, 80, 40000); got != test.want || (err == nil) != (test.want != 0) {
				t.Errorf("%s: %d, %v, want %d", name, got, err, test.want)
			}
		}
	}
}

// optioned is an answer with four bytes of options in both headers.
func optioned() []byte {
	p := packet(3, 80, 40000, "token")
	none := []byte{0, 0, 0, 0}
	out := slices.Concat(p[:20], none, p[20:40], none, p[40:])
	out[0], out[36] = 0x46, 6<<4
	binary.BigEndian.PutUint16(out[2:], uint16(len(out)))
	return out
}

func FuzzDataTTL(f *testing.F) {
	f.Add(packet(3, 80, 40000, "token"))
	f.Add(optioned())
	f.Fuzz(func(t *testing.T, p []byte) {
		if ttl := dataTTL(p, 80, 40000); ttl != 0 && ttl != int(p[8]) {
			t.Errorf("%d of %v", ttl, p)
		}
	})
}

// A real answer over a real socket: who has the right sees the hops of the
// token's packets and not of the handshake's; who has not sends nothing, and
// says what is missing.
func TestHopLimit(t *testing.T) {
	const limit = 7
	asked := 0
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if err := setTTL(r.Context().Value(connKey{}).(net.Conn), limit); err != nil {
			t.Error(err)
		}
		answerIMDS(w, r)
	}))
	server.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, conn)
	}
	server.Start()
	t.Cleanup(server.Close)
	m := &Machine{imds: server.URL, dial: (&net.Dialer{}).DialContext, tap: openTap}
	known := &snapshot.Host{IMDS: &snapshot.HostIMDS{TokenStatus: 200}}
	facts, err := m.readHopLimit(t.Context(), known)
	if !mayTap(t) {
		if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_RAW") || facts != nil || asked != 0 {
			t.Errorf("without the right: %v, asked %d times", err, asked)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	var host snapshot.Host
	if facts(&host); host.HopLimit.Hops != limit || asked != 1 {
		t.Errorf("%+v, asked %d times", host.HopLimit, asked)
	}
}

type connKey struct{}

func setTTL(conn net.Conn, ttl int) error {
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return err
	}
	return errors.Join(raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL, ttl) }), err)
}

// mayTap reports whether the test's own process has CAP_NET_RAW.
func mayTap(t *testing.T) bool {
	t.Helper()
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_TCP)
	if err != nil {
		return false
	}
	if err := unix.Close(socket); err != nil {
		t.Error(err)
	}
	return true
}

// Why the hop limit is not known: of a machine without metadata it is not
// asked, and what goes wrong on the way is told.
func TestHopLimitNotKnown(t *testing.T) {
	on := &snapshot.HostIMDS{TokenStatus: 200}
	for name, test := range map[string]struct {
		imds   *snapshot.HostIMDS
		broken func(*testing.T, *rig)
		reason snapshot.GapReason
		detail string
	}{
		"no metadata":     {nil, nil, snapshot.GapNotAsked, "no session token"},
		"metadata is off": {&snapshot.HostIMDS{TokenStatus: 403}, nil, snapshot.GapNotAsked, "no session token"},
		"no right": {on, func(_ *testing.T, r *rig) {
			r.tap = func(netip.Addr) (tap, error) { return nil, os.NewSyscallError("socket", unix.EPERM) }
		}, snapshot.GapDenied, "CAP_NET_RAW"},
		"no packet is seen": {on, func(_ *testing.T, r *rig) {
			r.tap = func(netip.Addr) (tap, error) { return &packets{packet(9, 80, 9, "token")}, nil }
		}, snapshot.GapOther, "none of its packets"},
		"metadata is gone": {on, func(_ *testing.T, r *rig) { r.imds = "http://127.0.0.1:9" }, snapshot.GapOther, "refused"},
		"metadata refuses": {on, func(t *testing.T, r *rig) {
			r.imds = r.plain(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusMethodNotAllowed) })
		}, snapshot.GapOther, "405"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			if test.broken != nil {
				test.broken(t, r)
			}
			facts, err := r.readHopLimit(t.Context(), &snapshot.Host{IMDS: test.imds})
			if err == nil || facts != nil {
				t.Fatalf("facts %t, error %v", facts != nil, err)
			}
			gap := gapOf(probe{name: snapshot.ProbeHopLimit}, err)
			if gap.Reason != test.reason || !strings.Contains(gap.Detail, test.detail) {
				t.Errorf("%+v", gap)
			}
		})
	}
}
