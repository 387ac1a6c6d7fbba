package cli

import (
	"slices"
	"testing"

	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/groupconfig"
	"github.com/eksnodes/kubectl-eksnodes/pkg/reference"
)

// ofTheRun are headings of flags that say how add runs, not what it makes.
func ofTheRun() []string { return []string{"Run", "Settings from elsewhere"} }

// addSettings are the flags of add that a file can hold.
func addSettings(t *testing.T) *pflag.FlagSet {
	t.Helper()
	cmd, _, err := commands().Find([]string{"add"})
	if err != nil {
		t.Fatal(err)
	}
	settings := pflag.NewFlagSet("settings", pflag.ContinueOnError)
	for _, section := range reference.Sections(cmd) {
		if !slices.Contains(ofTheRun(), section.Heading) {
			settings.AddFlagSet(section.Flags)
		}
	}
	return settings
}

// TestFileHasTheFlagsOfAdd holds the settings of a file to the flags, one to
// one.
func TestFileHasTheFlagsOfAdd(t *testing.T) {
	flags := addSettings(t)
	known := map[string]bool{}
	var spec groupconfig.Spec
	for _, field := range spec.Fields() {
		known[field.Flag] = true
		if flags.Lookup(field.Flag) == nil {
			t.Errorf("%s: add has no flag --%s", field.Name, field.Flag)
		}
	}
	n := 0
	flags.VisitAll(func(flag *pflag.Flag) {
		n++
		if !known[flag.Name] {
			t.Errorf("--%s cannot stand in a file", flag.Name)
		}
	})
	if n < 30 {
		t.Fatalf("%d flags found: the test sees nothing", n)
	}
}

// TestTakeLeavesWhatWasGiven: flags given beside a file win, with the choice
// that they are part of.
func TestTakeLeavesWhatWasGiven(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want map[string]string
	}{
		"nothing given":       {nil, map[string]string{"min": "2", "public": "true", "role": "old", "labels": "[a=b]", "subnet-tag": "[x=y]"}},
		"a flag":              {[]string{"--min", "5"}, map[string]string{"min": "5", "role": "old"}},
		"the other placement": {[]string{"--private"}, map[string]string{"public": "false", "private": "true"}},
		"another identity":    {[]string{"--instance-profile", "p"}, map[string]string{"role": "", "instance-profile": "p"}},
		"other subnets":       {[]string{"--subnets", "subnet-a"}, map[string]string{"subnet-tag": "[]", "subnets": "[subnet-a]"}},
		"a list":              {[]string{"--labels", "c=d"}, map[string]string{"labels": "[c=d]"}},
		"a zero":              {[]string{"--min", "0"}, map[string]string{"min": "0"}},
	} {
		t.Run(name, func(t *testing.T) {
			flags := pflag.NewFlagSet("add", pflag.ContinueOnError)
			var add addFlags
			for _, bind := range []func(*pflag.FlagSet){add.bindNodes, add.bindVolume, add.bindNetwork, add.bindBoot, add.bindAccess, add.bindStack} {
				bind(flags)
			}
			if err := flags.Parse(test.args); err != nil {
				t.Fatal(err)
			}
			two, yes := 2, true
			spec := groupconfig.Spec{Min: &two, Public: &yes, Role: "old", Labels: map[string]string{"a": "b"}, SubnetTag: map[string]string{"x": "y"}}
			if err := add.take(flags, &spec); err != nil {
				t.Fatal(err)
			}
			for flag, want := range test.want {
				if got := flags.Lookup(flag).Value.String(); got != want {
					t.Errorf("--%s is %q, want %q", flag, got, want)
				}
			}
		})
	}
}
