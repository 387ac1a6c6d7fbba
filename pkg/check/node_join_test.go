package check

import (
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// machine edits the first machine of the healthy snapshot.
func machine(edit func(*snapshot.Node)) snapshottest.Edit {
	return func(s *snapshot.Snapshot) { edit(&s.Nodes[0]) }
}

// unregistered takes the first machine's Node object away.
func unregistered(n *snapshot.Node) { n.Kube = nil }

func joinRows() []ruleRow {
	const id = "node.absent"
	return []ruleRow{
		{id, "registered", nil, report.Pass, "registered"},
		{id, "old and unknown", []snapshottest.Edit{machine(unregistered)}, report.Fail, "has not registered"},
		{id, "still booting", []snapshottest.Edit{machine(unregistered), machine(func(n *snapshot.Node) {
			n.Cloud.LaunchedAt = snapshottest.Now().Add(-time.Minute)
		})}, report.Warn, "not registered yet"},
	}
}
