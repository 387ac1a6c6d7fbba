package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/kube"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const authRestoreHelp = `Put a copy of aws-auth back, or list the copies.

Every edit of aws-auth by this plugin keeps the map as it was in a file that is
its owner's alone. Without a file, the copies of the cluster are listed, newest
first. With one, the difference is shown and asked about; the map as it is now
is kept in a file of its own, and nothing is written if somebody changes the
map meanwhile.`

const authRestoreExamples = `  %[1]s auth restore
  %[1]s auth restore FILE --dry-run`

func newAuthRestore(app *app, conn *connection) *cobra.Command {
	var flags changeFlags
	cmd := &cobra.Command{
		Use:     "restore [FILE] [flags]",
		Short:   "Put a copy of aws-auth back, or list the copies",
		Long:    authRestoreHelp,
		Example: fmt.Sprintf(authRestoreExamples, product.Command),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("%s takes one file, got %q", cmd.CommandPath(), args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(); err != nil {
				return err
			}
			s, err := conn.open(cmd.Context())
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return app.listBackups(s, flags)
			}
			return app.restoreAccess(cmd.Context(), s, args[0], flags)
		},
	}
	section(cmd, "Run", flags.bind)
	completeWords(cmd, map[string]string{"dry-run": "none client server", "output": "json yaml"})
	return cmd
}

// backupRow is a copy of aws-auth in json and yaml.
type backupRow struct {
	Path    string    `json:"path"`
	SavedAt time.Time `json:"savedAt"`
	Roles   int       `json:"roles"`
	Users   int       `json:"users"`
	Problem string    `json:"problem,omitempty"`
}

func (a *app) listBackups(s *session, flags changeFlags) error {
	files, err := kube.Backups(flags.backupDir, s.cluster)
	if err != nil {
		return err
	}
	rows := []backupRow{}
	for _, file := range files {
		row := backupRow{Path: file.Path, SavedAt: file.SavedAt}
		if data, err := kube.ReadBackup(file.Path); err != nil {
			row.Problem = err.Error()
		} else {
			parsed := authmap.Parse(data)
			row.Roles, row.Users = len(parsed.Roles), len(parsed.Users)
		}
		rows = append(rows, row)
	}
	if flags.output != "" {
		return printData(a.streams.Out, flags.output, rows)
	}
	if len(rows) == 0 {
		a.screen.say("there are no copies of aws-auth of cluster %s", s.cluster)
		return nil
	}
	table := tabwriter.NewWriter(a.streams.Out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "SAVED\tROLES\tUSERS\tFILE")
	for _, row := range rows {
		if row.Problem != "" {
			a.note("%s", row.Problem)
			continue
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\n", row.SavedAt.Format(time.RFC3339), row.Roles, row.Users, row.Path)
	}
	return table.Flush()
}

func (a *app) restoreAccess(ctx context.Context, s *session, path string, flags changeFlags) error {
	data, err := kube.ReadBackup(path)
	if err != nil {
		return err
	}
	view, err := a.readAccess(ctx, s)
	if err != nil {
		return err
	}
	if err := missing(view.Snap, snapshot.SectionAwsAuth); err != nil {
		return err
	}
	if err := a.prove(view.Snap, "nothing was changed"); err != nil {
		return err
	}
	var have map[string]string
	if view.Snap.Access.AwsAuth != nil {
		have = view.Snap.Access.AwsAuth.Data
	}
	c := &changer{app: a, session: s, flags: flags, before: view}
	change := newChange(s.cluster, "", inAwsAuth)
	change.Action, change.Diff, change.after = string(kube.ActionRestored), dataDiff(have, data), view.WithAwsAuth(data)
	if maps.Equal(have, data) {
		change.Action, change.Notes = string(authmap.ActionNone), []string{"aws-auth is as the copy has it"}
	}
	if !view.Snap.Cluster.AuthMode.ReadsAwsAuth() {
		change.Notes = append(change.Notes, "a cluster in the mode "+string(view.Snap.Cluster.AuthMode)+" does not read aws-auth")
	}
	change.write = func(ctx context.Context, dryRun kube.DryRun) (string, error) {
		result, err := c.awsAuthWriter(dryRun).Restore(ctx, have, data)
		return result.Backup, err
	}
	return c.run(ctx, "put this copy of aws-auth back", change)
}

// dataDiff shows what changes in every key of a map.
func dataDiff(before, after map[string]string) string {
	keys := slices.Collect(maps.Keys(before))
	keys = slices.AppendSeq(keys, maps.Keys(after))
	slices.Sort(keys)
	var out strings.Builder
	for _, key := range slices.Compact(keys) {
		if diff := authmap.Diff(before[key], after[key]); diff != "" {
			fmt.Fprintf(&out, "%s\n%s", key, diff)
		}
	}
	return out.String()
}
