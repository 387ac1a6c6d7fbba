package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	timeutil "k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// printFlags are kubectl's output flags.
type printFlags struct {
	output    string
	noHeaders bool
}

func (f *printFlags) bind(flags *pflag.FlagSet) {
	flags.StringVarP(&f.output, "output", "o", "", "wide, json, yaml, name, jsonpath=TEMPLATE or jsonpath-file=FILE")
	flags.BoolVar(&f.noHeaders, "no-headers", false, "leave the headings of the table out")
}

// printer returns the printer of a format; nil for the table. kubectl's
// go-template is left out: package text/template calls methods by name, which
// makes the linker keep every method of the AWS SDK, 70 MB of them.
func (f *printFlags) printer() (printers.ResourcePrinter, error) {
	kind, argument, _ := strings.Cut(f.output, "=")
	switch kind {
	case "", "wide":
		return nil, nil
	case "json":
		return &printers.JSONPrinter{}, nil
	case "yaml":
		return &printers.YAMLPrinter{}, nil
	case "name":
		return &printers.NamePrinter{}, nil
	case "jsonpath", "jsonpath-file":
		return f.jsonpath(kind, argument)
	}
	return nil, usagef("-o %q: use wide, json, yaml, name or jsonpath=TEMPLATE", f.output)
}

func (f *printFlags) jsonpath(kind, argument string) (printers.ResourcePrinter, error) {
	text, err := argumentText(kind, argument)
	if err != nil {
		return nil, err
	}
	printer, err := printers.NewJSONPathPrinter(text)
	if err != nil {
		return nil, usagef("-o %s: %w", kind, err)
	}
	printer.AllowMissingKeys(true)
	return printer, nil
}

// argumentText is a format's template: the text after "=", or the file's.
func argumentText(kind, argument string) (string, error) {
	if argument == "" {
		return "", usagef("-o %s needs a template: -o %s=...", kind, kind)
	}
	if !strings.HasSuffix(kind, "-file") {
		return argument, nil
	}
	text, err := readFile("-o "+kind, argument)
	return string(text), err
}

// groupKind names the objects that list prints.
func groupKind() schema.GroupVersionKind {
	group, version, _ := strings.Cut(report.APIVersion, "/")
	return schema.GroupVersionKind{Group: group, Version: version, Kind: "NodeGroup"}
}

// nodeGroup is a group as a Kubernetes object, so that kubectl's printers
// print it. There is no such resource in any cluster.
type nodeGroup struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              nodeGroupSpec   `json:"spec"`
	Status            nodeGroupStatus `json:"status"`
}

type nodeGroupSpec struct {
	Cluster      string   `json:"cluster"`
	Tool         string   `json:"tool"`
	Min          int      `json:"min"`
	Desired      int      `json:"desired"`
	Max          int      `json:"max"`
	InstanceType []string `json:"instanceTypes,omitempty"`
	ImageID      string   `json:"imageID,omitempty"`
	RoleARN      string   `json:"roleARN,omitempty"`
}

type nodeGroupStatus struct {
	AutoScalingGroup string   `json:"autoScalingGroup"`
	Ready            *int     `json:"ready,omitempty"` // nil: the cluster was not asked
	InService        int      `json:"inService"`
	Instances        []string `json:"instances,omitempty"`
	Mapping          string   `json:"mapping"`
	MappingDetail    string   `json:"mappingDetail,omitempty"`
}

// DeepCopyObject makes nodeGroup a runtime.Object.
func (g *nodeGroup) DeepCopyObject() runtime.Object {
	out := *g
	g.DeepCopyInto(&out.ObjectMeta)
	out.Spec.InstanceType = append([]string(nil), g.Spec.InstanceType...)
	out.Status.Instances = append([]string(nil), g.Status.Instances...)
	return &out
}

// nodeGroupList is a list of them.
type nodeGroupList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []nodeGroup `json:"items"`
}

// DeepCopyObject makes nodeGroupList a runtime.Object.
func (l *nodeGroupList) DeepCopyObject() runtime.Object {
	out := *l
	out.Items = make([]nodeGroup, len(l.Items))
	for i := range l.Items {
		out.Items[i] = *(l.Items[i].DeepCopyObject().(*nodeGroup))
	}
	return &out
}

// printGroups prints the groups as a table, or by the printer.
func printGroups(w io.Writer, printer printers.ResourcePrinter, flags *printFlags, allClusters bool, groups []nodegroup.Listed) error {
	if printer == nil {
		options := printers.PrintOptions{Wide: flags.output == "wide", NoHeaders: flags.noHeaders}
		table := groupTable(groups, time.Now())
		if allClusters {
			table = clusterTable(groups, time.Now())
		}
		return printers.NewTablePrinter(options).PrintObj(table, w)
	}
	list := objects(groups)
	for i := range list.Items {
		if allClusters {
			list.Items[i].Status.Ready = nil
		}
	}
	if flags.output == "name" { // the printer names lists item by item only for API types
		for i := range list.Items {
			if err := printer.PrintObj(&list.Items[i], w); err != nil {
				return fmt.Errorf("print %s: %w", list.Items[i].Name, err)
			}
		}
		return nil
	}
	if err := printer.PrintObj(list, w); err != nil {
		return fmt.Errorf("print groups: %w", err)
	}
	return nil
}

func objects(groups []nodegroup.Listed) *nodeGroupList {
	list := &nodeGroupList{Items: []nodeGroup{}}
	list.SetGroupVersionKind(groupKind().GroupVersion().WithKind("NodeGroupList"))
	for _, group := range groups {
		item := nodeGroup{
			ObjectMeta: metav1.ObjectMeta{Name: group.Name, CreationTimestamp: metav1.NewTime(group.CreatedAt)},
			Spec: nodeGroupSpec{Cluster: group.Cluster, Tool: group.Tool, Min: group.Min, Desired: group.Desired, Max: group.Max,
				InstanceType: group.InstanceTypes, ImageID: group.ImageID, RoleARN: group.RoleARN},
			Status: nodeGroupStatus{AutoScalingGroup: group.ASGName, Ready: &group.Ready, InService: group.InService, Instances: group.InstanceIDs,
				Mapping: group.Mapping, MappingDetail: group.MappingDetail},
		}
		item.SetGroupVersionKind(groupKind())
		list.Items = append(list.Items, item)
	}
	return list
}

// groupTable is the table that kubectl's printer prints; columns of priority
// 1 are those of -o wide.
func groupTable(groups []nodegroup.Listed, now time.Time) *metav1.Table {
	table := &metav1.Table{}
	for _, column := range []struct {
		name     string
		priority int32
	}{
		{"Name", 0}, {"Tool", 0}, {"Ready", 0}, {"Min", 0}, {"Desired", 0}, {"Max", 0}, {"Mapping", 0}, {"AMI", 0}, {"Age", 0},
		{"Type", 1}, {"Auto-Scaling-Group", 1}, {"Role", 1}, {"Mapping-Detail", 1},
	} {
		table.ColumnDefinitions = append(table.ColumnDefinitions,
			metav1.TableColumnDefinition{Name: column.name, Type: "string", Priority: column.priority})
	}
	for _, group := range groups {
		table.Rows = append(table.Rows, metav1.TableRow{Cells: []any{
			group.Name, group.Tool, fmt.Sprintf("%d/%d", group.Ready, group.Desired), group.Min, group.Desired, group.Max,
			group.Mapping, orUnknown(group.ImageID), age(group.CreatedAt, now),
			orUnknown(strings.Join(group.InstanceTypes, ",")), group.ASGName, orUnknown(group.RoleARN), orUnknown(group.MappingDetail),
		}})
	}
	return table
}

// clusterTable is the table of the groups of all clusters.
func clusterTable(groups []nodegroup.Listed, now time.Time) *metav1.Table {
	table := &metav1.Table{}
	for _, name := range []string{"Cluster", "Name", "Tool", "InService", "Min", "Desired", "Max", "Age", "Auto-Scaling-Group"} {
		column := metav1.TableColumnDefinition{Name: name, Type: "string"}
		if name == "Auto-Scaling-Group" {
			column.Priority = 1
		}
		table.ColumnDefinitions = append(table.ColumnDefinitions, column)
	}
	for _, group := range groups {
		table.Rows = append(table.Rows, metav1.TableRow{Cells: []any{
			group.Cluster, group.Name, group.Tool, fmt.Sprintf("%d/%d", group.InService, group.Desired), group.Min, group.Desired, group.Max,
			age(group.CreatedAt, now), group.ASGName,
		}})
	}
	return table
}

func orUnknown(text string) string {
	if text == "" {
		return "<unknown>"
	}
	return text
}

func age(since, now time.Time) string {
	if since.IsZero() {
		return "<unknown>"
	}
	return timeutil.HumanDuration(now.Sub(since))
}
