package front

import (
	"fmt"
	"net/http"
	"strings"
)

// isEcho recognises Amazon's address echo service.
func isEcho(r *http.Request) bool {
	host, _, _ := strings.Cut(r.Host, ":")
	return host == "checkip.amazonaws.com" || host == "checkip.global.api.aws"
}

// echo answers the caller's IP address on a line of its own.
func (f *Front) echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	// A failing write means that the caller has gone.
	_, _ = fmt.Fprintln(w, f.source(r))
}
