package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/cli/clitest"
)

// TestFixExitCodes breaks a mapping in a world of its own each time.
func TestFixExitCodes(t *testing.T) {
	const role = "arn:aws:iam::111122223333:role/eksnodes-demo-NodeInstanceRole-1A2B3C"
	standard := []string{"entry", role, "STANDARD"}
	for name, test := range map[string]struct {
		broken [][]string
		args   string
		want   int
	}{
		"mended":                        {[][]string{standard}, "--fix auth.entry-type --yes", exitOK},
		"nothing to mend":               {nil, "--fix auth.entry-type --yes", exitOK},
		"nobody to ask":                 {[][]string{standard}, "--fix auth.entry-type", exitUsage},
		"not a check":                   {nil, "--fix nosuch --yes", exitUsage},
		"not allowed":                   {[][]string{standard, {"deny", "eks:DeleteAccessEntry"}}, "--fix auth.entry-type --yes", exitError},
		"for the user's hands":          {[][]string{{"mode", "CONFIG_MAP"}, {"aws-auth", "mapRoles", "- rolearn: " + role + "\n  groups: [ - a: : ["}}, "--fix auth.awsauth-parse --yes", exitError},
		"another check of it fails":     {[][]string{standard}, "--fix auth.role-not-mapped --yes", exitFails},
		"it could not be seen":          {[][]string{standard, {"deny", "eks:ListAccessEntries"}}, "--fix auth.entry-type --yes", exitInconclusive},
		"never mended, and all is well": {nil, "--fix target.cluster-active --yes", exitOK},
		"never mended, and not seen":    {[][]string{{"deny", "eks:DescribeCluster"}}, "--fix target.cluster-active --yes", exitInconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			world := clitest.New()
			t.Cleanup(world.Close)
			config := filepath.Join(t.TempDir(), "kubeconfig")
			if err := os.WriteFile(config, []byte(world.Kubeconfig(world.CA())), 0o600); err != nil {
				t.Fatal(err)
			}
			callAs(t, config, world.AWS())
			command(t, exitOK, "add workers --desired 1 --yes --poll-interval 1ms")
			for _, words := range test.broken {
				if err := world.Do(words...); err != nil {
					t.Fatal(err)
				}
			}
			command(t, test.want, "doctor "+test.args)
		})
	}
}

// command runs a command line and holds its exit code.
func command(t *testing.T, want int, line string) {
	t.Helper()
	var out, errOut bytes.Buffer
	code := Main(t.Context(), strings.Fields(line), Streams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut})
	if code != want {
		t.Errorf("%s: exit %d, want %d\n%s%s", line, code, want, out.String(), errOut.String())
	}
}
