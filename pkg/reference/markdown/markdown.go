// Package markdown reads the project's Markdown pages for the tests that hold
// them to the program: links must lead somewhere, commands must exist, and
// the tutorial's are run.
package markdown

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// Page is what the tests need of a page.
type Page struct {
	Anchors map[string]bool // of its headings, as GitHub makes them
	Links   []Link          // of text and images
	Blocks  []Block
	Spans   []Span // code within text
}

// Link is where a link leads, as written.
type Link struct {
	Target string
	Line   int
}

// Block is a block of code. The language is "" for an indented one.
type Block struct {
	Language, Text string
	Line           int // of its first line of code
}

// Span is code within text.
type Span struct {
	Text string
	Line int
}

// Parse reads GitHub-flavoured Markdown.
func Parse(source []byte) *Page {
	page := &Page{Anchors: map[string]bool{}}
	root := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
	line := 1
	// The walk's only error would be that of the function below.
	_ = ast.Walk(root, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			if node.Type() == ast.TypeBlock && node.Lines().Len() > 0 {
				line = 1 + bytes.Count(source[:node.Lines().At(0).Start], []byte("\n"))
			}
			page.add(node, source, line)
		}
		return ast.WalkContinue, nil
	})
	return page
}

func (p *Page) add(node ast.Node, source []byte, line int) {
	switch node := node.(type) {
	case *ast.Heading:
		p.anchor(words(node, source))
	case *ast.Link:
		p.Links = append(p.Links, Link{string(node.Destination), line})
	case *ast.Image:
		p.Links = append(p.Links, Link{string(node.Destination), line})
	case *ast.FencedCodeBlock:
		p.Blocks = append(p.Blocks, Block{string(node.Language(source)), string(node.Lines().Value(source)), line})
	case *ast.CodeBlock:
		p.Blocks = append(p.Blocks, Block{"", string(node.Lines().Value(source)), line})
	case *ast.CodeSpan:
		p.Spans = append(p.Spans, Span{words(node, source), line})
	}
}

// words is the text of a node without its markup.
func words(node ast.Node, source []byte) string {
	var out strings.Builder
	for child := node.FirstChild(); child != nil; child = child.NextSibling() {
		switch child := child.(type) {
		case *ast.Text:
			out.Write(child.Segment.Value(source))
			if child.SoftLineBreak() {
				out.WriteByte(' ')
			}
		case *ast.String:
			out.Write(child.Value)
		default:
			out.WriteString(words(child, source))
		}
	}
	return out.String()
}

// anchor adds a heading's anchor: lower case, spaces as hyphens, punctuation
// left out, a number after the second one of a name.
func (p *Page) anchor(heading string) {
	var out strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(heading)) {
		switch {
		case r == ' ':
			out.WriteByte('-')
		case r == '-', r == '_', r >= 'a' && r <= 'z', r >= '0' && r <= '9', r > 127 && !strings.ContainsRune("…–—’“”→", r):
			out.WriteRune(r)
		}
	}
	name := out.String()
	for i := 1; p.Anchors[name]; i++ {
		name = out.String() + "-" + string(rune('0'+i))
	}
	p.Anchors[name] = true
}
