package print

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

//go:embed html.css
var pageStyle string

//go:embed html.js
var pageScript string

// HTML writes a report as one page that needs nothing else: style and script
// are inside, and its policy forbids everything but them, so that no request
// leaves it and no foreign text can become a program. It is written by hand
// because Go's template packages keep the linker from leaving unused methods
// out of the binary.
func HTML(w io.Writer, r report.Report) error {
	p := &page{text: printer{}}
	title := "Nodes of cluster " + r.Cluster
	p.gaps = gapsOf(r.Findings)
	p.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
	p.raw(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src '` + hashOf(pageStyle) + `'; script-src '` + hashOf(pageScript) + `'; base-uri 'none'; form-action 'none'">` + "\n")
	p.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n")
	p.raw("<link rel=\"icon\" href=\"data:,\">\n")
	p.element("title", "", title)
	p.raw("<style>" + pageStyle + "</style>\n</head>\n<body>\n<main>\n")
	p.element("h1", "", headline(r))
	p.head(r)
	p.causes(r)
	p.chains(r)
	p.section(r, "Warnings", report.Warn)
	p.section(r, "Not known", report.Unknown)
	p.passes(r)
	p.raw("</main>\n<script>" + pageScript + "</script>\n</body>\n</html>\n")
	if _, err := io.WriteString(w, p.out.String()); err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	return nil
}

// hashOf is a source in a content security policy: this very text.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// page builds the HTML form. Everything but raw escapes.
type page struct {
	out  strings.Builder
	text printer // cleans foreign text
	gaps map[gap][]*report.Finding
}

func (p *page) raw(markup string) { p.out.WriteString(markup) }

// element writes text in a tag, with a class unless it is "".
func (p *page) element(tag, class, text string) {
	p.open(tag, class)
	p.raw(html.EscapeString(p.text.clean(text)))
	p.raw("</" + tag + ">\n")
}

func (p *page) open(tag, class string) {
	p.raw("<" + tag)
	if class != "" {
		p.raw(` class="` + html.EscapeString(class) + `"`)
	}
	p.raw(">")
}

// headline says in one line how it stands.
func headline(r report.Report) string {
	cluster := "cluster " + r.Cluster
	causes := 0
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Status == report.Fail && f.BlockedBy == "" {
			causes++
		}
	}
	switch {
	case r.Machines.Total > 0:
		return fmt.Sprintf("%d of %d machines of %s are Ready", r.Machines.Ready, r.Machines.Total, cluster)
	case causes > 0:
		return "Something fails in " + cluster
	}
	return "Nodes of " + cluster
}

// head is what the page is about, and the counts.
func (p *page) head(r report.Report) {
	var about []string
	if r.Region != "" {
		about = append(about, "region "+r.Region)
	}
	if absent := r.Machines.Total - r.Machines.Registered; absent > 0 {
		about = append(about, fmt.Sprintf("%d not registered", absent))
	}
	if !r.CollectedAt.IsZero() {
		about = append(about, "as of "+r.CollectedAt.UTC().Format(time.RFC3339))
	}
	about = append(about, "by "+product.Command+" doctor")
	p.element("p", "dim", strings.Join(about, " · "))
	p.raw("<ul class=\"counts\">\n")
	for _, count := range []struct {
		n           int
		class, word string
	}{{r.Counts.Fail, "fail", "failed"}, {r.Counts.Warn, "warn", "warned"}, {r.Counts.Unknown, "unknown", "unknown"}, {r.Counts.Pass, "pass", "passed"}} {
		if count.n == 0 {
			continue
		}
		p.element("li", count.class, fmt.Sprintf("%d %s", count.n, count.word))
	}
	p.raw("</ul>\n")
}

// causes are what fails and follows from nothing; each tells what it
// explains.
func (p *page) causes(r report.Report) {
	causes := causesOf(r.Findings)
	first := true
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Status != report.Fail || causes[f.BlockedBy] {
			continue
		}
		if first {
			p.element("h2", "", causesTitle(r.Findings))
			first = false
		}
		p.finding(f, r.Findings)
	}
	if first {
		p.element("p", "pass", "Nothing fails.")
	}
}

func causesTitle(findings []report.Finding) string {
	if len(causesOf(findings)) == 1 {
		return "The cause"
	}
	return "Causes, the earliest first"
}

func (p *page) section(r report.Report, title string, status report.Status) {
	first := true
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Status != status {
			continue
		}
		if first {
			p.element("h2", "", title)
			first = false
		}
		if g, ok := gapOf(f); ok && len(p.gaps[g]) > 1 { // what lacks the same is told once
			if p.gaps[g][0] == f {
				one := merged(p.gaps[g])
				p.finding(&one, nil)
			}
			continue
		}
		p.finding(f, r.Findings)
	}
}

func (p *page) finding(f *report.Finding, all []report.Finding) {
	p.raw("<article class=\"is-" + html.EscapeString(string(f.Status)) + "\">\n<header>")
	p.element("span", "badge "+string(f.Status), labelOf(f.Status).word)
	summary := f.Summary
	if f.Status == report.Unknown {
		summary = f.Title + ": " + summary
	}
	p.element("h3", "", summary)
	p.raw("</header>\n")
	p.element("p", "dim", strings.TrimSpace(f.Check+" "+subjects(*f)))
	if f.Status != report.Unknown && f.Confidence != "" && f.Confidence != report.Certain {
		p.element("p", "dim", "confidence: "+string(f.Confidence))
	}
	p.everySubject(f)
	if len(f.Evidence) > 0 {
		p.element("h4", "", "Seen")
		p.raw("<ul class=\"facts\">\n")
		for _, evidence := range f.Evidence {
			p.raw("<li>" + html.EscapeString(p.text.clean(evidence.Fact)))
			p.element("code", "", source(evidence))
			p.raw("</li>\n")
		}
		p.raw("</ul>\n")
	}
	p.fix(f.Fix)
	for _, ref := range f.Refs {
		p.reference(ref)
	}
	p.explains(f.Check, all)
	p.raw("</article>\n")
}

// everySubject lists what the line above names only some of.
func (p *page) everySubject(f *report.Finding) {
	if len(f.Subjects) <= maxSubjects {
		return
	}
	p.raw("<details>")
	p.element("summary", "dim", fmt.Sprintf("all %d", len(f.Subjects)))
	p.element("p", "dim", strings.Join(f.Subjects, ", "))
	p.raw("</details>\n")
}

func (p *page) fix(fix report.Fix) {
	if fix.Summary == "" && fix.Diff == "" && len(fix.Commands) == 0 {
		return
	}
	p.element("h4", "", "Fix")
	if fix.Summary != "" {
		p.element("div", "", fix.Summary)
	}
	if fix.Diff != "" {
		p.raw("<pre>")
		for line := range strings.Lines(fix.Diff) {
			text := html.EscapeString(p.text.clean(strings.TrimRight(line, "\n")))
			switch {
			case strings.HasPrefix(line, "+"):
				text = `<span class="add">` + text + "</span>"
			case strings.HasPrefix(line, "-"):
				text = `<span class="cut">` + text + "</span>"
			}
			p.raw(text + "\n")
		}
		p.raw("</pre>\n")
	}
	for _, command := range fix.Commands {
		p.raw("<div class=\"command\"><pre>" + html.EscapeString(p.text.clean(command)) + "</pre><button type=\"button\" data-copy>copy</button></div>\n")
	}
}

// reference links to documentation; what is no https address stays text.
func (p *page) reference(ref string) {
	if !strings.HasPrefix(ref, "https://") {
		p.element("p", "dim", ref)
		return
	}
	escaped := html.EscapeString(p.text.clean(ref))
	p.raw(`<p class="dim">see <a rel="noreferrer noopener" href="` + escaped + `">` + escaped + "</a></p>\n")
}

func (p *page) explains(cause string, all []report.Finding) {
	first := true
	for i := range all {
		if all[i].BlockedBy != cause {
			continue
		}
		if first {
			p.element("h4", "", "Explains")
			p.raw("<ul>\n")
			first = false
		}
		p.element("li", "dim", all[i].Check+" "+subjects(all[i])+": "+all[i].Summary)
	}
	if !first {
		p.raw("</ul>\n")
	}
}

func (p *page) passes(r report.Report) {
	if r.Counts.Pass == 0 {
		return
	}
	p.raw("<h2>Passed</h2>\n<details>")
	p.element("summary", "pass", fmt.Sprintf("%d checks", r.Counts.Pass))
	p.raw("<ul>\n")
	for _, f := range r.Findings {
		if f.Status == report.Pass {
			p.element("li", "", f.Title+": "+f.Summary)
		}
	}
	p.raw("</ul></details>\n")
}
