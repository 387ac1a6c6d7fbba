// Package signature knows log lines: which words of the kubelet, nodeadm,
// cloud-init, the VPC CNI and others mean what. Scan turns a log into facts
// where it is read; what follows from them is for the checks to say.
//
// To teach it a line, add a row to the lines_*.go file of the program that
// writes it, with where the words were verified and samples that do and do
// not match.
package signature

import (
	"regexp"
	"slices"
	"sync"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Any stands in Line.In for every unit and file.
const Any = "any"

// Units and files that rows name. Scan takes any name.
const (
	Console         = "console"
	CloudInit       = "cloud-init"
	CloudInitOutput = "cloud-init-output"
	Kubelet         = "kubelet"
	Containerd      = "containerd"
	NodeadmConfig   = "nodeadm-config"
	NodeadmRun      = "nodeadm-run"
	IPAMD           = "ipamd"
	AwsNode         = "aws-node"
	KubeProxy       = "kube-proxy"
	Authenticator   = "authenticator"
	Audit           = "audit"
	CloudController = "cloud-controller-manager"
	Events          = "events"
	NodeCondition   = "node-condition"
)

// Line is one row of the table: a line that means something.
type Line struct {
	ID string   // kebab-case, never used again for another meaning
	In []string // units and files where it is looked for
	// Find are the alternatives, in RE2. Each begins with literal text where
	// it can: the search for that is what makes scanning cheap. Named groups
	// become Seen.Values.
	Find []string
	// Source says where the words were verified: module@version path, or the
	// title of a document.
	Source string
	// Noise rows are lines that look bad and are not, or that only repeat
	// another: they are never reported.
	Noise bool
	// Beside lists rows in whose presence this one is noise.
	Beside []string
	// Match and NoMatch are lines that do and do not match, for the test.
	Match   []string
	NoMatch string
}

// Lines lists every row.
func Lines() []Line {
	return slices.Concat(bootLines(), awsLines(), apiLines(), authLines(), kubeletLines(), runtimeLines(), cniLines(), cloudLines())
}

// Known returns the row with the id, and whether there is one.
func Known(id string) (Line, bool) {
	all := Lines()
	i := slices.IndexFunc(all, func(l Line) bool { return l.ID == id })
	if i < 0 {
		return Line{}, false
	}
	return all[i], true
}

// Match looks for a row in one line, whoever wrote it, and returns the named
// parts.
func Match(id, line string) (values map[string]string, ok bool) {
	all := rows()
	i := slices.IndexFunc(all, func(r row) bool { return r.ID == id })
	if i < 0 {
		return nil, false
	}
	return all[i].match(line)
}

// Settle drops what is noise beside the rest: a CNI that is not initialized
// says nothing of a machine that the API server does not let in.
func Settle(seen []snapshot.Seen) []snapshot.Seen {
	return slices.DeleteFunc(slices.Clone(seen), func(s snapshot.Seen) bool {
		line, _ := Known(s.Sig)
		return slices.ContainsFunc(seen, func(other snapshot.Seen) bool { return slices.Contains(line.Beside, other.Sig) })
	})
}

// row is a Line ready to be searched for.
type row struct {
	Line
	find []*regexp.Regexp
}

// rows compiles the table once, when the first log is read; noise first, so
// that it hides a line from the others.
var rows = sync.OnceValue(func() []row {
	var all []row
	for _, line := range Lines() {
		r := row{Line: line}
		for _, expression := range line.Find {
			r.find = append(r.find, regexp.MustCompile(expression))
		}
		all = append(all, r)
	}
	slices.SortStableFunc(all, func(a, b row) int {
		switch {
		case a.Noise == b.Noise:
			return 0
		case a.Noise:
			return -1
		}
		return 1
	})
	return all
})

// of are the rows that are looked for in a unit.
func of(unit string) []row {
	return slices.DeleteFunc(slices.Clone(rows()), func(r row) bool {
		return !slices.Contains(r.In, unit) && !slices.Contains(r.In, Any)
	})
}

// match finds the row in a line, and the named groups.
func (r row) match(line string) (values map[string]string, ok bool) {
	for _, find := range r.find {
		groups := find.FindStringSubmatch(line)
		if groups == nil {
			continue
		}
		for i, name := range find.SubexpNames() {
			if name == "" || groups[i] == "" {
				continue
			}
			if values == nil {
				values = map[string]string{}
			}
			values[name] = groups[i]
		}
		return values, true
	}
	return nil, false
}
