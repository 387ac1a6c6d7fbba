package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/check"
	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// entryPoll is the time between two looks at an access entry just made.
const entryPoll = 2 * time.Second

// parseFix returns the checks that --fix runs: those of the mapping, which
// one mistake may move from one to the other, and the proof that this is the
// right cluster. Of anything else the one check is run, to print its fix.
func (f *doctorFlags) parseFix() ([]check.Check, error) {
	asked, err := findCheck(f.fix)
	switch {
	case err != nil:
		return nil, err
	case len(f.checks)+len(f.skip) > 0:
		return nil, usagef("--fix chooses the checks itself: leave --check and --skip out")
	case f.from != "":
		return nil, usagef("--fix mends a cluster, not what was collected of it: leave --from out")
	case f.wouldJoin || f.template != "" || f.wait > 0:
		return nil, usagef("--fix mends what stands, once: leave --would-join, --launch-template and --wait out")
	case !asked.Repairable:
		return []check.Check{asked}, nil
	}
	return slices.DeleteFunc(check.Standing(), func(c check.Check) bool { return !c.Repairable && c.ID != clusterMatch }), nil
}

func repairableIDs() []string {
	var ids []string
	for _, c := range check.Standing() {
		if c.Repairable {
			ids = append(ids, c.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// mend shows what the check finds and what would put it right, asks, does it,
// and judges again what stands then.
func (c *doctorCommand) mend(ctx context.Context) error {
	snap, err := c.snapshot(ctx)
	if err != nil {
		return err
	}
	verdict := check.Run(snap, c.checks)
	if !slices.ContainsFunc(c.checks, func(row check.Check) bool { return row.Repairable }) {
		return c.refuse(verdict)
	}
	repairs := check.Repairs(snap, c.flags.fix)
	if len(repairs) == 0 {
		return c.nothingToMend(verdict)
	}
	if err := c.showFault(verdict); err != nil {
		return err
	}
	if err := c.plan(repairs); err != nil {
		return err
	}
	if err := c.app.prove(snap, "nothing was changed"); err != nil {
		return err
	}
	if !c.flags.yes {
		if err := c.app.screen.confirm(ctx, "change the mapping of "+count(len(repairs), "role", "roles")); err != nil {
			return err
		}
	}
	return c.apply(ctx, snap, repairs)
}

// refuse prints what the check finds, with its fix, which is the user's to do.
func (c *doctorCommand) refuse(verdict report.Report) error {
	if err := c.print(verdict); err != nil {
		return err
	}
	if verdict.Counts.Fail+verdict.Counts.Warn > 0 {
		c.app.screen.say("%s is never mended by doctor, which changes nothing but the mapping of roles: run what stands above yourself", c.flags.fix)
	}
	return c.conclude(verdict)
}

// nothingToMend says why there is nothing to do: all is well, it could not be
// seen, or another check of the mapping finds something.
func (c *doctorCommand) nothingToMend(verdict report.Report) error {
	if err := c.print(verdict); err != nil {
		return err
	}
	c.app.screen.say("%s finds nothing to mend; nothing was changed", c.flags.fix)
	c.offerFix(verdict)
	return c.conclude(verdict)
}

// offerFix names the command that mends the first failure of a mapping.
func (c *doctorCommand) offerFix(verdict report.Report) {
	if c.evidence != nil || c.flags.wouldJoin || c.flags.template != "" || c.flags.output != "text" {
		return
	}
	for _, finding := range verdict.Findings {
		if finding.Status == report.Fail && finding.BlockedBy == "" && slices.Contains(repairableIDs(), finding.Check) {
			c.app.screen.say("mend it with a question first: %s", c.line("--fix", finding.Check))
			return
		}
	}
}

// showFault prints the findings that are to be mended.
func (c *doctorCommand) showFault(verdict report.Report) error {
	verdict.Findings = slices.DeleteFunc(slices.Clone(verdict.Findings), func(f report.Finding) bool { return f.Check != c.flags.fix })
	verdict.Count()
	c.app.screen.say("")
	return c.app.screen.printFindings(c.app.screen.err, verdict)
}

// plan prints what will be done, and fails when nothing of it can be.
func (c *doctorCommand) plan(repairs []check.Repair) error {
	var byHand []string
	for _, repair := range repairs {
		c.app.screen.say("")
		c.app.screen.showRepair(repair)
		if repair.ByHand != "" {
			byHand = append(byHand, repair.ByHand)
		}
	}
	c.app.screen.say("")
	if len(byHand) > 0 {
		return fmt.Errorf("%s: mend it by hand; nothing was changed", strings.Join(byHand, "; "))
	}
	return nil
}

// apply carries the repairs out and judges what stands then.
func (c *doctorCommand) apply(ctx context.Context, before *snapshot.Snapshot, repairs []check.Repair) error {
	repairer := &nodegroup.Repairer{
		Entries: awsPort{c.session.aws}, AwsAuth: newAwsAuthPort(c.session.kube, before.Cluster.Name),
		Progress: c.app.screen.progress(), Poll: entryPoll,
	}
	for _, repair := range repairs {
		if err := repairer.Repair(ctx, before.Cluster.Name, repair); err != nil {
			return err
		}
	}
	c.app.screen.say("\njudging again ...")
	after, err := c.snapshot(ctx)
	if err != nil {
		return err
	}
	verdict := check.Run(after, c.checks)
	if err := c.print(verdict); err != nil {
		return err
	}
	err = c.conclude(verdict)
	if err == nil {
		c.app.screen.say("mended: machines that wait try again by themselves; watch them: %s", c.line("--wait", "10m"))
	}
	return err
}
