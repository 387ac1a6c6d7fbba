package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// writeDeletePlan prints what will go, in the order in which it goes.
func writeDeletePlan(w io.Writer, plan *nodegroup.DeletePlan) {
	row := planRows(w)
	fmt.Fprintf(w, "delete node group %s of cluster %s\n\n", plan.Group, plan.Cluster)
	switch {
	case len(plan.Nodes) == 0:
		row("drain", "no nodes")
	case plan.SkipDrain:
		row("drain", "skipped: the pods of %s die with them", count(len(plan.Nodes), "node", "nodes"))
	}
	for i, node := range plan.Nodes {
		label := ""
		if i == 0 {
			label = "nodes"
		}
		row(label, "%s  %s", node.InstanceID, node.Name)
	}
	if !plan.SkipDrain {
		writeWorkload(row, plan.Workload, plan.WorkloadGap)
	}
	row("stack", "%s (%s)", plan.Stack.Name, plan.Stack.Status)
	if slices.Contains(plan.Suspended, "Launch") {
		row("", "its launches are suspended already, by an earlier run or somebody else")
	}
	if plan.RoleARN == "" && plan.Stack.ID == "" {
		fmt.Fprintln(w)
		return
	}
	if plan.KeepMapping != "" {
		row("mapping", "%s kept: %s", plan.Mapping, plan.KeepMapping)
	} else {
		row("mapping", "%s of %s", plan.Mapping, plan.RoleARN)
	}
	fmt.Fprintln(w)
}

// maxListed is how many pods of a kind a plan names.
const maxListed = 5

// writeWorkload prints what a drain evicts, and what may go wrong with it.
func writeWorkload(row func(label, format string, args ...any), work *snapshot.Workload, gap string) {
	if work == nil {
		if gap != "" {
			row("pods", "not known: %s", gap)
		}
		return
	}
	var emptyDir []string
	for _, pod := range work.Pods {
		if pod.EmptyDir {
			emptyDir = append(emptyDir, pod.Namespace+"/"+pod.Name)
		}
	}
	var lost []string
	for _, pod := range work.Lost() {
		lost = append(lost, pod.Namespace+"/"+pod.Name)
	}
	if len(work.Pods) > 0 {
		row("pods", "%s to evict", count(len(work.Pods), "pod", "pods"))
	}
	if len(lost) > 0 {
		row("", "lost for good, nothing makes them anew: %s", someOf(lost))
	}
	if len(emptyDir) > 0 {
		row("", "with emptyDir volumes, whose data go: %s", someOf(emptyDir))
	}
	for _, budget := range work.Budgets {
		if budget.Allowed > 0 {
			row("budget", "%s/%s allows %s of %s", budget.Namespace, budget.Name, count(budget.Allowed, "disruption", "disruptions"), someOf(budget.Pods))
			continue
		}
		row("budget", "%s/%s allows NO disruption now: the drain waits for %s", budget.Namespace, budget.Name, someOf(budget.Pods))
	}
}

func someOf(names []string) string {
	if len(names) <= maxListed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), len(names)-maxListed)
}
