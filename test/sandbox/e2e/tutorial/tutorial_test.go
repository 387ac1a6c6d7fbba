// Package tutorial follows docs/tutorial.md on a sandbox: every command of its
// console blocks is run, in their order, and what stands below a command is
// what it must print.
package tutorial

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/reference/markdown"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

// page is the tutorial, seen from this folder.
const page = "../../../../docs/tutorial.md"

// upFlag is how the tutorial starts its sandbox.
const upFlag = "--authentication-mode CONFIG_MAP"

var sandbox *harness.Sandbox

func TestMain(m *testing.M) {
	s, run := harness.Main(m, "e2e-tutorial", strings.Fields(upFlag)...)
	sandbox = s
	os.Exit(run())
}

// command is a command of the tutorial.
type command struct {
	line   int
	text   string
	output []string // as it stands below the command
	fails  bool     // the next command asks for its exit code
}

// TestTutorial runs the commands one after the other, as one shell would.
func TestTutorial(t *testing.T) {
	source, err := os.ReadFile(filepath.FromSlash(page))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(source), upFlag) {
		t.Errorf("the tutorial does not start its sandbox with %s", upFlag)
	}
	commands := commandsOf(t, markdown.Parse(source))
	if len(commands) < 10 {
		t.Fatalf("%d commands found", len(commands))
	}
	code := 0
	for _, c := range commands {
		result := sandbox.Exec(t, "bash", "-c", fmt.Sprintf("exec 2>&1; (exit %d); %s", code, c.text))
		if code = result.Code; code != 0 && !c.fails {
			t.Fatalf("line %d: %q ended with %d", c.line, c.text, code)
		}
		if missing := missing(c.output, result.Stdout); missing != "" {
			t.Errorf("line %d: %q does not print %q at its place; it printed\n%s", c.line, c.text, missing, result.Stdout)
		}
	}
}

// commandsOf takes the commands out of the console blocks.
func commandsOf(t *testing.T, page *markdown.Page) []command {
	t.Helper()
	var commands []command
	for _, block := range page.Blocks {
		if block.Language != "console" {
			continue
		}
		for i, line := range strings.Split(strings.TrimRight(block.Text, "\n"), "\n") {
			text, isCommand := strings.CutPrefix(line, "$ ")
			switch {
			case isCommand && text == "echo $?" && len(commands) > 0:
				commands[len(commands)-1].fails = true
				fallthrough
			case isCommand:
				commands = append(commands, command{line: block.Line + i, text: text})
			case i == 0:
				t.Fatalf("line %d: a console block begins with output", block.Line)
			default:
				last := &commands[len(commands)-1]
				last.output = append(last.output, line)
			}
		}
	}
	return commands
}

// missing returns the first line of the tutorial that is not in the output
// after the one before it; between lines that stand next to each other in the
// tutorial nothing else may stand. "..." is any number of lines.
func missing(want []string, output string) string {
	have := strings.Split(strings.TrimRight(output, "\n"), "\n")
	at, gap := 0, false
	for _, line := range want {
		if line == "..." {
			gap = true
			continue
		}
		found := at
		for gap && found < len(have) && shape(have[found]) != shape(line) {
			found++
		}
		if found >= len(have) || shape(have[found]) != shape(line) {
			return line
		}
		at, gap = found+1, false
	}
	if !gap && at < len(have) && len(want) > 0 {
		return "the end"
	}
	return ""
}

// shape is a line without what differs from run to run: ids, addresses, times,
// and the width of columns that hold them.
func shape(line string) string {
	for _, part := range []struct{ pattern, name string }{
		{`\b(i|ami|subnet|sg|vpc|lt)-[0-9a-f]{17}\b`, "$1-ID"},
		{`\bip-[0-9]+-[0-9]+-[0-9]+-[0-9]+\b`, "ip-ADDRESS"},
		{`\bcsr-[a-z0-9]{5}\b`, "csr-ID"},
		{`(NodeInstanceRole|NodeGroup)-[A-Za-z0-9]{12}\b`, "$1-ID"},
		{`\bus-west-2[abc]\b`, "ZONE"},
		{`\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z`, "TIMESTAMP"},
		{`\b[0-9]+:[0-9]{2}\b`, "TIME"},
		{`\b([0-9]+m)?[0-9]+s\b`, "TIME"},
		{`\b[0-9]+ days old\b`, "N days old"},
		{`\b[0-9]+ addresses free`, "N addresses free"},
		{`\b[0-9]+ passed\b`, "N passed"}, // grows with every new check
		{`\s+`, " "},
	} {
		line = regexp.MustCompile(part.pattern).ReplaceAllString(line, part.name)
	}
	return strings.TrimSpace(line)
}

// TestMissing: the comparison can fail.
func TestMissing(t *testing.T) {
	const output = "reading ...\n\n  0:03  node i-0123456789abcdef0  Ready\ndone in 12s\n"
	for want, missed := range map[string]string{
		"reading ...||0:14 node i-ffffffffffffffff0 Ready|done in 9s": "",
		"...|done in 9s":    "",
		"reading ...|...":   "",
		"":                  "",
		"reading ...":       "the end",
		"done in 9s":        "done in 9s",
		"...|done in 9s|x":  "x",
		"...|node":          "node",
		"reading ...|done":  "done",
		"...|done|...|read": "done",
	} {
		var lines []string
		if want != "" {
			lines = strings.Split(want, "|")
		}
		if got := missing(lines, output); got != missed {
			t.Errorf("%q: %q, want %q", want, got, missed)
		}
	}
}
