package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/eksnodes/kubectl-eksnodes/pkg/access"
	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// describedGroup is a NodeGroup with all that is known of it: what `list`
// prints, and more below status.
type describedGroup struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              nodeGroupSpec        `json:"spec"`
	Status            describedGroupStatus `json:"status"`
}

type describedGroupStatus struct {
	nodeGroupStatus
	Stack      *stackDocument         `json:"stack,omitempty"`
	Launch     snapshot.Launch        `json:"launch"`
	Zones      []string               `json:"zones,omitempty"`
	Subnets    []string               `json:"subnets,omitempty"`
	Suspended  []string               `json:"suspended,omitempty"`
	WarmPool   *snapshot.WarmPool     `json:"warmPool,omitempty"`
	Drift      []nodegroup.Difference `json:"drift,omitempty"`
	Image      *imageDocument         `json:"image,omitempty"`
	Answer     *answerDocument        `json:"answer,omitempty"`
	Nodes      []nodeDocument         `json:"nodes,omitempty"`
	Activities []snapshot.Activity    `json:"activities,omitempty"`
}

type stackDocument struct {
	Name      string    `json:"name"`
	ID        string    `json:"id"`
	Status    string    `json:"status"`
	Reason    string    `json:"reason,omitempty"`
	CreatedAt time.Time `json:"createdAt,omitzero"`
}

type imageDocument struct {
	snapshot.Image
	Newest  *snapshot.Image `json:"newest,omitempty"`
	Unknown string          `json:"newestUnknown,omitempty"`
}

type nodeDocument struct {
	nodegroup.DescribedNode
	Answer *answerDocument `json:"answer,omitempty"`
}

// DeepCopyObject makes describedGroup a runtime.Object.
func (g *describedGroup) DeepCopyObject() runtime.Object {
	out := *g
	g.DeepCopyInto(&out.ObjectMeta)
	return &out
}

func describedObject(d *nodegroup.Description) *describedGroup {
	listed := objects([]nodegroup.Listed{d.Listed}).Items[0]
	out := &describedGroup{TypeMeta: listed.TypeMeta, ObjectMeta: listed.ObjectMeta, Spec: listed.Spec, Status: describedGroupStatus{
		nodeGroupStatus: listed.Status, Launch: d.Launch, Zones: d.Zones, Subnets: d.Subnets, Suspended: d.Suspended, WarmPool: d.WarmPool,
		Drift: d.Drift, Answer: answerData(d.Answer), Activities: d.Activities,
	}}
	out.Status.Launch.UserData = "" // may hold secrets of its author
	if d.Stack != nil {
		out.Status.Stack = &stackDocument{d.Stack.Name, d.Stack.ID, d.Stack.Status, d.Stack.Reason, d.Stack.CreatedAt}
	}
	if d.Image != nil {
		out.Status.Image = &imageDocument{Image: d.Image.Image, Newest: d.Image.Newest, Unknown: d.Image.Unknown}
	}
	for _, node := range d.Nodes {
		out.Status.Nodes = append(out.Status.Nodes, nodeDocument{DescribedNode: node, Answer: answerData(node.Answer)})
	}
	return out
}

// writeDescription prints a group as text.
func writeDescription(w io.Writer, d *nodegroup.Description, flags printFlags, now time.Time) error {
	row := func(label, format string, args ...any) {
		text := strings.TrimSpace(fmt.Sprintf(format, args...))
		if text != "" {
			fmt.Fprintf(w, "%-*s  %s\n", labelWidth+2, label, strings.TrimLeft(fill(text, labelWidth+4, defaultWidth), " "))
		}
	}
	row("group", "%s of cluster %s in %s, made by %s %s ago", d.Name, d.Cluster, d.Region, d.Tool, age(d.CreatedAt, now))
	if d.Stack != nil {
		row("stack", "%s (%s)", d.Stack.Name, d.Stack.Status)
		row("", "%s", d.Stack.Reason)
	}
	row("size", "min %d, desired %d, max %d; %d Ready", d.Min, d.Desired, d.Max, d.Ready)
	for _, drift := range d.Drift {
		row("", "drift: %s is %s, the stack says %s", drift.Setting, drift.Have, drift.Want)
	}
	row("autoscaling", "%s", d.ASGName)
	row("", "%s", prefixed("suspended: ", strings.Join(d.Suspended, ", ")))
	row("warm pool", "%s", nodegroup.PoolWords(d.WarmPool))
	row("zones", "%s", strings.Join(d.Zones, ", "))
	row("launch", "%s", launchWords(&d.Launch))
	if d.Image != nil {
		row("image", "%s %s", d.Image.ID, d.Image.Name)
		row("", "%s", d.Image.Words(now))
	}
	row("role", "%s", orUnknown(d.RoleARN))
	row("mapping", "%s: %s", d.Mapping, d.MappingDetail)
	row("answer", "%s", answerWords(d.Answer))
	fmt.Fprintln(w)
	options := printers.PrintOptions{Wide: flags.output == "wide", NoHeaders: flags.noHeaders}
	if err := printers.NewTablePrinter(options).PrintObj(nodeTable(d, now), w); err != nil {
		return fmt.Errorf("print nodes: %w", err)
	}
	for _, node := range d.Nodes {
		if node.Reason != "" {
			fmt.Fprintln(w, fill(node.InstanceID+": "+node.Reason, 2, defaultWidth))
		}
	}
	if len(d.Activities) > 0 {
		fmt.Fprintln(w, "\nlast scaling activities")
	}
	for _, activity := range d.Activities {
		fmt.Fprintf(w, "  %-5s %-11s %s\n", age(activity.StartedAt, now), activity.Status, activity.Description)
		if activity.Message != "" {
			fmt.Fprintln(w, fill(activity.Message, 20, defaultWidth))
		}
	}
	return nil
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

func launchWords(launch *snapshot.Launch) string {
	parts := []string{strings.Join(launch.InstanceTypes, ", ")}
	if launch.VolumeSizeGiB > 0 {
		parts = append(parts, fmt.Sprintf("%d GiB %s", launch.VolumeSizeGiB, launch.VolumeType))
	}
	if launch.HTTPTokens != "" {
		parts = append(parts, "IMDSv2 "+launch.HTTPTokens)
	}
	if launch.KeyName != "" {
		parts = append(parts, "key pair "+launch.KeyName)
	}
	if launch.TemplateID != "" {
		parts = append(parts, fmt.Sprintf("%s version %s", launch.TemplateID, launch.TemplateVersion))
	}
	return strings.TrimPrefix(strings.Join(parts, ", "), ", ")
}

func answerWords(answer access.Answer) string {
	switch {
	case !answer.Known():
		return "not known: " + answer.Unknown
	case answer.In():
		return fmt.Sprintf("machines are let in as %s in %s", answer.Username, orNone(strings.Join(answer.Groups, ", ")))
	}
	return "machines are refused: " + answer.Reason
}

func nodeTable(d *nodegroup.Description, now time.Time) *metav1.Table {
	table := &metav1.Table{}
	for _, column := range []struct {
		name     string
		priority int32
	}{
		{"Instance", 0}, {"Node", 0}, {"Zone", 0}, {"Age", 0}, {"Status", 0}, {"Version", 0}, {"Answer", 0},
		{"Type", 1}, {"Image", 1}, {"Lifecycle", 1},
	} {
		table.ColumnDefinitions = append(table.ColumnDefinitions,
			metav1.TableColumnDefinition{Name: column.name, Type: "string", Priority: column.priority})
	}
	for _, node := range d.Nodes {
		status := node.Status
		if node.Cordoned {
			status += ",SchedulingDisabled"
		}
		host, _, _ := strings.Cut(node.Node, ".")
		table.Rows = append(table.Rows, metav1.TableRow{Cells: []any{
			node.InstanceID, orNone(host), orUnknown(node.Zone), age(node.LaunchedAt, now), status, orUnknown(node.Version),
			inOrOut(node.Answer), orUnknown(node.Type), orUnknown(node.ImageID), orUnknown(node.Lifecycle),
		}})
	}
	return table
}

// inOrOut is an answer in a word.
func inOrOut(answer access.Answer) string {
	switch {
	case !answer.Known():
		return "unknown"
	case answer.In():
		return "let in"
	}
	return "refused"
}
