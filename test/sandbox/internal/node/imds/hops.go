package imds

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"golang.org/x/sys/unix"
)

// defaultTTL tells the kernel to use its own time to live again (ip(7)).
const defaultTTL = -1

type connKey struct{}

// KeepConn is for http.Server's ConnContext: with it the service sends session
// tokens with the instance's hop limit.
func KeepConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// travel sets how many hops the answer to a request may go: what answers a PUT
// has the instance's hop limit as its IP time to live, all else the kernel's
// own, on a connection that is used again too.
func (s *Server) travel(r *http.Request) error {
	conn, ok := r.Context().Value(connKey{}).(*net.TCPConn)
	if !ok {
		return nil // served over something that has no hops
	}
	s.mu.Lock()
	ttl := s.instance.Options.HopLimit
	s.mu.Unlock()
	if r.Method != http.MethodPut || ttl < 1 {
		ttl = defaultTTL
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return fmt.Errorf("set hop limit: %w", err)
	}
	var setErr error
	controlErr := raw.Control(func(fd uintptr) { setErr = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL, ttl) })
	if err := errors.Join(controlErr, setErr); err != nil {
		return fmt.Errorf("set hop limit %d: %w", ttl, err)
	}
	return nil
}
