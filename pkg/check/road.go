package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// agentSource begins the source of what a machine's own report says.
const agentSource = "node-agent "

// cameBy says of evidence out of a machine's report by which road it came home.
func cameBy(n *snapshot.Node, evidence []report.Evidence) []report.Evidence {
	if n == nil || n.Host == nil || n.Host.Road == "" {
		return evidence
	}
	marked := slices.Clone(evidence) // results may be shared between machines
	for i := range marked {
		if strings.HasPrefix(marked[i].Source, agentSource) {
			marked[i].Road = n.Host.Road
		}
	}
	return marked
}

// quoted is a known line of a machine's logs as evidence.
func quoted(seen *snapshot.Seen) report.Evidence {
	return report.Evidence{Source: seen.Where, Fact: seen.Line, Road: seen.Road}
}

// quotedOften is quoted, with how often the line stands there.
func quotedOften(seen *snapshot.Seen) report.Evidence {
	evidence := quoted(seen)
	evidence.Source = seen.Where + ", " + times(seen.Count)
	return evidence
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
