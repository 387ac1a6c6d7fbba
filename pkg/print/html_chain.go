package print

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// chainLinks are the links of the join chain in the order in which a machine
// passes them, as findings name them.
func chainLinks() []string {
	return []string{
		"target", "launch", "boot", "credentials", "aws-api", "api-server", "authentication", "authorisation", "node-object", "cni", "initialized", "ready",
	}
}

// picture is the chain of machines, or of groups, that are in the same state.
type picture struct {
	subjects []string
	kind     report.Kind
	states   []string // a class for each link: pass, warn, fail, unknown, later; "" when nothing was asked
}

// chains draws the join chain, once for all machines and groups in the same
// state.
func (p *page) chains(r report.Report) {
	pictures := picturesOf(r.Findings)
	if len(pictures) == 0 {
		return
	}
	p.element("h2", "", "The way into the cluster")
	for _, picture := range pictures {
		p.raw("<section class=\"group\">\n")
		p.element("h3", "", heading(picture))
		p.raw("<ol class=\"chain\">\n")
		for i, link := range chainLinks() {
			state := picture.states[i]
			mark := map[string]string{"pass": "✓", "fail": "✗", "warn": "!", "unknown": "?"}[state]
			class := state
			if class == "" {
				class = "later"
			}
			if mark == "" {
				mark = "·"
			}
			p.raw("<li class=\"" + class + "\" title=\"" + class + "\"><b aria-hidden=\"true\">" + mark + "</b>")
			p.element("span", "", strings.ReplaceAll(link, "-", " "))
			p.raw("</li>\n")
		}
		p.raw("</ol>\n</section>\n")
	}
}

func heading(p picture) string {
	if len(p.subjects) == 1 {
		return string(p.kind) + " " + p.subjects[0]
	}
	some := p.subjects
	more := ""
	if len(some) > maxSubjects {
		some, more = some[:maxSubjects-1], fmt.Sprintf(" and %d more", len(p.subjects)-maxSubjects+1)
	}
	return fmt.Sprintf("%d %ss: %s%s", len(p.subjects), p.kind, strings.Join(some, ", "), more)
}

// picturesOf finds the state of every machine at every link, and of every
// group that something is wrong with, and puts equal ones together. Findings
// about the cluster count for all.
func picturesOf(findings []report.Finding) []picture {
	everywhere := make([]string, len(chainLinks()))
	for _, f := range findings {
		if at := slices.Index(chainLinks(), f.Link); at >= 0 && f.Kind == report.KindCluster {
			everywhere[at] = worse(everywhere[at], stateOf(f))
		}
	}
	machines := alike(findings, report.KindMachine, everywhere)
	groups := alike(findings, report.KindGroup, everywhere)
	if len(machines) > 0 {
		groups = slices.DeleteFunc(groups, func(p picture) bool { return !slices.Contains(p.states, "fail") })
	}
	return append(groups, machines...)
}

// alike are the pictures of one kind of subjects.
func alike(findings []report.Finding, kind report.Kind, everywhere []string) []picture {
	states := map[string][]string{}
	var order []string
	for _, f := range findings {
		at := slices.Index(chainLinks(), f.Link)
		if at < 0 || f.Kind != kind {
			continue
		}
		for _, subject := range f.Subjects {
			if states[subject] == nil {
				states[subject] = make([]string, len(chainLinks()))
				order = append(order, subject)
			}
			states[subject][at] = worse(states[subject][at], stateOf(f))
		}
	}
	var pictures []picture
	for _, subject := range order {
		state := states[subject]
		addEverywhere(state, everywhere)
		i := slices.IndexFunc(pictures, func(p picture) bool { return slices.Equal(p.states, state) })
		if i < 0 {
			i = len(pictures)
			pictures = append(pictures, picture{kind: kind, states: state})
		}
		pictures[i].subjects = append(pictures[i].subjects, subject)
	}
	return pictures
}

// addEverywhere adds what is said of the cluster. Behind a broken link,
// nothing that is well or not known says anything of the machine: it has not
// come that far.
func addEverywhere(state, everywhere []string) {
	broken := false
	for i := range state {
		state[i] = worse(state[i], everywhere[i])
		if broken && (state[i] == "pass" || state[i] == "unknown") {
			state[i] = ""
		}
		broken = broken || state[i] == "fail"
	}
}

// stateOf is a finding's state in the picture; what follows from a cause is
// not broken by itself.
func stateOf(f report.Finding) string {
	if f.Status == report.Fail && f.BlockedBy != "" {
		return "later"
	}
	return string(f.Status)
}

// worse is the state that a link shows of two.
func worse(a, b string) string {
	rank := []string{"", "pass", "unknown", "warn", "later", "fail"}
	if slices.Index(rank, a) > slices.Index(rank, b) {
		return a
	}
	return b
}
