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

const deleteHelp = `Delete a node group that this plugin made.

In this order: launches are suspended, the nodes are drained by kubectl drain,
the CloudFormation stack is deleted, leftover Node objects are removed, and
last, if nothing else uses the nodes' role, its mapping. If the drain is
stopped or fails, launches are resumed and nothing is deleted.

The plan shows what the drain evicts: pods that nothing makes anew, which are
refused without --delete-unmanaged-pods, and PodDisruptionBudgets that allow
no disruption now. --timeout is the time of the whole run.

When the stack's security group cannot go because the VPC CNI has left network
interfaces behind, or rules of other groups name it, they are shown, and
removed after a question of their own (--remove-blockers answers it).

Interrupted, killed or out of time, the same command goes on.`

const deleteExamples = `  # what would be deleted
  %[1]s delete workers --dry-run

  # without being asked
  %[1]s delete workers --yes`

func newDelete(app *app, conn *connection) *cobra.Command {
	flags := deleteFlags{}
	cmd := &cobra.Command{
		Use:               "delete NAME [flags]",
		Short:             "Drain and delete a node group",
		Long:              deleteHelp,
		Example:           fmt.Sprintf(deleteExamples, product.Command),
		Args:              oneName,
		ValidArgsFunction: completeGroups(conn, ourTool),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(); err != nil {
				return err
			}
			run := deleteCommand{app: app, conn: conn, flags: flags, name: args[0]}
			return run.run(cmd.Context())
		},
	}
	section(cmd, "Run", flags.bind)
	completeWords(cmd, map[string]string{"output": "json yaml"})
	return cmd
}

// deleteFlags are the flags of `delete`.
type deleteFlags struct {
	groupFlags
	blockers bool
}

func (f *deleteFlags) bind(flags *pflag.FlagSet) {
	f.groupFlags.bind(flags, groupWords{
		output: "with --dry-run: json or yaml", limit: time.Hour, role: "you", timeout: "`time` that the whole run may take",
	})
	flags.BoolVar(&f.blockers, "remove-blockers", false, "ask nothing before leaked interfaces and foreign rules are removed")
}

// deleteCommand is one run of `delete`.
type deleteCommand struct {
	app   *app
	conn  *connection
	flags deleteFlags
	name  string
}

func (c *deleteCommand) run(ctx context.Context) error {
	session, err := c.conn.open(ctx)
	if err != nil {
		return err
	}
	snap, err := c.read(ctx, session)
	if err != nil {
		return err
	}
	plan, err := nodegroup.MakeDeletePlan(snap, c.name)
	if err != nil {
		return err
	}
	plan.SkipDrain, plan.ServiceRole = c.flags.skipDrain, c.flags.stackRole
	names := make([]string, 0, len(plan.Nodes))
	for _, node := range plan.Nodes {
		names = append(names, node.Name)
	}
	plan.Workload, plan.WorkloadGap = workloadOf(ctx, session, names)
	goOn, err := c.app.propose(ctx, &c.flags.groupFlags, proposal{
		data: plan, write: func(w io.Writer) { writeDeletePlan(w, plan) }, question: "delete node group " + c.name,
		refuse: func() error { return c.flags.refuseLoss(plan.Workload, "nothing was deleted") },
	})
	if err != nil || !goOn {
		return err
	}
	return c.apply(ctx, session, plan)
}

// read takes the group's stack by its name, so that a group that was left
// half deleted, without its Auto Scaling group, is found as well.
func (c *deleteCommand) read(ctx context.Context, s *session) (*snapshot.Snapshot, error) {
	return c.app.readGroupOf(ctx, s, c.name, "nothing was deleted", []snapshot.Section{snapshot.SectionStacks}, snapshot.SectionLaunch)
}

func (c *deleteCommand) apply(ctx context.Context, s *session, plan *nodegroup.DeletePlan) error {
	ctx, cancel := context.WithTimeout(ctx, c.flags.timeout)
	defer cancel()
	aws, progress := awsPort{s.aws}, c.app.screen.progress()
	remover := &nodegroup.Remover{
		Stacks: aws, Writer: aws, Suspension: aws, Entries: aws,
		Drainer: c.flags.drainer(c.app, c.conn, s, min(c.flags.drainTimeout, c.flags.timeout)),
		Nodes:   kubePort{s.kube}, AwsAuth: newAwsAuthPort(s.kube, plan.Cluster),
		Blockers: aws, Consent: blockerConsent{c.app, c.flags.blockers},
		Progress: progress, StackPoll: c.flags.poll,
	}
	if err := remover.Delete(ctx, plan); err != nil {
		return err
	}
	c.app.screen.say("")
	fmt.Fprintf(c.app.streams.Out, "node group %s deleted\n", plan.Group)
	return nil
}

// blockerConsent asks before what the stack did not make is removed.
type blockerConsent struct {
	app *app
	yes bool
}

// Remove asks, unless the flag has answered.
func (b blockerConsent) Remove(ctx context.Context, blocking nodegroup.Blocking) error {
	if b.yes {
		return nil
	}
	question := fmt.Sprintf("remove %s and %s that keep %s", count(len(blocking.Leaked()), "interface", "interfaces"),
		count(len(blocking.Rules), "rule", "rules"), blocking.GroupID)
	return b.app.screen.confirmBy(ctx, question, "--remove-blockers")
}
