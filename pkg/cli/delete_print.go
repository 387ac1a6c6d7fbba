package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
)

// writeDeletePlan prints what will go, in the order in which it goes.
func writeDeletePlan(w io.Writer, plan *nodegroup.DeletePlan) {
	row := func(label, format string, args ...any) {
		text := strings.TrimLeft(fill(fmt.Sprintf(format, args...), labelWidth+4, defaultWidth), " ")
		fmt.Fprintf(w, "  %-*s  %s\n", labelWidth, label, text)
	}
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
	row("stack", "%s (%s)", plan.Stack.Name, plan.Stack.Status)
	if plan.KeepMapping != "" {
		row("mapping", "%s kept: %s", plan.Mapping, plan.KeepMapping)
	} else {
		row("mapping", "%s of %s", plan.Mapping, plan.RoleARN)
	}
	fmt.Fprintln(w)
}
