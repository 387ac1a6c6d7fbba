package harness

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/calllog"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/netns"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/seat"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/supervise"
)

// dial connects from the user's seat. The sandbox's names mean nothing outside
// of it, so they are replaced by the addresses that its DNS server gives.
func (s *Sandbox) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	switch {
	case host == layout.EndpointHost:
		host = layout.ControlPlaneIP
	case strings.HasSuffix(host, ".amazonaws.com"):
		host = layout.AWSIP
	}
	path, err := s.seat()
	if err != nil {
		return nil, err
	}
	return netns.DialerAt(path)(ctx, network, net.JoinHostPort(host, port))
}

// seat is the user's network namespace as seen from outside the sandbox.
func (s *Sandbox) seat() (string, error) {
	pid, ok := supervise.Find(s.Sandbox)
	if !ok {
		return "", fmt.Errorf("sandbox %s does not run", s.Name)
	}
	return filepath.Join("/proc", strconv.Itoa(pid), "root", netns.Path(layout.NetLaptop)), nil
}

// Kube is a client of the API server with a certificate of system:masters: it
// works whatever the authenticator says.
func (s *Sandbox) Kube(t testing.TB) kubernetes.Interface {
	t.Helper()
	return s.kube(t, func(config *rest.Config) *rest.Config { return config })
}

// KubeAs is a client of the API server with a bearer token and nothing else.
func (s *Sandbox) KubeAs(t testing.TB, token string) kubernetes.Interface {
	t.Helper()
	return s.kube(t, func(config *rest.Config) *rest.Config {
		config = rest.AnonymousClientConfig(config)
		config.BearerToken = token
		return config
	})
}

func (s *Sandbox) kube(t testing.TB, edit func(*rest.Config) *rest.Config) kubernetes.Interface {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", s.AdminKubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	config = edit(config)
	config.Dial = s.dial
	config.QPS, config.Burst = 200, 400
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// AWS is a client configuration of the sandbox's account, as the user alice.
func (s *Sandbox) AWS(t testing.TB) aws.Config {
	t.Helper()
	pem, err := os.ReadFile(s.AWSCA())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("%s holds no certificate", s.AWSCA())
	}
	profile, err := seat.Load(s.Sandbox)
	if err != nil {
		t.Fatal(err)
	}
	return aws.Config{
		Region:      layout.Region,
		Credentials: credentials.NewStaticCredentialsProvider(profile.AccessKeyID, profile.SecretAccessKey, ""),
		HTTPClient: &http.Client{
			Timeout:   time.Minute,
			Transport: &http.Transport{DialContext: s.dial, TLSClientConfig: &tls.Config{RootCAs: roots}},
		},
	}
}

// AuditEvent is what the tests need of one event of the API server's audit log.
type AuditEvent struct {
	Stage     string `json:"stage"`
	Verb      string `json:"verb"`
	UserAgent string `json:"userAgent"`
	URI       string `json:"requestURI"`
	User      struct {
		Username string   `json:"username"`
		Groups   []string `json:"groups"`
	} `json:"user"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	StageTimestamp time.Time `json:"stageTimestamp"`
}

// Audit returns the finished requests since the time whose user agent starts
// with the prefix.
func (s *Sandbox) Audit(t testing.TB, since time.Time, userAgent string) []AuditEvent {
	t.Helper()
	file, err := os.Open(s.AuditLog())
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var events []AuditEvent
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var event AuditEvent
		if err := json.Unmarshal(scanner.Bytes(), &event); err != nil {
			t.Fatalf("audit log: %v", err)
		}
		if event.Stage == "ResponseComplete" && event.StageTimestamp.After(since) && strings.HasPrefix(event.UserAgent, userAgent) {
			events = append(events, event)
		}
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return events
}

// Writes keeps the events that changed something.
func Writes(events []AuditEvent) []AuditEvent {
	var writes []AuditEvent
	for _, event := range events {
		switch event.Verb {
		case "create", "update", "patch", "delete", "deletecollection":
			if !strings.Contains(event.URI, "/apis/authentication.k8s.io/") && !strings.Contains(event.URI, "/apis/authorization.k8s.io/") {
				writes = append(writes, event)
			}
		}
	}
	return writes
}

// Calls returns the AWS calls since the sequence number, made from the user's seat.
func (s *Sandbox) Calls(t testing.TB, since int64) []calllog.Record {
	t.Helper()
	var all []calllog.Record
	if err := json.Unmarshal([]byte(s.Driver(t, "calls", "-o", "json")), &all); err != nil {
		t.Fatalf("call log: %v", err)
	}
	var calls []calllog.Record
	for _, call := range all {
		if call.Seq > since && call.Source == layout.LaptopIP {
			calls = append(calls, call)
		}
	}
	return calls
}

// LastCall is the sequence number of the latest call, to count from.
func (s *Sandbox) LastCall(t testing.TB) int64 {
	t.Helper()
	calls := s.Calls(t, 0)
	if len(calls) == 0 {
		return 0
	}
	return calls[len(calls)-1].Seq
}

// DialFrom connects from an instance, as a program on it would.
func (s *Sandbox) DialFrom(ctx context.Context, instanceID, address string) (net.Conn, error) {
	pid, ok := supervise.Find(s.Sandbox)
	if !ok {
		return nil, fmt.Errorf("sandbox %s does not run", s.Name)
	}
	path := filepath.Join("/proc", strconv.Itoa(pid), "root", netns.Path(instanceID))
	return netns.DialerAt(path)(ctx, "tcp", address)
}
