package supervise

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/control"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/instances/cloud"
)

// serveControl opens the control socket. It answers from the first moment on, so
// that `up` can follow the start.
func (w *world) serveControl(failed chan<- error) error {
	socket := w.config.Sandbox.ControlSocket()
	l, err := net.Listen("unix", socket)
	if err != nil {
		return fmt.Errorf("open control socket: %w", err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		return fmt.Errorf("protect control socket: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+control.StatusPath, w.serveStatus)
	mux.HandleFunc("GET "+control.RolesPath, w.serveRoles)
	mux.HandleFunc("PUT "+control.RolesPath+"/{fault}", switchRole(w.roles.Inject))
	mux.HandleFunc("DELETE "+control.RolesPath+"/{fault}", switchRole(w.roles.Clear))
	mux.HandleFunc("/", w.serveFrontControl)
	serve(l, mux, "control socket", failed)
	return nil
}

func (w *world) serveStatus(rw http.ResponseWriter, _ *http.Request) {
	w.mu.Lock()
	s := w.status
	s.Steps = append([]control.Step{}, s.Steps...)
	watcher := w.watcher
	w.mu.Unlock()
	s.Parts = w.parts.Status()
	s.Nodes = []control.Node{}
	if watcher != nil {
		s.Nodes = watcher.Nodes()
	}
	w.reply(rw, s)
}

// serveRoles lists the controllers of AWS that are switched off.
func (w *world) serveRoles(rw http.ResponseWriter, _ *http.Request) {
	w.reply(rw, append([]cloud.Off{}, w.roles.List()...))
}

// switchRole makes a handler that switches a role off, or on again.
func switchRole(change func(name, group string) error) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		if err := change(r.PathValue("fault"), r.URL.Query().Get("group")); err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		rw.WriteHeader(http.StatusNoContent)
	}
}

func (w *world) reply(rw http.ResponseWriter, body any) {
	rw.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(rw).Encode(body); err != nil {
		w.log.Warn("could not answer on the control socket", "error", err)
	}
}

// serveFrontControl passes faults, calls and the clock on to the AWS front.
func (w *world) serveFrontControl(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	f := w.front
	w.mu.Unlock()
	if f == nil {
		http.Error(rw, "the AWS front is not up yet", http.StatusServiceUnavailable)
		return
	}
	f.Control().ServeHTTP(rw, r)
}
