package markdown_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/reference/markdown"
)

const sample = `# The Page: a ` + "`code`" + ` and more

See [the other](other.md#part) and ![a picture](images/a.svg),
then run ` + "`kubectl get nodes`" + `.

    $ indented

| a | b |
|---|---|
| [in a table](t.md) | ` + "`x`" + ` |

## Twice

` + "```console\n$ kubectl get nodes\nNAME\n```\n" + `
## Twice

` + "```\n[no link](nowhere.md)\n```\n"

func TestParse(t *testing.T) {
	want := &markdown.Page{
		Anchors: map[string]bool{"the-page-a-code-and-more": true, "twice": true, "twice-1": true},
		Links:   []markdown.Link{{Target: "other.md#part", Line: 3}, {Target: "images/a.svg", Line: 3}, {Target: "t.md", Line: 10}},
		Blocks: []markdown.Block{
			{Text: "$ indented\n", Line: 6},
			{Language: "console", Text: "$ kubectl get nodes\nNAME\n", Line: 15},
			{Text: "[no link](nowhere.md)\n", Line: 22},
		},
		Spans: []markdown.Span{{Text: "code", Line: 1}, {Text: "kubectl get nodes", Line: 3}, {Text: "x", Line: 10}},
	}
	if diff := cmp.Diff(want, markdown.Parse([]byte(sample))); diff != "" {
		t.Error(diff)
	}
}

// FuzzParse reads what nobody wrote: it must end, and find blocks only where
// there is text.
func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Add("```")
	f.Add("# \n#\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, block := range markdown.Parse([]byte(text)).Blocks {
			if block.Line < 1 {
				t.Errorf("a block at line %d of %q", block.Line, text)
			}
		}
	})
}
