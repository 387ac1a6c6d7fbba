package authmap

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/aws-iam-authenticator/pkg/arn"
	"sigs.k8s.io/aws-iam-authenticator/pkg/config"
	"sigs.k8s.io/aws-iam-authenticator/pkg/errutil"
	"sigs.k8s.io/aws-iam-authenticator/pkg/mapper/configmap"
	"sigs.k8s.io/aws-iam-authenticator/pkg/token"
)

// watchedMap is the authenticator's own ConfigMap backend, fed by a watch.
type watchedMap struct {
	*configmap.ConfigMapMapper
	events chan map[string]string
	count  int
}

func newWatchedMap(t *testing.T) *watchedMap {
	t.Helper()
	w := &watchedMap{events: make(chan map[string]string)}
	done := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json;stream=watch")
		rw.WriteHeader(http.StatusOK)
		for {
			select {
			case <-done:
				return
			case data := <-w.events:
				if err := json.NewEncoder(rw).Encode(map[string]any{"type": "MODIFIED", "object": map[string]any{
					"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "aws-auth"}, "data": data,
				}}); err != nil {
					t.Error(err)
				}
				rw.(http.Flusher).Flush()
			}
		}
	}))
	cm, err := configmap.NewConfigMapMapper(config.Config{Master: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	w.ConfigMapMapper = cm
	stop := make(chan struct{})
	if err := w.Start(stop); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		close(stop)
		close(done)
		server.Close()
	})
	return w
}

// load hands a map to the backend and waits until it is in use, which an
// account number of its own shows.
func (w *watchedMap) load(t *testing.T, data map[string]string) {
	t.Helper()
	w.count++
	mark := fmt.Sprintf("mark-%d", w.count)
	data[KeyAccounts] = "- " + mark + "\n- \"444455556666\"\n"
	w.events <- data
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(200 * time.Microsecond)
	defer tick.Stop()
	for !w.IsAccountAllowed(mark) {
		select {
		case <-deadline.C:
			t.Fatalf("the authenticator did not take the map %q", data)
		case <-tick.C:
		}
	}
}

// entryMapper looks access entries up as the authenticator's DynamicFile
// backend does in strict mode (pkg/mapper/dynamicfile/mapper.go): by the
// unique id, after which the ARN must match as well. The package itself would
// bring a file watcher into the module's requirements.
type entryMapper map[string]AccessEntry

func newEntryMapper(entries []AccessEntry) entryMapper {
	m := entryMapper{}
	for _, e := range entries {
		m[e.PrincipalID] = e
	}
	return m
}

func (m entryMapper) Map(id *token.Identity) (*config.IdentityMapping, error) {
	e, ok := m[id.UserID]
	if !ok {
		return nil, errutil.ErrNotMapped
	}
	stripped, err := arn.StripPath(e.PrincipalARN)
	if err != nil || !strings.EqualFold(stripped, id.CanonicalARN) {
		return nil, errutil.ErrIDAndARNMismatch
	}
	username, groups := e.user()
	return &config.IdentityMapping{Username: username, Groups: groups}, nil
}

func (m entryMapper) IsAccountAllowed(string) bool { return false }

// backend is what the server asks of each of its backends.
type backend interface {
	Map(*token.Identity) (*config.IdentityMapping, error)
	IsAccountAllowed(accountID string) bool
}

// askOracle goes through the backends as the authenticator's server does
// (doMapping in pkg/server).
func askOracle(id *token.Identity, mappers []backend) (*config.IdentityMapping, error) {
	for _, m := range mappers {
		mapping, err := m.Map(id)
		if err == nil {
			return mapping, nil
		}
		if !errors.Is(err, errutil.ErrNotMapped) && !errors.Is(err, errutil.ErrIDAndARNMismatch) {
			return nil, err
		}
		if m.IsAccountAllowed(id.AccountID) {
			return &config.IdentityMapping{Username: id.CanonicalARN, Groups: []string{}}, nil
		}
	}
	return nil, errutil.ErrNotMapped
}

// TestSimulateAgreesWithTheAuthenticator asks the authenticator's own backends
// and Simulate about the same generated maps, entries and identities.
func TestSimulateAgreesWithTheAuthenticator(t *testing.T) {
	watched := newWatchedMap(t)
	mapped := 0
	for seed := range uint64(simulatedMaps) {
		g := newGen(seed)
		data := g.data()
		watched.load(t, data)
		entries := g.entries()
		files := newEntryMapper(entries)
		for _, id := range g.identities(data, entries) {
			for mode, mappers := range map[Mode][]backend{
				ModeAPI: {files}, ModeConfigMap: {watched}, ModeAPIAndConfigMap: {files, watched},
			} {
				want, err := askOracle(id, mappers)
				ours := Identity{ARN: id.ARN, UserID: id.UserID}
				got := Simulate(ours, mode, entries, data)
				if err == nil {
					mapped++
				}
				checkVerdict(t, ours, got, want)
				if t.Failed() {
					t.Fatalf("seed %d, mode %s, identity %+v\nentries %+v\nmap %q", seed, mode, id, entries, data)
				}
			}
		}
	}
	if mapped < 300 {
		t.Errorf("only %d identities were mapped: the comparison shows little", mapped)
	}
}

// checkVerdict compares with the authenticator's mapping, which still has its
// templates; nil means that it refuses.
func checkVerdict(t *testing.T, id Identity, got Verdict, want *config.IdentityMapping) {
	t.Helper()
	if want == nil {
		if got.Outcome != OutcomeNotMapped && got.Outcome != OutcomeStaleEntry {
			t.Errorf("the authenticator refuses, Simulate says %+v", got)
		}
		return
	}
	id, _, err := id.complete()
	if err != nil {
		t.Fatal(err)
	}
	username, err := id.render(want.Username)
	groups := []string{}
	for _, g := range want.Groups {
		rendered, groupErr := id.render(g)
		err = errors.Join(err, groupErr)
		groups = append(groups, rendered)
	}
	switch {
	case err != nil && got.Outcome != OutcomeTemplate:
		t.Errorf("a template does not apply (%v), Simulate says %+v", err, got)
	case err == nil && (got.Outcome != OutcomeMapped || got.Username != username || !slices.Equal(got.Groups, groups)):
		t.Errorf("the authenticator says %q %q, Simulate %+v", username, groups, got)
	}
}

func (g gen) entries() []AccessEntry {
	var out []AccessEntry
	for range g.IntN(4) {
		arn := g.arn()
		if slices.ContainsFunc(out, func(e AccessEntry) bool { return e.PrincipalARN == arn }) {
			continue // EKS has one entry per principal
		}
		out = append(out, AccessEntry{
			PrincipalARN: arn, Type: g.pick("EC2_LINUX", "STANDARD", "EC2_WINDOWS", "FARGATE_LINUX"),
			PrincipalID: fmt.Sprintf("AROA%d", len(out)),
		})
	}
	return out
}

// identities are those that the map and the entries mean, rightly or not, and
// strangers.
func (g gen) identities(data map[string]string, entries []AccessEntry) []*token.Identity {
	var out []*token.Identity
	add := func(roleARN, userID string) {
		id := &token.Identity{UserID: userID, SessionName: g.pick("i-0123456789abcdef0", "i-01234567", "ann")}
		stripped, err := arn.StripPath(roleARN)
		if err != nil || !strings.Contains(stripped, ":role/") {
			return
		}
		id.ARN = strings.Replace(strings.Replace(stripped, ":role/", ":assumed-role/", 1), ":iam:", ":sts:", 1) + "/" + id.SessionName
		if _, id.CanonicalARN, err = arn.Canonicalize(id.ARN); err != nil {
			return
		}
		id.AccountID = strings.Split(id.ARN, ":")[4]
		out = append(out, id)
	}
	for _, r := range Parse(data).Roles {
		add(r.RoleARN, "AROAX")
	}
	for i, e := range entries {
		add(e.PrincipalARN, g.pick(e.PrincipalID, fmt.Sprintf("AROANEW%d", i)))
	}
	add("arn:aws:iam::444455556666:role/stranger", "AROAY")
	add("arn:aws:iam::777788889999:role/stranger", "AROAZ")
	return out
}
