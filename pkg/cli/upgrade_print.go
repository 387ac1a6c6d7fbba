package cli

import (
	"fmt"
	"io"

	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// upgradePlanned is a plan in json and yaml.
type upgradePlanned struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	*nodegroup.UpgradePlan
	Report report.Report `json:"report"`
}

func upgradePlanDocument(plan *nodegroup.UpgradePlan, verdict report.Report) any {
	return upgradePlanned{APIVersion: report.APIVersion, Kind: "NodeGroupUpgradePlan", UpgradePlan: plan, Report: verdict}
}

// writeUpgradePlan prints what will be done, in order.
func writeUpgradePlan(w io.Writer, plan *nodegroup.UpgradePlan, snap *snapshot.Snapshot) {
	row := planRows(w)
	what := "upgrade"
	if plan.Rollback {
		what = "roll back"
	}
	fmt.Fprintf(w, "%s node group %s of cluster %s\n\n", what, plan.Group, plan.Cluster)
	for _, change := range plan.Changes {
		label, have := change.Setting, orNone(imageWords(snap, shortened(change.Have, maxSetting)))
		if len(label) > labelWidth {
			label, have = "setting", label+": "+have
		}
		row(label, "%s", have)
		row("", "to %s", orNone(imageWords(snap, shortened(change.Want, maxSetting))))
	}
	if len(plan.Changes) == 0 {
		row("template", "%s version %d, as it is", plan.Template, plan.Version)
	} else {
		row("template", "%s version %d, then a new one", plan.Template, plan.Version)
		row("stack", "%s (%s)", plan.Stack.Name, plan.Stack.Status)
	}
	row("right", "%s", count(plan.Keep, "instance", "instances"))
	for i, victim := range plan.Replace {
		label := ""
		if i == 0 {
			label = "replace"
		}
		row(label, "%s  %s  %s", victim.InstanceID, victim.Zone, orNone(victim.Node))
		row("", "%s", victim.Why)
	}
	if len(plan.Replace) > 0 {
		writeReplacing(row, plan)
	}
	for _, note := range plan.Notes {
		row("note", "%s", note)
	}
	fmt.Fprintln(w)
}

func writeReplacing(row func(label, format string, args ...any), plan *nodegroup.UpgradePlan) {
	switch {
	case plan.Unavailable == 0:
		row("pace", "%d more first, each Ready before an old one goes", plan.Surge)
	case plan.Surge == 0:
		row("pace", "%d at a time go before as many come", plan.Unavailable)
	default:
		row("pace", "%d more first, then %d at a time go", plan.Surge, plan.Surge+plan.Unavailable)
	}
	if plan.SkipDrain {
		row("drain", "skipped: pods die with their machines")
		return
	}
	row("drain", "kubectl drain, before an instance is ended")
	writeWorkload(row, plan.Workload, plan.WorkloadGap)
}

// maxSetting is as much of a setting as a plan shows: a certificate fills a page.
const maxSetting = 160

// imageWords adds the name of an image to its id; other values stay as they are.
func imageWords(snap *snapshot.Snapshot, value string) string {
	if image := snap.Catalog.Image(value); image != nil {
		return value + " " + image.Name
	}
	return value
}

// upgraded is what `upgrade -o json` ends with.
type upgraded struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	*nodegroup.UpgradeResult
}

// printResult prints the nodes on stdout and the summary on stderr.
func (c *upgradeCommand) printResult(result *nodegroup.UpgradeResult, summary string) error {
	out := c.app.streams.Out
	if c.flags.output != "" {
		return printData(out, c.flags.output, upgraded{APIVersion: report.APIVersion, Kind: "NodeGroupUpgrade", UpgradeResult: result})
	}
	c.app.screen.say("%s", c.app.screen.paint(green, fmt.Sprintf("node group %s: %s", result.Group, summary)))
	if len(result.Instances) == 0 {
		return nil
	}
	return printMembers(out, result.Instances)
}
