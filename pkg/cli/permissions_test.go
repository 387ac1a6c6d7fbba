package cli

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/check"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// permission is one thing that a caller may be denied: an action of AWS, or
// one rule of the cluster's RBAC.
type permission struct {
	name     string
	sections []snapshot.Section
	denies   func(call string) bool
}

// allPermissions are all that reading any section takes, each once.
func allPermissions() []permission {
	var all []permission
	add := func(section snapshot.Section, name string, denies func(string) bool) {
		if i := slices.IndexFunc(all, func(p permission) bool { return p.name == name }); i >= 0 {
			all[i].sections = append(all[i].sections, section)
			return
		}
		all = append(all, permission{name, []snapshot.Section{section}, denies})
	}
	for section, takes := range snapshot.Permissions() {
		for _, action := range takes.Actions {
			add(section, action, func(call string) bool { return call == action })
		}
		for _, rule := range takes.RBAC {
			add(section, rule.String(), func(call string) bool { return ruleCovers(rule, call) })
		}
	}
	for i := range all {
		slices.Sort(all[i].sections)
	}
	slices.SortFunc(all, func(a, b permission) int {
		return cmp.Or(cmp.Compare(strings.Count(a.name, " "), strings.Count(b.name, " ")), cmp.Compare(a.name, b.name))
	})
	return all
}

// ruleCovers reports whether a call to the API server takes the rule.
func ruleCovers(rule snapshot.RBACRule, call string) bool {
	for _, verb := range rule.Verbs {
		want := "kube:" + verb + " " + rule.Resource
		if len(rule.Names) > 0 {
			want += "/" + rule.Names[0]
		}
		if rule.Namespace != "" {
			want += " in " + rule.Namespace
		}
		if call == want {
			return true
		}
	}
	return false
}

// healthyPlay is a cluster in which nothing fails; brokenPlay one of whose
// machines none is let in, so that they are silent and are looked into.
func healthyPlay() *snapshot.Snapshot { return snapshottest.Healthy() }

func brokenPlay() *snapshot.Snapshot {
	return snapshottest.Healthy(func(s *snapshot.Snapshot) {
		s.Access.Entries, s.Access.AwsAuth = nil, &snapshot.AwsAuth{Data: map[string]string{"mapRoles": "# nobody\n"}}
		for i := range s.Nodes {
			s.Nodes[i].Kube = nil
		}
		s.Kube.System.Pods, s.Kube.System.Leases, s.Kube.System.CSRs = nil, nil, nil
	})
}

// permissionRow is what the doctor says without one permission.
type permissionRow struct {
	permission
	asked           bool // a call was refused for it
	healthy, broken played
}

// TestEachPermissionDenied denies one permission at a time. Nothing passes
// that did not pass with all of them; what could not be seen is a named
// unknown; the exit says so; and a fault is not taken for health.
func TestEachPermissionDenied(t *testing.T) {
	none := func(string) bool { return false }
	whole, _ := denied(t, healthyPlay(), none)
	if whole.code != exitOK {
		t.Fatalf("healthy: exit %d", whole.code)
	}
	fault, _ := denied(t, brokenPlay(), none)
	if fault.code != exitFails || fault.first() != "auth.role-not-mapped" {
		t.Fatalf("broken: exit %d, first %s", fault.code, fault.first())
	}
	var rows []permissionRow
	for _, p := range allPermissions() {
		t.Run(p.name, func(t *testing.T) {
			row := permissionRow{permission: p}
			var refused, refusedToo bool
			row.healthy, refused = denied(t, healthyPlay(), p.denies)
			row.broken, refusedToo = denied(t, brokenPlay(), p.denies)
			row.asked = refused || refusedToo
			row.isHonest(t, refused, &whole)
			row.isNotFooled(t, &fault)
			rows = append(rows, row)
		})
	}
	upToDate(t, filepath.Join("..", "..", "docs", "permissions.md"), permissionsPage(rows))
}

// denied runs the doctor over a play of its own, as a caller who may not make
// some calls; refused says whether it tried to.
func denied(t *testing.T, snap *snapshot.Snapshot, denies func(string) bool) (got played, refused bool) {
	t.Helper()
	p := play(t, snap)
	p.Denied = denies
	got = run(t)
	return got, slices.ContainsFunc(p.Calls(), denies)
}

// isHonest holds that a healthy cluster is found healthy by what was seen
// alone, and that what was not seen is said.
func (row *permissionRow) isHonest(t *testing.T, refused bool, whole *played) {
	t.Helper()
	got := &row.healthy
	if got.verdict.Counts.Fail > 0 || got.code != exitOK && got.code != exitInconclusive {
		t.Errorf("exit %d, fails %v", got.code, got.with(report.Fail))
	}
	passes, before := got.with(report.Pass), whole.with(report.Pass)
	for _, id := range passes {
		if !slices.Contains(before, id) {
			t.Errorf("%s passes without it only", id)
		}
	}
	if !refused {
		if got.code != exitOK || len(passes) != len(before) {
			t.Errorf("it was not asked for, but the verdict is another: exit %d, %d pass", got.code, len(passes))
		}
		return
	}
	for _, c := range check.Standing() {
		if needs := slices.ContainsFunc(row.sections, func(s snapshot.Section) bool { return slices.Contains(c.Needs, s) }); needs && slices.Contains(passes, c.ID) && row.gapped(got) {
			t.Errorf("%s passes without what it needs", c.ID)
		}
	}
	if len(passes) == len(before) {
		return // nothing hung on it: what was read elsewhere decides
	}
	if got.code != exitInconclusive || !got.names(row.name) {
		t.Errorf("exit %d, and no unknown names it", got.code)
	}
}

// gapped reports whether a whole section is missing for the denial.
func (row *permissionRow) gapped(got *played) bool {
	for _, finding := range got.verdict.Findings {
		if finding.Status == report.Unknown && slices.ContainsFunc(row.sections, func(s snapshot.Section) bool { return finding.Evidence[0].Source == string(s) }) {
			return len(finding.Subjects) == 0 || finding.Kind != report.KindMachine
		}
	}
	return false
}

// isNotFooled holds that a fault is found, or not known: no other is made up,
// and it is never health.
func (row *permissionRow) isNotFooled(t *testing.T, fault *played) {
	t.Helper()
	got := &row.broken
	if got.code != exitFails && got.code != exitInconclusive {
		t.Errorf("broken: exit %d", got.code)
	}
	for _, status := range []report.Status{report.Fail, report.Pass} {
		for _, id := range got.with(status) {
			if !slices.Contains(fault.with(status), id) {
				t.Errorf("broken: %s is %s without it only", id, status)
			}
		}
	}
}

// names reports whether an unknown says what is denied: the action, or the
// resource of the cluster's API.
func (p *played) names(permission string) bool {
	word := permission
	if _, rest, isRule := strings.Cut(permission, " "); isRule {
		word = strings.FieldsFunc(rest, func(r rune) bool { return strings.ContainsRune(" ./", r) })[0]
	}
	return slices.ContainsFunc(p.verdict.Findings, func(f report.Finding) bool {
		return f.Status == report.Unknown && strings.Contains(f.Summary, "access denied") && strings.Contains(f.Summary, word)
	})
}

// first is the first check that fails, "" when none does.
func (p *played) first() string {
	if fails := p.with(report.Fail); len(fails) > 0 {
		return fails[0]
	}
	return ""
}

func permissionsPage(rows []permissionRow) string {
	var out strings.Builder
	fmt.Fprintf(&out, `# What becomes unknown without a permission

`+"`%s doctor`"+` reads with the permissions in [deploy/](../deploy). Each row denies one of them, first in a cluster in which everything
is right, then in one whose machines no mapping lets in. What cannot be read is *unknown*, exit 4: never fine. Where the exit is 0,
what else was read decides, or the doctor does not ask. Measured by running the command; made by `+"`make generate`"+`.

| denied | healthy: unknown then | exit | broken: first cause then | exit |
|---|---|---|---|---|
`, product.Command)
	for _, row := range rows {
		unknown := families(row.healthy.with(report.Unknown))
		if !row.asked {
			unknown = "not asked for"
		}
		fmt.Fprintf(&out, "| `%s` | %s | %d | %s | %d |\n", row.name, unknown, row.healthy.code, cmp.Or(row.broken.first(), "none is known"), row.broken.code)
	}
	return out.String()
}

// families shortens a list of checks: of more than three of a family, how many.
func families(checks []string) string {
	slices.Sort(checks)
	checks = slices.Compact(checks)
	of := map[string][]string{}
	for _, id := range checks {
		family, _, _ := strings.Cut(id, ".")
		of[family] = append(of[family], id)
	}
	var parts []string
	for _, family := range slices.Sorted(maps.Keys(of)) {
		if len(of[family]) > 3 {
			parts = append(parts, fmt.Sprintf("%d of %s", len(of[family]), family))
			continue
		}
		parts = append(parts, of[family]...)
	}
	return cmp.Or(strings.Join(parts, ", "), "nothing")
}
