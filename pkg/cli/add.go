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
	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/version"
)

const addHelp = `Add a self-managed node group to the cluster and wait until its nodes are Ready.

First everything is read and checked and the plan is shown; --dry-run ends
there. Then a CloudFormation stack is made, the nodes' role is mapped the way
the cluster's authentication mode asks for (access entry or aws-auth), and
every instance is followed from request to Ready.

The same command run again takes up where it stopped, and changes nothing
that is right.

The settings can stand in a file (-f), by the names of the flags in camel case;
a flag given beside the file wins, and so does NAME. describe -o config writes
such a file of a group that exists, and --from-existing takes the settings of
one for a group of another name.`

const addExamples = `  # three nodes with everything chosen for you
  %[1]s add workers

  # what would be made, and would it join
  %[1]s add workers --dry-run

  # ARM nodes for one team, in private subnets
  %[1]s add team-a --instance-type m7g.large --desired 5 --private \
      --labels team=a --taints team=a:NoSchedule

  # settings in a file, kept with your code
  %[1]s describe workers -o config > workers.yaml
  %[1]s add -f workers.yaml

  # one more of the same kind
  %[1]s add workers-b --from-existing workers --desired 5

  # Spot machines of whichever type is to be had, the first one on demand
  %[1]s add batch --instance-type m6i.large,m5.large,m5a.large --spot --on-demand-base 1

  # the template and its parameters, for CloudFormation by other means
  %[1]s add workers --dry-run -o cfn > workers.yaml
  aws cloudformation create-stack --cli-input-yaml file://workers.yaml`

// The polls of a real run: a stack's events are seen within 5 seconds.
const (
	stackPoll = 3 * time.Second
	joinPoll  = 5 * time.Second
)

func newAdd(app *app, conn *connection) *cobra.Command {
	var flags addFlags
	cmd := &cobra.Command{
		Use:     "add [NAME] [flags]",
		Short:   "Add a node group and wait until its nodes are Ready",
		Long:    addHelp,
		Example: fmt.Sprintf(addExamples, product.Command),
		Args: func(cmd *cobra.Command, args []string) error {
			if flags.file != "" && len(args) == 0 {
				return nil // the file has it
			}
			return oneName(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(flags.output, "json", "yaml", "cfn"); err != nil {
				return err
			}
			if flags.output == "cfn" && !flags.dryRun {
				return usagef("-o cfn prints what would be made: add --dry-run")
			}
			add := &addCommand{app: app, conn: conn, flags: &flags, given: cmd.Flags(), name: strings.Join(args, "")}
			return add.run(cmd.Context())
		},
	}
	flags.bind(cmd)
	completeWords(cmd, map[string]string{
		"ami-family": "al2023 bottlerocket custom", "on-failure": "rollback do-nothing delete",
		"warm-pool-state": "stopped running", "template": "builtin aws", "output": "json yaml cfn", "volume-type": "gp3 gp2 io1 io2",
	})
	return cmd
}

// addCommand is one run of `add`.
type addCommand struct {
	app   *app
	conn  *connection
	flags *addFlags
	given *pflag.FlagSet // the flags, with which of them were given
	name  string         // as typed; "" leaves it to the file

	req     *nodegroup.Request
	session *session
}

func (c *addCommand) run(ctx context.Context) error {
	if err := c.settings(ctx); err != nil {
		return err
	}
	if c.flags.createKey != "" {
		if err := keyFileFree(c.flags.createKey); err != nil {
			return err
		}
	}
	source, err := c.source(ctx)
	if err != nil {
		return err
	}
	snap, err := c.read(ctx)
	if err != nil {
		return err
	}
	plan, err := nodegroup.Make(snap, c.req, source, version.Current().Version)
	if err != nil {
		return err
	}
	verdict := c.judge(snap, plan)
	if c.flags.dryRun {
		if err := c.printPlan(plan, verdict); err != nil {
			return err
		}
		return stopFor(plan, verdict)
	}
	if err := c.showPlan(plan, verdict); err != nil {
		return err
	}
	if err := stopFor(plan, verdict); err != nil {
		return err
	}
	return c.apply(ctx, plan)
}

// read gathers in two rounds: what an existing stack has decides what the
// second one has to look up.
func (c *addCommand) read(ctx context.Context) (*snapshot.Snapshot, error) {
	c.app.screen.say("reading cluster %s in %s ...", c.session.cluster, c.session.aws.Region())
	stackName, err := nodegroup.StackName(c.session.cluster, c.req.Name)
	if err != nil {
		return nil, err
	}
	first := cloud.Request{
		Sections:   []snapshot.Section{snapshot.SectionCluster, snapshot.SectionStacks},
		StackNames: []string{stackName},
	}
	askRole(&first, c.req.Identity)
	snap := c.session.read(ctx, c.session.base, first)
	if err := missing(&snap, snapshot.SectionCluster, snapshot.SectionStacks); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	existing := snap.Stack(stackName)
	second, kubeSections := c.second(&snap, existing)
	snap = c.session.read(ctx, snap, second, kubeSections...)
	return &snap, ctx.Err()
}

// second is what the second round reads. For a stack that stands, only what
// its mapping and its choices of old need.
func (c *addCommand) second(snap *snapshot.Snapshot, existing *snapshot.Stack) (cloud.Request, []snapshot.Section) {
	req := cloud.Request{
		Sections: []snapshot.Section{snapshot.SectionSubnets, snapshot.SectionRouteTables, snapshot.SectionImages},
		Image:    cloud.ImageQuery{ID: nodegroup.ImageToRead(c.req, existing), Family: cloud.ImageFamily(c.req.Family)},
	}
	for _, role := range snap.Roles {
		req.Principals = append(req.Principals, role.ARN)
	}
	if len(req.Principals) > 0 {
		req.Sections = append(req.Sections, snapshot.SectionAccessEntries)
	}
	kubeSections := []snapshot.Section{snapshot.SectionCNI}
	if !snap.Cluster.AuthMode.ReadsEntries() {
		kubeSections = append(kubeSections, snapshot.SectionAwsAuth)
	}
	if nodegroup.Usable(existing) {
		return req, kubeSections
	}
	req.InstanceTypes = c.req.InstanceTypes()
	req.KeyName = c.req.Access.Name
	req.SecurityGroupIDs = c.req.Network.SecurityGroups
	req.Sections = append(req.Sections, snapshot.SectionSecurityGroups, snapshot.SectionInstanceTypes,
		snapshot.SectionOfferings)
	if !c.req.Mixed.Spot { // the quota is that of machines on demand
		req.Sections = append(req.Sections, snapshot.SectionQuotas)
	}
	if req.KeyName != "" {
		req.Sections = append(req.Sections, snapshot.SectionKeyPairs)
	}
	return req, append(kubeSections, snapshot.SectionKubeVersion)
}

// askRole asks for the role that nodes are to act as, if it is one that exists.
func askRole(req *cloud.Request, identity nodegroup.Identity) {
	if identity.Role+identity.InstanceProfile == "" {
		return
	}
	req.Sections = append(req.Sections, snapshot.SectionRoles)
	req.RoleNames, req.InstanceProfiles = lastPart(identity.Role), lastPart(identity.InstanceProfile)
}

// lastPart takes the name out of a name or an ARN; "" gives none.
func lastPart(nameOrARN string) []string {
	if nameOrARN == "" {
		return nil
	}
	return []string{nameOrARN[strings.LastIndexByte(nameOrARN, '/')+1:]}
}

// judge runs the preflight checks over the group as it will be. A stack that
// stands is judged only on whether this is the right cluster: the rest was
// judged before it was made.
func (c *addCommand) judge(snap *snapshot.Snapshot, plan *nodegroup.Plan) report.Report {
	checks := check.Preflight()
	if nodegroup.Usable(plan.Existing) {
		checks = slices.DeleteFunc(checks, func(c check.Check) bool { return c.Link != check.LinkTarget })
	}
	preview := *snap
	preview.Groups = []snapshot.Group{plan.Proposed}
	return check.Run(&preview, checks)
}

// clusterMatch is the check without whose pass nothing is ever written.
const clusterMatch = "target.cluster-match"

// stopFor says why nothing must be made.
func stopFor(plan *nodegroup.Plan, verdict report.Report) error {
	proven := slices.ContainsFunc(verdict.Findings, func(f report.Finding) bool {
		return f.Check == clusterMatch && f.Status == report.Pass
	})
	switch {
	case verdict.Failed():
		return &judgedError{text: fmt.Sprintf("%s; nothing was made", count(verdict.Counts.Fail, "check fails", "checks fail"))}
	case !proven:
		return &judgedError{text: "it is not proven that EKS and the kubeconfig mean the same cluster; nothing was made", inconclusive: true}
	case len(plan.Differences) > 0:
		return &differsError{plan: plan}
	}
	return nil
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// differsError says that the group stands and is not what was asked for.
type differsError struct{ plan *nodegroup.Plan }

// Error says what differs.
func (e *differsError) Error() string {
	var parts []string
	for _, difference := range e.plan.Differences {
		parts = append(parts, fmt.Sprintf("%s is %s, asked for was %s", difference.Setting, difference.Have, difference.Want))
	}
	return fmt.Sprintf("node group %s exists with other settings: %s", e.plan.Group, strings.Join(parts, "; "))
}

// apply carries the plan out and prints the nodes.
func (c *addCommand) apply(ctx context.Context, plan *nodegroup.Plan) error {
	replace, err := c.mayReplace(ctx, plan)
	if err != nil {
		return err
	}
	if plan.ImportKey != "" && c.flags.privateKey != nil {
		if err := writeKey(c.req.Access.CreateFile, c.flags.privateKey); err != nil {
			return err
		}
	}
	aws, kube := awsPort{c.session.aws}, kubePort{c.session.kube}
	progress := c.app.screen.progress()
	adder := &nodegroup.Adder{
		Stacks: aws, Writer: aws, Groups: aws, Entries: aws, Keys: aws,
		Nodes: kube, AwsAuth: newAwsAuthPort(c.session.kube, plan.Cluster), Progress: progress,
		StackPoll: stackPoll, JoinPoll: joinPoll, Replace: replace,
	}
	if c.flags.poll > 0 {
		adder.StackPoll, adder.JoinPoll = c.flags.poll, c.flags.poll
	}
	result, err := adder.Add(ctx, plan)
	if err != nil {
		c.app.diagnose(ctx, c.session, plan.Group, err)
		return err
	}
	return c.printResult(plan, result, progress)
}

// mayReplace asks whether a stack that failed may be deleted for the new one.
func (c *addCommand) mayReplace(ctx context.Context, plan *nodegroup.Plan) (bool, error) {
	existing := plan.Existing
	if existing == nil || nodegroup.Usable(existing) || existing.Status == "DELETE_IN_PROGRESS" {
		return false, nil
	}
	if c.flags.yes {
		return true, nil
	}
	return true, c.app.screen.confirm(ctx, fmt.Sprintf("stack %s is %s: delete it and go on", existing.Name, existing.Status))
}
