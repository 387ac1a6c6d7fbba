package clitest

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// Play plays a snapshot: an AWS account and a cluster's API that answer every
// call of the doctor by the facts in it, over the wire, in pages, so that the
// real command reads it back through its real clients. Nothing is ever
// written. Faults are added before the command runs.
type Play struct {
	mu    sync.Mutex
	snap  *snapshot.Snapshot
	aws   *httptest.Server
	kube  *httptest.Server
	calls []string
	tries map[string]int
	done  chan struct{} // closed at the end, so that answers that never come do

	// PageSize is the most that one answer lists, whatever is asked for; 0:
	// what is asked for.
	PageSize int
	// Denied are calls, as Calls has them, that the caller may not make.
	Denied func(call string) bool
	// Throttled is how often calls are refused for coming too fast, by call;
	// -1: always.
	Throttled map[string]int
	// Report is what the agent on a machine prints that is sent a command by
	// SSM; nil: no machine can be sent any.
	Report func(instanceID string) []byte
	// Hangs are calls that are never answered.
	Hangs func(call string) bool
}

// NewPlay plays a snapshot from snapshottest as of now.
func NewPlay(snap *snapshot.Snapshot) *Play {
	p := &Play{
		snap: snap, done: make(chan struct{}), tries: map[string]int{}, Throttled: map[string]int{},
		Denied: func(string) bool { return false }, Hangs: func(string) bool { return false },
	}
	p.aws = httptest.NewServer(http.HandlerFunc(p.serveAWS))
	p.kube = httptest.NewTLSServer(http.HandlerFunc(p.serveKube))
	shift(reflect.ValueOf(snap), time.Since(snap.CollectedAt).Truncate(time.Second))
	p.settle()
	return p
}

// settle makes the API server's address and authority those of the server
// that plays it, wherever the facts have them.
func (p *Play) settle() {
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.kube.Certificate().Raw})
	replace := strings.NewReplacer(
		snapshottest.Endpoint, p.kube.URL, snapshottest.CA(snapshottest.Cluster), string(ca),
		encode([]byte(snapshottest.CA(snapshottest.Cluster))), encode(ca),
	)
	p.snap.Cluster.Endpoint, p.snap.Cluster.CA = replace.Replace(p.snap.Cluster.Endpoint), replace.Replace(p.snap.Cluster.CA)
	for i := range p.snap.Groups {
		launch := &p.snap.Groups[i].Launch
		launch.UserData = replace.Replace(launch.UserData)
	}
	for i := range p.snap.Nodes {
		p.snap.Nodes[i].UserData = replace.Replace(p.snap.Nodes[i].UserData)
	}
}

// shift moves every time in a value.
func shift(v reflect.Value, by time.Duration) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			shift(v.Elem(), by)
		}
	case reflect.Slice:
		for i := range v.Len() {
			shift(v.Index(i), by)
		}
	case reflect.Struct:
		if at, ok := v.Interface().(time.Time); ok {
			if !at.IsZero() {
				v.Set(reflect.ValueOf(at.Add(by)))
			}
			return
		}
		for i := range v.NumField() {
			shift(v.Field(i), by)
		}
	}
}

// Close ends the play.
func (p *Play) Close() {
	close(p.done)
	p.kube.CloseClientConnections()
	p.kube.Close()
	p.aws.CloseClientConnections()
	p.aws.Close()
}

// KillAWS leaves nobody at AWS's address; KillKube nobody at the API server's.
func (p *Play) KillAWS() { p.aws.Close() }

// KillKube leaves nobody at the API server's address.
func (p *Play) KillKube() { p.kube.Close() }

// AWS is the URL of every AWS service.
func (p *Play) AWS() string { return p.aws.URL }

// Kubeconfig is a kubeconfig as `aws eks update-kubeconfig` names things.
func (p *Play) Kubeconfig() string {
	return kubeconfig(snapshottest.Region, snapshottest.AccountID, snapshottest.Cluster, p.kube.URL, []byte(p.snap.Cluster.CA))
}

// Calls lists what was called, sorted: "eks:DescribeCluster", "kube:list nodes".
func (p *Play) Calls() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(slices.Values(p.calls))
}

// Tries is how often a call was sent, each time that the SDK tried it again
// included.
func (p *Play) Tries(call string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tries[call]
}

// trouble notes a call and does what is wrong with it: denied is a refusal,
// throttled one for coming too fast; both false when it is to be answered.
func (p *Play) trouble(r *http.Request, call string) (denied, throttled bool) {
	p.mu.Lock()
	p.tries[call]++
	if !again(r) {
		p.calls = append(p.calls, call)
	}
	left := p.Throttled[call]
	if left > 0 {
		p.Throttled[call]--
	}
	p.mu.Unlock()
	if p.Hangs(call) {
		select {
		case <-p.done:
		case <-r.Context().Done():
		}
	}
	return p.Denied(call), left != 0
}

// page cuts the part of a list of so many out that a token asks for.
func (p *Play) page(total int, token string, asked int) (from, to int, next string) {
	from, err := strconv.Atoi(token)
	if err != nil {
		from = 0
	}
	size := total
	for _, limit := range []int{asked, p.PageSize} {
		if limit > 0 {
			size = min(size, limit)
		}
	}
	if to = min(from+size, total); to < total {
		next = strconv.Itoa(to)
	}
	return min(from, total), to, next
}

func kubeconfig(region, account, cluster, server string, ca []byte) string {
	name := fmt.Sprintf("arn:aws:eks:%s:%s:cluster/%s", region, account, cluster)
	return fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: %[1]s
contexts: [{name: %[1]q, context: {cluster: %[1]q, user: me}}]
clusters: [{name: %[1]q, cluster: {server: %[2]q, certificate-authority-data: %[3]s}}]
users: [{name: me, user: {token: t}}]
`, name, server, encode(ca))
}

// Snapshot is what is played.
func (p *Play) Snapshot() *snapshot.Snapshot { return p.snap }
