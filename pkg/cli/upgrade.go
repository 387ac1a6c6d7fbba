package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/groupconfig"
	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const upgradeHelp = `Replace the machines of a node group that this plugin made by ones of another
image, Kubernetes version, instance type, volume or any other setting, without a
gap in service.

Without flags the image is the newest of the group's family for the cluster's
version. What has no flag here (labels, taints, kubelet settings, boot commands,
more volumes and the like) changes by a file (-f) of the whole group, as describe
-o config writes it: what stands in it no more is taken away, or is add's default
again. Image and subnets that it leaves open are chosen; sizes are for scale.

The change goes through the group's CloudFormation stack, which makes a new
version of the launch template. Then the instances that were started otherwise
are replaced: one more comes (--surge), and only when it is a Ready node is an
old one drained by kubectl drain, which respects PodDisruptionBudgets, and
ended. With --max-unavailable some go before as many come.

At the first thing that goes wrong the upgrade stops: what has not been replaced
serves as before, and if a new node does not join, the doctor says why. The same
command goes on from there, also after Ctrl-C; --rollback goes back to the
template before. Where an upgrade stands is read from AWS, not from a file.`

const upgradeExamples = `  # the newest image of the family
  %[1]s upgrade workers

  # what would change, and which machines would go
  %[1]s upgrade workers --dry-run

  # larger machines, two at a time
  %[1]s upgrade workers --instance-type m7i.xlarge --surge 2

  # other labels, taints or anything else
  %[1]s describe workers -o config > workers.yaml
  %[1]s upgrade workers -f workers.yaml

  # back to what it was
  %[1]s upgrade workers --rollback`

func newUpgrade(app *app, conn *connection) *cobra.Command {
	flags := upgradeFlags{}
	cmd := &cobra.Command{
		Use:               "upgrade NAME [flags]",
		Short:             "Replace the machines of a node group by new ones, without a gap in service",
		Long:              upgradeHelp,
		Example:           fmt.Sprintf(upgradeExamples, product.Command),
		Args:              oneName,
		ValidArgsFunction: completeGroups(conn, ourTool),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(); err != nil {
				return err
			}
			flags.setPace(cmd.Flags())
			run := upgradeCommand{app: app, conn: conn, flags: flags, name: args[0]}
			return run.run(cmd.Context())
		},
	}
	section(cmd, "What changes", flags.bindSettings)
	section(cmd, "Pace", flags.bindPace)
	section(cmd, "Run", flags.bind)
	completeWords(cmd, map[string]string{"output": "json yaml", "volume-type": "gp3 gp2 io1 io2"})
	return cmd
}

// upgradeFlags are the flags of `upgrade`.
type upgradeFlags struct {
	groupFlags
	file                                     string
	image, version, instanceType, volumeType string
	volumeSize                               int
	rollback                                 bool
	pace                                     nodegroup.Pace
}

func (f *upgradeFlags) bindSettings(flags *pflag.FlagSet) {
	flags.StringVarP(&f.file, "filename", "f", "", "YAML `file` with the group's settings, - for stdin; a flag given beside it wins")
	flags.StringVar(&f.image, "ami", "", "AMI `id` (default: newest of the group's family)")
	flags.StringVar(&f.version, "kubernetes-version", "", "Kubernetes `minor` that the newest image is looked up for (default: the cluster's)")
	flags.StringVar(&f.instanceType, "instance-type", "", "EC2 instance `type`")
	flags.IntVar(&f.volumeSize, "volume-size", 0, "`GiB`")
	flags.StringVar(&f.volumeType, "volume-type", "", "EBS volume `type`")
	flags.BoolVar(&f.rollback, "rollback", false, "go back to what the launch template was before the last upgrade")
}

func (f *upgradeFlags) bindPace(flags *pflag.FlagSet) {
	flags.IntVar(&f.pace.Surge, "surge", 1, "`number` of nodes that come before as many go (0 with --max-unavailable)")
	flags.IntVar(&f.pace.Unavailable, "max-unavailable", 0, "`number` of nodes that go before as many come")
}

func (f *upgradeFlags) bind(flags *pflag.FlagSet) {
	f.groupFlags.bind(flags, groupWords{
		output: "json or yaml", limit: 15 * time.Minute, role: "the stack's, else you",
		timeout: "`time` that each new node has to become Ready, and each old one to go",
	})
}

// minorForm is how a Kubernetes version is given.
var minorForm = regexp.MustCompile(`^1\.[0-9]{1,3}$`)

func (f *upgradeFlags) check() error {
	set := f.file != "" || f.image != "" || f.version != "" || f.instanceType != "" || f.volumeType != "" || f.volumeSize != 0
	switch {
	case f.rollback && set:
		return usagef("--rollback goes back to what was: leave out what would change")
	case f.image != "" && f.version != "":
		return usagef("--ami and --kubernetes-version exclude each other: the image decides the version")
	case f.version != "" && !minorForm.MatchString(f.version):
		return usagef("--kubernetes-version %q: give a minor version, such as 1.34", f.version)
	case f.volumeSize < 0:
		return usagef("--volume-size %d: it must be more than 0", f.volumeSize)
	}
	return checkOutput(f.output, "json", "yaml")
}

// setPace lets --max-unavailable alone mean that nothing comes before.
func (f *upgradeFlags) setPace(flags *pflag.FlagSet) {
	if flags.Changed("max-unavailable") && !flags.Changed("surge") {
		f.pace.Surge = 0
	}
}

// upgradeCommand is one run of `upgrade`.
type upgradeCommand struct {
	app   *app
	conn  *connection
	flags upgradeFlags
	name  string

	wish *groupconfig.Config // of -f, with the flags in it; nil without
}

func (c *upgradeCommand) run(ctx context.Context) error {
	if err := c.readWish(); err != nil {
		return err
	}
	session, err := c.conn.open(ctx)
	if err != nil {
		return err
	}
	upgrader := c.upgrader(session)
	snap, err := settled(ctx, session, c.name, c.flags.dryRun, c.read, upgrader.Settle)
	if err != nil {
		return err
	}
	plan, err := c.plan(ctx, session, snap)
	if err != nil {
		return err
	}
	verdict := c.judgeProposed(snap, &plan.Proposed)
	proposal := proposal{
		data: upgradePlanDocument(plan, verdict),
		write: func(w io.Writer) {
			writeUpgradePlan(w, plan, snap)
			if len(plan.Changes) > 0 {
				_ = c.app.screen.printFindings(w, verdict) // the plan above went to the same place
			}
		},
		refuse: func() error {
			if len(plan.Changes) > 0 && verdict.Failed() {
				return &judgedError{text: fmt.Sprintf("%s; nothing was changed", count(verdict.Counts.Fail, "check fails", "checks fail"))}
			}
			return c.flags.refuseLoss(plan.Workload, "nothing was changed")
		},
	}
	if plan.Nothing() {
		proposal.refuse = nil
	} else {
		proposal.question = "upgrade node group " + c.name
	}
	if goOn, err := c.app.propose(ctx, &c.flags.groupFlags, proposal); err != nil || !goOn {
		return err
	}
	if plan.Nothing() {
		return c.printResult(plan.Result(), "nothing to do, all instances are as they should be")
	}
	return c.apply(ctx, session, upgrader, plan)
}

// read takes the group with its stack, machines and launch template. Without
// machines or nodes the choice of what goes would be a guess.
func (c *upgradeCommand) read(ctx context.Context, s *session) (*snapshot.Snapshot, error) {
	needed := []snapshot.Section{snapshot.SectionStacks, snapshot.SectionInstances, snapshot.SectionNodes, snapshot.SectionLaunch}
	return c.app.readGroupOf(ctx, s, c.name, "nothing was changed", needed, snapshot.SectionLaunch)
}

func (c *upgradeCommand) upgrader(s *session) *nodegroup.Upgrader {
	aws, kube := awsPort{s.aws}, kubePort{s.kube}
	return &nodegroup.Upgrader{
		Stacks: aws, Updater: aws, Sizer: aws, Groups: aws, Templates: aws, Suspension: aws, Marks: aws, Ender: aws, Watcher: kube, Nodes: kube,
		Drainer:  c.flags.drainer(c.app, c.conn, s, c.flags.drainTimeout),
		Progress: c.app.screen.progress(), StackPoll: c.flags.poll, JoinPoll: c.flags.poll, Timeout: c.flags.timeout,
	}
}

// upgradeStopped is an upgrade that stopped before its end, with the command
// that goes back.
type upgradeStopped struct {
	*nodegroup.PausedError
	back []string // arguments; none: it was a rollback
}

func (c *upgradeCommand) apply(ctx context.Context, s *session, upgrader *nodegroup.Upgrader, plan *nodegroup.UpgradePlan) error {
	result, err := upgrader.Upgrade(ctx, plan)
	if err != nil {
		c.app.diagnose(ctx, s, plan.Group, err)
		var paused *nodegroup.PausedError
		if !errors.As(err, &paused) {
			return err
		}
		stopped := &upgradeStopped{PausedError: paused}
		if !plan.Rollback {
			stopped.back = append([]string{"upgrade", plan.Group, "--rollback"}, c.conn.args()...)
		}
		return stopped
	}
	return c.printResult(result, strconv.Itoa(len(result.Replaced))+" replaced")
}
