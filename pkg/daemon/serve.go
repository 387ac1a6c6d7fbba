package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
)

// Limits of the HTTP server, which answers whoever is on the machine.
const (
	serverLimit  = 5 * time.Second // for a request and its answer
	maxHeaders   = 8 << 10         // bytes
	shutdownTime = 2 * time.Second
)

// Listen takes the address that metrics and health are served at.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w: name another address with --listen", err)
	}
	return listener, nil
}

// Serve answers /metrics and /healthz until the context ends.
func (d *Daemon) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler: d.Handler(), ReadTimeout: serverLimit, WriteTimeout: serverLimit, IdleTimeout: serverLimit, MaxHeaderBytes: maxHeaders,
	}
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			fmt.Fprintln(d.Log, "end the server:", redact.Line(err.Error()))
		}
	})
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve metrics: %w", err)
	}
	return nil
}

// Handler answers GET of /metrics and /healthz.
func (d *Daemon) Handler() http.Handler {
	d.once.Do(d.prepare)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		d.mutex.Lock()
		seen := d.seen
		seen.writes = map[string]int{wroteCondition: d.seen.writes[wroteCondition], writeFailed: d.seen.writes[writeFailed]}
		d.mutex.Unlock()
		w.Header().Set("Content-Type", MetricsType)
		if err := seen.writeMetrics(w); err != nil {
			fmt.Fprintln(d.Log, "answer /metrics:", redact.Line(err.Error()))
		}
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if late := d.late(); late != "" {
			http.Error(w, late, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	return mux
}

// late says that the agent does not look as often as it should, "" when it
// does.
func (d *Daemon) late() string {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.seen.rounds == 0 {
		return "it has not looked yet"
	}
	if since, most := d.Now().Sub(d.seen.at), 2*(d.Interval+lookLimit); since > most {
		return fmt.Sprintf("the last look ended %s ago", since.Round(time.Second))
	}
	return ""
}
