package cli

import (
	"context"
	"fmt"
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
		Use:     "delete NAME [flags]",
		Short:   "Drain and delete a node group",
		Long:    deleteHelp,
		Example: fmt.Sprintf(deleteExamples, product.Command),
		Args:    oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(flags.output, "json", "yaml"); err != nil {
				return err
			}
			if flags.output != "" && !flags.dryRun {
				return usagef("-o %s prints what would be deleted: add --dry-run", flags.output)
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
	yes, dryRun, skipDrain bool
	unmanaged, blockers    bool
	drainTimeout, timeout  time.Duration
	output                 string
	stackRole              string
	poll                   time.Duration
}

func (f *deleteFlags) bind(flags *pflag.FlagSet) {
	flags.BoolVarP(&f.yes, "yes", "y", false, "ask nothing")
	flags.BoolVar(&f.dryRun, "dry-run", false, "print what would be deleted, delete nothing")
	flags.StringVarP(&f.output, "output", "o", "", "with --dry-run: json or yaml")
	flags.BoolVar(&f.skipDrain, "skip-drain", false, "do not drain: pods die with their machines")
	flags.BoolVar(&f.unmanaged, "delete-unmanaged-pods", false, "drain pods too that nothing makes anew")
	flags.DurationVar(&f.drainTimeout, "drain-timeout", 15*time.Minute, "`time` that the drain may take")
	flags.DurationVar(&f.timeout, "timeout", time.Hour, "`time` that the whole run may take")
	flags.BoolVar(&f.blockers, "remove-blockers", false, "ask nothing before leaked interfaces and foreign rules are removed")
	flags.StringVar(&f.stackRole, "role-arn", "", "`ARN` of the role CloudFormation acts as (default: you)")
	flags.DurationVar(&f.poll, "poll-interval", stackPoll, "")
	_ = flags.MarkHidden("poll-interval")
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
	if err := c.app.prove(snap, "nothing was deleted"); err != nil {
		return err
	}
	plan, err := nodegroup.MakeDeletePlan(snap, c.name)
	if err != nil {
		return err
	}
	plan.SkipDrain, plan.ServiceRole = c.flags.skipDrain, c.flags.stackRole
	c.readWorkload(ctx, session, plan)
	if c.flags.dryRun {
		if c.flags.output != "" {
			return printData(c.app.streams.Out, c.flags.output, plan)
		}
		writeDeletePlan(c.app.streams.Out, plan)
		return nil
	}
	writeDeletePlan(c.app.screen.err, plan)
	if err := c.refuse(plan); err != nil {
		return err
	}
	if !c.flags.yes {
		if err := c.app.screen.confirm(ctx, "delete node group "+c.name); err != nil {
			return err
		}
	}
	return c.apply(ctx, session, plan)
}

// read takes the group's stack by its name, so that a group that was left
// half deleted, without its Auto Scaling group, is found as well.
func (c *deleteCommand) read(ctx context.Context, s *session) (*snapshot.Snapshot, error) {
	c.app.screen.say("reading cluster %s in %s ...", s.cluster, s.aws.Region())
	stackName, err := nodegroup.StackName(s.cluster, c.name)
	if err != nil {
		return nil, err
	}
	snap, err := readGroups(ctx, s, []string{stackName}, snapshot.SectionStacks, snapshot.SectionInstances, snapshot.SectionLaunch)
	if err != nil {
		return nil, err
	}
	return snap, missing(snap, snapshot.SectionStacks)
}

// readWorkload reads what the drain would evict. That it cannot be read is
// part of the plan, and no reason to stop.
func (c *deleteCommand) readWorkload(ctx context.Context, s *session, plan *nodegroup.DeletePlan) {
	names := make([]string, 0, len(plan.Nodes))
	for _, node := range plan.Nodes {
		names = append(names, node.Name)
	}
	work, err := s.kube.Client.Workload(ctx, names)
	if err != nil {
		plan.WorkloadGap = err.Error()
		return
	}
	plan.Workload = work
}

// refuse keeps a drain from failing halfway on what is known before.
func (c *deleteCommand) refuse(plan *nodegroup.DeletePlan) error {
	if plan.Workload == nil || c.flags.skipDrain || c.flags.unmanaged {
		return nil
	}
	lost := plan.Workload.Lost()
	if len(lost) == 0 {
		return nil
	}
	return fmt.Errorf("%s that nothing makes anew would be lost; nothing was deleted: --delete-unmanaged-pods deletes them", count(len(lost), "pod", "pods"))
}

func (c *deleteCommand) apply(ctx context.Context, s *session, plan *nodegroup.DeletePlan) error {
	ctx, cancel := context.WithTimeout(ctx, c.flags.timeout)
	defer cancel()
	aws, progress := awsPort{s.aws}, c.app.screen.progress()
	remover := &nodegroup.Remover{
		Stacks: aws, Writer: aws, Suspension: aws, Entries: aws,
		Drainer: namingDrain{s.kube.Client, kubectlDrain{
			connection: c.conn.kubectlArgs(), timeout: min(c.flags.drainTimeout, c.flags.timeout), force: c.flags.unmanaged, out: c.app.screen.err,
		}},
		Nodes: kubePort{s.kube}, AwsAuth: newAwsAuthPort(s.kube, plan.Cluster),
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
