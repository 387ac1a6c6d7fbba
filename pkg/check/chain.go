package check

import "github.com/eksnodes/kubectl-eksnodes/pkg/report"

// block applies the join chain: for every machine the earliest failing link
// is the cause, and what fails later follows from it. The cause may be the
// machine's own, its group's or the cluster's. Failures of groups and of the
// cluster are independent of each other and all stand, but for symptoms. A
// warning blocks nothing.
func block(verdicts []verdict) {
	failures := map[subjectKey][]*verdict{}
	for i := range verdicts {
		v := &verdicts[i]
		if v.Status == report.Fail {
			failures[v.key()] = append(failures[v.key()], v)
		}
	}
	for i := range verdicts {
		v := &verdicts[i]
		if v.Status != report.Fail {
			continue
		}
		var cause *verdict
		for _, scope := range v.scopes() {
			for _, other := range failures[scope] {
				if v.follows(other) && (cause == nil || other.before(cause)) {
					cause = other
				}
			}
		}
		if cause != nil {
			v.BlockedBy = cause.Check
		}
	}
}

// subjectKey tells a machine, a group and the cluster apart. The cluster has
// no name here: there is one.
type subjectKey struct {
	kind report.Kind
	name string
}

func (v *verdict) key() subjectKey {
	if v.kind == report.KindCluster {
		return subjectKey{kind: v.kind}
	}
	return subjectKey{v.kind, v.subject}
}

// scopes are the subjects whose failures can be the cause of this one's.
func (v *verdict) scopes() []subjectKey {
	keys := []subjectKey{v.key()}
	if v.kind == report.KindMachine {
		keys = append(keys, subjectKey{report.KindGroup, v.group})
	}
	if v.kind != report.KindCluster {
		keys = append(keys, subjectKey{kind: report.KindCluster})
	}
	return keys
}

// before reports whether a failure explains more than another one: it comes
// earlier, and at the same link it is no symptom.
func (v *verdict) before(other *verdict) bool {
	if v.link != other.link {
		return v.link < other.link
	}
	return !v.symptom && other.symptom
}

// follows reports whether another failure explains this one.
func (v *verdict) follows(cause *verdict) bool {
	switch {
	case cause == v:
		return false
	case v.kind != report.KindMachine && !v.symptom:
		return false
	case v.kind == report.KindMachine && cause.kind != report.KindMachine && cause.link == LinkLaunch:
		return false // what keeps the group from launching more has not hindered a machine that is there
	case v.symptom && !cause.symptom:
		return cause.link <= v.link
	case v.symptom && cause.symptom && cause.link == v.link:
		return cause.order < v.order
	}
	return cause.link < v.link
}
