package cli

import (
	"github.com/eksnodes/kubectl-eksnodes/pkg/check"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// prove makes sure that what would be changed in the cluster's API belongs to
// the cluster that EKS means. undone says what did not happen when it does not.
func (a *app) prove(snap *snapshot.Snapshot, undone string) error {
	verdict, same := sameCluster(snap)
	if same {
		return nil
	}
	if err := a.screen.printFindings(a.screen.err, verdict); err != nil {
		return err
	}
	return &judgedError{text: "it is not proven that EKS and the kubeconfig mean the same cluster; " + undone,
		inconclusive: !verdict.Failed()}
}

// sameCluster reports whether it is proven that EKS and the kubeconfig mean the
// same cluster, with what was found.
func sameCluster(snap *snapshot.Snapshot) (verdict report.Report, same bool) {
	var checks []check.Check
	for _, row := range check.Preflight() {
		if row.ID == clusterMatch {
			checks = append(checks, row)
		}
	}
	verdict = check.Run(snap, checks)
	return verdict, verdict.Counts.Pass == 1 && len(verdict.Findings) == 1
}
