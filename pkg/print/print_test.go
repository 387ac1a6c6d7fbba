package print

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (run with -update to accept):\n%s", name, diff)
	}
}

func sample() report.Report {
	r := report.Report{
		APIVersion: report.APIVersion, Kind: "Report", Cluster: "demo",
		Findings: []report.Finding{
			{
				Check: "auth.entry-type", Title: "type of the node role's access entry", Status: report.Fail, Confidence: report.Certain, Subjects: []string{"workers"},
				Summary:  "the role's access entry is of type STANDARD, not EC2_LINUX",
				Evidence: []report.Evidence{{Source: "eks:DescribeAccessEntry", Fact: "arn:aws:iam::111122223333:role/nodes/workers-role: type STANDARD, made with a name that is so long that it does not fit"}},
				Fix: report.Fix{
					Summary:  "delete the entry and make it again",
					Commands: []string{"aws eks delete-access-entry --region us-west-2 --cluster-name demo --principal-arn arn:aws:iam::111122223333:role/nodes/workers-role"},
				},
				Refs: []string{"https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html"},
			},
			{
				Check: "node.ready", Title: "node is Ready", Status: report.Fail, Confidence: report.Likely, Subjects: []string{"i-1", "i-2", "i-3", "i-4", "i-5", "i-6"}, Kind: report.KindMachine, Of: 8,
				Summary: "the machine is not Ready", BlockedBy: "auth.entry-type",
			},
			{
				Check: "launch.update-room", Title: "room for a rolling update", Status: report.Warn, Confidence: report.Likely, Subjects: []string{"workers"},
				Summary: "maximum 3 leaves no room for a rolling update of 3 machines", Evidence: []report.Evidence{{Source: "group", Fact: "desired 3, max 3 – “full”\x1b[31m"}},
				Fix: report.Fix{Summary: "set the maximum to 4 or more with --max"},
			},
			{
				Check: "launch.vcpu-quota", Title: "on-demand vCPU quota", Status: report.Unknown, Subjects: []string{"workers"},
				Summary: "access denied: servicequotas:GetServiceQuota", Evidence: []report.Evidence{{Source: "servicequotas/ec2", Fact: "not read: denied"}},
				Fix: report.Fix{Commands: []string{"aws sts get-caller-identity"}},
			},
			{Check: "net.subnets", Title: "subnets are in the cluster's VPC", Status: report.Pass, Confidence: report.Certain, Subjects: []string{"workers"}, Summary: "2 subnets"},
		},
	}
	r.Count()
	return r
}

func TestText(t *testing.T) {
	for name, opts := range map[string]Options{
		"text.golden":    {},
		"narrow.golden":  {Width: 50, ASCII: true},
		"verbose.golden": {Verbose: true, Color: true},
	} {
		var out bytes.Buffer
		if err := Text(&out, sample(), opts); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.Bytes())
	}
}

// TestTextFits holds everything but commands and links to 80 columns of
// printable ASCII.
func TestTextFits(t *testing.T) {
	var out bytes.Buffer
	if err := Text(&out, sample(), Options{ASCII: true}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSuffix(line, "\n")
		if len(line) > 80 && !strings.HasPrefix(line, "    aws ") {
			t.Errorf("%d columns: %q", len(line), line)
		}
		if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("not printable ASCII: %q", line)
		}
	}
}

func TestNothingToCheck(t *testing.T) {
	var out bytes.Buffer
	if err := Text(&out, report.Report{}, Options{}); err != nil {
		t.Fatal(err)
	}
	if out.String() != "checks: nothing to check\n" {
		t.Errorf("got %q", out.String())
	}
}

func TestDocumentsReadBack(t *testing.T) {
	for name, format := range map[string]struct {
		write func(*bytes.Buffer) error
		read  func([]byte, any) error
	}{
		"json": {func(b *bytes.Buffer) error { return JSON(b, sample()) }, json.Unmarshal},
		"yaml": {func(b *bytes.Buffer) error { return YAML(b, sample()) }, func(b []byte, v any) error { return yaml.Unmarshal(b, v) }},
	} {
		var out bytes.Buffer
		if err := format.write(&out); err != nil {
			t.Fatal(err)
		}
		var got report.Report
		if err := format.read(out.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sample(), got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestGapIsToldOnce has many checks lack the same fact on two machines.
func TestGapIsToldOnce(t *testing.T) {
	r := report.Report{Cluster: "demo", Region: "us-west-2"}
	for _, check := range []string{"auth.anonymous", "auth.clock-skew", "boot.userdata-failed"} {
		for _, machine := range []string{"i-1", "i-2"} {
			r.Findings = append(r.Findings, report.Finding{
				Check: check, Title: "what " + check + " is about", Status: report.Unknown, Subjects: []string{machine}, Kind: report.KindMachine,
				Summary:  "access denied: ec2:GetConsoleOutput for " + machine,
				Evidence: []report.Evidence{{Source: "ec2/console-output", Fact: "not read: denied"}},
				Fix:      report.Fix{Commands: []string{"aws ec2 get-console-output --instance-id " + machine}},
			})
		}
	}
	r.Findings = append(r.Findings, report.Finding{
		Check: "kube.version-skew", Title: "kubelet and API server", Status: report.Unknown, Subjects: []string{"demo"},
		Summary: "no answer", Evidence: []report.Evidence{{Source: "kube/version", Fact: "not read: unreachable"}},
	})
	r.Count()
	var out bytes.Buffer
	if err := Text(&out, r, Options{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "unread.txt.golden", out.Bytes())
}
