package agent

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/hostreport"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// podReports answers for nodes.
type podReports struct {
	text []byte
	err  error
	runs []string
}

func (p *podReports) Last(context.Context, string, string) ([]byte, error) { return p.text, p.err }

func (p *podReports) Run(_ context.Context, node, osImage string) ([]byte, []string, error) {
	p.runs = append(p.runs, node+" "+osImage)
	return p.text, []string{"a note"}, p.err
}

// An installed agent's report is taken when it is fresh and of this machine,
// and nothing is run for it.
func TestInstalledRoad(t *testing.T) {
	const id = "i-0000000000000000a"
	facts := *snapshottest.Host(id)
	var text bytes.Buffer
	if err := hostreport.New("v1", facts, nil).EncodeCompact(&text); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		machine Machine
		reports podReports
		age     time.Duration
		says    string
	}{
		"fresh":           {Machine{InstanceID: id, Node: "n1"}, podReports{text: text.Bytes()}, time.Minute, ""},
		"old":             {Machine{InstanceID: id, Node: "n1"}, podReports{text: text.Bytes()}, time.Hour, "its last report is 1h0m0s old"},
		"not joined":      {Machine{InstanceID: id}, podReports{text: text.Bytes()}, 0, "it has no Node"},
		"not installed":   {Machine{InstanceID: id, Node: "n1"}, podReports{err: errors.New("no agent")}, 0, "no agent"},
		"no report":       {Machine{InstanceID: id, Node: "n1"}, podReports{text: []byte("{}")}, 0, "not a report"},
		"another machine": {Machine{InstanceID: "i-0000000000000000b", Node: "n1"}, podReports{text: text.Bytes()}, 0, "another machine answers"},
	} {
		reports := test.reports
		road := Pods{Reporter: &reports, Now: func() time.Time { return facts.CollectedAt.Add(test.age) }}.Installed()
		result := Fetch(context.Background(), []Machine{test.machine}, []Road{road}, Options{})[0]
		if whole := result.Whole(); whole != (test.says == "") || !strings.Contains(result.Tried(), test.says) {
			t.Errorf("%s: whole %v, %q", name, whole, result.Tried())
		}
		if len(reports.runs) > 0 {
			t.Errorf("%s: a pod was run", name)
		}
	}
}

// The road of a pod that runs once needs a node to run it on.
func TestPodRoad(t *testing.T) {
	reports := podReports{err: errors.New("the pod does not start: ErrImagePull")}
	road := Pods{Reporter: &reports, Now: time.Now}.Run()
	results := Fetch(context.Background(), []Machine{{InstanceID: "i-1"}, {InstanceID: "i-2", Node: "n2", OSImage: "Bottlerocket OS"}}, []Road{road}, Options{Parallel: 1})
	if len(reports.runs) != 1 || reports.runs[0] != "n2 Bottlerocket OS" || results[0].Tried() != "pod: it has no Node" || results[1].Tried() != "pod: the pod does not start: ErrImagePull" || len(results[1].Notes) != 1 {
		t.Errorf("runs %q, %q, %q", reports.runs, results[0].Tried(), results[1].Tried())
	}
	var out bytes.Buffer
	report := Report{Host: snapshottest.Host("i-2"), AgentVersion: "v1"}
	if err := report.Write(&out); err != nil {
		t.Fatal(err)
	}
	if document, err := hostreport.Decode(&out); err != nil || document.AgentVersion != "v1" || document.Facts.System.InstanceID != "i-2" {
		t.Errorf("%+v, %v", document, err)
	}
}
