package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/eksnodes/kubectl-eksnodes/pkg/cli/clitest"
	"github.com/eksnodes/kubectl-eksnodes/pkg/evidence"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// played is one run of the doctor over a play.
type played struct {
	code    int
	verdict report.Report
	stderr  string
}

// play starts a play whose caller is this test.
func play(t testing.TB, snap *snapshot.Snapshot) *clitest.Play {
	t.Helper()
	p := clitest.NewPlay(snap)
	t.Cleanup(p.Close)
	config := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(config, []byte(p.Kubeconfig()), 0o600); err != nil {
		t.Fatal(err)
	}
	callAs(t, config, p.AWS())
	return p
}

// callAs makes this process a caller with credentials, who means the
// kubeconfig and sends all calls of AWS to the endpoint.
func callAs(t testing.TB, kubeconfig, endpoint string) {
	t.Helper()
	dir := t.TempDir()
	for name, value := range map[string]string{
		"HOME": dir, "XDG_STATE_HOME": filepath.Join(dir, "state"), "KUBECONFIG": kubeconfig, "AWS_ENDPOINT_URL": endpoint,
		"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_CA_BUNDLE": "", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": filepath.Join(dir, "none"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "none"),
	} {
		t.Setenv(name, value)
	}
}

// run runs the real command with its report as JSON.
func run(t testing.TB, args ...string) played {
	t.Helper()
	var out, errOut bytes.Buffer
	got := played{code: Main(t.Context(), append([]string{"doctor", "-o", "json"}, args...), Streams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut})}
	got.stderr = errOut.String()
	if got.code != 1 && got.code != 2 {
		if err := json.Unmarshal(out.Bytes(), &got.verdict); err != nil {
			t.Fatalf("%v: %s%s", err, out.String(), got.stderr)
		}
	}
	return got
}

// with are the checks that have a status.
func (p *played) with(status report.Status) []string {
	var checks []string
	for _, finding := range p.verdict.Findings {
		if finding.Status == status {
			checks = append(checks, finding.Check)
		}
	}
	return checks
}

// TestPlayIsTrue: what the doctor reads of a play is the snapshot that is
// played, as far as it reads it.
func TestPlayIsTrue(t *testing.T) {
	p := play(t, snapshottest.Healthy())
	bundle := filepath.Join(t.TempDir(), "bundle.json")
	got := run(t, "--bundle", bundle)
	if got.code != 0 || got.verdict.Counts.Fail+got.verdict.Counts.Warn+got.verdict.Counts.Unknown > 0 || got.verdict.Machines.Ready != 2 {
		t.Fatalf("exit %d, %+v: %v%v%v\n%s", got.code, got.verdict.Counts, got.with(report.Fail), got.with(report.Warn), got.with(report.Unknown), got.stderr)
	}
	saved, err := evidence.Open(bundle)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p.Snapshot(), saved.Snapshot, cmpopts.EquateEmpty(), notRead(),
		cmpopts.SortSlices(func(a, b snapshot.ACLEntry) bool {
			return a.Number < b.Number || a.Number == b.Number && !a.Egress && b.Egress
		})); diff != "" {
		t.Error(diff)
	}
}

// notRead are the facts that the doctor does not read of a cluster, or that
// the reading itself makes.
func notRead() cmp.Option {
	return cmp.Options{
		cmpopts.IgnoreFields(snapshot.Snapshot{}, "CollectedAt", "Gaps", "Target", "Stacks"),
		cmpopts.IgnoreFields(snapshot.Launch{}, "TemplateNumber", "Volumes"), // the healthy template has none to tell
		cmpopts.IgnoreFields(snapshot.Catalog{}, "QuotaCode", "VCPUQuota", "VCPUInUse"),
		cmpopts.IgnoreFields(snapshot.Group{}, "Stack", "InstanceTags"),
		cmpopts.IgnoreFields(snapshot.Instance{}, "Lifecycle", "Health"),
		cmpopts.IgnoreFields(snapshot.Kube{}, "CNIVersion", "CNIInitVersion"),
	}
}
