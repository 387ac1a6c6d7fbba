package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/pkg/access"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

const authListHelp = `List every mapping of the cluster: access entries and aws-auth side by side,
each with what the authenticator makes of it and what is wrong with it.

STATE says what a mapping does:

  ok         the principal is let in by it
  wrong      let in by it, as somebody it should not be
  shadowed   another mapping of the same principal comes first
  ignored    the cluster's mode does not read where it stands
  dropped    the authenticator cannot use it
  dead       it never matches anybody: a path, a session, no ARN
  gone       its role does not exist
  stale      it was made for an earlier role of that name
  unknown    what is needed to tell could not be read

GRANTS are the groups, and the access policies of an entry. What is wrong is
said below the table, on stderr; with -o wide, json and yaml beside each.`

const authListExamples = `  %[1]s auth list
  %[1]s auth list -o wide
  %[1]s auth list -o jsonpath='{.items[?(@.status.state!="ok")].spec.principalARN}'`

func newAuthList(app *app, conn *connection) *cobra.Command {
	var flags printFlags
	cmd := &cobra.Command{
		Use:     "list [flags]",
		Aliases: []string{"ls"},
		Short:   "List all mappings, what each does and what is wrong with it",
		Long:    authListHelp,
		Example: fmt.Sprintf(authListExamples, product.Command),
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			printer, err := flags.printer()
			if err != nil {
				return err
			}
			session, err := conn.open(cmd.Context())
			if err != nil {
				return err
			}
			view, err := app.readAccess(cmd.Context(), session)
			if err != nil {
				return err
			}
			app.readPolicies(cmd.Context(), session, view.Snap)
			rows := view.Rows()
			if len(rows) == 0 && flags.output == "" {
				app.screen.say("cluster %s has no mappings that could be read", session.cluster)
				return nil
			}
			if err := printRows(app.streams.Out, printer, &flags, rows, view.Snap.Target.AccountID); err != nil {
				return err
			}
			if flags.output == "" {
				app.tellProblems(view, rows)
			}
			return nil
		},
	}
	section(cmd, "Output", flags.bind)
	completeWords(cmd, map[string]string{"output": "wide json yaml name jsonpath="})
	return cmd
}

// tellProblems says what is wrong with each mapping.
func (a *app) tellProblems(view access.View, rows []access.Row) {
	a.screen.say("\nauthentication mode %s", view.Snap.Cluster.AuthMode)
	for _, row := range rows {
		if len(row.Problems) == 0 {
			continue
		}
		a.screen.say("  %s", strings.TrimSpace(shortARN(row.Principal, view.Snap.Target.AccountID)+" ("+rowSource(row)+"): "+string(row.State)))
		for _, problem := range row.Problems {
			a.screen.say("%s", fill(problem, 4, a.screen.width))
		}
	}
}
