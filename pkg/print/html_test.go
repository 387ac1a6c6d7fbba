package print

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/check"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// story is a report with a cause, what follows, a hostile log line, and links
// of the chain.
func story() report.Report {
	r := sample()
	r.Region, r.CollectedAt = "us-west-2", time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	r.Machines = report.Machines{Total: 8, Registered: 2, Ready: 2}
	machines := []string{"i-1", "i-2", "i-3", "i-4", "i-5", "i-6"}
	r.Findings = append(r.Findings,
		report.Finding{
			Check: "auth.role-not-mapped", Title: "node role is let in", Status: report.Fail, Confidence: report.Certain, Kind: report.KindMachine, Of: 8, Subjects: machines,
			Link: "authentication", Summary: "the node role is in no mapping",
			Evidence: []report.Evidence{{Source: "kubelet", Fact: `<script>alert(1)</script> "quoted" & 'more' ` + "\x1b[31mred\x00"}},
			Fix: report.Fix{
				Summary: "map the role", Diff: "--- aws-auth\n+++ aws-auth\n@@ -1 +1,2 @@\n+- rolearn: <x>\n",
				Commands: []string{`aws eks create-access-entry --tags '{"a":"<b>"}'`},
			},
			Refs: []string{"https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html?a=1&b=\"2", "javascript:alert(1)"},
		},
		report.Finding{Check: "node.absent", Title: "registered", Status: report.Fail, Kind: report.KindMachine, Of: 8, Subjects: machines, Link: "node-object", Summary: "not registered", BlockedBy: "auth.role-not-mapped"},
		report.Finding{Check: "launch.running", Title: "machine runs", Status: report.Pass, Kind: report.KindMachine, Of: 8, Subjects: append(slices.Clone(machines), "i-7", "i-8"), Link: "launch", Summary: "it is running"},
		report.Finding{Check: "target.cluster-active", Title: "cluster status", Status: report.Pass, Kind: report.KindCluster, Subjects: []string{"demo"}, Link: "target", Summary: "ACTIVE"},
	)
	r.Count()
	return r
}

func TestHTML(t *testing.T) {
	var out bytes.Buffer
	if err := HTML(&out, story()); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.html.golden", out.Bytes())
	text := out.String()
	for _, never := range []string{"<script>alert", "\x1b", "\x00", `href="javascript`, " src=", "url("} {
		if strings.Contains(text, never) {
			t.Errorf("the page holds %q", never)
		}
	}
	if n := strings.Count(text, "<script"); n != 1 {
		t.Errorf("%d scripts", n)
	}
	if links := regexp.MustCompile(`(?:href|action)="([^"]*)"`).FindAllStringSubmatch(text, -1); len(links) < 2 {
		t.Error("no links")
	} else {
		for _, link := range links {
			if !strings.HasPrefix(link[1], "https://docs.aws.amazon.com/") && link[1] != "data:," {
				t.Errorf("a link to %s", link[1])
			}
		}
	}
	balanced(t, text)
}

// balanced parses the page as far as it is XML: but for the few tags that
// have no end, every tag is closed where it should be.
func balanced(t *testing.T, text string) {
	t.Helper()
	text = regexp.MustCompile(`(?s)<script>.*?</script>|<style>.*?</style>|<!DOCTYPE html>`).ReplaceAllString(text, "")
	text = strings.ReplaceAll(regexp.MustCompile(`<(meta|link)([^>]*)>`).ReplaceAllString(text, "<$1$2/>"), " data-copy", ` data-copy=""`)
	decoder := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestHTMLOfNothing(t *testing.T) {
	var out bytes.Buffer
	if err := HTML(&out, report.Report{Cluster: "demo"}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "Nothing fails.") {
		t.Error(out.String())
	}
	balanced(t, out.String())
}

// TestPictures: machines in the same state share one.
func TestPictures(t *testing.T) {
	pictures := picturesOf(story().Findings)
	if len(pictures) != 2 || len(pictures[0].subjects) != 6 || !slices.Equal(pictures[1].subjects, []string{"i-7", "i-8"}) {
		t.Fatalf("%+v", pictures)
	}
	for link, want := range map[string]string{"target": "pass", "launch": "pass", "boot": "", "authentication": "fail", "node-object": "later"} {
		if got := pictures[0].states[slices.Index(chainLinks(), link)]; got != want {
			t.Errorf("%s: %q, want %q", link, got, want)
		}
	}
}

// TestLinksAreTheChecks holds the picture to the order of the rules.
func TestLinksAreTheChecks(t *testing.T) {
	for i, name := range chainLinks() {
		if got := check.Link(i).String(); got != name {
			t.Errorf("link %d is %q, the picture has %q", i, got, name)
		}
	}
	if check.Link(len(chainLinks())).String() != "unknown" {
		t.Error("the picture lacks a link")
	}
}

func TestJUnit(t *testing.T) {
	var out bytes.Buffer
	if err := JUnit(&out, story()); err != nil {
		t.Fatal(err)
	}
	golden(t, "junit.xml.golden", out.Bytes())
	var suites junitSuites
	if err := xml.Unmarshal(out.Bytes(), &suites); err != nil {
		t.Fatal(err)
	}
	counts := story().Counts
	if suites.Failures != counts.Fail || suites.Errors != counts.Unknown || suites.Tests != len(story().Findings) {
		t.Errorf("%+v, want %+v", suites, counts)
	}
}
