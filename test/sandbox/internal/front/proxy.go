package front

import (
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
)

// Proxy is an HTTPS proxy for tools that cannot be given the sandbox's DNS. It
// opens tunnels (CONNECT) to tlsAddr for hosts in AWS's domains and refuses all
// others: nothing else may leave the sandbox.
func (f *Front) Proxy(tlsAddr string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, port, err := net.SplitHostPort(r.Host)
		switch {
		case r.Method != http.MethodConnect:
			http.Error(w, "only CONNECT is served", http.StatusMethodNotAllowed)
		case err != nil || port != "443" || !awsapi.ServiceHost(host):
			http.Error(w, "only port 443 of AWS hosts can be reached", http.StatusForbidden)
		default:
			f.tunnel(w, r, tlsAddr)
		}
	})
}

func (f *Front) tunnel(w http.ResponseWriter, r *http.Request, tlsAddr string) {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	server, err := dialer.DialContext(r.Context(), "tcp", tlsAddr)
	if err != nil {
		http.Error(w, "the front cannot be reached", http.StatusBadGateway)
		return
	}
	defer server.Close() //nolint:errcheck // closed twice at worst
	local := server.LocalAddr().String()
	f.tunnels.Store(local, r.RemoteAddr)
	defer f.tunnels.Delete(local)

	rc := http.NewResponseController(w)
	client, buffered, err := rc.Hijack()
	if err != nil {
		http.Error(w, "the connection cannot become a tunnel", http.StatusInternalServerError)
		return
	}
	defer client.Close() //nolint:errcheck // closed twice at worst
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection Established\r\n\r\n"); err != nil {
		return
	}
	splice(client, buffered, server)
}

// splice copies both ways until one side ends. Errors mean just that.
func splice(client net.Conn, fromClient io.Reader, server net.Conn) {
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(server, fromClient)
		_ = server.Close()
	})
	both.Go(func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	})
	both.Wait()
}
