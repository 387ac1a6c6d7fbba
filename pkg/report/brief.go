package report

import "slices"

// briefSubjects is how many subjects a finding keeps that nobody has to act
// on.
const briefSubjects = 20

// Brief is the report without the long lists of what is well, or could not be
// seen, on each of thousands of machines: of those subjects the first are kept,
// and More says how many there are besides. What fails or warns keeps all.
func (r *Report) Brief() Report {
	out := *r
	out.Findings = slices.Clone(r.Findings)
	for i := range out.Findings {
		f := &out.Findings[i]
		if f.Status != Fail && f.Status != Warn && len(f.Subjects) > briefSubjects {
			f.Subjects, f.More = f.Subjects[:briefSubjects:briefSubjects], len(f.Subjects)-briefSubjects
		}
	}
	return out
}
