package check

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

func TestHealthyPassesEverything(t *testing.T) {
	for name, edits := range map[string][]snapshottest.Edit{"existing": nil, "proposed": {snapshottest.Proposed}, "reported": {snapshottest.Reported}} {
		t.Run(name, func(t *testing.T) {
			for _, finding := range Run(snapshottest.Healthy(edits...), All()).Findings {
				if finding.Status != report.Pass {
					t.Errorf("%s: %s %s", finding.Check, finding.Status, finding.Summary)
				}
			}
		})
	}
}

// TestEveryRuleIsTested holds the table to its promise.
func TestEveryRuleIsTested(t *testing.T) {
	have := map[string]bool{}
	for _, row := range preflightRows() {
		have[row.check+" "+fmt.Sprint(row.want == report.Pass)] = true
	}
	for _, row := range ruleRows() {
		have[row.check+" "+fmt.Sprint(row.want == report.Pass)] = true
	}
	for _, check := range All() {
		if !have[check.ID+" true"] {
			t.Errorf("%s has no passing case", check.ID)
		}
		if !have[check.ID+" false"] {
			t.Errorf("%s has no failing case", check.ID)
		}
	}
}

func TestRowsAreWellFormed(t *testing.T) {
	id := regexp.MustCompile(`^([a-z]+)\.[a-z0-9]+(-[a-z0-9]+)*$`)
	known := snapshot.Permissions()
	seen := map[string]bool{}
	for _, check := range All() {
		match := id.FindStringSubmatch(check.ID)
		if match == nil {
			t.Fatalf("id %q is not family.kebab-case", check.ID)
		}
		files, err := filepath.Glob(match[1] + "*.go")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(files, func(file string) bool { return contains(t, file, `"`+check.ID+`"`) }) {
			t.Errorf("%s stands in no file of its family", check.ID)
		}
		if seen[check.ID] {
			t.Errorf("%s is there twice", check.ID)
		}
		seen[check.ID] = true
		if check.Title == "" || check.Why == "" || !strings.HasPrefix(check.Ref, "https://") {
			t.Errorf("%s lacks title, why or reference", check.ID)
		}
		if asked := count(check.Cluster != nil, check.Group != nil, check.Node != nil, check.Join != nil); asked != 1 {
			t.Errorf("%s has %d rules", check.ID, asked)
		}
		for _, need := range check.Needs {
			if _, ok := known[need]; !ok {
				t.Errorf("%s needs unknown section %s", check.ID, need)
			}
		}
	}
}

func contains(t *testing.T, file, text string) bool {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(data), text)
}

func count(all ...bool) (n int) {
	for _, b := range all {
		if b {
			n++
		}
	}
	return n
}

// TestMissingSectionIsUnknown takes each needed section from each rule: it
// must say unknown with the gap's words, and nothing else.
func TestMissingSectionIsUnknown(t *testing.T) {
	for _, check := range All() {
		for _, need := range check.Needs {
			t.Run(check.ID+"/"+string(need), func(t *testing.T) {
				snap := snapshottest.Healthy()
				snap.Gaps = []snapshot.Gap{{Section: need, Reason: snapshot.GapDenied, Detail: "access denied: some:Action", Fix: "ask"}}
				got := Run(snap, []Check{check}).Findings
				if len(got) != 1 || got[0].Status != report.Unknown || got[0].Summary != "access denied: some:Action" || !slices.Equal(got[0].Fix.Commands, []string{"ask"}) {
					t.Errorf("got %+v", got)
				}
			})
		}
	}
}

// TestTemplateOfOneGroup takes the launch template of one group away: of that
// group and its machines every rule says what it says when no template could be
// read, and of the other group what it says anyhow.
func TestTemplateOfOneGroup(t *testing.T) {
	build := func(gaps ...snapshot.Gap) *snapshot.Snapshot {
		snap := snapshottest.Healthy(absent)
		sibling := snap.Groups[0]
		sibling.Name, sibling.ASGName, sibling.InstanceIDs = "sibling", "sibling", nil
		snap.Groups = append(snap.Groups, sibling)
		if len(gaps) > 0 {
			snap.Groups[0].Launch = snapshot.Launch{}
		}
		snap.Gaps = gaps
		return snap
	}
	gone := snapshot.Gap{Section: snapshot.SectionLaunch, Reason: snapshot.GapAbsent, Detail: "it does not exist"}
	ofOne := gone
	ofOne.Subject = build().Groups[0].Name
	of := func(findings []report.Finding, sibling bool) (all []string) {
		for _, finding := range findings {
			for _, subject := range finding.Subjects {
				if (subject == "sibling") == sibling {
					all = append(all, fmt.Sprintf("%s %s %s", subject, finding.Status, finding.Summary))
				}
			}
		}
		slices.Sort(all)
		return all
	}
	for _, check := range All() {
		complete, none, one := Run(build(), []Check{check}).Findings, Run(build(gone), []Check{check}).Findings, Run(build(ofOne), []Check{check}).Findings
		if diff := cmp.Diff(of(none, false), of(one, false)); diff != "" {
			t.Errorf("%s of the group without its template: %s", check.ID, diff)
		}
		if diff := cmp.Diff(of(complete, true), of(one, true)); diff != "" {
			t.Errorf("%s of the other group: %s", check.ID, diff)
		}
	}
}

func TestSectionNotAskedForDoesNotApply(t *testing.T) {
	for _, check := range All() {
		snap := snapshottest.Healthy()
		snap.Gaps = []snapshot.Gap{{Section: check.Needs[0], Reason: snapshot.GapNotAsked, Detail: "this command does not read it"}}
		if got := Run(snap, []Check{check}).Findings; len(got) != 0 {
			t.Errorf("%s: got %+v", check.ID, got)
		}
	}
}

// A proposed group is the plan's, whatever could be read of existing ones.
func TestProposedGroupNeedsNoGroupsRead(t *testing.T) {
	snap := snapshottest.Healthy(snapshottest.Proposed)
	for _, section := range []snapshot.Section{snapshot.SectionGroups, snapshot.SectionLaunch} {
		snap.Gaps = append(snap.Gaps, snapshot.Gap{Section: section, Reason: snapshot.GapNotAsked})
	}
	want := Run(snapshottest.Healthy(snapshottest.Proposed), Preflight())
	if diff := cmp.Diff(want, Run(snap, Preflight())); diff != "" {
		t.Error(diff)
	}
}

// TestRulesSeeWhatTheyDeclare runs every rule on a snapshot that holds the
// declared sections only: the verdict must be the same.
func TestRulesSeeWhatTheyDeclare(t *testing.T) {
	for _, check := range All() {
		snap := snapshottest.Healthy()
		want := Run(snap, []Check{check}).Findings
		got := Run(restrict(snap, slices.Concat(check.Needs, check.Uses)), []Check{check}).Findings
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", check.ID, diff)
		}
	}
}

func TestRestrictHidesTheRest(t *testing.T) {
	got := restrict(snapshottest.Healthy(), nil)
	want := &snapshot.Snapshot{CollectedAt: snapshottest.Now(), Target: snapshottest.Healthy().Target}
	for _, node := range snapshottest.Healthy().Nodes {
		want.Nodes = append(want.Nodes, snapshot.Node{InstanceID: node.InstanceID, Group: node.Group})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRulesChangeNothing(t *testing.T) {
	for _, edits := range [][]snapshottest.Edit{nil, {snapshottest.Proposed}} {
		snap := snapshottest.Healthy(edits...)
		Run(snap, All())
		if diff := cmp.Diff(snapshottest.Healthy(edits...), snap); diff != "" {
			t.Error(diff)
		}
	}
}

func TestPanicIsUnknown(t *testing.T) {
	got := Run(snapshottest.Healthy(), []Check{{ID: "x.y", Cluster: func(*snapshot.Snapshot) []Result { panic("oops") }}})
	if len(got.Findings) != 1 || got.Findings[0].Status != report.Unknown || !strings.Contains(got.Findings[0].Summary, "oops") {
		t.Errorf("got %+v", got.Findings)
	}
}

// nodeCheck fails on the machines with the ids.
func nodeCheck(id string, link Link, status report.Status, broken ...string) Check {
	return Check{ID: id, Link: link, Node: func(_ *snapshot.Snapshot, n *snapshot.Node) []Result {
		if !slices.Contains(broken, n.InstanceID) {
			return pass("fine")
		}
		return []Result{{Status: status, Confidence: report.Certain, Summary: id + " broke", Evidence: []report.Evidence{fact("test", n.InstanceID)}}}
	}}
}

func TestChainAndFolding(t *testing.T) {
	const a, b = "i-0000000000000000a", "i-0000000000000000b"
	got := Run(snapshottest.Healthy(), []Check{
		nodeCheck("node.ready", LinkReady, report.Fail, a, b),
		nodeCheck("net.route", LinkAPIServer, report.Fail, a),
		nodeCheck("boot.warn", LinkBoot, report.Warn, b),
	})
	type line struct {
		Check     string
		Status    report.Status
		Subjects  []string
		BlockedBy string
	}
	var lines []line
	for _, f := range got.Findings {
		lines = append(lines, line{f.Check, f.Status, f.Subjects, f.BlockedBy})
	}
	want := []line{
		{"net.route", report.Fail, []string{a}, ""},
		{"node.ready", report.Fail, []string{b}, ""}, // a warning blocks nothing
		{"node.ready", report.Fail, []string{a}, "net.route"},
		{"boot.warn", report.Warn, []string{b}, ""},
		{"boot.warn", report.Pass, []string{a}, ""},
		{"net.route", report.Pass, []string{b}, ""},
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	if got.Counts != (report.Counts{Pass: 2, Warn: 1, Fail: 3}) {
		t.Errorf("counts %+v", got.Counts)
	}
}

func TestEqualFindingsAreOne(t *testing.T) {
	const a, b = "i-0000000000000000a", "i-0000000000000000b"
	got := Run(snapshottest.Healthy(), []Check{nodeCheck("net.route", LinkAPIServer, report.Fail, a, b)}).Findings
	if len(got) != 1 || !slices.Equal(got[0].Subjects, []string{a, b}) || len(got[0].Evidence) != 2 {
		t.Errorf("got %+v", got)
	}
}
