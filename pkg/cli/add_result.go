package cli

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// resultDocument is what `add -o json` ends with.
type resultDocument struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	*nodegroup.Result
}

// printResult prints the nodes on stdout and the summary on stderr.
func (c *addCommand) printResult(plan *nodegroup.Plan, result *nodegroup.Result, progress *progress) error {
	out := c.app.streams.Out
	if c.flags.output != "" {
		return printData(out, c.flags.output, resultDocument{APIVersion: report.APIVersion, Kind: "NodeGroupResult", Result: result})
	}
	if plan.NoWait {
		c.app.screen.say("\nnode group %s is made; its nodes were not waited for", plan.Group)
		return nil
	}
	elapsed := c.app.screen.now().Sub(progress.start)
	c.app.screen.say("\n%s", c.app.screen.paint(green, fmt.Sprintf("node group %s: %s Ready after %s",
		plan.Group, count(len(result.Instances), "node", "nodes"), nodegroup.Span(elapsed))))
	return printMembers(out, result.Instances)
}

// printMembers prints the instances of a group and how far each has come.
func printMembers(out io.Writer, members []nodegroup.Member) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "NODE\tINSTANCE\tZONE\tSTATUS")
	for _, member := range members {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", member.Node, member.InstanceID, member.Zone, member.State)
	}
	return table.Flush()
}
