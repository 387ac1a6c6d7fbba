package check

import (
	"cmp"
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// maxEvidence bounds the evidence of a folded finding.
const maxEvidence = 8

// maxCommands bounds the commands of a folded finding: where they differ by
// machine, some show what to do for the rest.
const maxCommands = 8

// foldKey is what verdicts have in common that are one finding.
type foldKey struct {
	check, summary, fix, blockedBy string
	status                         report.Status
	confidence                     report.Confidence
}

// folder makes one verdict of equal ones, in the order in which they come.
type folder struct {
	at   map[foldKey]int
	list []verdict
}

func newFolder() *folder { return &folder{at: map[foldKey]int{}} }

func (f *folder) add(v verdict) {
	key := foldKey{v.Check, v.Summary, v.Fix.Summary, v.BlockedBy, v.Status, v.Confidence}
	i, have := f.at[key]
	if !have {
		i = len(f.list)
		f.at[key] = i
		first := v
		first.Subjects, first.Evidence = nil, nil
		f.list = append(f.list, first)
	}
	f.list[i].add(v)
}

// fold makes one finding of equal verdicts about many subjects, and puts the
// findings in verdict order: causes first, worst first, then by the chain.
func fold(verdicts []verdict) []verdict {
	all := newFolder()
	for _, v := range verdicts {
		all.add(v)
	}
	folded := all.list
	for i := range folded {
		slices.Sort(folded[i].Subjects)
		folded[i].Subjects = slices.Compact(folded[i].Subjects)
	}
	slices.SortStableFunc(folded, func(a, b verdict) int {
		return cmp.Or(
			cmp.Compare(rank(a.Finding), rank(b.Finding)),
			cmp.Compare(a.link, b.link),
			cmp.Compare(a.Check, b.Check),
			slices.Compare(a.Subjects, b.Subjects),
		)
	})
	return folded
}

// add joins the subject, the evidence and the commands of an equal verdict;
// fold sorts the subjects in the end.
func (v *verdict) add(other verdict) {
	switch {
	case len(other.Subjects) > 0: // folded before
		v.Subjects = append(v.Subjects, other.Subjects...)
	case other.subject != "":
		v.Subjects = append(v.Subjects, other.subject)
	}
	for _, evidence := range other.Evidence {
		if len(v.Evidence) < maxEvidence && !slices.Contains(v.Evidence, evidence) {
			v.Evidence = append(v.Evidence, evidence)
		}
	}
	for _, command := range other.Fix.Commands {
		if len(v.Fix.Commands) < maxCommands && !slices.Contains(v.Fix.Commands, command) {
			v.Fix.Commands = append(slices.Clip(v.Fix.Commands), command)
		}
	}
}

func rank(f report.Finding) int {
	switch f.Status {
	case report.Fail:
		if f.BlockedBy != "" {
			return 1
		}
		return 0
	case report.Warn:
		return 2
	case report.Unknown:
		return 3
	default:
		return 4
	}
}
