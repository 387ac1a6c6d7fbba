package kube

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// apiServer plays the nodes of an API server over HTTP: lists in pages,
// watches that can be closed, and failures. It is healthy until told.
type apiServer struct {
	*httptest.Server
	mu      sync.Mutex
	nodes   []corev1.Node
	version int
	watches map[chan metav1.WatchEvent]bool
	lists   int
	fail    int // status for the next requests; 0: none
	other   map[string]any
}

func newAPIServer(t *testing.T, nodes ...corev1.Node) *apiServer {
	t.Helper()
	s := &apiServer{nodes: nodes, version: 1, watches: map[chan metav1.WatchEvent]bool{}, other: map[string]any{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(func() {
		s.closeWatches()
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

func (s *apiServer) client(t *testing.T) *Client {
	t.Helper()
	client, err := NewClient(&rest.Config{Host: s.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	fail := s.fail
	s.mu.Unlock()
	switch {
	case fail != 0:
		status(w, fail)
	case r.URL.Path == "/api/v1/nodes" && r.URL.Query().Get("sendInitialEvents") == "true":
		status(w, http.StatusUnprocessableEntity) // no streaming lists: the client falls back
	case r.URL.Path == "/api/v1/nodes" && r.URL.Query().Get("watch") != "":
		s.watch(w, r)
	case r.URL.Path == "/api/v1/nodes":
		s.list(w, r)
	case s.other[r.URL.Path] != nil:
		reply(w, http.StatusOK, s.other[r.URL.Path])
	default:
		status(w, http.StatusNotFound)
	}
}

func reply(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(err)
	}
}

func status(w http.ResponseWriter, code int) {
	reasons := map[int]metav1.StatusReason{403: metav1.StatusReasonForbidden, 401: metav1.StatusReasonUnauthorized, 404: metav1.StatusReasonNotFound, 422: metav1.StatusReasonInvalid}
	reply(w, code, metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Code: int32(code), Reason: reasons[code]})
}

func (s *apiServer) list(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lists++
	query := r.URL.Query()
	start, _ := strconv.Atoi(query.Get("continue"))
	end := len(s.nodes)
	page := corev1.NodeList{TypeMeta: metav1.TypeMeta{Kind: "NodeList", APIVersion: "v1"}}
	page.ResourceVersion = strconv.Itoa(s.version)
	if limit, err := strconv.Atoi(query.Get("limit")); err == nil && start+limit < end {
		end = start + limit
		page.Continue = strconv.Itoa(end)
	}
	page.Items = s.nodes[start:end]
	reply(w, http.StatusOK, page)
}

func (s *apiServer) watch(w http.ResponseWriter, r *http.Request) {
	events := make(chan metav1.WatchEvent, 16)
	s.mu.Lock()
	s.watches[events] = true
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	flush := w.(http.Flusher)
	flush.Flush()
	for {
		select {
		case event, open := <-events:
			if !open {
				return
			}
			if err := json.NewEncoder(w).Encode(event); err != nil {
				return
			}
			flush.Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// set changes the nodes and tells open watches, unless silent: then only a
// new list shows the change.
func (s *apiServer) set(kind string, node corev1.Node, silent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	node.ResourceVersion = strconv.Itoa(s.version)
	node.TypeMeta = metav1.TypeMeta{Kind: "Node", APIVersion: "v1"}
	var kept []corev1.Node
	for _, have := range s.nodes {
		if have.Name != node.Name {
			kept = append(kept, have)
		}
	}
	if kind != "DELETED" {
		kept = append(kept, node)
	}
	s.nodes = kept
	if silent {
		return
	}
	raw, err := json.Marshal(node)
	if err != nil {
		panic(err)
	}
	event := metav1.WatchEvent{Type: kind}
	event.Object.Raw = raw
	for watch := range s.watches {
		watch <- event
	}
}

func (s *apiServer) closeWatches() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for watch := range s.watches {
		close(watch)
		delete(s.watches, watch)
	}
}

// expire makes open watches end with "too old resource version".
func (s *apiServer) expire() {
	s.mu.Lock()
	event := metav1.WatchEvent{Type: "ERROR"}
	event.Object.Raw = []byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410}`)
	for watch := range s.watches {
		watch <- event
	}
	s.mu.Unlock()
	s.closeWatches()
}

func (s *apiServer) setFail(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = code
}
