package daemon

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// account are a service account's files.
func account(t *testing.T, ca []byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string][]byte{"ca.crt": ca, "token": []byte("first\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func certificate(server *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

// Requests are those that the API server takes, with the token that the
// kubelet has put there last, and nothing of the node but its condition is in
// a patch.
func TestRequests(t *testing.T) {
	var got []string
	var sent any
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, strings.Join([]string{r.Method, r.URL.Path, r.Header.Get("Content-Type"), r.Header.Get("Authorization")}, " "))
		body, _ := io.ReadAll(r.Body)
		sent = nil
		_ = json.Unmarshal(body, &sent)
		_, _ = io.WriteString(w, `{"status":{"conditions":[{"type":"Ready","status":"True"},{"type":"`+ConditionType+`","status":"False","reason":"r","message":"m"}]}}`)
	}))
	t.Cleanup(server.Close)
	dir := account(t, certificate(server))
	cluster, err := Connect(server.URL, dir, "n1", "test")
	if err != nil {
		t.Fatal(err)
	}
	condition, err := cluster.Condition(t.Context())
	if err != nil || condition == nil || condition.Status != False || condition.Message != "m" {
		t.Fatalf("%+v, %v", condition, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("second"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := cluster.SetCondition(t.Context(), Condition{Type: ConditionType, Status: True, Reason: "r", Message: "m", LastHeartbeatTime: at, LastTransitionTime: at}); err != nil {
		t.Fatal(err)
	}
	patch := map[string]any{"status": map[string]any{"conditions": []any{map[string]any{
		"type": ConditionType, "status": "True", "reason": "r", "message": "m", "lastHeartbeatTime": "2026-01-02T03:04:05Z", "lastTransitionTime": "2026-01-02T03:04:05Z",
	}}}}
	if diff := cmp.Diff(any(patch), sent); diff != "" {
		t.Error(diff)
	}
	if err := cluster.Tell(t.Context(), "Warning", "r", "m", at); err != nil {
		t.Fatal(err)
	}
	if event, ok := sent.(map[string]any); !ok || event["reason"] != "r" || event["involvedObject"].(map[string]any)["name"] != "n1" {
		t.Errorf("event %v", sent)
	}
	if diff := cmp.Diff([]string{
		"GET /api/v1/nodes/n1  Bearer first",
		"PATCH /api/v1/nodes/n1/status application/strategic-merge-patch+json Bearer second",
		"POST /api/v1/namespaces/default/events application/json Bearer second",
	}, got); diff != "" {
		t.Error(diff)
	}
}

// Refusals say what the API server says; no error holds the token.
func TestRefusals(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"kind":"Status","message":"nodes \"n1\" is forbidden\u001b[2J"}`)
	}))
	t.Cleanup(server.Close)
	cluster, err := Connect(server.URL, account(t, certificate(server)), "n1", "test")
	if err != nil {
		t.Fatal(err)
	}
	var refused *StatusError
	if _, err := cluster.Condition(t.Context()); !errors.As(err, &refused) || refused.Code != http.StatusForbidden || strings.Contains(err.Error(), "\x1b") || !strings.Contains(err.Error(), "is forbidden") {
		t.Errorf("%v", err)
	}
	server.Close()
	if _, err := cluster.Condition(t.Context()); err == nil || strings.Contains(err.Error(), "first") {
		t.Errorf("%v", err)
	}
}

// Another authority than the service account's is not trusted with the token.
func TestOnlyTheClusterIsTold(t *testing.T) {
	asked := false
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true })
	server, other := httptest.NewTLSServer(handler), otherAuthority(t)
	t.Cleanup(server.Close)
	cluster, err := Connect(server.URL, account(t, other), "n1", "test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cluster.Condition(context.Background()); err == nil || asked {
		t.Errorf("asked %v, %v", asked, err)
	}
	for name, test := range map[string]struct{ server, dir string }{
		"http":         {"http://127.0.0.1", account(t, other)},
		"nothing":      {"", account(t, other)},
		"no authority": {"https://127.0.0.1", account(t, []byte("x"))},
		"no account":   {"https://127.0.0.1", t.TempDir()},
	} {
		if _, err := Connect(test.server, test.dir, "n1", "test"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestInCluster(t *testing.T) {
	for want, environment := range map[string]map[string]string{
		"":                          {},
		"https://10.100.0.1:443":    {"KUBERNETES_SERVICE_HOST": "10.100.0.1"},
		"https://[fd00::1]:6443":    {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"},
		"https://kubernetes.x:8443": {"KUBERNETES_SERVICE_HOST": "kubernetes.x", "KUBERNETES_SERVICE_PORT": "8443"},
	} {
		if got := InCluster(func(name string) string { return environment[name] }); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
