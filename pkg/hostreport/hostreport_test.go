package hostreport

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func at() time.Time { return time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC) }

func sample() *Document {
	yes := true
	return New("v0.1.0", snapshot.Host{
		CollectedAt: at(),
		System:      &snapshot.HostSystem{InstanceID: "i-0000000000000000a", OS: "Amazon Linux 2023", Uptime: 3600},
		Token:       &snapshot.HostToken{Claims: snapshot.TokenClaims{Host: "sts.us-west-2.amazonaws.com", Cluster: "demo", SignedAt: at()}, Accepted: &yes},
		SelfReview:  &snapshot.HostSelfReview{Status: 201, Username: "system:node:a", Extra: map[string][]string{"arn": {"arn:aws:iam::111122223333:role/nodes"}}},
		Gaps:        []snapshot.HostGap{{Probe: snapshot.ProbeUnits, Reason: snapshot.GapDenied, Detail: "permission denied"}},
	}, []report.Finding{{Check: "os.disk-full", Title: "disks", Status: report.Fail, Summary: "/ is full"}})
}

func encoded(t *testing.T, d *Document) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := d.Encode(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestThereAndBack(t *testing.T) {
	got, err := Decode(bytes.NewReader(encoded(t, sample())))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), got); diff != "" {
		t.Error(diff)
	}
	var out bytes.Buffer
	if err := sample().EncodeCompact(&out); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Count(text, "\n") != 1 || strings.Contains(text, "findings") {
		t.Errorf("compact form is %s", text)
	}
	compact, err := Decode(&out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample().Facts, compact.Facts); diff != "" {
		t.Error(diff)
	}
}

func TestVersions(t *testing.T) {
	text := string(encoded(t, sample()))
	for name, test := range map[string]struct {
		text    string
		want    string // in the error; "" for none
		unknown []string
	}{
		"a newer agent of the same version": {strings.Replace(text, `"kind"`, `"weather": {"rain": true}, "kind"`, 1), "", []string{"weather"}},
		"a newer fact":                      {strings.Replace(text, `"uptime"`, `"mood": "good", "uptime"`, 1), "", []string{"facts.system.mood"}},
		"a newer version":                   {strings.Replace(text, "v1alpha1", "v2", 1), "v2, this reader knows", nil},
		"another kind":                      {strings.Replace(text, "HostReport", "Report", 1), "not a report", nil},
		"another product":                   {strings.Replace(text, APIVersion, "v1", 1), "not a report", nil},
		"a field twice":                     {strings.Replace(text, `"kind"`, `"kind": "HostReport", "kind"`, 1), "duplicate field", nil},
		"a fact of another type":            {strings.Replace(text, `"uptime": 3600`, `"uptime": "long"`, 1), "cannot unmarshal", nil},
		"cut off":                           {text[:len(text)/2], "not a report", nil},
		"something after it":                {text + "{}", "not a report", nil},
		"nothing":                           {"", "not a report", nil},
		"garbage":                           {"\x00\x01{}", "not a report", nil},
		"too deep":                          {strings.Replace(text, `"kind"`, `"x": `+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`, "kind"`, 1), "nested deeper", nil},
		"too long":                          {text + strings.Repeat(" ", MaxBytes), "longer than a report", nil},
		"a list without end":                {strings.Replace(text, `"gaps": [`, `"gaps": [`+strings.Repeat("{},", maxItems+1), 1), "a list of", nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Decode(strings.NewReader(test.text))
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("error is %v, want %q", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.unknown, got.Unknown); diff != "" {
				t.Error(diff)
			}
		})
	}
	var version *VersionError
	if _, err := Decode(strings.NewReader(strings.Replace(text, "v1alpha1", "v1beta9", 1))); !errors.As(err, &version) || !strings.HasSuffix(version.APIVersion, "v1beta9") {
		t.Errorf("error is %v", err)
	}
}

// An older agent did not look at what a newer rule wants: that is a gap.
func TestOlderReportHasGaps(t *testing.T) {
	old := fmt.Sprintf(`{"apiVersion": %q, "kind": "HostReport", "agentVersion": "v0.0.1", "collectedAt": "2026-06-01T12:00:00Z", "facts": {"collectedAt": "2026-06-01T12:00:00Z"}}`, APIVersion)
	got, err := Decode(strings.NewReader(old))
	if err != nil {
		t.Fatal(err)
	}
	for _, probe := range snapshot.Probes() {
		if gap, missing := got.Facts.Gap(probe); !missing || !strings.Contains(gap.Detail, "another version") {
			t.Errorf("%s: %+v", probe, gap)
		}
	}
}

// Whatever a machine has written into its report, no control character and no
// credential of it reaches a terminal or a bundle.
func TestForeignTextIsCleaned(t *testing.T) {
	d := sample()
	d.Facts.System.OS = "\x1b[2Jevil"
	d.Facts.SelfReview.Extra["k8s-aws-v1.aHR0cHM6Ly9zdHM"] = []string{"password=hunter22"}
	d.Findings[0].Summary = "token k8s-aws-v1.aHR0cHM6Ly9zdHM\x07"
	got, err := Decode(bytes.NewReader(encoded(t, d)))
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%q", encoded(t, got))
	for _, bad := range []string{"aHR0cHM6", "hunter22", "x1b", "u001b", "u0007"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q is in %s", bad, text)
		}
	}
	if got.Facts.System.OS != "evil" {
		t.Errorf("OS is %q", got.Facts.System.OS)
	}
}

// By which road a report came home is not for the machine to say.
func TestReportDoesNotSayItsRoad(t *testing.T) {
	d := sample()
	d.Facts.Logs = &snapshot.HostLogs{Seen: []snapshot.Seen{{Sig: "swap-on", Where: "kubelet", Count: 1, Line: "line"}}}
	d.Facts.CameBy("console")
	got, err := Decode(bytes.NewReader(encoded(t, d)))
	if err != nil {
		t.Fatal(err)
	}
	if got.Facts.Road != "" || got.Facts.Logs.Seen[0].Road != "" {
		t.Errorf("it came by %q, its line by %q", got.Facts.Road, got.Facts.Logs.Seen[0].Road)
	}
}

// A machine with much to tell still fits; what was left out is named.
func TestTooMuchIsTrimmed(t *testing.T) {
	d := sample()
	d.Facts.Workloads, d.Facts.Logs, d.Facts.Processes = &snapshot.HostWorkloads{}, &snapshot.HostLogs{}, &snapshot.HostProcesses{Count: 1}
	for i := range 400 {
		d.Facts.Workloads.Containers = append(d.Facts.Workloads.Containers, snapshot.HostContainer{Pod: fmt.Sprintf("default/a-rather-long-name-%d", i), Name: "container"})
		d.Facts.Logs.Seen = append(d.Facts.Logs.Seen, snapshot.Seen{Sig: fmt.Sprint("line-", i), Line: strings.Repeat("long ", 60)})
	}
	before := len(d.Facts.Logs.Seen[0].Line)
	for limit, encode := range map[int]func(*bytes.Buffer) error{
		MaxBytes:   func(out *bytes.Buffer) error { return d.Encode(out) },
		MaxCompact: func(out *bytes.Buffer) error { return d.EncodeCompact(out) },
	} {
		var out bytes.Buffer
		if err := encode(&out); err != nil {
			t.Fatal(err)
		}
		if out.Len() > limit {
			t.Errorf("%d bytes, more than %d", out.Len(), limit)
		}
		got, err := Decode(&out)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Trimmed) == 0 || got.Facts.SelfReview == nil || got.Facts.Token == nil {
			t.Errorf("trimmed %q, left %+v", got.Trimmed, got.Facts)
		}
	}
	if len(d.Facts.Workloads.Containers) != 400 || len(d.Facts.Logs.Seen[0].Line) != before {
		t.Error("the caller's facts were changed")
	}
}

func FuzzDecode(f *testing.F) {
	var out bytes.Buffer
	if err := sample().Encode(&out); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add([]byte(`{"apiVersion": "` + APIVersion + `", "kind": "HostReport", "facts": {"gaps": [null]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		document, err := Decode(bytes.NewReader(data))
		if err != nil {
			return
		}
		// What was taken can be written again, and then stays as it is.
		var first, second bytes.Buffer
		if err := document.Encode(&first); err != nil {
			return // more findings or gaps than fit
		}
		again, err := Decode(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatalf("written and not read: %v\n%s", err, first.Bytes())
		}
		if err := again.Encode(&second); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("changed: %s", cmp.Diff(first.String(), second.String()))
		}
	})
}
