package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/print"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// planDocument is a plan in json and yaml.
type planDocument struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	*nodegroup.Plan
	Report report.Report `json:"report"`
}

// printPlan prints a plan as the data that --dry-run is asked for.
func (c *addCommand) printPlan(plan *nodegroup.Plan, verdict report.Report) error {
	switch c.flags.output {
	case "":
		return c.writePlan(c.app.streams.Out, plan, verdict)
	case "cfn":
		return printData(c.app.streams.Out, "yaml", cfnRequest(plan))
	}
	return printData(c.app.streams.Out, c.flags.output, planDocument{
		APIVersion: report.APIVersion, Kind: "NodeGroupPlan", Plan: plan, Report: verdict,
	})
}

// showPlan prints a plan as progress of a run that goes on.
func (c *addCommand) showPlan(plan *nodegroup.Plan, verdict report.Report) error {
	if nodegroup.Usable(plan.Existing) {
		c.app.screen.say("node group %s of cluster %s: stack %s is %s", plan.Group, plan.Cluster, plan.Existing.Name, plan.Existing.Status)
		return c.app.screen.printFindings(c.app.screen.err, verdict)
	}
	err := c.writePlan(c.app.screen.err, plan, verdict)
	c.app.screen.say("")
	return err
}

// printData writes a document as json or yaml.
func printData(w io.Writer, format string, document any) error {
	if format == "json" {
		return print.JSON(w, document)
	}
	return print.YAML(w, document)
}

// printFindings prints what the checks found.
func (s screen) printFindings(w io.Writer, verdict report.Report) error {
	return print.Text(w, verdict, print.Options{Width: s.width, Color: s.colour && w == s.err})
}

// cfnRequest is the plan as input of `aws cloudformation create-stack
// --cli-input-yaml`: template and parameters in one document.
func cfnRequest(plan *nodegroup.Plan) any {
	type parameter struct{ ParameterKey, ParameterValue string }
	type tag struct{ Key, Value string }
	request := struct {
		StackName    string      `json:"StackName"`
		Capabilities []string    `json:"Capabilities,omitempty"`
		OnFailure    string      `json:"OnFailure"`
		RoleARN      string      `json:"RoleARN,omitempty"`
		Parameters   []parameter `json:"Parameters"`
		Tags         []tag       `json:"Tags"`
		TemplateBody string      `json:"TemplateBody,omitempty"`
		TemplateURL  string      `json:"TemplateURL,omitempty"`
	}{
		StackName: plan.Stack.Name, Capabilities: plan.Stack.Capabilities, OnFailure: plan.Stack.OnFailure, RoleARN: plan.Stack.RoleARN,
		TemplateBody: plan.Stack.TemplateBody, TemplateURL: plan.Stack.TemplateURL,
	}
	for _, key := range slices.Sorted(maps.Keys(plan.Stack.Parameters)) {
		request.Parameters = append(request.Parameters, parameter{key, plan.Stack.Parameters[key]})
	}
	for _, key := range slices.Sorted(maps.Keys(plan.Stack.Tags)) {
		request.Tags = append(request.Tags, tag{key, plan.Stack.Tags[key]})
	}
	return request
}

// labelWidth is that of the plan's left column.
const labelWidth = 10

// writePlan prints a plan for people.
func (c *addCommand) writePlan(w io.Writer, plan *nodegroup.Plan, verdict report.Report) error {
	group := plan.Proposed
	row := planRows(w)
	fmt.Fprintf(w, "%s\n\n", c.app.screen.paint(bold, fmt.Sprintf("node group %s for cluster %s (%s, Kubernetes %s)",
		plan.Group, plan.Cluster, plan.Region, plan.Version)))
	row("nodes", "%d x %s (min %d, max %d)", group.Desired, strings.Join(group.Launch.InstanceTypes, ", "), group.Min, group.Max)
	if c.req.Mixed.Spot {
		row("market", "%s", marketText(c.req.Mixed))
	}
	row("image", "%s %s", plan.Image.ID, plan.Image.Name)
	row("volume", "%s", volumeText(c.req.Volume))
	for _, extra := range c.req.ExtraVolumes {
		row("", "%s: %d GiB %s", extra.Device, extra.SizeGiB, extra.Type)
	}
	for i, subnet := range plan.Subnets {
		label := ""
		if i == 0 {
			label = "subnets"
		}
		row(label, "%s  %s, %d addresses free", subnet.ID, subnet.Zone, subnet.FreeAddresses)
	}
	row("addresses", "%s", addressText(group.Launch.PublicIP))
	row("security", "%s", securityText(c.req, group.Launch.SecurityGroupIDs))
	if len(c.req.Network.SSHFrom) > 0 {
		row("ssh from", "%s", strings.Join(c.req.Network.SSHFrom, ", "))
	}
	row("metadata", "IMDSv2 only, hop limit %d", group.Launch.HopLimit)
	if labels := joinPairs(c.req.Kubelet.Labels); labels != "" {
		row("labels", "%s", labels)
	}
	for i, taint := range c.req.Kubelet.Taints {
		label := ""
		if i == 0 {
			label = "taints"
		}
		row(label, "%s", taint)
	}
	row("key pair", "%s", keyText(plan))
	row("role", "%s", roleText(plan))
	row("mapping", "%s", mappingText(plan))
	row("beacon", "%s", beaconText(c.req))
	if c.req.WarmPool.Asked() {
		row("warm pool", "%s", c.req.WarmPool.Words())
	}
	for i, hook := range c.req.LifecycleHooks {
		label := ""
		if i == 0 {
			label = "hooks"
		}
		row(label, "%s", hookText(hook))
	}
	if c.req.GroupMetrics {
		row("metrics", "the group's own, to CloudWatch every minute")
	}
	row("stack", "%s (%s template, on failure %s)", plan.Stack.Name, c.flags.template, c.flags.onFailure)
	for _, note := range plan.Notes {
		row("note", "%s", note)
	}
	if plan.Mapping.Diff != "" {
		fmt.Fprintf(w, "\naws-auth:\n")
		for line := range strings.Lines(plan.Mapping.Diff) {
			fmt.Fprintf(w, "  %s\n", strings.TrimRight(line, "\r\n"))
		}
	}
	if c.flags.dryRun {
		fmt.Fprintf(w, "\nparameters:\n")
		for _, key := range slices.Sorted(maps.Keys(plan.Stack.Parameters)) {
			fmt.Fprintf(w, "  %-36s %s\n", key, shortened(plan.Stack.Parameters[key], defaultWidth-39))
		}
	}
	fmt.Fprintln(w)
	return c.app.screen.printFindings(w, verdict)
}

func shortened(text string, width int) string {
	if len(text) <= width {
		return text
	}
	return text[:width-3] + "..."
}

func joinPairs(pairs map[string]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		parts = append(parts, key+"="+pairs[key])
	}
	return strings.Join(parts, " ")
}

func marketText(mixed nodegroup.Mixed) string {
	if mixed.OnDemandBase == 0 {
		return "Spot: AWS can take machines back with a notice of two minutes"
	}
	return fmt.Sprintf("Spot, but for %s on demand: AWS can take Spot machines back with a notice of two minutes", count(mixed.OnDemandBase, "machine", "machines"))
}

func hookText(hook nodegroup.LifecycleHook) string {
	when, then := "before a machine ends", "abandoned"
	if hook.Launching {
		when = "before a machine is in service"
	}
	if hook.Continue {
		then = "continued"
	}
	return fmt.Sprintf("%s: %s, %s after %s", hook.Name, when, then, nodegroup.Span(hook.Timeout))
}

func volumeText(volume nodegroup.Volume) string {
	text := fmt.Sprintf("%d GiB %s", volume.SizeGiB, volume.Type)
	if volume.IOPS > 0 {
		text += fmt.Sprintf(", %d IOPS", volume.IOPS)
	}
	if volume.Throughput > 0 {
		text += fmt.Sprintf(", %d MiB/s", volume.Throughput)
	}
	switch {
	case volume.KMSKeyID != "":
		text += ", encrypted by " + volume.KMSKeyID
	case volume.Encrypted:
		text += ", encrypted"
	}
	return text
}

func addressText(publicIP *bool) string {
	switch {
	case publicIP == nil:
		return "each subnet decides whether nodes get public ones"
	case *publicIP:
		return "private and public"
	}
	return "private only"
}

func securityText(req *nodegroup.Request, groups []string) string {
	if req.Network.Isolated {
		return strings.Join(append([]string{"a group of its own with rules to the cluster's"}, groups...), ", ")
	}
	text := groups[0] + " (the cluster's)"
	if len(groups) > 1 {
		text += ", " + strings.Join(groups[1:], ", ")
	}
	return text
}

func keyText(plan *nodegroup.Plan) string {
	switch {
	case plan.ImportKey != "":
		return plan.KeyName + " (to be imported)"
	case plan.KeyName != "":
		return plan.KeyName
	}
	return "none"
}

func roleText(plan *nodegroup.Plan) string {
	if plan.Mapping.RoleARN != "" {
		return plan.Mapping.RoleARN
	}
	return "made by the stack"
}

func mappingText(plan *nodegroup.Plan) string {
	text := string(plan.Mapping.Kind)
	if plan.Mapping.Kind == nodegroup.MapEntry {
		text += " " + nodegroup.EntryType
	}
	if plan.Mapping.Done {
		text += " (there already)"
	}
	return text
}

func beaconText(req *nodegroup.Request) string {
	if req.Boot.NoBeacon || req.Family == nodegroup.FamilyBottlerocket {
		return "none"
	}
	return fmt.Sprintf("a node not registered %s after boot says why on its console", nodegroup.Span(req.Boot.BeaconDelay))
}
