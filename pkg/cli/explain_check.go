package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/pkg/check"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func newExplain(app *app) *cobra.Command {
	return &cobra.Command{
		Use:     "explain CHECK",
		Short:   "Say what a check of the doctor is about",
		Long:    "Say what a check is about: what it looks at, why that matters, where to read\nmore. Nothing is read.",
		Example: fmt.Sprintf("  %[1]s explain auth.entry-type\n  %[1]s doctor --list", product.Command),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("name one check: see %s doctor --list", product.Command)
			}
			return nil
		},
		ValidArgs: checkIDs(),
		RunE: func(_ *cobra.Command, args []string) error {
			found, err := findCheck(args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(app.streams.Out, explanation(found))
			return err
		},
	}
}

// explanation is the page of a check.
func explanation(c check.Check) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s: %s\n\n%s\n\n", c.ID, c.Title, fill(c.Why, 2, defaultWidth))
	fmt.Fprintf(&out, "%-12s%s\n", "link", c.Link)
	for i, need := range slices.Concat(c.Needs, c.Uses) {
		label := ""
		if i == 0 {
			label = "reads"
		}
		permission := snapshot.Permissions()[need]
		takes := append([]string{}, permission.Actions...)
		for _, rule := range permission.RBAC {
			takes = append(takes, rule.String())
		}
		text := string(need)
		if len(takes) > 0 {
			text += " (" + strings.Join(takes, ", ") + ")"
		}
		fmt.Fprintf(&out, "%-12s%s\n", label, strings.TrimLeft(fill(text, 12, defaultWidth), " "))
	}
	fmt.Fprintf(&out, "%-12s%s\n", "more", c.Ref)
	return out.String()
}

// checksPage is the page of all checks, family by family, for docs/checks.md.
func checksPage() string {
	var out strings.Builder
	fmt.Fprintf(&out, "# Checks\n\nWhat `%s doctor` looks at, family by family. The link is the part of a machine's way into\n"+
		"the cluster that a check is about; the earliest link that is broken is the cause. The same page for one\n"+
		"check: `%s explain CHECK`. Made of the rules by `make generate`.\n", product.Command, product.Command)
	last := ""
	for _, c := range sortedChecks() {
		family, _, _ := strings.Cut(c.ID, ".")
		if family != last {
			fmt.Fprintf(&out, "\n## %s\n", family)
			last = family
		}
		fmt.Fprintf(&out, "\n### %s\n\n%s. Link: %s. [More](%s)\n\n%s\n", c.ID, upper(c.Title), c.Link, c.Ref, c.Why)
	}
	return out.String()
}

func sortedChecks() []check.Check {
	all := check.All()
	slices.SortFunc(all, func(a, b check.Check) int { return strings.Compare(a.ID, b.ID) })
	return all
}

func upper(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
