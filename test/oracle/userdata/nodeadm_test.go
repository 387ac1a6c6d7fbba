package userdata_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// nodeadm is the real program, of the version that the sandbox's nodes run.
// It asks the instance metadata service for its user data, as on a node; the
// service is ours.
type nodeadm struct {
	url      string
	userData []byte
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

// binary is where the program is. It is built once: what it is built from is
// pinned beside the sandbox.
const binary = "nodeadm"

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "oracle-nodeadm")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", filepath.Join(dir, binary), "github.com/awslabs/amazon-eks-ami/nodeadm/cmd/nodeadm")
	build.Dir = filepath.Join("..", "..", "sandbox", "nodeadm")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build nodeadm: %v\n%s", err, out)
		return 1
	}
	if err := os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func newNodeadm(t testing.TB) *nodeadm {
	t.Helper()
	n := &nodeadm{}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /latest/api/token", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
		fmt.Fprint(w, "token")
	})
	mux.HandleFunc("GET /latest/user-data", func(w http.ResponseWriter, _ *http.Request) {
		if _, err := w.Write(n.userData); err != nil {
			t.Error(err)
		}
	})
	service := httptest.NewServer(mux)
	t.Cleanup(service.Close)
	n.url = service.URL
	return n
}

// answer is what nodeadm makes of user data.
type answer struct {
	// Reads is whether it reads a NodeConfig at all.
	Reads bool
	// Missing is the field for want of which it stops, as in Fault's words.
	Missing string
	// Error is what it ended with.
	Error string
}

// missing are the errors of nodeadm's validation (internal/api/validation.go),
// in its order.
func missing() [][2]string {
	return [][2]string{
		{"Name is missing in cluster configuration", "spec.cluster.name"},
		{"Apiserver endpoint is missing in cluster configuration", "spec.cluster.apiServerEndpoint"},
		{"Certificate authority is missing in cluster configuration", "spec.cluster.certificateAuthority"},
		{"CIDR is missing in cluster configuration", "spec.cluster.cidr"},
		{"cluster ID must be provided for outposts", "spec.cluster.id"},
	}
}

// check is `nodeadm config check`.
func (n *nodeadm) check(t testing.TB, userData []byte) answer {
	t.Helper()
	_, fault := n.run(t, "check", userData)
	for _, m := range missing() {
		if strings.Contains(fault, `"error": "`+m[0]+`"`) {
			return answer{Reads: true, Missing: m[1], Error: fault}
		}
	}
	return answer{Reads: fault == "", Error: fault}
}

// config is a NodeConfig as `nodeadm config dump` writes it.
type config struct {
	Spec struct {
		Cluster struct {
			Name, APIServerEndpoint, CIDR string
			CertificateAuthority          string
		}
		Kubelet struct {
			Config map[string]json.RawMessage
			Flags  []string
		}
		FeatureGates map[string]bool
	}
}

// dump is `nodeadm config dump`, which validates nothing.
func (n *nodeadm) dump(t testing.TB, userData []byte) []byte {
	t.Helper()
	out, fault := n.run(t, "dump", userData)
	if fault != "" {
		t.Fatalf("nodeadm dumps nothing: %s", fault)
	}
	return out
}

func (n *nodeadm) run(t testing.TB, command string, userData []byte) (out []byte, fault string) {
	t.Helper()
	n.userData = userData
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(context.Background(), binary, "config", command, "-c", "imds://user-data")
	cmd.Env = []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + n.url, "GOMAXPROCS=1", "GOGC=off"}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if err != nil {
		return nil, stderr.String()
	}
	return stdout.Bytes(), ""
}
