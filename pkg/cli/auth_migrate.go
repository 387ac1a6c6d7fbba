package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/access"
	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const authMigrateHelp = `Move the mappings of aws-auth to access entries.

The plan is shown first: an access entry for every mapping that lets somebody in
and has none, and what cannot be moved and why. aws-auth itself is not touched:
while the mode is API_AND_CONFIG_MAP, deleting an entry takes its move back.

Changing the cluster's authentication mode is ONE-WAY: EKS never goes back. Each
such step is asked about by itself; --yes does not answer for it,
--accept-one-way does. The last one, to API, after which aws-auth counts for
nothing, is taken with --to-api only.

Interrupted, the same command goes on: what has an entry is done.`

const authMigrateExamples = `  # the plan
  %[1]s auth migrate --dry-run

  # entries beside aws-auth, from CONFIG_MAP as well
  %[1]s auth migrate --yes --accept-one-way`

// migrateFlags are the flags of `auth migrate`.
type migrateFlags struct {
	yes, oneWay, toAPI, leave, dryRun bool
	output                            string
	poll, timeout                     time.Duration
}

func newAuthMigrate(app *app, conn *connection) *cobra.Command {
	var flags migrateFlags
	cmd := &cobra.Command{
		Use:     "migrate [flags]",
		Short:   "Move the mappings of aws-auth to access entries",
		Long:    authMigrateHelp,
		Example: fmt.Sprintf(authMigrateExamples, product.Command),
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(flags.output, "json", "yaml"); err != nil {
				return err
			}
			if flags.output != "" && !flags.dryRun {
				return usagef("-o %s prints the plan: add --dry-run", flags.output)
			}
			return app.migrate(cmd.Context(), conn, flags)
		},
	}
	section(cmd, "Run", func(set *pflag.FlagSet) {
		set.BoolVar(&flags.toAPI, "to-api", false, "end in the mode API, where aws-auth counts for nothing (one-way)")
		set.BoolVar(&flags.leave, "leave-behind", false, "with --to-api: put those out whose mappings cannot be moved")
		set.BoolVarP(&flags.yes, "yes", "y", false, "ask nothing about the steps that can be taken back")
		set.BoolVar(&flags.oneWay, "accept-one-way", false, "ask nothing about the one-way steps")
		set.BoolVar(&flags.dryRun, "dry-run", false, "print the plan, change nothing")
		set.StringVarP(&flags.output, "output", "o", "", "with --dry-run: json or yaml")
		set.DurationVar(&flags.timeout, "timeout", 15*time.Minute, "`time` that a change of the mode may take")
		set.DurationVar(&flags.poll, "poll-interval", stackPoll, "")
		_ = set.MarkHidden("poll-interval")
	})
	completeWords(cmd, map[string]string{"output": "json yaml"})
	return cmd
}

// migrationDocument is the plan in json and yaml.
type migrationDocument struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	access.Migration
}

func (a *app) migrate(ctx context.Context, conn *connection, flags migrateFlags) error {
	s, err := conn.open(ctx)
	if err != nil {
		return err
	}
	view, err := a.readAccess(ctx, s)
	if err != nil {
		return err
	}
	if err := missing(view.Snap, snapshot.SectionAwsAuth, snapshot.SectionAccessEntries); err != nil {
		return err
	}
	if err := a.prove(view.Snap, "nothing was changed"); err != nil {
		return err
	}
	a.readPolicies(ctx, s, view.Snap)
	to := snapshot.AuthAPIAndConfigMap
	if flags.toAPI {
		to = snapshot.AuthAPI
	}
	plan := view.PlanMigration(to)
	if flags.dryRun && flags.output != "" {
		return printData(a.streams.Out, flags.output, migrationDocument{APIVersion: report.APIVersion, Kind: "AccessMigration", Migration: plan})
	}
	out := a.screen.err
	if flags.dryRun {
		out = a.streams.Out
	}
	writeMigration(out, plan)
	if flags.dryRun {
		return nil
	}
	if len(plan.Steps) == 0 {
		fmt.Fprintf(a.streams.Out, "cluster %s has nothing to move\n", s.cluster)
		return nil
	}
	if flags.toAPI && len(plan.Left) > 0 && !flags.leave {
		return errors.New("not every mapping can be moved, and in the mode API the rest lets nobody in; nothing was changed: --leave-behind puts them out")
	}
	return (&migrator{changer: changer{app: a, session: s, before: view}, flags: flags}).run(ctx, plan)
}

// writeMigration prints the plan.
func writeMigration(w io.Writer, plan access.Migration) {
	fmt.Fprintf(w, "move cluster %s from aws-auth to access entries (mode %s, then %s)\n\n", plan.Cluster, plan.From, plan.To)
	for i, step := range plan.Steps {
		if step.Mode != "" {
			fmt.Fprintf(w, "%3d. authentication mode %s   ONE-WAY: EKS never goes back\n", i+1, step.Mode)
			continue
		}
		what := "access entry"
		if step.Made {
			what = "policies of the access entry"
		}
		fmt.Fprintf(w, "%3d. %s for %s\n", i+1, what, step.Takes)
		for line := range strings.Lines(entryDiff("+", *step.Entry)) {
			fmt.Fprintf(w, "       %s", line)
		}
		for _, note := range step.Notes {
			fmt.Fprintln(w, fill("note: "+note, 7, defaultWidth))
		}
	}
	left := func(heading string, list []access.LeftBehind) {
		if len(list) > 0 {
			fmt.Fprintf(w, "\n%s\n", heading)
		}
		for _, one := range list {
			fmt.Fprintf(w, "  %s  %s\n%s\n", one.Place, one.Principal, fill(one.Reason, 4, defaultWidth))
		}
	}
	left("cannot be moved; in force until the mode is API:", plan.Left)
	left("lets nobody in today, is not moved:", plan.Idle)
	fmt.Fprintln(w)
}

// migrator carries a migration out.
type migrator struct {
	changer
	flags migrateFlags
}

func (m *migrator) run(ctx context.Context, plan access.Migration) error {
	asked := m.flags.yes
	for _, step := range plan.Steps {
		if step.Mode != "" {
			if err := m.changeMode(ctx, step.Mode); err != nil {
				return err
			}
			continue
		}
		if !asked {
			if err := m.app.screen.confirm(ctx, "make the access entries"); err != nil {
				return err
			}
			asked = true
		}
		if err := m.makeEntry(ctx, step); err != nil {
			return err
		}
	}
	fmt.Fprintf(m.app.streams.Out, "cluster %s is in the mode %s; aws-auth was left as it is\n", m.session.cluster, plan.To)
	return nil
}

// makeEntry makes a step's entry. One that somebody, EKS itself for instance,
// has made meanwhile is theirs.
func (m *migrator) makeEntry(ctx context.Context, step access.MigrationStep) error {
	entry := *step.Entry
	state := "created"
	var err error
	if step.Made {
		state, err = "policies added", m.givePolicies(ctx, entry)
	} else {
		err = m.createEntry(ctx, entry)
	}
	if cloud.IsKind(err, cloud.Exists) {
		state, err = "there already", nil
	}
	if err != nil {
		return err
	}
	m.app.screen.say("access entry %s %s: %s", entry.Type, entry.PrincipalARN, m.app.screen.paint(green, state))
	return nil
}

// changeMode takes a one-way step, after a look at what is in force now: who
// would lose by the step is put out for good.
func (m *migrator) changeMode(ctx context.Context, mode snapshot.AuthMode) error {
	view, err := m.app.readAccess(ctx, m.session)
	if err != nil {
		return err
	}
	m.before = view
	m.changer.flags = changeFlags{dryRun: "none", force: m.flags.leave}
	if err := m.guard(ctx, view.WithMode(mode)); err != nil {
		return err
	}
	if !m.flags.oneWay {
		question := fmt.Sprintf("ONE-WAY: set the authentication mode of cluster %s to %s; EKS never goes back. Do it", m.session.cluster, mode)
		if err := m.app.screen.confirmBy(ctx, question, "--accept-one-way"); err != nil {
			return err
		}
	}
	if err := m.session.aws.SetAuthMode(ctx, m.session.cluster, mode); err != nil {
		return fmt.Errorf("set the authentication mode: %w", err)
	}
	return m.awaitMode(ctx, mode)
}

// awaitMode waits until EKS has put the mode in force.
func (m *migrator) awaitMode(ctx context.Context, mode snapshot.AuthMode) error {
	ctx, cancel := context.WithTimeoutCause(ctx, m.flags.timeout, fmt.Errorf("the cluster is not in the mode %s after %s", mode, m.flags.timeout))
	defer cancel()
	tick := time.NewTicker(max(m.flags.poll, time.Millisecond))
	defer tick.Stop()
	for {
		cluster, err := m.session.aws.DescribeCluster(ctx, m.session.cluster)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		if cluster.AuthMode == mode && cluster.Status == "ACTIVE" {
			m.app.screen.say("authentication mode %s: %s", mode, m.app.screen.paint(green, "in force"))
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
