package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/access"
	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/kube"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Where a mapping can be written.
const (
	inEntry   = "access-entry"
	inAwsAuth = "aws-auth"
)

// changeFlags are those of the commands that write mappings.
type changeFlags struct {
	yes, force bool
	dryRun     string
	output     string
	backupDir  string
}

func (f *changeFlags) bind(flags *pflag.FlagSet) {
	flags.BoolVarP(&f.yes, "yes", "y", false, "ask nothing")
	flags.StringVar(&f.dryRun, "dry-run", string(kube.DryRunNone), "client: show the change; server: let the API server check it too; none")
	flags.Lookup("dry-run").NoOptDefVal = string(kube.DryRunClient)
	flags.BoolVar(&f.force, "force", false, "go on although machines, or you, would lose access")
	flags.StringVarP(&f.output, "output", "o", "", "json or yaml")
	flags.StringVar(&f.backupDir, "backup-dir", "", "`folder` for copies of aws-auth (default: your state folder)")
}

func (f *changeFlags) check() error {
	if !slices.Contains([]string{"none", "client", "server"}, f.dryRun) {
		return usagef("--dry-run=%s: use none, client or server", f.dryRun)
	}
	return checkOutput(f.output, "json", "yaml")
}

// accessChange is one change of one list, planned or done. It is what the
// commands print as json and yaml.
type accessChange struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Cluster    string          `json:"cluster"`
	Principal  string          `json:"principal,omitempty"`
	Where      string          `json:"where"`            // access-entry, aws-auth
	Action     string          `json:"action"`           // created, added, merged, deleted, removed, trimmed, restored, none
	DryRun     string          `json:"dryRun,omitempty"` // client, server
	Diff       string          `json:"diff,omitempty"`
	Backup     string          `json:"backup,omitempty"`
	Notes      []string        `json:"notes,omitempty"`
	Answer     *answerDocument `json:"answer,omitempty"` // to the principal, after the change

	write func(ctx context.Context, dryRun kube.DryRun) (backup string, err error)
	after access.View
}

func newChange(cluster, principal, where string) *accessChange {
	return &accessChange{APIVersion: report.APIVersion, Kind: "AccessChange", Cluster: cluster, Principal: principal, Where: where}
}

// changer shows changes, asks, and writes them.
type changer struct {
	app     *app
	session *session
	flags   changeFlags
	before  access.View
}

// run shows the changes with who would lose by them, asks once, and writes
// them in order.
func (c *changer) run(ctx context.Context, question string, changes ...*accessChange) error {
	out := c.app.screen.err
	if c.flags.dryRun != string(kube.DryRunNone) && c.flags.output == "" {
		out = c.app.streams.Out
	}
	todo := slices.DeleteFunc(slices.Clone(changes), func(change *accessChange) bool { return change.Action == string(authmap.ActionNone) })
	for _, change := range changes {
		c.show(out, change)
	}
	if len(todo) > 0 {
		if err := c.guard(ctx, todo[len(todo)-1].after); err != nil {
			return err
		}
	}
	if c.flags.dryRun != string(kube.DryRunNone) {
		return c.rehearse(ctx, changes)
	}
	if len(todo) > 0 && !c.flags.yes {
		if err := c.app.screen.confirm(ctx, question); err != nil {
			return err
		}
	}
	for _, change := range todo {
		backup, err := change.write(ctx, kube.DryRunNone)
		if err != nil {
			return err
		}
		change.Backup = backup
		c.app.screen.say("%s: %s", change.Where, c.app.screen.paint(green, change.Action))
		if backup != "" {
			c.app.screen.say("  copy of aws-auth as it was: %s", backup)
		}
	}
	return c.finish(changes)
}

func (c *changer) show(out io.Writer, change *accessChange) {
	if change.Action == string(authmap.ActionNone) {
		fmt.Fprintf(out, "%s of cluster %s: nothing to change\n", change.Where, change.Cluster)
	} else {
		fmt.Fprintf(out, "%s of cluster %s, to be %s:\n", change.Where, change.Cluster, change.Action)
	}
	for line := range strings.Lines(change.Diff) {
		fmt.Fprintf(out, "  %s\n", strings.TrimRight(line, "\r\n"))
	}
	for _, note := range change.Notes {
		fmt.Fprintln(out, fill("note: "+note, 2, defaultWidth))
	}
}

// rehearse lets the API server check what it can.
func (c *changer) rehearse(ctx context.Context, changes []*accessChange) error {
	for _, change := range changes {
		change.DryRun = c.flags.dryRun
		if c.flags.dryRun != string(kube.DryRunServer) || change.Action == string(authmap.ActionNone) {
			continue
		}
		if change.Where == inEntry {
			c.app.note("EKS cannot check an access entry without making it")
			continue
		}
		if _, err := change.write(ctx, kube.DryRunServer); err != nil {
			return err
		}
		c.app.screen.say("the API server takes the change")
	}
	return c.finish(changes)
}

// finish prints what was done, as data when that was asked for, and says what
// the cluster answers now.
func (c *changer) finish(changes []*accessChange) error {
	for _, change := range changes {
		if c.flags.output != "" {
			if err := printData(c.app.streams.Out, c.flags.output, change); err != nil {
				return err
			}
		}
	}
	last := changes[len(changes)-1]
	if last.Answer == nil || c.flags.output != "" || c.flags.dryRun != string(kube.DryRunNone) {
		return nil
	}
	if last.Answer.Outcome == string(authmap.OutcomeMapped) {
		fmt.Fprintf(c.app.streams.Out, "%s is %s, in %s\n", last.Principal, last.Answer.Username, orNone(strings.Join(last.Answer.Groups, ", ")))
		return nil
	}
	fmt.Fprintf(c.app.streams.Out, "%s is not let in: %s\n", last.Principal, last.Answer.Reason)
	return nil
}

// guard refuses a change that puts out machines or the caller, and one of
// which that cannot be told.
func (c *changer) guard(ctx context.Context, after access.View) error {
	var reasons []string
	if blind := c.before.Blind(); blind != "" {
		reasons = append(reasons, "it is not known which machines live on which role: "+blind)
	}
	var others []authmap.Identity
	me, err := c.session.kube.Client.WhoAmI(ctx)
	if err == nil && me.ARN != "" {
		others = append(others, authmap.Identity{ARN: me.ARN})
	}
	for _, loss := range access.Losses(c.before, after, others...) {
		who := fmt.Sprintf("%s, with the role %s,", count(loss.Machines, "machine", "machines"), loss.Who)
		if loss.Machines == 0 {
			who = "you (" + loss.Who + ")"
		}
		reasons = append(reasons, who+" "+lossWords(loss))
	}
	if len(reasons) == 0 {
		return nil
	}
	text := strings.Join(reasons, "; ")
	if c.flags.force || c.flags.dryRun != string(kube.DryRunNone) {
		c.app.note("%s", text)
		return nil
	}
	return errors.New(text + "; nothing was changed: --force goes on all the same")
}

func lossWords(loss access.Loss) string {
	switch {
	case !loss.After.Known():
		return "may lose access: " + loss.After.Unknown
	case loss.After.In():
		return fmt.Sprintf("would become %s in %s", loss.After.Username, orNone(strings.Join(loss.After.Groups, ", ")))
	}
	return "would lose access"
}

// entryDiff shows an access entry that comes or goes.
func entryDiff(sign string, entry snapshot.AccessEntry) string {
	var out strings.Builder
	line := func(label, value string) {
		if value != "" {
			fmt.Fprintf(&out, "%s %-10s %s\n", sign, label, value)
		}
	}
	line("principal", entry.PrincipalARN)
	line("type", entry.Type)
	line("username", entry.Username)
	line("groups", strings.Join(entry.Groups, ", "))
	line("policies", strings.Join(entry.Policies, ", "))
	return out.String()
}

// awsAuthWriter writes aws-auth of the cluster.
func (c *changer) awsAuthWriter(dryRun kube.DryRun) *kube.AwsAuthWriter {
	return &kube.AwsAuthWriter{
		ConfigMaps: c.session.kube.Client.ConfigMaps(kube.AwsAuthNamespace), Cluster: c.session.cluster,
		BackupDir: c.flags.backupDir, DryRun: dryRun,
	}
}
