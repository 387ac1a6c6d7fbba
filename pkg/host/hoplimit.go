//go:build linux

package host

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// tap shows packets that came in.
type tap interface {
	// next is the next IPv4 packet with its headers, nil when none is there. It
	// does not wait, and what it returns is good until the next call.
	next() ([]byte, error)
	Close() error
}

// maxTapped bounds how many packets are looked at for one answer.
const maxTapped = 256

// readHopLimit asks for a session token, throws it away, and looks at how many
// hops the packets that brought it had left: EC2 sends them with the hop limit
// as their time to live, and the machine is the end of the first hop.
func (m *Machine) readHopLimit(ctx context.Context, known *snapshot.Host) (facts fill, err error) {
	if known.IMDS == nil || known.IMDS.TokenStatus != 200 {
		return nil, notAsked("instance metadata gives no session token")
	}
	service, err := m.metadataAddress()
	if err != nil {
		return nil, err
	}
	packets, err := m.tap(service.Addr())
	if errors.Is(err, os.ErrPermission) {
		return nil, fmt.Errorf("packets' time to live is for root (CAP_NET_RAW) to see: %w", err)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, packets.Close()) }()
	var port atomic.Uint32 // of the machine's end; the transport dials on its own
	status, err := m.tokenStatus(ctx, func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := m.dial(ctx, network, address)
		if err == nil {
			port.Store(uint32(portOf(conn.LocalAddr())))
		}
		return conn, err
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("the request for a session token failed: %w", err)
	case status != 200:
		return nil, fmt.Errorf("the request for a session token was answered %d", status)
	}
	hops, err := fewestHops(packets, service.Port(), uint16(port.Load()))
	if err != nil {
		return nil, err
	}
	return func(h *snapshot.Host) { h.HopLimit = &snapshot.HostHopLimit{Hops: hops} }, nil
}

// metadataAddress is where instance metadata is asked.
func (m *Machine) metadataAddress() (netip.AddrPort, error) {
	endpoint, err := url.Parse(m.metadataEndpoint())
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.ParseAddrPort(net.JoinHostPort(endpoint.Hostname(), cmp.Or(endpoint.Port(), "80")))
}

func portOf(address net.Addr) int {
	if tcp, ok := address.(*net.TCPAddr); ok {
		return tcp.Port
	}
	return 0
}

// fewestHops is the smallest time to live of the packets that brought data from
// one port to another. Those of the handshake do not count: they carry no
// token, and AWS promises nothing about them.
func fewestHops(packets tap, from, to uint16) (int, error) {
	fewest := 0
	for range maxTapped {
		packet, err := packets.next()
		if err != nil {
			return 0, err
		}
		if packet == nil {
			break
		}
		if ttl := dataTTL(packet, from, to); ttl != 0 && (fewest == 0 || ttl < fewest) {
			fewest = ttl
		}
	}
	if fewest == 0 {
		return 0, errors.New("the session token came, and none of its packets was seen")
	}
	return fewest, nil
}

// dataTTL is the time to live of an IPv4 packet that brings data of TCP from
// one port to another, 0 of any other packet.
func dataTTL(packet []byte, from, to uint16) int {
	const ipHeader, tcpHeader, protocolTCP = 20, 20, 6
	if len(packet) < ipHeader || packet[0]>>4 != 4 || packet[9] != protocolTCP {
		return 0
	}
	if fragment := binary.BigEndian.Uint16(packet[6:]) & 0x1fff; fragment != 0 {
		return 0 // it has no ports
	}
	begin, end := int(packet[0]&0xf)*4, int(binary.BigEndian.Uint16(packet[2:]))
	if begin < ipHeader || end > len(packet) || end < begin+tcpHeader {
		return 0
	}
	segment := packet[begin:end]
	if binary.BigEndian.Uint16(segment) != from || binary.BigEndian.Uint16(segment[2:]) != to {
		return 0
	}
	if data := int(segment[12]>>4) * 4; data < tcpHeader || data >= len(segment) {
		return 0
	}
	return int(packet[8])
}

// rawTap is a raw socket of TCP. The kernel hands it a copy of each packet from
// one address, before the connection gets it; nothing is ever sent on it.
type rawTap struct {
	socket int
	buffer []byte
}

// openTap begins to see what comes from an IPv4 address. It takes CAP_NET_RAW.
// It is not bound to an address of the machine's: it listens nowhere.
func openTap(from netip.Addr) (tap, error) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	// What a raw socket is connected to is all that it sees.
	if err := unix.Connect(socket, &unix.SockaddrInet4{Addr: from.As4()}); err != nil {
		return nil, errors.Join(os.NewSyscallError("connect", err), unix.Close(socket))
	}
	return &rawTap{socket, make([]byte, 64<<10)}, nil
}

func (t *rawTap) next() ([]byte, error) {
	for {
		n, err := unix.Read(t.socket, t.buffer)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return nil, nil
		case err != nil:
			return nil, os.NewSyscallError("read", err)
		default:
			return t.buffer[:n], nil
		}
	}
}

func (t *rawTap) Close() error { return unix.Close(t.socket) }
