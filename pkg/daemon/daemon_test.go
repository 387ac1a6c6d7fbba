package daemon

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/hostreport"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

var update = flag.Bool("update", false, "write the golden files")

func otherAuthority(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// fakeMachine is a healthy one, or one with a full disk.
type fakeMachine struct {
	full  bool
	looks []string // "all", "local"
	facts snapshot.Host
}

func (m *fakeMachine) Read(context.Context) snapshot.Host {
	m.looks = append(m.looks, "all")
	return m.facts
}

func (m *fakeMachine) ReadOnly(_ context.Context, names ...snapshot.Probe) snapshot.Host {
	m.looks = append(m.looks, "local")
	facts := m.facts
	if slices.Contains(names, snapshot.ProbeIdentity) || slices.Contains(names, snapshot.ProbeToken) || slices.Contains(names, snapshot.ProbeSelfReview) {
		m.looks = append(m.looks, "and AWS")
	}
	facts.Identity, facts.Token, facts.SelfReview = nil, nil, nil
	return facts
}

type rig struct {
	*Daemon
	machine  *fakeMachine
	api      *fakeAPI
	clock    *clock
	out, log bytes.Buffer
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{machine: &fakeMachine{facts: *snapshottest.Host("i-0000000000000000a")}, api: &fakeAPI{}, clock: newClock()}
	r.Daemon = &Daemon{
		Machine: r.machine, API: r.api, Version: "v0.0.1", Out: &r.out, Log: &r.log, Now: func() time.Time { return r.clock.now },
		Judge: func(facts *snapshot.Host) report.Report {
			if facts.Identity == nil || facts.Token == nil || facts.SelfReview == nil {
				t.Error("what AWS and the cluster told is forgotten")
			}
			if r.machine.full {
				return *verdictOf(finding("os.disk-full", report.Fail, "/ is full"), finding("os.disk-full", report.Fail, "/var is full"))
			}
			return *verdictOf(finding("os.disk-full", report.Pass, "there is space"))
		},
	}
	r.once.Do(r.prepare)
	return r
}

// next looks, and lets the time pass that it asks for.
func (r *rig) next() time.Duration {
	pause := r.look(context.Background())
	r.clock.pass(pause)
	return pause
}

// A state has to be seen twice in a row before it is told, and is looked at
// again soon; then it is told at once.
func TestOnlyWhatStaysIsTold(t *testing.T) {
	r := newRig(t)
	for i, step := range []struct {
		full  bool
		pause time.Duration
		want  []string
	}{
		{false, DefaultInterval, []string{"read", "set True"}},
		{false, DefaultInterval, nil},
		{true, confirmAfter, nil},
		{false, confirmAfter, nil}, // it has passed
		{false, DefaultInterval, nil},
		{true, confirmAfter, nil},
		{true, DefaultInterval, []string{"set False", "Warning ChecksFail: os.disk-full: / is full"}},
		{true, DefaultInterval, nil},
		{false, confirmAfter, nil},
		{false, DefaultInterval, []string{"set True", "Normal NothingFails: no check fails"}},
	} {
		r.machine.full = step.full
		if pause := r.next(); pause != step.pause {
			t.Errorf("step %d: looks again after %s, want %s", i, pause, step.pause)
		}
		if diff := cmp.Diff(step.want, r.api.took()); diff != "" {
			t.Errorf("step %d: %s", i, diff)
		}
	}
}

// Whole reports are printed, a line each, when the state changes and now and
// then.
func TestReportsArePrinted(t *testing.T) {
	r := newRig(t)
	r.next()
	r.next()
	lines := func() int { return strings.Count(r.out.String(), "\n") }
	if lines() != 1 {
		t.Errorf("%d reports of one state", lines())
	}
	document, err := hostreport.Decode(strings.NewReader(r.out.String()))
	if err != nil || document.Facts.System.InstanceID != "i-0000000000000000a" || document.AgentVersion != "v0.0.1" {
		t.Errorf("%+v, %v", document, err)
	}
	r.machine.full = true
	r.next()
	r.next()
	if lines() != 2 {
		t.Errorf("%d reports of two states", lines())
	}
	r.clock.pass(reportEvery)
	r.next()
	if lines() != 3 {
		t.Errorf("%d reports after a time", lines())
	}
	if want := "True NothingFails: no check fails\nFalse ChecksFail: os.disk-full: / is full\n"; !strings.HasPrefix(r.log.String(), want) {
		t.Errorf("log is %q", r.log.String())
	}
}

// AWS and the cluster are asked seldom while they know the machine, and each
// time while they do not.
func TestRemoteIsAskedSeldom(t *testing.T) {
	r := newRig(t)
	for range 20 { // 400 seconds
		r.next()
	}
	if n := count(r.machine.looks, "all"); n != 2 || slices.Contains(r.machine.looks, "and AWS") {
		t.Errorf("looks are %q", r.machine.looks)
	}
	refused := *r.machine.facts.SelfReview
	refused.Failure = &snapshot.HostFailure{Kind: snapshot.FailDenied}
	r.machine.facts.SelfReview, r.machine.looks = &refused, nil
	for range 20 {
		r.next()
	}
	if n := count(r.machine.looks, "all"); n < 5 {
		t.Errorf("looks at a machine that is refused are %q", r.machine.looks)
	}
}

func count(all []string, one string) (n int) {
	for _, text := range all {
		if text == one {
			n++
		}
	}
	return n
}

// A cluster that cannot be told is no reason to stop looking.
func TestClusterIsAway(t *testing.T) {
	r := newRig(t)
	r.api.err = io.ErrUnexpectedEOF
	r.next()
	if !strings.Contains(r.log.String(), "read the node's condition: unexpected EOF") {
		t.Errorf("log is %q", r.log.String())
	}
	r.api.err = nil
	r.next()
	if diff := cmp.Diff([]string{"read", "read", "set True"}, r.api.took()); diff != "" {
		t.Error(diff)
	}
}

func get(t *testing.T, server *httptest.Server, path string) (int, string) {
	t.Helper()
	response, err := http.Get(server.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestMetricsAndHealth(t *testing.T) {
	r := newRig(t)
	server := httptest.NewServer(r.Handler())
	t.Cleanup(server.Close)
	if code, body := get(t, server, "/healthz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "not looked yet") {
		t.Errorf("before the first look: %d %s", code, body)
	}
	if _, body := get(t, server, "/metrics"); strings.Contains(body, "node_agent_healthy") {
		t.Errorf("a state before the first look:\n%s", body)
	}
	r.machine.full = true
	r.next()
	if code, body := get(t, server, "/healthz"); code != http.StatusOK || body != "ok\n" {
		t.Errorf("%d %s", code, body)
	}
	code, body := get(t, server, "/metrics")
	if code != http.StatusOK {
		t.Errorf("%d", code)
	}
	golden := filepath.Join("testdata", "metrics.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), body); diff != "" {
		t.Errorf("-update writes it: %s", diff)
	}
	r.clock.pass(10 * time.Minute)
	if code, body := get(t, server, "/healthz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "ago") {
		t.Errorf("after ten minutes without a look: %d %s", code, body)
	}
}

// Serve and Run end with the context, and that is no error.
func TestEnd(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(context.Background())
	listener, err := Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ends := make(chan error, 2)
	go func() { ends <- r.Serve(ctx, listener) }()
	go func() { ends <- r.Run(ctx) }()
	if response, err := http.Get("http://" + listener.Addr().String() + "/metrics"); err != nil {
		t.Error(err)
	} else if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
	cancel()
	for range 2 {
		if err := <-ends; err != nil {
			t.Error(err)
		}
	}
}

func TestEscapeLabel(t *testing.T) {
	if got := escapeLabel("a\"b\\c\nd"); got != `a\"b\\c\nd` {
		t.Errorf("got %s", got)
	}
}
