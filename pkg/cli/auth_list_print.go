package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/eksnodes/kubectl-eksnodes/pkg/access"
)

// accessMapping is a mapping as json and yaml print it.
type accessMapping struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              accessMappingSpec   `json:"spec"`
	Status            accessMappingStatus `json:"status"`
}

type accessMappingSpec struct {
	PrincipalARN string   `json:"principalARN,omitempty"`
	Source       string   `json:"source"` // access entry, mapRoles, mapUsers, mapAccounts
	Line         int      `json:"line,omitempty"`
	Type         string   `json:"type,omitempty"`
	Username     string   `json:"username,omitempty"`
	Groups       []string `json:"groups,omitempty"`
	Policies     []string `json:"policies,omitempty"`
}

type accessMappingStatus struct {
	State    string          `json:"state"`
	Answer   *answerDocument `json:"answer,omitempty"`
	Problems []string        `json:"problems,omitempty"`
}

// answerDocument is an answer of the authenticator in json and yaml.
type answerDocument struct {
	Outcome  string   `json:"outcome"` // mapped, not mapped, stale entry, template, bad ARN, unknown
	Username string   `json:"username,omitempty"`
	Groups   []string `json:"groups,omitempty"`
	Source   string   `json:"source,omitempty"`
	Line     int      `json:"line,omitempty"`
	Reason   string   `json:"reason"`
	Notes    []string `json:"notes,omitempty"`
}

func answerData(answer access.Answer) *answerDocument {
	if !answer.Known() {
		return &answerDocument{Outcome: "unknown", Reason: answer.Unknown, Notes: answer.Notes}
	}
	if answer.Outcome == "" {
		return nil
	}
	return &answerDocument{
		Outcome: string(answer.Outcome), Username: answer.Username, Groups: answer.Groups,
		Source: string(answer.Source), Line: answer.Line, Reason: answer.Reason, Notes: answer.Notes,
	}
}

// DeepCopyObject makes accessMapping a runtime.Object.
func (m *accessMapping) DeepCopyObject() runtime.Object {
	out := *m
	m.DeepCopyInto(&out.ObjectMeta)
	return &out
}

// accessMappingList is a list of them.
type accessMappingList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []accessMapping `json:"items"`
}

// DeepCopyObject makes accessMappingList a runtime.Object.
func (l *accessMappingList) DeepCopyObject() runtime.Object {
	out := *l
	out.Items = slices.Clone(l.Items)
	return &out
}

// printRows prints mappings as a table, or by the printer.
func printRows(w io.Writer, printer printers.ResourcePrinter, flags *printFlags, rows []access.Row, account string) error {
	if printer == nil {
		options := printers.PrintOptions{Wide: flags.output == "wide", NoHeaders: flags.noHeaders}
		return printers.NewTablePrinter(options).PrintObj(rowTable(rows, account), w)
	}
	list := &accessMappingList{Items: []accessMapping{}}
	list.SetGroupVersionKind(groupKind().GroupVersion().WithKind("AccessMappingList"))
	for _, row := range rows {
		list.Items = append(list.Items, mappingObject(row, account))
	}
	if flags.output == "name" {
		for i := range list.Items {
			if err := printer.PrintObj(&list.Items[i], w); err != nil {
				return fmt.Errorf("print %s: %w", list.Items[i].Name, err)
			}
		}
		return nil
	}
	if err := printer.PrintObj(list, w); err != nil {
		return fmt.Errorf("print mappings: %w", err)
	}
	return nil
}

func mappingObject(row access.Row, account string) accessMapping {
	item := accessMapping{
		ObjectMeta: metav1.ObjectMeta{Name: shortARN(row.Principal, account)},
		Spec: accessMappingSpec{
			PrincipalARN: row.Principal, Source: string(row.Source), Line: row.Line, Type: row.Type,
			Username: row.Username, Groups: row.Groups, Policies: row.Policies,
		},
		Status: accessMappingStatus{State: string(row.State), Answer: answerData(row.Answer), Problems: row.Problems},
	}
	item.SetGroupVersionKind(groupKind().GroupVersion().WithKind("AccessMapping"))
	return item
}

func rowTable(rows []access.Row, account string) *metav1.Table {
	table := &metav1.Table{}
	for _, column := range []struct {
		name     string
		priority int32
	}{
		{"Principal", 0}, {"Source", 0}, {"Username", 0}, {"Grants", 0}, {"State", 0}, {"Answer", 1}, {"Problems", 1},
	} {
		table.ColumnDefinitions = append(table.ColumnDefinitions,
			metav1.TableColumnDefinition{Name: column.name, Type: "string", Priority: column.priority})
	}
	for _, row := range rows {
		table.Rows = append(table.Rows, metav1.TableRow{Cells: []any{
			orNone(shortARN(row.Principal, account)), rowSource(row), orNone(row.Username),
			orNone(strings.Join(slices.Concat(row.Groups, row.Policies), ",")), string(row.State),
			orNone(shortAnswer(row.Answer)), orNone(strings.Join(row.Problems, "; ")),
		}})
	}
	return table
}

// rowSource says in a word or two where a mapping stands.
func rowSource(row access.Row) string {
	switch {
	case row.Type != "":
		return "entry " + row.Type
	case row.Line > 0:
		return fmt.Sprintf("%s:%d", row.Source, row.Line)
	}
	return string(row.Source)
}

// shortAnswer is who the principal becomes, or why nobody.
func shortAnswer(answer access.Answer) string {
	switch {
	case !answer.Known():
		return "unknown"
	case answer.In():
		return answer.Username
	}
	return string(answer.Outcome)
}

// shortARN leaves out what all ARNs of the cluster's account have in common.
func shortARN(arn, account string) string {
	if _, rest, ok := strings.Cut(arn, ":iam::"+account+":"); ok && account != "" {
		return rest
	}
	return arn
}

func orNone(text string) string {
	if text == "" {
		return "<none>"
	}
	return text
}
