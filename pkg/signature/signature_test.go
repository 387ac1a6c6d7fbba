package signature

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// sigs scans text and names what was seen.
func sigs(t *testing.T, unit, text string) []string {
	t.Helper()
	seen, err := Scan(unit, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(seen))
	for _, s := range seen {
		names = append(names, s.Sig)
	}
	return names
}

// TestRows holds every row to its samples, in each of its units.
func TestRows(t *testing.T) {
	kebab := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	known := map[string]bool{}
	for _, line := range Lines() {
		t.Run(line.ID, func(t *testing.T) {
			if known[line.ID] || !kebab.MatchString(line.ID) {
				t.Errorf("id %q is used twice or not kebab-case", line.ID)
			}
			known[line.ID] = true
			if line.Source == "" || len(line.Match) == 0 || line.NoMatch == "" || len(line.In) == 0 {
				t.Fatal("source, units or samples are missing")
			}
			for _, unit := range line.In {
				for _, sample := range line.Match {
					if got := slices.Contains(sigs(t, unit, sample), line.ID); got == line.Noise {
						t.Errorf("in %s: seen %v, noise %v: %s", unit, got, line.Noise, sample)
					}
				}
				if slices.Contains(sigs(t, unit, line.NoMatch), line.ID) {
					t.Errorf("in %s matches: %s", unit, line.NoMatch)
				}
			}
		})
	}
	for _, line := range Lines() {
		for _, other := range line.Beside {
			if !known[other] {
				t.Errorf("%s stands beside %q, which is no row", line.ID, other)
			}
		}
	}
}

// TestRowsMatchByThemselves: Scan never shows noise, so the rows are asked.
func TestRowsMatchByThemselves(t *testing.T) {
	for _, r := range rows() {
		for _, sample := range r.Match {
			if _, ok := r.match(sample); !ok {
				t.Errorf("%s does not match its sample %q", r.ID, sample)
			}
		}
		if _, ok := r.match(r.NoMatch); ok {
			t.Errorf("%s matches %q", r.ID, r.NoMatch)
		}
	}
}

// TestEveryAlternativeHasASample: an expression that no sample reaches could
// say anything.
func TestEveryAlternativeHasASample(t *testing.T) {
	for _, r := range rows() {
		for i, find := range r.find {
			if !slices.ContainsFunc(r.Match, find.MatchString) {
				t.Errorf("%s: no sample for %s", r.ID, r.Find[i])
			}
		}
	}
}

// TestChecksNameKnownLines: a rule that waits for a line that is never seen
// would never say anything.
func TestChecksNameKnownLines(t *testing.T) {
	files, err := filepath.Glob("../check/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	named := regexp.MustCompile(`(?:\bsig|\bunless): +"([^"]+)"|\bSaw\("([^"]+)"\)`)
	found := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range named.FindAllStringSubmatch(string(source), -1) {
			found++
			if _, ok := Known(match[1] + match[2]); !ok {
				t.Errorf("%s waits for %q, which is no row", file, match[1]+match[2])
			}
		}
	}
	if found == 0 {
		t.Error("no rule waits for any line: does this test look for the right words?")
	}
}

func TestScanCountsAndQuotesTheLast(t *testing.T) {
	log := `2026-01-01T00:00:01+0000 ip-10-0-1-5 kubelet[1]: E0101 "Unable to register node with API server" err="Unauthorized" node="a"
2026-01-01T00:00:02+0000 ip-10-0-1-5 kubelet[1]: I0101 nothing
{"__REALTIME_TIMESTAMP":"1767225610000000","MESSAGE":"\"Unable to register node with API server\" err=\"Unauthorized\" node=\"b\" token=k8s-aws-v1.c2VjcmV0"}
`
	seen, err := Scan(Kubelet, strings.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	want := []snapshot.Seen{{
		Sig: "kubelet-401", Where: Kubelet, Count: 2,
		First: time.Date(2026, 1, 1, 0, 0, 1, 0, time.UTC), Last: time.Date(2026, 1, 1, 0, 0, 10, 0, time.UTC),
		Line: `"Unable to register node with API server" err="Unauthorized" node="b" token=[redacted]`,
	}}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

func TestScanNamesTheParts(t *testing.T) {
	seen, err := Scan(Kubelet, strings.NewReader(`err="nodes \"custom\" is forbidden: node \"ip-10-0-1-5.ec2.internal\" is not allowed to modify node \"custom\""`))
	if err != nil || len(seen) != 1 {
		t.Fatalf("%v, %v", seen, err)
	}
	if diff := cmp.Diff(map[string]string{"auth": "ip-10-0-1-5.ec2.internal", "reg": "custom"}, seen[0].Values); diff != "" {
		t.Error(diff)
	}
}

func TestScanIsBounded(t *testing.T) {
	long := strings.Repeat("x", 3*maxLine) + " no space left on device\nwrite /var: no space left on device " + strings.Repeat("é", maxQuoted) + "\n"
	seen, err := Scan(Kubelet, strings.NewReader(long))
	if err != nil || len(seen) != 1 || seen[0].Count != 1 {
		t.Fatalf("%v, %v", seen, err)
	}
	if len(seen[0].Line) > maxQuoted {
		t.Errorf("a line of %d bytes was kept", len(seen[0].Line))
	}
	endless := io.LimitReader(zeros{}, maxLog+1<<20)
	if _, err := Scan(Kubelet, endless); err != nil {
		t.Error(err)
	}
	if rest, err := io.Copy(io.Discard, endless); err != nil || rest == 0 {
		t.Errorf("read all of a log that has no end: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestScanKeepsWhatWasReadBeforeAnError(t *testing.T) {
	broken := errors.New("disk on fire")
	seen, err := Scan(Kubelet, io.MultiReader(strings.NewReader("no space left on device\n"), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) || len(seen) != 1 {
		t.Errorf("%v, %v", seen, err)
	}
}

// TestNoiseBesideACause: the CNI cannot be up on a machine that was not let
// in.
func TestNoiseBesideACause(t *testing.T) {
	const cni = "NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized\n"
	if got := sigs(t, Kubelet, cni); !slices.Equal(got, []string{"cni-uninitialized"}) {
		t.Errorf("alone: %v", got)
	}
	if got := sigs(t, Kubelet, cni+`"Unable to register node with API server" err="Unauthorized"`); !slices.Equal(got, []string{"kubelet-401"}) {
		t.Errorf("beside a 401: %v", got)
	}
}

func FuzzScan(f *testing.F) {
	for _, line := range Lines() {
		for _, sample := range line.Match {
			f.Add(line.In[0], sample)
		}
	}
	f.Fuzz(func(t *testing.T, unit, text string) {
		seen, err := Scan(unit, strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range seen {
			if s.Count < 1 || len(s.Line) > maxQuoted || strings.ContainsAny(s.Line, "\x1b\n\r") {
				t.Errorf("bad fact %+v", s)
			}
		}
	})
}
