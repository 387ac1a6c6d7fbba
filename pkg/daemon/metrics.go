package daemon

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// MetricsType is the media type of the text format (Prometheus, exposition
// formats, 0.0.4).
const MetricsType = "text/plain; version=0.0.4; charset=utf-8"

// status is what the agent has seen and done so far.
type status struct {
	version   string
	condition Condition // the last look's
	verdict   report.Report
	rounds    int
	at        time.Time     // end of the last look
	took      time.Duration // the last look
	writes    map[string]int
}

// Writes are counted by what they wrote and how they ended.
const (
	wroteCondition = "ok"
	writeFailed    = "error"
)

// metric is one family of samples.
type metric struct {
	name, kind, help string
	samples          []sample
}

// sample is a value with at most one label.
type sample struct {
	label, of string
	value     float64
}

// writeMetrics writes the text format. Before the first look there is nothing
// to tell of the node.
func (s *status) writeMetrics(out io.Writer) error {
	for _, m := range s.metrics() {
		if _, err := fmt.Fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", m.name, m.help, m.name, m.kind); err != nil {
			return err
		}
		for _, one := range m.samples {
			labels := ""
			if one.label != "" {
				labels = "{" + one.label + `="` + escapeLabel(one.of) + `"}`
			}
			if _, err := fmt.Fprintf(out, "%s%s %s\n", m.name, labels, strconv.FormatFloat(one.value, 'f', -1, 64)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *status) metrics() []metric {
	const prefix = "node_agent_"
	all := []metric{
		{prefix + "build_info", "gauge", "The agent's version.", []sample{{"version", s.version, 1}}},
		{prefix + "looks_total", "counter", "How often the machine was looked at.", []sample{{value: float64(s.rounds)}}},
		{prefix + "api_writes_total", "counter", "Writes to the API server, by how they ended.", []sample{
			{"result", wroteCondition, float64(s.writes[wroteCondition])}, {"result", writeFailed, float64(s.writes[writeFailed])},
		}},
	}
	if s.rounds == 0 {
		return all
	}
	var states, failing []sample
	for _, name := range []string{True, False, Unknown} {
		states = append(states, sample{"status", name, one(s.condition.Status == name)})
	}
	for i := range s.verdict.Findings {
		f := &s.verdict.Findings[i]
		told := slices.ContainsFunc(failing, func(s sample) bool { return s.of == f.Check })
		if f.Status == report.Fail && !told {
			failing = append(failing, sample{"check", f.Check, 1})
		}
	}
	counts := s.verdict.Counts
	return append(all,
		metric{prefix + "healthy", "gauge", "State of the node as the condition has it: one of these is 1.", states},
		metric{prefix + "checks", "gauge", "Checks of the last look, by what they found.", []sample{
			{"status", string(report.Pass), float64(counts.Pass)}, {"status", string(report.Warn), float64(counts.Warn)},
			{"status", string(report.Fail), float64(counts.Fail)}, {"status", string(report.Unknown), float64(counts.Unknown)},
		}},
		metric{prefix + "check_failing", "gauge", "Checks that fail.", failing},
		metric{prefix + "last_look_timestamp_seconds", "gauge", "When the last look ended.", []sample{{value: float64(s.at.UnixMilli()) / 1000}}},
		metric{prefix + "last_look_duration_seconds", "gauge", "How long the last look took.", []sample{{value: s.took.Seconds()}}},
	)
}

func one(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}

// escapeLabel escapes a label's value as the format wants it.
func escapeLabel(text string) string {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(cmp.Or(text, "unknown"))
}
