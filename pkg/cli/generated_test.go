package cli

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/check"
	"github.com/eksnodes/kubectl-eksnodes/pkg/groupconfig"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

var update = flag.Bool("update", false, "write the generated files")

// TestGeneratedFiles holds the checked-in files that are made of the rules to
// the rules.
func TestGeneratedFiles(t *testing.T) {
	needs := check.Needs(check.Standing())
	if left := unguided(); len(left) > 0 {
		t.Errorf("docs/troubleshooting.md has no section for %v", left)
	}
	settings := addSettings(t)
	schema, err := groupconfig.Schema(func(flag string) string {
		_, usage := pflag.UnquoteUsage(settings.Lookup(flag))
		return usage
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"deploy/nodegroupconfig.schema.json": string(schema),
		"docs/checks.md":                     checksPage(),
		"docs/troubleshooting.md":            troubleshootingPage(),
		"deploy/iam-policy.json":             string(snapshot.IAMPolicy(needs)),
		"deploy/clusterrole.yaml":            string(snapshot.ClusterRole(needs)),
	} {
		upToDate(t, filepath.Join("..", "..", filepath.FromSlash(path)), want)
	}
}

// upToDate holds a checked-in file to what it is made of, or writes it.
func upToDate(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(have)); diff != "" {
		t.Errorf("%s (make generate to write it):\n%s", path, diff)
	}
}

// TestPolicyOnlyReads holds the permissions to reading.
func TestPolicyOnlyReads(t *testing.T) {
	for section, permission := range snapshot.Permissions() {
		for _, action := range permission.Actions {
			_, verb, _ := strings.Cut(action, ":")
			if !strings.HasPrefix(verb, "Describe") && !strings.HasPrefix(verb, "List") && !strings.HasPrefix(verb, "Get") {
				t.Errorf("%s takes %s", section, action)
			}
		}
		for _, rule := range permission.RBAC {
			for _, verb := range rule.Verbs {
				if verb != "get" && verb != "list" && verb != "watch" {
					t.Errorf("%s takes %s", section, rule)
				}
			}
		}
	}
}

func TestExitCodes(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{{&verdictError{}, exitFails}, {&verdictError{inconclusive: true}, exitInconclusive}} {
		if got := exitCode(test.err); got != test.want {
			t.Errorf("%v: %d, want %d", test.err, got, test.want)
		}
	}
}
