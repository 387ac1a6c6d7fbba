package netns

import (
	"context"
	"fmt"
	"net"
	"os/exec"
)

// Listen is net.Listen inside the named namespace. The address must be an IP
// address: names would be looked up outside.
func Listen(ctx context.Context, name, network, address string) (net.Listener, error) {
	var l net.Listener
	err := Do(name, func() (err error) {
		l, err = (&net.ListenConfig{}).Listen(ctx, network, address)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listen in %s: %w", name, err)
	}
	return l, nil
}

// ListenPacket is net.ListenPacket inside the named namespace, of an IP address.
func ListenPacket(ctx context.Context, name, network, address string) (net.PacketConn, error) {
	var c net.PacketConn
	err := Do(name, func() (err error) {
		c, err = (&net.ListenConfig{}).ListenPacket(ctx, network, address)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listen in %s: %w", name, err)
	}
	return c, nil
}

// Dialer returns a dial function whose connections begin in the named namespace.
// The address must be an IP address.
func Dialer(name string) func(ctx context.Context, network, address string) (net.Conn, error) {
	return DialerAt(Path(name))
}

// DialerAt is Dialer for the namespace behind a file.
func DialerAt(path string) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		var c net.Conn
		err := doAt(path, func() (err error) {
			c, err = (&net.Dialer{}).DialContext(ctx, network, address)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("dial from %s: %w", path, err)
		}
		return c, nil
	}
}

// Start starts a command inside the named namespace. Its Pdeathsig must not be
// set: that signal comes when the starting thread ends.
func Start(name string, cmd *exec.Cmd) error {
	return Do(name, cmd.Start)
}
