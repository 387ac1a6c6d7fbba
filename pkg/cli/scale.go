package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const scaleHelp = `Give a node group that this plugin made other sizes.

The sizes are changed in the group's CloudFormation stack, so that nothing
drifts. What is not given stays as the Auto Scaling group has it now.

Growing waits until the new nodes are Ready, as add does. Shrinking chooses the
nodes that go: first those that are cordoned, not Ready or without a Node
object, then from the zone that has most, then the oldest. They are drained by
kubectl drain, which respects PodDisruptionBudgets, while the others are
protected from scale-in; then the stack is updated, and Auto Scaling ends
exactly the drained ones.

Interrupted, the same command goes on: it chooses the nodes again that it has
cordoned.`

const scaleExamples = `  %[1]s scale workers --desired 5 --max 6
  %[1]s scale workers --desired 2 --dry-run
  %[1]s scale workers --min 0 --desired 0 --yes`

func newScale(app *app, conn *connection) *cobra.Command {
	flags := scaleFlags{}
	cmd := &cobra.Command{
		Use:     "scale NAME [flags]",
		Short:   "Give a node group other sizes, draining what goes",
		Long:    scaleHelp,
		Example: fmt.Sprintf(scaleExamples, product.Command),
		Args:    oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(cmd.Flags()); err != nil {
				return err
			}
			run := scaleCommand{app: app, conn: conn, flags: flags, name: args[0]}
			return run.run(cmd.Context())
		},
	}
	section(cmd, "Sizes", flags.bindSizes)
	section(cmd, "Run", flags.bind)
	completeWords(cmd, map[string]string{"output": "json yaml"})
	return cmd
}

// scaleFlags are the flags of `scale`.
type scaleFlags struct {
	smallest, desired, largest int
	size                       nodegroup.Size
	yes, dryRun, skipDrain     bool
	unmanaged                  bool
	drainTimeout, timeout      time.Duration
	output, stackRole          string
	poll                       time.Duration
}

func (f *scaleFlags) bindSizes(flags *pflag.FlagSet) {
	flags.IntVar(&f.desired, "desired", 0, "`number` of nodes")
	flags.IntVar(&f.smallest, "min", 0, "least `number` of nodes that Auto Scaling keeps")
	flags.IntVar(&f.largest, "max", 0, "largest `number` of nodes that Auto Scaling makes")
}

func (f *scaleFlags) bind(flags *pflag.FlagSet) {
	flags.BoolVarP(&f.yes, "yes", "y", false, "ask nothing")
	flags.BoolVar(&f.dryRun, "dry-run", false, "print what would be done, do nothing")
	flags.StringVarP(&f.output, "output", "o", "", "with --dry-run: json or yaml")
	flags.BoolVar(&f.skipDrain, "skip-drain", false, "do not drain: pods die with their machines")
	flags.BoolVar(&f.unmanaged, "delete-unmanaged-pods", false, "drain pods too that nothing makes anew")
	flags.DurationVar(&f.drainTimeout, "drain-timeout", 15*time.Minute, "`time` that the drain may take")
	flags.DurationVar(&f.timeout, "timeout", 15*time.Minute, "`time` that new nodes have to become Ready, and old ones to go")
	flags.StringVar(&f.stackRole, "role-arn", "", "`ARN` of the role CloudFormation acts as (default: the stack's, else you)")
	flags.DurationVar(&f.poll, "poll-interval", stackPoll, "")
	_ = flags.MarkHidden("poll-interval")
}

func (f *scaleFlags) check(flags *pflag.FlagSet) error {
	f.size = nodegroup.Size{}
	for _, size := range []struct {
		name string
		from *int
		to   **int
	}{{"min", &f.smallest, &f.size.Min}, {"desired", &f.desired, &f.size.Desired}, {"max", &f.largest, &f.size.Max}} {
		if flags.Changed(size.name) {
			value := *size.from
			*size.to = &value
		}
	}
	switch {
	case f.size == nodegroup.Size{}:
		return usagef("say what to change: --desired, --min or --max")
	case f.output != "" && !f.dryRun:
		return usagef("-o %s prints what would be done: add --dry-run", f.output)
	}
	return checkOutput(f.output, "json", "yaml")
}

// scaleCommand is one run of `scale`.
type scaleCommand struct {
	app   *app
	conn  *connection
	flags scaleFlags
	name  string
}

func (c *scaleCommand) run(ctx context.Context) error {
	session, err := c.conn.open(ctx)
	if err != nil {
		return err
	}
	snap, err := c.read(ctx, session)
	if err != nil {
		return err
	}
	if err := c.app.prove(snap, "nothing was changed"); err != nil {
		return err
	}
	scaler := c.scaler(session)
	if stack := c.stack(snap); stack != nil && nodegroup.Updating(stack.Status) && !c.flags.dryRun {
		if err := scaler.Settle(ctx, stack); err != nil {
			return err
		}
		if snap, err = c.read(ctx, session); err != nil {
			return err
		}
	}
	plan, err := nodegroup.MakeScalePlan(snap, c.name, c.flags.size)
	if err != nil {
		return err
	}
	plan.SkipDrain, plan.ServiceRole = c.flags.skipDrain, c.flags.stackRole
	if c.flags.dryRun {
		if c.flags.output != "" {
			return printData(c.app.streams.Out, c.flags.output, plan)
		}
		writeScalePlan(c.app.streams.Out, plan)
		return nil
	}
	writeScalePlan(c.app.screen.err, plan)
	if !c.flags.yes && !plan.Nothing() {
		if err := c.app.screen.confirm(ctx, "scale node group "+c.name); err != nil {
			return err
		}
	}
	members, err := scaler.Scale(ctx, plan)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.app.streams.Out, "node group %s: %s Ready (min %d, max %d)\n", plan.Group, count(len(members), "node", "nodes"), plan.To.Min, plan.To.Max)
	return nil
}

// read takes the group with its stack and machines.
func (c *scaleCommand) read(ctx context.Context, s *session) (*snapshot.Snapshot, error) {
	c.app.screen.say("reading cluster %s in %s ...", s.cluster, s.aws.Region())
	stackName, err := nodegroup.StackName(s.cluster, c.name)
	if err != nil {
		return nil, err
	}
	snap, err := readGroups(ctx, s, []string{stackName}, snapshot.SectionStacks, snapshot.SectionInstances)
	if err != nil {
		return nil, err
	}
	// Without machines or nodes the choice of what goes would be a guess.
	return snap, missing(snap, snapshot.SectionStacks, snapshot.SectionInstances, snapshot.SectionNodes)
}

func (c *scaleCommand) stack(snap *snapshot.Snapshot) *snapshot.Stack {
	name, err := nodegroup.StackName(snap.Cluster.Name, c.name)
	if err != nil {
		return nil
	}
	return snap.Stack(name)
}

func (c *scaleCommand) scaler(s *session) *nodegroup.Scaler {
	aws, kube := awsPort{s.aws}, kubePort{s.kube}
	return &nodegroup.Scaler{
		Stacks: aws, Updater: aws, Sizer: aws, Groups: aws, Protection: aws, Watcher: kube, Nodes: kube,
		Drainer: namingDrain{s.kube.Client, kubectlDrain{
			connection: c.conn.kubectlArgs(), timeout: c.flags.drainTimeout, force: c.flags.unmanaged, out: c.app.screen.err,
		}},
		Progress: c.app.screen.progress(), StackPoll: c.flags.poll, JoinPoll: c.flags.poll, Timeout: c.flags.timeout,
	}
}

// writeScalePlan prints what will be done, in order.
func writeScalePlan(w io.Writer, plan *nodegroup.ScalePlan) {
	row := func(label, format string, args ...any) {
		text := strings.TrimLeft(fill(fmt.Sprintf(format, args...), labelWidth+4, defaultWidth), " ")
		fmt.Fprintf(w, "  %-*s  %s\n", labelWidth, label, text)
	}
	fmt.Fprintf(w, "scale node group %s of cluster %s\n\n", plan.Group, plan.Cluster)
	row("from", "min %d, desired %d, max %d", plan.From.Min, plan.From.Desired, plan.From.Max)
	row("to", "min %d, desired %d, max %d", plan.To.Min, plan.To.Desired, plan.To.Max)
	for i, victim := range plan.Remove {
		label := ""
		if i == 0 {
			label = "remove"
		}
		row(label, "%s  %s  %s", victim.InstanceID, victim.Zone, orNone(victim.Node))
		row("", "%s", victim.Why)
	}
	switch {
	case len(plan.Remove) > 0 && plan.SkipDrain:
		row("drain", "skipped: pods die with their machines")
	case len(plan.Remove) > 0:
		row("drain", "kubectl drain, before anything is ended")
		row("protect", "%s from scale-in, until the others are gone", count(len(plan.Protect), "node", "nodes"))
	}
	row("stack", "%s (%s)", plan.Stack.Name, plan.Stack.Status)
	for _, note := range plan.Notes {
		row("note", "%s", note)
	}
	fmt.Fprintln(w)
}
