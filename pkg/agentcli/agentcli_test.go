//go:build linux

package agentcli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

func TestCommandLine(t *testing.T) {
	tests := map[string]struct {
		args []string
		code int
		out  string // begins with
		err  string // holds
	}{
		"version":      {[]string{"version"}, 0, "devel (commit ", ""},
		"json":         {[]string{"version", "-o", "json"}, 0, "{\n  \"version\": \"devel\"", ""},
		"format":       {[]string{"version", "-o", "table"}, 2, "", "use json or yaml"},
		"help":         {[]string{}, 0, "node-agent runs on an EKS node", ""},
		"unknown":      {[]string{"reports"}, 2, "", `unknown command "reports"`},
		"unknown flag": {[]string{"--deep"}, 2, "", "unknown flag"},
		"argument":     {[]string{"version", "x"}, 2, "", "takes no arguments"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			code := Main(context.Background(), test.args, Streams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut})
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if !strings.HasPrefix(out.String(), test.out) || !strings.Contains(errOut.String(), test.err) {
				t.Errorf("stdout %q, stderr %q", out.String(), errOut.String())
			}
		})
	}
}

// runIn runs a command over a root that holds nothing.
func runIn(t *testing.T, in string, args ...string) (code int, out, errOut string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = Main(context.Background(), append(args, "--root", t.TempDir()), Streams{In: strings.NewReader(in), Out: &stdout, ErrOut: &stderr})
	return code, stdout.String(), stderr.String()
}

// A token as an argument is refused with the reason, and not repeated.
func TestTokenAsArgument(t *testing.T) {
	const secret = "k8s-aws-v1.aHR0cHM6Ly9zdHMuYW1hem9uYXdzLmNvbS8"
	code, out, errOut := runIn(t, "", "verify", secret)
	if code != exitUsage || out != "" || !strings.Contains(errOut, "list of processes and in the shell's history") {
		t.Errorf("exit %d, stdout %q, stderr %q", code, out, errOut)
	}
	if strings.Contains(errOut, "aHR0cHM6") {
		t.Errorf("the token is repeated: %q", errOut)
	}
}

// Tokens that break a rule are told so without asking anybody, whether they
// come from a file or from standard input.
func TestVerifyBrokenToken(t *testing.T) {
	const secret = "k8s-aws-v1.aHR0cDovL3N0cy5hbWF6b25hd3MuY29tLw" // http://sts.amazonaws.com/
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{"standard input": nil, "dash": {"-"}, "file": {file}} {
		t.Run(name, func(t *testing.T) {
			code, out, errOut := runIn(t, secret+"\n", append([]string{"verify", "--cluster", "demo", "--region", "us-west-2"}, args...)...)
			if code != exitFails || !strings.Contains(out, "BROKEN  scheme") || !strings.Contains(out, "STS         not asked") || errOut != "" {
				t.Errorf("exit %d, stdout %q, stderr %q", code, out, errOut)
			}
			if strings.Contains(out, "aHR0c") {
				t.Errorf("the token is repeated: %q", out)
			}
		})
	}
	code, out, _ := runIn(t, secret, "verify", "--cluster", "demo", "--region", "us-west-2", "-o", "json")
	if code != exitFails || !strings.Contains(out, `"accepted": false`) || !strings.Contains(out, `"name": "scheme"`) {
		t.Errorf("exit %d, stdout %q", code, out)
	}
}

func TestVerifyNeedsACluster(t *testing.T) {
	for name, test := range map[string]struct {
		in   string
		args []string
		code int
		err  string
	}{
		"no cluster": {"k8s-aws-v1.x", []string{"verify", "--region", "us-west-2"}, exitError, "name it with --cluster"},
		"nothing":    {"", []string{"verify", "--cluster", "demo", "--region", "us-west-2"}, exitError, "nothing was read"},
		"no file":    {"", []string{"verify", "/none/of/that"}, exitError, "open token"},
		"two files":  {"", []string{"verify", "a", "b"}, exitUsage, "takes one file"},
		"no format":  {"k8s-aws-v1.x", []string{"verify", "--cluster", "demo", "--region", "us-west-2", "-o", "xml"}, exitUsage, "use text, json or yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, errOut := runIn(t, test.in, test.args...)
			if code != test.code || !strings.Contains(errOut, test.err) {
				t.Errorf("exit %d, stderr %q", code, errOut)
			}
		})
	}
}

// The agent judges a machine by the plugin's rules, and does not call unknown
// what only the cloud or the cluster could tell.
func TestJudge(t *testing.T) {
	facts := snapshottest.Host("i-0000000000000000a")
	verdict := judge(facts)
	for _, finding := range verdict.Findings {
		if finding.Status != report.Pass {
			t.Errorf("healthy: %s %s: %s", finding.Check, finding.Status, finding.Summary)
		}
	}
	if verdict.Counts.Pass < 40 {
		t.Errorf("only %d checks say something", verdict.Counts.Pass)
	}
	facts.Resources.Swap, facts.Kubelet.Healthz = []string{"/dev/xvda3"}, 0
	verdict = judge(facts)
	if verdict.Counts.Fail == 0 || verdict.Findings[0].Check != "kubelet.swap-on" {
		t.Errorf("got %+v", verdict.Findings[0])
	}
}

func TestWhoamiText(t *testing.T) {
	facts := snapshottest.Host("i-0000000000000000a")
	for name, test := range map[string]struct {
		who  whoami
		want []string
	}{
		"known":   {whoami{Identity: facts.Identity, SelfReview: facts.SelfReview}, []string{"assumed-role/workers-role", "role/workers-role", "system:node:", "system:nodes"}},
		"refused": {whoami{Identity: &snapshot.HostIdentity{Failure: &snapshot.HostFailure{Detail: "no role"}}, SelfReview: &snapshot.HostSelfReview{Failure: &snapshot.HostFailure{Detail: "401"}}}, []string{"no: no role", "no: 401"}},
		"blind":   {whoami{Gaps: []snapshot.HostGap{{Probe: snapshot.ProbeIdentity, Detail: "no region"}}}, []string{"not known: no region", "not known: not asked"}},
	} {
		var out bytes.Buffer
		if err := test.who.text(&out); err != nil {
			t.Fatal(err)
		}
		for _, want := range test.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: no %q in %q", name, want, out.String())
			}
		}
	}
}
