package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// groupFlags are the flags of the commands that change a group that stands:
// each shows a plan, asks, and drains what it takes away.
type groupFlags struct {
	yes, dryRun, skipDrain bool
	unmanaged              bool
	drainTimeout, timeout  time.Duration
	output, stackRole      string
	poll                   time.Duration
}

// groupWords are what these flags are said to do in one command.
type groupWords struct {
	output  string
	timeout string
	limit   time.Duration // default of --timeout
	role    string        // whose role CloudFormation acts as by default
}

func (f *groupFlags) bind(flags *pflag.FlagSet, words groupWords) {
	flags.BoolVarP(&f.yes, "yes", "y", false, "ask nothing")
	flags.BoolVar(&f.dryRun, "dry-run", false, "print what would be done, do nothing")
	flags.StringVarP(&f.output, "output", "o", "", words.output)
	flags.BoolVar(&f.skipDrain, "skip-drain", false, "do not drain: pods die with their machines")
	flags.BoolVar(&f.unmanaged, "delete-unmanaged-pods", false, "drain pods too that nothing makes anew")
	flags.DurationVar(&f.drainTimeout, "drain-timeout", 15*time.Minute, "`time` that the drain may take")
	flags.DurationVar(&f.timeout, "timeout", words.limit, words.timeout)
	flags.StringVar(&f.stackRole, "role-arn", "", "`ARN` of the role CloudFormation acts as (default: "+words.role+")")
	flags.DurationVar(&f.poll, "poll-interval", stackPoll, "")
	_ = flags.MarkHidden("poll-interval")
}

// check refuses output formats that there are not, and those of a plan for a
// run that prints none.
func (f *groupFlags) check() error {
	if err := checkOutput(f.output, "json", "yaml"); err != nil {
		return err
	}
	if f.output != "" && !f.dryRun {
		return usagef("-o %s prints what would be done: add --dry-run", f.output)
	}
	return nil
}

// drainer empties nodes by kubectl, and names the budgets in its way.
func (f *groupFlags) drainer(app *app, conn *connection, s *session, timeout time.Duration) nodegroup.Drainer {
	return namingDrain{s.kube.Client, kubectlDrain{
		connection: conn.kubectlArgs(), timeout: timeout, force: f.unmanaged, out: app.screen.err,
	}}
}

// proposal is a plan that is shown before it is carried out.
type proposal struct {
	data     any             // for -o json and yaml
	write    func(io.Writer) // for people
	refuse   func() error    // what keeps it from being carried out; may be nil
	question string          // "": there is nothing to ask
}

// propose shows a plan and asks. goOn is false when that was all: a dry run.
func (a *app) propose(ctx context.Context, flags *groupFlags, p proposal) (goOn bool, err error) {
	switch {
	case flags.dryRun && flags.output != "":
		return false, printData(a.streams.Out, flags.output, p.data)
	case flags.dryRun:
		p.write(a.streams.Out)
		return false, nil
	}
	p.write(a.screen.err)
	if p.refuse != nil {
		if err := p.refuse(); err != nil {
			return false, err
		}
	}
	if !flags.yes && p.question != "" {
		if err := a.screen.confirm(ctx, p.question); err != nil {
			return false, err
		}
	}
	return true, nil
}

// readGroupOf reads one group, found by its stack's name and its own, and
// holds that what is read is the cluster that EKS means.
func (a *app) readGroupOf(ctx context.Context, s *session, name, undone string, needed []snapshot.Section, more ...snapshot.Section) (*snapshot.Snapshot, error) {
	a.screen.say("reading cluster %s in %s ...", s.cluster, s.aws.Region())
	stackName, err := nodegroup.StackName(s.cluster, name)
	if err != nil {
		return nil, err
	}
	snap, err := readGroups(ctx, s, []string{stackName}, append(more, snapshot.SectionStacks, snapshot.SectionInstances)...)
	if err != nil {
		return nil, err
	}
	if err := missingOf(snap, name, needed...); err != nil {
		return nil, err
	}
	return snap, a.prove(snap, undone)
}

// settled reads what a command is about to change; when an update of the group's
// stack is under way, which an earlier run began, it waits for its end and reads
// again.
func settled(ctx context.Context, session *session, group string, dryRun bool,
	read func(context.Context, *session) (*snapshot.Snapshot, error), settle func(context.Context, *snapshot.Stack) error,
) (*snapshot.Snapshot, error) {
	snap, err := read(ctx, session)
	if err != nil {
		return nil, err
	}
	stack := updatingStack(snap, group)
	if stack == nil || dryRun {
		return snap, nil
	}
	if err := settle(ctx, stack); err != nil {
		return nil, err
	}
	return read(ctx, session)
}

// updatingStack is the stack of a group when an update of it is under way.
func updatingStack(snap *snapshot.Snapshot, group string) *snapshot.Stack {
	name, err := nodegroup.StackName(snap.Cluster.Name, group)
	if err != nil {
		return nil
	}
	if stack := snap.Stack(name); stack != nil && nodegroup.Updating(stack.Status) {
		return stack
	}
	return nil
}

// planRows prints the rows of a plan in two columns.
func planRows(w io.Writer) func(label, format string, args ...any) {
	return func(label, format string, args ...any) {
		text := strings.TrimLeft(fill(fmt.Sprintf(format, args...), labelWidth+4, defaultWidth), " ")
		fmt.Fprintf(w, "  %-*s  %s\n", labelWidth, label, text)
	}
}

// workloadOf reads what a drain of nodes would evict. That it cannot be read
// is part of a plan, and no reason to stop.
func workloadOf(ctx context.Context, s *session, nodes []string) (work *snapshot.Workload, gap string) {
	work, err := s.kube.Client.Workload(ctx, nodes)
	if err != nil {
		return nil, err.Error()
	}
	return work, ""
}

// refuseLoss keeps a drain from failing halfway on pods that nothing makes
// anew. undone says what did not happen for that.
func (f *groupFlags) refuseLoss(work *snapshot.Workload, undone string) error {
	if work == nil || f.skipDrain || f.unmanaged {
		return nil
	}
	lost := work.Lost()
	if len(lost) == 0 {
		return nil
	}
	return fmt.Errorf("%s that nothing makes anew would be lost; %s: --delete-unmanaged-pods deletes them", count(len(lost), "pod", "pods"), undone)
}
