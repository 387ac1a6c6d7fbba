package front

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/calllog"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/faults"
)

// Clock is the body of GET and PUT /clock: how far the front's clock is ahead
// of the machine's, as text such as "-10m".
type Clock struct {
	Offset faults.Duration `json:"offset"`
}

// Control serves the control API, for a socket that only the sandbox's owner
// can reach:
//
//	GET    /faults         all rules ([]faults.Rule)
//	POST   /faults         put a rule into force, answers it with its id
//	DELETE /faults[/ID]    remove all rules, or one
//	GET    /calls          the call log ([]calllog.Record), oldest first; ?after=SEQ,
//	                       ?since=RFC3339, ?writes=true, ?unimplemented=true select
//	DELETE /calls          forget it
//	GET    /clock          the clock's offset (Clock)
//	PUT    /clock          move the clock
func (f *Front) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, f.faults.List()) })
	mux.HandleFunc("POST /faults", f.addFault)
	mux.HandleFunc("DELETE /faults", func(w http.ResponseWriter, _ *http.Request) {
		f.faults.Clear()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("DELETE /faults/{id}", f.removeFault)
	mux.HandleFunc("GET /calls", f.listCalls)
	mux.HandleFunc("DELETE /calls", f.clearCalls)
	mux.HandleFunc("GET /clock", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, Clock{Offset: faults.Duration(f.offset.Load())})
	})
	mux.HandleFunc("PUT /clock", f.setClock)
	return mux
}

func (f *Front) addFault(w http.ResponseWriter, r *http.Request) {
	var rule faults.Rule
	if !readJSON(w, r, &rule) {
		return
	}
	rule, err := f.faults.Add(rule)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeJSON(w, http.StatusCreated, rule)
}

func (f *Front) removeFault(w http.ResponseWriter, r *http.Request) {
	if !f.faults.Remove(r.PathValue("id")) {
		http.Error(w, "no such fault", http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (f *Front) listCalls(w http.ResponseWriter, r *http.Request) {
	form := r.URL.Query()
	q := calllog.Query{WritesOnly: form.Get("writes") == "true", UnimplementedOnly: form.Get("unimplemented") == "true"}
	var seqErr, sinceErr error
	if v := form.Get("after"); v != "" {
		q.AfterSeq, seqErr = strconv.ParseInt(v, 10, 64)
	}
	if v := form.Get("since"); v != "" {
		q.Since, sinceErr = time.Parse(time.RFC3339Nano, v)
	}
	if err := errors.Join(seqErr, sinceErr); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeJSON(w, http.StatusOK, f.calls.Select(q))
}

func (f *Front) clearCalls(w http.ResponseWriter, _ *http.Request) {
	if err := f.calls.Clear(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (f *Front) setClock(w http.ResponseWriter, r *http.Request) {
	var c Clock
	if !readJSON(w, r, &c) {
		return
	}
	f.offset.Store(int64(c.Offset))
	writeJSON(w, http.StatusOK, c)
}

// readJSON refuses unknown members: a misspelt field of a fault must not make
// another fault.
func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	const maxControlBody = 1 << 16
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBody))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A failing write means that the caller has gone.
	_ = json.NewEncoder(w).Encode(v)
}
