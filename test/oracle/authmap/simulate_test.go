package authmap_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/test/oracle/generate"
)

var (
	clusters = flag.Uint64("clusters", simulatedClusters, "generated clusters to compare, at least")
	compare  = flag.Duration("for", 0, "go on comparing for so long")
	first    = flag.Uint64("seed", 0, "seed of the first cluster")
)

func modes() []authmap.Mode {
	return []authmap.Mode{authmap.ModeAPI, authmap.ModeAPIAndConfigMap, authmap.ModeConfigMap}
}

// TestSimulateAgreesWithTheAuthenticator asks the real server and Simulate
// about the same clusters and callers.
func TestSimulateAgreesWithTheAuthenticator(t *testing.T) {
	a := newAuthenticator(t)
	count := tally{}
	start := time.Now()
	seed := *first
	for ; seed < *first+*clusters || time.Since(start) < *compare; seed++ {
		g := generate.New(seed)
		c := g.Cluster()
		a.load(t, c)
		for _, caller := range g.Callers(c) {
			for _, mode := range modes() {
				count.add(a.compare(t, mode, c, caller))
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d\nmap %q\nentries %+v", seed, c.AWSAuth, c.Entries)
		}
	}
	t.Logf("%d clusters, %s in %s", seed-*first, count, time.Since(start).Round(time.Second))
	for _, outcome := range []authmap.Outcome{
		authmap.OutcomeMapped, authmap.OutcomeNotMapped, authmap.OutcomeStaleEntry, authmap.OutcomeTemplate, authmap.OutcomeBadARN,
	} {
		if count[outcome] < int(*clusters)/20 {
			t.Errorf("only %d answers were %q: the comparison shows little", count[outcome], outcome)
		}
	}
}

// compare asks both, and gives Simulate's outcome.
func (a *authenticator) compare(t testing.TB, mode authmap.Mode, c generate.Cluster, caller generate.Caller) authmap.Outcome {
	t.Helper()
	got := authmap.Simulate(authmap.Identity{
		ARN: caller.ARN, UserID: caller.UserID, AccessKeyID: caller.AccessKeyID, PrivateDNSName: dnsName,
	}, mode, c.Entries, c.AWSAuth)
	want := a.ask(t, mode, caller)
	for range 200 {
		if equal(got, want) || !got.Ambiguous {
			break
		}
		want = a.ask(t, mode, caller) // it draws lots
	}
	if !equal(got, want) {
		t.Errorf("mode %s, caller %+v\nthe authenticator says %+v\n         Simulate says %+v", mode, caller, want, got)
	}
	return got.Outcome
}

func equal(v authmap.Verdict, a answer) bool {
	template := strings.Contains(a.Refusal, "renderTemplates error")
	switch v.Outcome {
	case authmap.OutcomeMapped:
		return a.Allowed && v.Username == a.Username && slices.Equal(v.Groups, a.Groups)
	case authmap.OutcomeTemplate:
		return template
	case authmap.OutcomeBadARN:
		return a.BadARN
	}
	return !a.Allowed && !template && !a.BadARN
}

// tally counts outcomes.
type tally map[authmap.Outcome]int

func (c tally) add(o authmap.Outcome) { c[o]++ }

func (c tally) String() string {
	var all int
	var parts []string
	for _, o := range slices.Sorted(maps.Keys(c)) {
		all += c[o]
		parts = append(parts, fmt.Sprintf("%d %s", c[o], o))
	}
	return fmt.Sprintf("%d answers equal (%s)", all, strings.Join(parts, ", "))
}

// FuzzSimulate lets the fuzzer write the map and the caller.
func FuzzSimulate(f *testing.F) {
	for seed := range uint64(40) {
		g := generate.New(seed)
		c := g.Cluster()
		for _, caller := range g.Callers(c) {
			f.Add(c.AWSAuth[authmap.KeyRoles], c.AWSAuth[authmap.KeyUsers], c.AWSAuth[authmap.KeyAccounts], caller.ARN, caller.SessionName, "STANDARD", "x")
		}
	}
	a := newAuthenticator(f)
	f.Fuzz(func(t *testing.T, roles, users, accounts, arn, session, entryType, username string) {
		if !jsonSafe(roles, users, accounts, arn, session, username) {
			t.Skip("no ConfigMap and no ARN holds bytes that are not UTF-8")
		}
		c := generate.Cluster{AWSAuth: map[string]string{authmap.KeyRoles: roles, authmap.KeyUsers: users, authmap.KeyAccounts: accounts}}
		if stripped, err := authmap.StripPath(arn); err == nil && strings.Contains(stripped, ":role/") && (entryType == "STANDARD" || entryType == "EC2_LINUX") {
			c.Entries = []authmap.AccessEntry{{PrincipalARN: arn, Type: entryType, Username: username}}
		}
		caller := generate.CallerOf(arn, session)
		a.load(t, c)
		for _, mode := range modes() {
			a.compare(t, mode, c, caller)
		}
	})
}
