package cli

import (
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// A command about one group is kept from guessing by what could not be read of
// that group, and not by what could not be read of another.
func TestMissingOf(t *testing.T) {
	snap := &snapshot.Snapshot{Gaps: []snapshot.Gap{
		{Section: snapshot.SectionLaunch, Subject: "workers", Reason: snapshot.GapAbsent, Detail: "the launch template is gone"},
		{Section: snapshot.SectionStacks, Reason: snapshot.GapDenied, Detail: "access denied"},
	}}
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"its template":         {missingOf(snap, "workers", snapshot.SectionLaunch), "read ec2/launch-templates: the launch template is gone"},
		"another's template":   {missingOf(snap, "other", snapshot.SectionLaunch), ""},
		"no group in question": {missing(snap, snapshot.SectionLaunch), ""},
		"the whole section":    {missingOf(snap, "other", snapshot.SectionLaunch, snapshot.SectionStacks), "read cloudformation/stacks: access denied"},
	} {
		got := ""
		if test.err != nil {
			got = test.err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
