package cli

import (
	"context"
	"fmt"
	"io"
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
		Use:               "scale NAME [flags]",
		Short:             "Give a node group other sizes, draining what goes",
		Long:              scaleHelp,
		Example:           fmt.Sprintf(scaleExamples, product.Command),
		Args:              oneName,
		ValidArgsFunction: completeGroups(conn, ourTool),
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
	groupFlags
	smallest, desired, largest int
	size                       nodegroup.Size
}

func (f *scaleFlags) bindSizes(flags *pflag.FlagSet) {
	flags.IntVar(&f.desired, "desired", 0, "`number` of nodes")
	flags.IntVar(&f.smallest, "min", 0, "least `number` of nodes that Auto Scaling keeps")
	flags.IntVar(&f.largest, "max", 0, "largest `number` of nodes that Auto Scaling makes")
}

func (f *scaleFlags) bind(flags *pflag.FlagSet) {
	f.groupFlags.bind(flags, groupWords{
		output: "with --dry-run: json or yaml", limit: 15 * time.Minute, role: "the stack's, else you",
		timeout: "`time` that new nodes have to become Ready, and old ones to go",
	})
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
	if f.size == (nodegroup.Size{}) {
		return usagef("say what to change: --desired, --min or --max")
	}
	return f.groupFlags.check()
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
	scaler := c.scaler(session)
	snap, err := settled(ctx, session, c.name, c.flags.dryRun, c.read, scaler.Settle)
	if err != nil {
		return err
	}
	plan, err := nodegroup.MakeScalePlan(snap, c.name, c.flags.size)
	if err != nil {
		return err
	}
	plan.SkipDrain, plan.ServiceRole = c.flags.skipDrain, c.flags.stackRole
	proposal := proposal{data: plan, write: func(w io.Writer) { writeScalePlan(w, plan) }}
	if !plan.Nothing() {
		proposal.question = "scale node group " + c.name
	}
	if goOn, err := c.app.propose(ctx, &c.flags.groupFlags, proposal); err != nil || !goOn {
		return err
	}
	members, err := scaler.Scale(ctx, plan)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.app.streams.Out, "node group %s: %s Ready (min %d, max %d)\n", plan.Group, count(len(members), "node", "nodes"), plan.To.Min, plan.To.Max)
	return nil
}

// read takes the group with its stack and machines. Without machines or nodes
// the choice of what goes would be a guess.
func (c *scaleCommand) read(ctx context.Context, s *session) (*snapshot.Snapshot, error) {
	return c.app.readGroupOf(ctx, s, c.name, "nothing was changed",
		[]snapshot.Section{snapshot.SectionStacks, snapshot.SectionInstances, snapshot.SectionNodes})
}

func (c *scaleCommand) scaler(s *session) *nodegroup.Scaler {
	aws, kube := awsPort{s.aws}, kubePort{s.kube}
	return &nodegroup.Scaler{
		Stacks: aws, Updater: aws, Sizer: aws, Groups: aws, Protection: aws, Watcher: kube, Nodes: kube,
		Drainer:  c.flags.drainer(c.app, c.conn, s, c.flags.drainTimeout),
		Progress: c.app.screen.progress(), StackPoll: c.flags.poll, JoinPoll: c.flags.poll, Timeout: c.flags.timeout,
	}
}

// writeScalePlan prints what will be done, in order.
func writeScalePlan(w io.Writer, plan *nodegroup.ScalePlan) {
	row := planRows(w)
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
