package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/access"
	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/kube"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const authRemoveHelp = `Take the mappings of a role or user away: its access entry, its entries in
mapRoles, or both (--in names one list).

Nothing is taken away while machines that run, or you yourself, live on it,
unless another mapping lets them in just the same; --force goes on all the
same. aws-auth is kept in a file first.`

const authRemoveExamples = `  %[1]s auth remove arn:aws:iam::111122223333:role/old-nodes
  %[1]s auth remove arn:aws:iam::111122223333:role/nodes --in aws-auth --dry-run`

func newAuthRemove(app *app, conn *connection) *cobra.Command {
	var flags changeFlags
	var where string
	cmd := &cobra.Command{
		Use:     "remove ARN [flags]",
		Aliases: []string{"rm"},
		Short:   "Take the mappings of a role or user away, if nobody lives on them",
		Long:    authRemoveHelp,
		Example: fmt.Sprintf(authRemoveExamples, product.Command),
		Args:    onePrincipal,
		RunE: func(cmd *cobra.Command, args []string) error {
			if where != "" && where != inEntry && where != inAwsAuth {
				return usagef("--in %s: use %s or %s", where, inEntry, inAwsAuth)
			}
			if err := flags.check(); err != nil {
				return err
			}
			return app.removeAccess(cmd.Context(), conn, args[0], where, flags)
		},
	}
	section(cmd, "Mapping", func(set *pflag.FlagSet) {
		set.StringVar(&where, "in", "", "access-entry or aws-auth (default: both)")
	})
	section(cmd, "Run", flags.bind)
	completeWords(cmd, map[string]string{"in": inEntry + " " + inAwsAuth, "dry-run": "none client server", "output": "json yaml"})
	return cmd
}

func (a *app) removeAccess(ctx context.Context, conn *connection, principal, where string, flags changeFlags) error {
	if _, _, err := authmap.CanonicalARN(principal); err != nil {
		return usageError{err}
	}
	s, err := conn.open(ctx)
	if err != nil {
		return err
	}
	view, err := a.readAccess(ctx, s)
	if err != nil {
		return err
	}
	if err := a.prove(view.Snap, "nothing was changed"); err != nil {
		return err
	}
	c := &changer{app: a, session: s, flags: flags, before: view}
	var changes []*accessChange
	after := view
	if where != inEntry {
		if after, err = c.removeFromMap(principal, after, &changes); err != nil {
			return err
		}
	}
	if where != inAwsAuth && view.Snap.Cluster.AuthMode.ReadsEntries() {
		if err := missing(view.Snap, snapshot.SectionAccessEntries); err != nil {
			return err
		}
		c.removeEntries(principal, after, &changes)
	}
	if len(changes) == 0 {
		return fmt.Errorf("no mapping of cluster %s that can be taken away names %s", s.cluster, principal)
	}
	last := changes[len(changes)-1]
	if subject, err := last.after.Find(principal, ""); err == nil {
		last.Answer = answerData(last.after.AskAbout(subject))
	}
	return c.run(ctx, "take away what lets "+principal+" in", changes...)
}

// removeEntries plans the deletion of the principal's access entries; of a
// role's, whatever its path.
func (c *changer) removeEntries(principal string, after access.View, changes *[]*accessChange) {
	for _, row := range access.At(c.before.Rows(), principal) {
		if row.Source != authmap.SourceEntry {
			continue
		}
		after = after.WithoutEntry(row.Principal)
		change := newChange(c.session.cluster, row.Principal, inEntry)
		change.Action, change.after = "deleted", after
		change.Diff = entryDiff("-", snapshot.AccessEntry{PrincipalARN: row.Principal, Type: row.Type, Username: row.Username, Groups: row.Groups})
		change.write = func(ctx context.Context, _ kube.DryRun) (string, error) {
			if err := c.session.aws.DeleteAccessEntry(ctx, c.session.cluster, row.Principal); err != nil {
				return "", fmt.Errorf("delete the access entry of %s: %w", row.Principal, err)
			}
			return "", nil
		}
		*changes = append(*changes, change)
	}
}

// removeFromMap plans taking the role's entries out of mapRoles, each as it is
// written.
func (c *changer) removeFromMap(principal string, after access.View, changes *[]*accessChange) (access.View, error) {
	if err := missing(c.before.Snap, snapshot.SectionAwsAuth); err != nil {
		return after, err
	}
	if c.before.Snap.Access.AwsAuth == nil {
		return after, nil
	}
	data := c.before.Snap.Access.AwsAuth.Data
	for _, row := range access.At(c.before.Rows(), principal) {
		switch row.Source {
		case authmap.SourceUsers:
			c.app.note("mapUsers names %s: edit it by hand, kubectl -n %s edit configmap %s", row.Principal, kube.AwsAuthNamespace, kube.AwsAuthName)
			continue
		case authmap.SourceRoles:
		default:
			continue
		}
		entry := authmap.Entry{RoleARN: row.Principal, Username: row.Username, Groups: row.Groups}
		edit, err := authmap.RemoveRole(data, entry)
		if err != nil {
			return after, fmt.Errorf("aws-auth: %w", err)
		}
		if !edit.Changed() {
			for _, note := range edit.Notes {
				c.app.note("%s", note)
			}
			continue
		}
		data = edit.Data
		change := newChange(c.session.cluster, row.Principal, inAwsAuth)
		change.fill(edit, after)
		after = change.after
		change.write = func(ctx context.Context, dryRun kube.DryRun) (string, error) {
			result, err := c.awsAuthWriter(dryRun).RemoveRole(ctx, entry)
			return result.Backup, err
		}
		*changes = append(*changes, change)
	}
	return after, nil
}
