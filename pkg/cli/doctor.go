package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/check"
	"github.com/eksnodes/kubectl-eksnodes/pkg/evidence"
	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const doctorHelp = `Say why machines do not become Ready nodes: the cause, the evidence, the fix.

What AWS says of the machines, what the cluster says of the nodes and what the
machines say of themselves is read, joined by instance id, and judged by rules.
For every machine the earliest link of its way into the cluster that is broken
is the cause; what follows from it is folded under it. What could not be read
is unknown, never fine.

Nothing is changed: a fix is printed, never done. The one exception is --fix,
for what is wrong with the mapping of the nodes' roles: it shows what it will
do, asks, does it, and judges again. The exit code is 0 when nothing fails, 3
when something does, 4 when nothing does but a fact that is needed could not be
read.`

const doctorExamples = `  # all self-managed groups of the cluster
  %[1]s doctor

  # one group, one machine, one node
  %[1]s doctor workers
  %[1]s doctor i-0123456789abcdef0

  # would a machine join, before one is started
  %[1]s doctor workers --would-join
  %[1]s doctor --launch-template lt-0123456789abcdef0:3

  # for a script
  %[1]s doctor -o json | jq -r '.findings[0].check'

  # mend the mapping of a role: shows what it would do, and asks
  %[1]s doctor --fix auth.entry-type

  # what a check is about
  %[1]s explain auth.entry-type`

// doctorFlags are the flags of `doctor`.
type doctorFlags struct {
	output      string
	failOn      string
	checks      []string
	skip        []string
	allNodes    bool
	short       bool
	verbose     bool
	ascii       bool
	list        bool
	permissions string
	from        string
	bundle      string
	group       string
	wouldJoin   bool
	template    string
	compare     string
	fix         string
	yes         bool
	wait        time.Duration
	poll        time.Duration
	agent       agentFlags
	timeout     time.Duration
}

func (f *doctorFlags) bindScope(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.checks, "check", nil, "run only these `checks`")
	flags.StringSliceVar(&f.skip, "skip", nil, "leave these `checks` out")
	flags.BoolVar(&f.allNodes, "all-nodes", false, "judge machines that belong to no self-managed group too")
	flags.StringVar(&f.from, "from", "", "judge what was collected in `path`, a bundle or a directory of raw files; nothing else is read")
	flags.StringVar(&f.group, "group", "", "judge this node `group`, as if it stood as an argument")
	flags.BoolVar(&f.wouldJoin, "would-join", false, "judge the next machine that the groups start, not those they have")
	flags.StringVar(&f.template, "launch-template", "", "judge a machine that would be started from this template: `id[:version]`")
	flags.StringVar(&f.compare, "compare", "", "compare what fails with this `instance` instead of the most alike one that is Ready")
	flags.DurationVar(&f.wait, "wait", 0, "look again until nothing fails, for at most this `time`")
	flags.DurationVar(&f.poll, "poll", 10*time.Second, "time between two looks with --wait")
	flags.DurationVar(&f.timeout, "timeout", gather.DefaultTimeout, "`time` that reading one thing may take; what takes longer is unknown")
	flags.StringVar(&f.failOn, "fail-on", "fail", "what makes the exit code 3: fail, warn or never")
}

func (f *doctorFlags) bindFix(flags *pflag.FlagSet) {
	flags.StringVar(&f.fix, "fix", "", "mend what this `check` of a role's mapping finds: shows it, asks, does it, judges again")
	flags.BoolVarP(&f.yes, "yes", "y", false, "with --fix: ask nothing")
}

func (f *doctorFlags) bindOutput(flags *pflag.FlagSet) {
	flags.StringVarP(&f.output, "output", "o", "text", "text, json, yaml, junit or html (one page)")
	flags.StringVar(&f.bundle, "bundle", "", "save what was read, without credentials, in `file` for --from")
	flags.BoolVar(&f.short, "short", false, "one line for each cause, to paste")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "what passes too")
	flags.BoolVar(&f.ascii, "ascii", false, "print nothing but ASCII")
	flags.BoolVar(&f.list, "list", false, "list the checks and end")
	flags.StringVar(&f.permissions, "permissions", "", "print the permissions that it takes and end: text, iam (a policy) or rbac (a ClusterRole)")
	flags.Lookup("permissions").NoOptDefVal = "text"
}

func newDoctor(app *app, conn *connection) *cobra.Command {
	var flags doctorFlags
	cmd := &cobra.Command{
		Use:               "doctor [GROUP|INSTANCE|NODE...] [flags]",
		Short:             "Say why machines do not become Ready nodes",
		Long:              doctorHelp,
		Example:           fmt.Sprintf(doctorExamples, product.Command),
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeGroups(conn, anyTool),
		RunE: func(cmd *cobra.Command, args []string) error {
			checks, err := flags.parse()
			if err != nil {
				return err
			}
			switch {
			case flags.list:
				return listChecks(app.streams.Out, checks)
			case flags.permissions != "":
				return printPermissions(app.streams.Out, flags.permissions, check.Needs(checks))
			}
			if flags.group != "" {
				args = append(args, flags.group)
			}
			doctor := &doctorCommand{app: app, flags: &flags, checks: checks, subjects: args, cluster: conn.args()}
			if err := doctor.open(cmd.Context(), conn); err != nil {
				return err
			}
			return doctor.run(cmd.Context())
		},
	}
	section(cmd, "What to judge", flags.bindScope)
	section(cmd, "The machines themselves", flags.agent.bind)
	section(cmd, "Output", flags.bindOutput)
	section(cmd, "Mend", flags.bindFix)
	completeWords(cmd, map[string]string{
		"output": "text json yaml junit html", "fail-on": "fail warn never", "agent": "never auto always", "permissions": "text iam rbac",
		"check": strings.Join(checkIDs(), " "), "skip": strings.Join(checkIDs(), " "),
		"fix": strings.Join(repairableIDs(), " "),
	})
	return cmd
}

// parse checks the flags and returns the checks to run.
func (f *doctorFlags) parse() ([]check.Check, error) {
	if err := checkOutput(f.output, "text", "json", "yaml", "junit", "html"); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"fail", "warn", "never"}, f.failOn) {
		return nil, usagef("--fail-on %q: use fail, warn or never", f.failOn)
	}
	if f.from != "" && f.wait > 0 {
		return nil, usagef("--wait has nothing to wait for with --from")
	}
	if f.template != "" && (f.group != "" || f.wouldJoin || f.from != "") {
		return nil, usagef("--launch-template stands alone: it is not a group's")
	}
	if !slices.Contains([]string{"", "text", "iam", "rbac"}, f.permissions) {
		return nil, usagef("--permissions=%s: use text, iam or rbac", f.permissions)
	}
	if f.yes && f.fix == "" {
		return nil, usagef("--yes answers what --fix asks: name the check")
	}
	if f.fix != "" {
		return f.parseFix()
	}
	for _, id := range slices.Concat(f.checks, f.skip) {
		if _, err := findCheck(id); err != nil {
			return nil, err
		}
	}
	if err := f.agent.validate(); err != nil {
		return nil, err
	}
	checks := check.Standing()
	if f.wouldJoin || f.template != "" {
		checks = check.All()
	}
	return slices.DeleteFunc(checks, func(c check.Check) bool {
		return len(f.checks) > 0 && !slices.Contains(f.checks, c.ID) || slices.Contains(f.skip, c.ID)
	}), nil
}

// doctorCommand is one run of `doctor`.
type doctorCommand struct {
	app      *app
	session  *session
	evidence *evidence.Evidence // with --from
	flags    *doctorFlags
	checks   []check.Check
	subjects []string       // groups, instances and nodes; none: all groups
	other    *snapshot.Node // what --compare names
	cluster  []string       // the flags by which the user chose the cluster
}

func (c *doctorCommand) run(ctx context.Context) error {
	if c.flags.fix != "" {
		return c.mend(ctx)
	}
	verdict, err := c.look(ctx)
	if err != nil {
		return err
	}
	if err := c.print(verdict); err != nil {
		return err
	}
	c.offerFix(verdict)
	return c.conclude(verdict)
}

// look reads and judges, with --wait as often as it takes.
func (c *doctorCommand) look(ctx context.Context) (report.Report, error) {
	deadline := time.Now().Add(c.flags.wait)
	for {
		snap, err := c.snapshot(ctx)
		if err != nil {
			return report.Report{}, err
		}
		verdict, err := c.judge(ctx, snap)
		if err != nil {
			return report.Report{}, err
		}
		settled := c.conclude(verdict) == nil && verdict.Machines.Ready == verdict.Machines.Total
		if settled || time.Now().Add(c.flags.poll).After(deadline) {
			return verdict, c.save(snap)
		}
		c.app.screen.say("%d of %d machines are Ready, %s; looking again", verdict.Machines.Ready, verdict.Machines.Total,
			count(verdict.Counts.Fail, "check fails", "checks fail"))
		select {
		case <-ctx.Done():
			return report.Report{}, ctx.Err()
		case <-time.After(c.flags.poll):
		}
	}
}

// verdictError ends a command whose report has said everything.
type verdictError struct{ inconclusive bool }

// Error says how it was judged.
func (e *verdictError) Error() string {
	if e.inconclusive {
		return "nothing fails, but not everything could be read"
	}
	return "something fails"
}

// conclude makes the report's end that of the command.
func (c *doctorCommand) conclude(verdict report.Report) error {
	counts := verdict.Counts
	switch {
	case c.flags.failOn == "never":
		return nil
	case counts.Fail > 0, c.flags.failOn == "warn" && counts.Warn > 0:
		return &verdictError{}
	case counts.Unknown > 0:
		return &verdictError{inconclusive: true}
	}
	return nil
}
