package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/eksnodes/kubectl-eksnodes/pkg/check"
	"github.com/eksnodes/kubectl-eksnodes/pkg/print"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// print writes the report to stdout.
func (c *doctorCommand) print(verdict report.Report) error {
	out := c.app.streams.Out
	switch c.flags.output {
	case "junit":
		return print.JUnit(out, verdict)
	case "html":
		return print.HTML(out, verdict)
	case "json", "yaml":
		return printData(out, c.flags.output, verdict.Brief())
	}
	opts := print.Options{Color: coloured(out), ASCII: c.flags.ascii, Verbose: c.flags.verbose, Short: c.flags.short}
	return print.Text(out, verdict, opts)
}

func listChecks(w io.Writer, checks []check.Check) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "CHECK\tLINK\tLOOKS AT")
	for _, check := range checks {
		fmt.Fprintf(table, "%s\t%s\t%s\n", check.ID, check.Link, check.Title)
	}
	return table.Flush()
}

// printPermissions says what reading the sections takes.
func printPermissions(w io.Writer, format string, sections []snapshot.Section) error {
	switch format {
	case "iam":
		_, err := w.Write(snapshot.IAMPolicy(sections))
		return err
	case "rbac":
		_, err := w.Write(snapshot.ClusterRole(sections))
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "READS\tTAKES")
	for _, section := range sections {
		permission := snapshot.Permissions()[section]
		takes := slices.Clone(permission.Actions)
		for _, rule := range permission.RBAC {
			takes = append(takes, rule.String())
		}
		fmt.Fprintf(table, "%s\t%s\n", section, strings.Join(takes, ", "))
	}
	return table.Flush()
}

func checkIDs() []string {
	var ids []string
	for _, check := range check.All() {
		ids = append(ids, check.ID)
	}
	slices.Sort(ids)
	return ids
}

// findCheck finds a check by its id; of an unknown one it says what is near.
func findCheck(id string) (check.Check, error) {
	families := map[string]bool{}
	var near []string
	for _, check := range check.All() {
		if check.ID == id {
			return check, nil
		}
		family, name, _ := strings.Cut(check.ID, ".")
		families[family] = true
		if name == id || family == strings.TrimSuffix(id, ".") || strings.Contains(check.ID, id) {
			near = append(near, check.ID)
		}
	}
	if len(near) > 0 {
		return check.Check{}, usagef("no check %q: did you mean %s", id, strings.Join(near, ", "))
	}
	return check.Check{}, usagef("no check %q: see doctor --list (families: %s)", id, strings.Join(slices.Sorted(maps.Keys(families)), ", "))
}
