package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const teardownHelp = `Delete all node groups of the cluster that this plugin made, and then the
cluster itself: by its CloudFormation stack if it came by one, else by EKS.

The plan is shown first, and the name of the cluster must be typed. Nothing is
deleted while somebody else's machines live in the cluster (managed node groups,
Fargate profiles, groups of other tools, Karpenter's nodes), or while load
balancers or EBS volumes that the cluster has made would be left behind: each is
named with what removes it. --orphan-load-balancers and --orphan-volumes leave
them behind. Volumes with the reclaim policy Retain stay in any case.

Pods are stopped with their grace period, on all groups at once, and without
asking PodDisruptionBudgets: there is nothing left for them to move to. Then
group after group goes as by delete, and the cluster last. What the cluster was
put into, its VPC and its role, stays unless its stack holds it.

Interrupted, killed or out of time, the same command goes on.`

const teardownExamples = `  # what would go, and what speaks against it
  %[1]s teardown --dry-run

  # without being asked
  %[1]s teardown --yes`

func newTeardown(app *app, conn *connection) *cobra.Command {
	flags := teardownFlags{}
	cmd := &cobra.Command{
		Use:     "teardown [flags]",
		Short:   "Delete all node groups of this plugin, and the cluster",
		Long:    teardownHelp,
		Example: fmt.Sprintf(teardownExamples, product.Command),
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(flags.output, "json", "yaml"); err != nil {
				return err
			}
			run := teardownCommand{app: app, conn: conn, flags: flags}
			return run.run(cmd.Context())
		},
	}
	section(cmd, "Left behind", flags.bindOrphans)
	section(cmd, "Run", flags.bind)
	completeWords(cmd, map[string]string{"output": "json yaml"})
	return cmd
}

// teardownFlags are the flags of `teardown`.
type teardownFlags struct {
	orphanBalancers, orphanVolumes bool
	yes, dryRun, skipDrain         bool
	blockers                       bool
	drainTimeout, timeout          time.Duration
	output, stackRole              string
	poll                           time.Duration
}

func (f *teardownFlags) bindOrphans(flags *pflag.FlagSet) {
	flags.BoolVar(&f.orphanBalancers, "orphan-load-balancers", false, "leave load balancers behind that the cluster has made")
	flags.BoolVar(&f.orphanVolumes, "orphan-volumes", false, "leave EBS volumes behind that the cluster has made")
}

func (f *teardownFlags) bind(flags *pflag.FlagSet) {
	flags.BoolVarP(&f.yes, "yes", "y", false, "ask nothing")
	flags.BoolVar(&f.dryRun, "dry-run", false, "print what would be deleted, delete nothing")
	flags.StringVarP(&f.output, "output", "o", "", "json or yaml")
	flags.BoolVar(&f.skipDrain, "skip-drain", false, "do not stop pods first: they die with their machines")
	flags.DurationVar(&f.drainTimeout, "drain-timeout", 5*time.Minute, "`time` that pods have to stop")
	flags.DurationVar(&f.timeout, "timeout", 2*time.Hour, "`time` that the whole run may take")
	flags.BoolVar(&f.blockers, "remove-blockers", false, "ask nothing before leaked interfaces and foreign rules are removed")
	flags.StringVar(&f.stackRole, "role-arn", "", "`ARN` of the role CloudFormation acts as (default: you)")
	flags.DurationVar(&f.poll, "poll-interval", stackPoll, "")
	_ = flags.MarkHidden("poll-interval")
}

// teardownCommand is one run of `teardown`.
type teardownCommand struct {
	app   *app
	conn  *connection
	flags teardownFlags
}

func (c *teardownCommand) run(ctx context.Context) error {
	session, err := c.conn.open(ctx)
	if err != nil {
		return err
	}
	plan, err := c.plan(ctx, session)
	if err != nil {
		return err
	}
	switch {
	case c.flags.dryRun && c.flags.output != "":
		document := teardownPlanDocument{APIVersion: report.APIVersion, Kind: "TeardownPlan", TeardownPlan: plan}
		if err := printData(c.app.streams.Out, c.flags.output, document); err != nil {
			return err
		}
	case c.flags.dryRun:
		writeTeardownPlan(c.app.streams.Out, plan)
	default:
		writeTeardownPlan(c.app.screen.err, plan)
	}
	if err := refusedTeardown(plan); err != nil || c.flags.dryRun {
		return err
	}
	if !c.flags.yes {
		if err := c.app.screen.confirmName(ctx, "delete cluster "+plan.Cluster+" and all that is in it", plan.Cluster); err != nil {
			return err
		}
	}
	return c.apply(ctx, session, plan)
}

// refusedTeardown is the error of a plan that is not to be carried out; nil for
// one that is.
func refusedTeardown(plan *nodegroup.TeardownPlan) error {
	known := 0
	for _, refusal := range plan.Refusals {
		if !refusal.Unknown {
			known++
		}
	}
	switch {
	case known > 0:
		return &judgedError{text: fmt.Sprintf("%s against it; nothing was deleted", count(known, "thing speaks", "things speak"))}
	case len(plan.Refusals) > 0:
		return &judgedError{text: "it is not known whether something is left behind; nothing was deleted", inconclusive: true}
	}
	return nil
}

// plan reads all that the decision takes.
func (c *teardownCommand) plan(ctx context.Context, s *session) (*nodegroup.TeardownPlan, error) {
	c.app.screen.say("reading cluster %s in %s ...", s.cluster, s.aws.Region())
	snap, err := readGroups(ctx, s, nil, snapshot.SectionInstances, snapshot.SectionLaunch)
	if err != nil {
		return nil, absentCluster(s, err)
	}
	if err := c.app.prove(snap, "nothing was deleted"); err != nil {
		return nil, err
	}
	if err := missing(snap, snapshot.SectionInstances); err != nil {
		return nil, err
	}
	if snap.Stacks, err = s.aws.GroupStacks(ctx, s.cluster); err != nil {
		return nil, err
	}
	facts, err := c.facts(ctx, s, snap)
	if err != nil {
		return nil, err
	}
	return nodegroup.MakeTeardownPlan(snap, facts, nodegroup.TeardownOptions{
		OrphanLoadBalancers: c.flags.orphanBalancers, OrphanVolumes: c.flags.orphanVolumes,
		SkipDrain: c.flags.skipDrain, ServiceRole: c.flags.stackRole,
	})
}

// facts reads who else lives in the cluster, and what it has made.
func (c *teardownCommand) facts(ctx context.Context, s *session, snap *snapshot.Snapshot) (*nodegroup.TeardownFacts, error) {
	facts := &nodegroup.TeardownFacts{}
	var err error
	if facts.Stack, err = clusterStack(ctx, s, snap.Cluster); err != nil {
		return nil, err
	}
	if facts.ManagedGroups, err = s.aws.ManagedNodeGroups(ctx, s.cluster); err != nil {
		return nil, err
	}
	if facts.FargateProfiles, err = s.aws.FargateProfiles(ctx, s.cluster); err != nil {
		return nil, err
	}
	if gap, unread := snap.Gap(snapshot.SectionNodes, ""); unread {
		facts.LeftoversGap = gap.Detail // nor can anything else of the cluster's API be read
		return facts, nil
	}
	if facts.Leftovers, err = s.kube.Client.Leftovers(ctx); err != nil {
		facts.LeftoversGap = err.Error()
	}
	var nodes []string
	for i := range snap.Nodes {
		node := &snap.Nodes[i]
		if group := snap.Group(node.Group); node.Kube != nil && group != nil && group.Tool == nodegroup.ToolOurs {
			nodes = append(nodes, node.Kube.Name)
		}
	}
	work, err := s.kube.Client.Workload(ctx, nodes)
	if err != nil {
		c.app.note("could not count the pods: %v", err)
		return facts, nil
	}
	facts.Pods = len(work.Pods)
	return facts, nil
}

// apply carries the plan out and says what is left.
func (c *teardownCommand) apply(ctx context.Context, s *session, plan *nodegroup.TeardownPlan) error {
	ctx, cancel := context.WithTimeout(ctx, c.flags.timeout)
	defer cancel()
	aws := awsPort{s.aws}
	teardown := &nodegroup.Teardown{
		Clusters: aws, Poll: c.flags.poll,
		Remover: &nodegroup.Remover{
			Stacks: aws, Writer: aws, Suspension: aws, Entries: aws,
			Drainer: kubectlDrain{
				connection: c.conn.kubectlArgs(), timeout: min(c.flags.drainTimeout, c.flags.timeout), force: true, withoutBudgets: true, out: c.app.screen.err,
			},
			Nodes: kubePort{s.kube}, AwsAuth: newAwsAuthPort(s.kube, plan.Cluster),
			Blockers: aws, Consent: blockerConsent{c.app, c.flags.blockers},
			Progress: c.app.screen.progress(), StackPoll: c.flags.poll,
		},
	}
	result, err := teardown.Run(ctx, plan)
	if err != nil {
		return err
	}
	c.app.screen.say("")
	if c.flags.output != "" {
		return printData(c.app.streams.Out, c.flags.output, teardownResultDocument{APIVersion: report.APIVersion, Kind: "TeardownResult", TeardownResult: result})
	}
	fmt.Fprintf(c.app.streams.Out, "cluster %s deleted\n", plan.Cluster)
	if s.base.Target.Context != "" {
		c.app.screen.say("your kubeconfig still has it: kubectl config delete-context %s", quote(s.base.Target.Context))
	}
	return nil
}
