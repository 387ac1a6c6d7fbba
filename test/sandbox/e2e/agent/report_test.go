package agent

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/hostreport"
)

var update = flag.Bool("update", false, "write the golden file")

// The report of a healthy node has the paths and types of the golden file:
// what it says changes from run to run, what it is about does not.
func TestHealthyReport(t *testing.T) {
	out, errOut, code := onTheNode(t, onNode+" report")
	if code != 0 || errOut != "" {
		t.Fatalf("exit %d, stderr %q", code, errOut)
	}
	if len(out) > hostreport.MaxBytes {
		t.Errorf("%d bytes", len(out))
	}
	document, err := hostreport.Decode(strings.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range document.Findings {
		if finding.Status == "fail" {
			t.Errorf("%s: %s %v", finding.Check, finding.Summary, finding.Evidence)
		}
	}
	var anything any
	if err := json.Unmarshal([]byte(out), &anything); err != nil {
		t.Fatal(err)
	}
	delete(anything.(map[string]any), "findings")
	seen := map[string]bool{}
	paths(anything, "", seen)
	var got strings.Builder
	for _, line := range slices.Sorted(keys(seen)) {
		got.WriteString(line + "\n")
	}
	const golden = "testdata/report-paths.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the report's shape has changed (-update writes it): got\n%s", got.String())
	}
}

func keys(m map[string]bool) func(func(string) bool) {
	return func(yield func(string) bool) {
		for key := range m {
			if !yield(key) {
				return
			}
		}
	}
}

// varying are lists whose members differ from run to run.
func varying(path string) bool {
	for _, prefix := range []string{".facts.kubelet.flags.", ".facts.logs.seen[]", ".facts.workloads.", ".facts.gaps[]"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// paths collects the path and the type of every value.
func paths(value any, at string, seen map[string]bool) {
	if varying(at) {
		return
	}
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			paths(inner, at+"."+key, seen)
		}
	case []any:
		for _, inner := range v {
			paths(inner, at+"[]", seen)
		}
	default:
		seen[fmt.Sprintf("%s %s", at, kind(v))] = true
	}
}

func kind(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return "bool"
	}
	return "null"
}

// The commands for people end as a healthy node lets them.
func TestCommandsOnHealthyNode(t *testing.T) {
	for name, test := range map[string]struct {
		script string
		code   int
		want   []string
	}{
		"doctor":          {onNode + " doctor", 0, []string{"to be a node of cluster demo", "passed"}},
		"whoami":          {onNode + " whoami", 0, []string{"assumed-role/", "system:node:", "system:nodes"}},
		"token":           {onNode + " token", 0, []string{"cluster signed  yes", "sts.us-west-2.amazonaws.com"}},
		"verify":          {onNode + " token --reveal | " + onNode + " verify", 0, []string{"ok      STS"}},
		"another cluster": {onNode + " token --cluster other --reveal | " + onNode + " verify", 3, []string{"REFUSED STS", "SignatureDoesNotMatch"}},
		"compact":         {onNode + " report --compact | wc -l", 0, []string{"1\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, errOut, code := onTheNode(t, test.script)
			if code != test.code {
				t.Errorf("exit %d, want %d\n%s%s", code, test.code, out, errOut)
			}
			for _, want := range test.want {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
			if strings.Contains(out+errOut, "k8s-aws-v1.a") {
				t.Error("a token is printed")
			}
		})
	}
}
