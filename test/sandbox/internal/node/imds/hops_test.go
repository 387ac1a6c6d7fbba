package imds

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"golang.org/x/sys/unix"
)

// ttlOf is the time to live that a connection sends with.
func ttlOf(t *testing.T, conn *net.TCPConn) int {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	ttl := 0
	var getErr error
	if err := raw.Control(func(fd uintptr) { ttl, getErr = unix.GetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL) }); err != nil || getErr != nil {
		t.Fatal(err, getErr)
	}
	return ttl
}

// The answer to a PUT leaves with the instance's hop limit, what follows on the
// same connection does not.
func TestHopLimit(t *testing.T) {
	i := example()
	i.Options.HopLimit = 2
	service := newService(i, nil)
	var sent []int // the time to live at the end of each answer
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		service.ServeHTTP(w, r)
		sent = append(sent, ttlOf(t, r.Context().Value(connKey{}).(*net.TCPConn)))
	}))
	server.Config.ConnContext = KeepConn
	server.Start()
	defer server.Close()
	ask := func(method string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/latest/api/token", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(ttlHeader, "60")
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil {
			t.Fatal(err)
		}
	}
	ask(http.MethodGet)
	ask(http.MethodPut)
	ask(http.MethodGet)
	i.Options.HopLimit = 1
	service.Update(i)
	ask(http.MethodPut)
	if usual := sent[0]; usual <= 2 || sent[1] != 2 || sent[2] != usual || sent[3] != 1 {
		t.Errorf("times to live of GET, PUT, GET, PUT with another limit: %v", sent)
	}
}
