package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/access"
	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
	"github.com/eksnodes/kubectl-eksnodes/pkg/kube"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const authAddHelp = `Let somebody into the cluster: the Linux nodes of a role, unless --windows,
--username, --groups or --policies say otherwise.

Where the cluster reads access entries, one is made; else aws-auth is edited in
place: comments, order, unknown keys and every other byte stay, and the map as
it was is kept in a file. The change is shown first. A principal that is let in
as wanted already is left alone.`

const authAddExamples = `  # the nodes of a role
  %[1]s auth add arn:aws:iam::111122223333:role/nodes

  # people with a role
  %[1]s auth add arn:aws:iam::111122223333:role/ops --groups ops --policies AmazonEKSViewPolicy

  # what would change
  %[1]s auth add arn:aws:iam::111122223333:role/nodes --in aws-auth --dry-run=server`

// addAccess are the flags of `auth add`.
type addAccess struct {
	changeFlags
	where    string
	windows  bool
	username string
	groups   []string
	policies []string
}

func newAuthAdd(app *app, conn *connection) *cobra.Command {
	var flags addAccess
	cmd := &cobra.Command{
		Use:     "add ARN [flags]",
		Short:   "Let the nodes of a role, or people, into the cluster",
		Long:    authAddHelp,
		Example: fmt.Sprintf(authAddExamples, product.Command),
		Args:    onePrincipal,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(); err != nil {
				return err
			}
			return app.addAccess(cmd.Context(), conn, args[0], flags)
		},
	}
	section(cmd, "Mapping", func(set *pflag.FlagSet) {
		set.StringVar(&flags.where, "in", "", "access-entry or aws-auth (default: what the cluster's mode prefers)")
		set.BoolVar(&flags.windows, "windows", false, "the role's machines are Windows nodes")
		set.StringVar(&flags.username, "username", "", "Kubernetes `name` of people who come with it")
		set.StringSliceVar(&flags.groups, "groups", nil, "Kubernetes `groups` of people who come with it")
		set.StringSliceVar(&flags.policies, "policies", nil, "access policies of the entry, by `name`, for the whole cluster")
	})
	section(cmd, "Run", flags.bind)
	completeWords(cmd, map[string]string{"in": inEntry + " " + inAwsAuth, "dry-run": "none client server", "output": "json yaml"})
	return cmd
}

func (f *addAccess) people() bool {
	return f.username != "" || len(f.groups) > 0 || len(f.policies) > 0
}

func (f *addAccess) check() error {
	switch {
	case f.where != "" && f.where != inEntry && f.where != inAwsAuth:
		return usagef("--in %s: use %s or %s", f.where, inEntry, inAwsAuth)
	case f.windows && f.people():
		return usagef("--windows is about machines: leave out --username, --groups and --policies")
	case f.where == inAwsAuth && len(f.policies) > 0:
		return usagef("--policies are of access entries: leave out --in %s", inAwsAuth)
	}
	return f.changeFlags.check()
}

func (a *app) addAccess(ctx context.Context, conn *connection, principal string, flags addAccess) error {
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
	if flags.where, err = whereToAdd(view.Snap.Cluster.AuthMode, flags.where); err != nil {
		return err
	}
	if principal, err = a.resolve(ctx, s, &view, principal); err != nil {
		return err
	}
	c := &changer{app: a, session: s, flags: flags.changeFlags, before: view}
	var change *accessChange
	if flags.where == inEntry {
		change, err = c.addEntry(principal, flags)
	} else {
		change, err = c.addToMap(principal, flags)
	}
	if err != nil {
		return err
	}
	if subject, err := change.after.Find(principal, ""); err == nil {
		change.Answer = answerData(change.after.AskAbout(subject))
	}
	return c.run(ctx, "let "+principal+" into cluster "+s.cluster, change)
}

// whereToAdd refuses the list that the cluster does not read.
func whereToAdd(mode snapshot.AuthMode, where string) (string, error) {
	switch {
	case where == "" && mode.ReadsEntries():
		return inEntry, nil
	case where == "":
		return inAwsAuth, nil
	case where == inEntry && !mode.ReadsEntries(), where == inAwsAuth && !mode.ReadsAwsAuth():
		return "", usagef("--in %s: a cluster in the mode %s does not read it", where, mode)
	}
	return where, nil
}

// resolve makes an ARN one that a mapping can have: the role of a session,
// and a role's path, which IAM knows and STS does not tell.
func (a *app) resolve(ctx context.Context, s *session, view *access.View, principal string) (string, error) {
	kind, canonical, err := authmap.CanonicalARN(principal)
	switch {
	case err != nil:
		return "", usageError{err}
	case kind == authmap.PrincipalUser:
		return principal, nil
	case kind != authmap.PrincipalRole && kind != authmap.PrincipalAssumedRole:
		return "", usagef("%s names a %s: only roles and users can be mapped", principal, kind)
	}
	account := strings.SplitN(canonical, ":", 6)[4]
	if account != view.Snap.Target.AccountID {
		a.note("the role is in the account %s, whose IAM was not asked whether it exists", account)
		return canonical, nil
	}
	name := canonical[strings.LastIndexByte(canonical, '/')+1:]
	roles, _, err := s.aws.FindRoles(ctx, []string{name})
	switch {
	case err != nil:
		a.note("could not look whether the role exists, and under which path: %v", err)
		return canonical, nil
	case len(roles) == 0:
		return "", fmt.Errorf("there is no role %s in the account %s", name, account)
	}
	addRoles(view.Snap, roles)
	return roles[0].ARN, nil
}

// addEntry plans an access entry.
func (c *changer) addEntry(principal string, flags addAccess) (*accessChange, error) {
	change := newChange(c.session.cluster, principal, inEntry)
	entry := snapshot.AccessEntry{PrincipalARN: principal, Type: "EC2_LINUX"}
	switch {
	case flags.windows:
		entry.Type = "EC2_WINDOWS"
	case flags.people():
		entry.Type, entry.Username, entry.Groups, entry.Policies = "STANDARD", flags.username, flags.groups, flags.policies
	}
	for _, have := range c.before.Snap.Access.Entries {
		if have.PrincipalARN != principal {
			continue
		}
		if have.Type != entry.Type || entry.Username != "" && have.Username != entry.Username ||
			entry.Type == "STANDARD" && !slices.Equal(have.Groups, entry.Groups) {
			return nil, fmt.Errorf("there is an access entry of %s already: type %s, username %q, groups %q; take it away first: %s auth remove %s --in %s",
				principal, have.Type, have.Username, have.Groups, product.Command, principal, inEntry)
		}
		change.Action, change.after = string(authmap.ActionNone), c.before
		change.Notes = []string{"there is such an entry already"}
		return change, nil
	}
	change.Action, change.Diff, change.after = "created", entryDiff("+", entry), c.before.WithEntry(entry)
	change.write = func(ctx context.Context, _ kube.DryRun) (string, error) {
		return "", c.createEntry(ctx, entry)
	}
	return change, nil
}

// createEntry makes an entry with its policies.
func (c *changer) createEntry(ctx context.Context, entry snapshot.AccessEntry) error {
	err := c.session.aws.CreateAccessEntry(ctx, c.session.cluster, cloud.EntryInput{
		Principal: entry.PrincipalARN, Type: entry.Type, Username: entry.Username, Groups: entry.Groups,
	})
	if err != nil {
		return fmt.Errorf("create the access entry of %s: %w", entry.PrincipalARN, err)
	}
	return c.givePolicies(ctx, entry)
}

// givePolicies gives an entry its policies.
func (c *changer) givePolicies(ctx context.Context, entry snapshot.AccessEntry) error {
	for _, policy := range entry.Policies {
		if err := c.session.aws.AssociateAccessPolicy(ctx, c.before.Snap.Target.Partition, c.session.cluster, entry.PrincipalARN, policy); err != nil {
			return fmt.Errorf("give %s the access policy %s (the entry is made): %w", entry.PrincipalARN, policy, err)
		}
	}
	return nil
}

// addToMap plans an edit of aws-auth.
func (c *changer) addToMap(principal string, flags addAccess) (*accessChange, error) {
	change := newChange(c.session.cluster, principal, inAwsAuth)
	if err := missing(c.before.Snap, snapshot.SectionAwsAuth); err != nil {
		return nil, err
	}
	entry := authmap.NodeEntry(principal)
	switch {
	case flags.windows:
		entry = authmap.WindowsNodeEntry(principal)
	case flags.people():
		entry = authmap.Entry{RoleARN: principal, Username: flags.username, Groups: flags.groups}
	}
	var data map[string]string
	if c.before.Snap.Access.AwsAuth != nil {
		data = c.before.Snap.Access.AwsAuth.Data
	}
	edit, err := authmap.AddRole(data, entry)
	if err != nil {
		return nil, fmt.Errorf("aws-auth: %w", err)
	}
	change.fill(edit, c.before)
	change.write = func(ctx context.Context, dryRun kube.DryRun) (string, error) {
		result, err := c.awsAuthWriter(dryRun).AddRole(ctx, entry)
		return result.Backup, err
	}
	return change, nil
}

func (c *accessChange) fill(edit authmap.Edit, before access.View) {
	c.Action, c.Diff, c.Notes, c.after = string(edit.Action), edit.Diff(), edit.Notes, before.WithAwsAuth(edit.Data)
}
