package cli

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// healthyEvidence is what the CLIs print of a cluster whose two machines are
// Ready.
const healthyEvidence = "testdata/evidence/healthy"

// copyEvidence makes a copy to break.
func copyEvidence(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "case")
	if err := os.CopyFS(dir, os.DirFS(healthyEvidence)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// doctorFrom runs the doctor over evidence.
func doctorFrom(t *testing.T, path string, args ...string) (code int, verdict report.Report, stderr string) {
	t.Helper()
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	var out, errOut bytes.Buffer
	code = Main(t.Context(), append([]string{"doctor", "--from", path, "-o", "json"}, args...), Streams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut})
	if code != 1 && code != 2 {
		if err := json.Unmarshal(out.Bytes(), &verdict); err != nil {
			t.Fatalf("%v: %s", err, out.String())
		}
	}
	return code, verdict, errOut.String()
}

func change(t *testing.T, path string, pairs ...string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(pairs...).Replace(string(data))
	if text == string(data) {
		t.Fatalf("%s has none of %q", path, pairs)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFromHealthy(t *testing.T) {
	code, verdict, stderr := doctorFrom(t, healthyEvidence)
	if code != 0 || verdict.Counts.Fail+verdict.Counts.Warn+verdict.Counts.Unknown > 0 || verdict.Counts.Pass == 0 || verdict.Machines.Ready != 2 {
		t.Errorf("exit %d, %+v, %+v\n%s", code, verdict.Counts, verdict.Machines, stderr)
	}
	if verdict.CollectedAt.Format("2006-01-02") != "2026-06-01" {
		t.Errorf("judged as of %v, not of the manifest", verdict.CollectedAt)
	}
}

// TestFromVersionOneOfTheCLI: it prints times of JSON services in seconds
// since the epoch.
func TestFromVersionOneOfTheCLI(t *testing.T) {
	dir := copyEvidence(t)
	change(t, dir+"/aws/eks/describe-access-entry.workers-role.json", `"2026-05-31T12:00:00.123000+00:00"`, "1780228800.123")
	change(t, dir+"/aws/eks/describe-cluster.json", `"2026-03-01T12:00:00.000000+00:00"`, "1772366400.0")
	if code, verdict, stderr := doctorFrom(t, dir); code != 0 {
		t.Errorf("exit %d, %+v\n%s", code, verdict.Counts, stderr)
	}
}

func TestFromBroken(t *testing.T) {
	for name, c := range map[string]struct {
		broken func(t *testing.T, dir string)
		code   int
		status report.Status
		check  string // prefix of the first finding's check
		says   []string
	}{
		"entry of another type": {
			broken: func(t *testing.T, dir string) {
				change(t, dir+"/aws/eks/describe-access-entry.workers-role.json", "EC2_LINUX", "STANDARD")
			},
			code: 3, status: report.Fail, check: "auth.entry-", says: []string{"STANDARD"},
		},
		"missing file": {
			broken: func(t *testing.T, dir string) { remove(t, dir+"/kube/leases.json") },
			code:   4, status: report.Unknown, check: "node.", says: []string{"the evidence has no kube/leases.json", "kubectl get -A leases -o json > kube/leases.json"},
		},
		"missing file of AWS": {
			broken: func(t *testing.T, dir string) { remove(t, dir+"/aws/eks/describe-access-entry.workers-role.json") },
			code:   4, status: report.Unknown, check: "auth.", says: []string{
				"the evidence has no aws/eks/describe-access-entry.workers-role.json",
				"aws eks describe-access-entry --cluster-name demo --principal-arn arn:aws:iam::111122223333:role/nodes/workers-role > aws/eks/describe-access-entry.workers-role.json",
			},
		},
		"file cut off": {
			broken: func(t *testing.T, dir string) { write(t, dir+"/kube/leases.json", "{\n\"items\": [\n") },
			code:   4, status: report.Unknown, check: "node.", says: []string{"kube/leases.json:3: unexpected end of JSON input"},
		},
		"an error message in place of the answer": {
			broken: func(t *testing.T, dir string) {
				write(t, dir+"/aws/ec2/describe-route-tables.json", "\nAn error occurred (UnauthorizedOperation)\n")
			},
			code: 4, status: report.Unknown, check: "net.", says: []string{"aws/ec2/describe-route-tables.json:2: "},
		},
		"ConfigMap that is no YAML": {
			broken: func(t *testing.T, dir string) {
				change(t, dir+"/aws/eks/describe-cluster.json", "API_AND_CONFIG_MAP", "CONFIG_MAP")
				write(t, dir+"/kube/configmap-aws-auth.yaml", "data:\n  mapRoles: |\n x: [\n")
			},
			code: 4, status: report.Unknown, says: []string{"kube/configmap-aws-auth.yaml:2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyEvidence(t)
			c.broken(t, dir)
			code, verdict, stderr := doctorFrom(t, dir)
			if code != c.code || len(verdict.Findings) == 0 {
				t.Fatalf("exit %d, want %d: %s", code, c.code, stderr)
			}
			first := verdict.Findings[0]
			text, err := json.Marshal(first)
			if err != nil {
				t.Fatal(err)
			}
			if first.Status != c.status || !strings.HasPrefix(first.Check, c.check) {
				t.Errorf("first is %s %s, want %s %s…", first.Status, first.Check, c.status, c.check)
			}
			for _, says := range c.says {
				if !strings.Contains(strings.ReplaceAll(string(text), `\u003e`, ">"), says) {
					t.Errorf("%s\ndoes not say %q", text, says)
				}
			}
		})
	}
}

// TestFromWithoutEachFile: what is missing is unknown. It is neither fine nor
// broken, and what can be judged still is.
func TestFromWithoutEachFile(t *testing.T) {
	var files []string
	if err := fs.WalkDir(os.DirFS(healthyEvidence), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	_, whole, _ := doctorFrom(t, healthyEvidence)
	passes := passing(whole)
	for _, file := range files {
		if file == "manifest.json" { // without it, now is when the files were made: leases are old by then
			continue
		}
		dir := copyEvidence(t)
		remove(t, filepath.Join(dir, file))
		code, verdict, stderr := doctorFrom(t, dir)
		if code != 0 && code != 4 || verdict.Counts.Fail > 0 {
			t.Errorf("without %s: exit %d, %+v\n%s", file, code, verdict.Counts, stderr)
		}
		for _, check := range passing(verdict) {
			if !slices.Contains(passes, check) {
				t.Errorf("without %s %s passes", file, check)
			}
		}
	}
}

func passing(verdict report.Report) []string {
	var checks []string
	for _, finding := range verdict.Findings {
		if finding.Status == report.Pass {
			checks = append(checks, finding.Check)
		}
	}
	return checks
}

func TestFromArchiveAndBundle(t *testing.T) {
	dir := copyEvidence(t)
	change(t, dir+"/aws/eks/describe-access-entry.workers-role.json", "EC2_LINUX", "STANDARD")
	write(t, dir+"/notes.txt", "call me")
	_, want, stderr := doctorFrom(t, dir)
	if !strings.Contains(stderr, "notes.txt") {
		t.Errorf("the file that is not read is not named: %s", stderr)
	}
	archive := filepath.Join(t.TempDir(), "case.tar.gz")
	pack(t, dir, archive)
	bundle := filepath.Join(t.TempDir(), "case.json.gz")
	code, fromArchive, stderr := doctorFrom(t, archive, "--bundle", bundle)
	if code != 3 || fromArchive.Counts != want.Counts {
		t.Errorf("archive: exit %d, %+v, want %+v: %s", code, fromArchive.Counts, want.Counts, stderr)
	}
	if info, err := os.Stat(bundle); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("bundle: %v, %v", info, err)
	}
	code, fromBundle, stderr := doctorFrom(t, bundle)
	if code != 3 || fromBundle.Counts != want.Counts || fromBundle.Findings[0].Check != want.Findings[0].Check {
		t.Errorf("bundle: exit %d, %+v, want %+v: %s", code, fromBundle.Counts, want.Counts, stderr)
	}
}

func TestFromAsAPage(t *testing.T) {
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	for format, begins := range map[string]string{"html": "<!DOCTYPE html>", "junit": "<?xml version="} {
		var out, errOut bytes.Buffer
		code := Main(t.Context(), []string{"doctor", "--from", healthyEvidence, "-o", format}, Streams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut})
		if code != 0 || !strings.HasPrefix(out.String(), begins) {
			t.Errorf("%s: exit %d, %s%s", format, code, out.String()[:min(out.Len(), 80)], errOut.String())
		}
	}
}

func pack(t *testing.T, dir, to string) {
	t.Helper()
	var packed bytes.Buffer
	compressed := gzip.NewWriter(&packed)
	archive := tar.NewWriter(compressed)
	if err := archive.AddFS(os.DirFS(filepath.Dir(dir))); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := compressed.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, to, packed.String())
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
