package check

import (
	"slices"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// byHand are the faults that a machine cannot know the right of.
func byHand() []string { return []string{"auth.awsauth-parse", "auth.awsauth-indentation"} }

// TestRepairsRepair does to the facts what every repair says, and judges them
// again: nothing of the family fails then.
func TestRepairsRepair(t *testing.T) {
	repairable := map[string]bool{}
	for _, check := range All() {
		repairable[check.ID] = check.Repairable
	}
	for _, row := range authRuleRows() {
		if row.want == report.Pass || !repairable[row.check] {
			continue
		}
		t.Run(row.check+"/"+row.name, func(t *testing.T) {
			snap := snapshottest.Healthy(row.edits...)
			repairs := Repairs(snap, row.check)
			if len(repairs) != 1 || repairs[0].RoleARN != snapshottest.RoleARN || !slices.Equal(repairs[0].Subjects, []string{"i-0000000000000000a", "i-0000000000000000b"}) {
				t.Fatalf("%+v", repairs)
			}
			if slices.Contains(byHand(), row.check) {
				if !strings.Contains(repairs[0].ByHand, " line ") {
					t.Errorf("by hand: %q", repairs[0].ByHand)
				}
				return
			}
			if repairs[0].ByHand != "" {
				t.Fatalf("refused: %s", repairs[0].ByHand)
			}
			mend(snap, repairs[0])
			for _, finding := range Run(snap, authChecks()).Findings {
				if finding.Status == report.Fail {
					t.Errorf("after it %s fails: %s", finding.Check, finding.Summary)
				}
			}
		})
	}
}

// mend is what carrying a repair out comes to.
func mend(s *snapshot.Snapshot, r Repair) {
	if r.DeleteEntry != nil {
		arn := r.DeleteEntry.PrincipalARN
		s.Access.Entries = slices.DeleteFunc(slices.Clone(s.Access.Entries), func(e snapshot.AccessEntry) bool { return e.PrincipalARN == arn })
	}
	if r.CreateEntry != "" {
		s.Access.Entries = append(s.Access.Entries, snapshot.AccessEntry{PrincipalARN: r.RoleARN, Type: r.CreateEntry, CreatedAt: s.CollectedAt})
	}
	if r.AwsAuth != nil {
		s.Access.AwsAuth = &snapshot.AwsAuth{Data: r.AwsAuth.Edit.Data}
	}
}

// TestRepairsAreWhatIsShown: the diff of the finding is the edit.
func TestRepairsAreWhatIsShown(t *testing.T) {
	shown := 0
	for _, row := range authRuleRows() {
		for _, repair := range Repairs(snapshottest.Healthy(row.edits...), row.check) {
			if repair.AwsAuth == nil || row.check == "auth.awsauth-missing" { // that one shows the command that makes the map
				continue
			}
			found := findings(Run(snapshottest.Healthy(row.edits...), authChecks()), row.check)
			if len(found) != 1 || found[0].Fix.Diff != repair.AwsAuth.Edit.Diff() {
				t.Errorf("%s/%s: shown\n%s\nis\n%s", row.check, row.name, found[0].Fix.Diff, repair.AwsAuth.Edit.Diff())
			}
			shown++
		}
	}
	if shown < 10 {
		t.Errorf("%d diffs", shown)
	}
}

func TestRepairsOfNothing(t *testing.T) {
	healthy := snapshottest.Healthy()
	for _, id := range []string{"auth.entry-type", "net.route-out", "nosuch"} {
		if repairs := Repairs(healthy, id); repairs != nil {
			t.Errorf("%s: %+v", id, repairs)
		}
	}
	healthy.Cluster = nil
	if repairs := Repairs(healthy, "auth.entry-type"); repairs != nil {
		t.Errorf("of an unread cluster: %+v", repairs)
	}
}

// TestForeignAccountsEntryStays: a role of the same name elsewhere may be
// mapped for a reason.
func TestForeignAccountsEntryStays(t *testing.T) {
	foreign := "- rolearn: arn:aws:iam::999999999999:role/workers-role\n  username: deployer\n  groups: [deployers]\n"
	repairs := Repairs(snapshottest.Healthy(authMode(snapshot.AuthConfigMap), mapRoles(foreign)), "auth.arn-wrong-account")
	if len(repairs) != 1 || !strings.HasPrefix(repairs[0].AwsAuth.Edit.Data["mapRoles"], foreign) {
		t.Errorf("%+v", repairs)
	}
}
