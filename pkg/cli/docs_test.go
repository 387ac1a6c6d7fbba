package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/groupconfig"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/reference/markdown"
)

// mention is a command line of the plugin that a page shows, or a flag that it
// names.
type mention struct {
	page string
	line int
	text string
}

// TestPagesNameWhatExists holds the command lines and the flags that pages for
// users name to the tree of commands.
func TestPagesNameWhatExists(t *testing.T) {
	commandLines, flags := mentions(t)
	if len(commandLines) < 20 || len(flags) < 10 {
		t.Fatalf("%d command lines and %d flags found: the test sees nothing", len(commandLines), len(flags))
	}
	for _, mention := range commandLines {
		if fault := faultOf(mention.text); fault != "" {
			t.Errorf("%s:%d: %q: %s", mention.page, mention.line, mention.text, fault)
		}
	}
	known := allFlags(commands())
	for _, mention := range flags {
		if !known[mention.text] {
			t.Errorf("%s:%d: no command has a flag %s", mention.page, mention.line, mention.text)
		}
	}
}

// mentions reads the pages for users: those beside the program's source, and
// docs but for the decisions, which speak of other tools too.
func mentions(t *testing.T) (commandLines, flags []mention) {
	t.Helper()
	var files []string
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../docs/reference/*.md"} {
		found, err := filepath.Glob(filepath.FromSlash(pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	flagName := regexp.MustCompile(`^--[a-z][a-z0-9-]+`)
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		page := markdown.Parse(source)
		for _, block := range page.Blocks {
			text := strings.ReplaceAll(block.Text, "\\\n", " ")
			for i, line := range strings.Split(text, "\n") {
				line = strings.TrimPrefix(strings.TrimSpace(line), "$ ")
				if strings.HasPrefix(line, product.Command+" ") {
					commandLines = append(commandLines, mention{file, block.Line + i, line})
				}
			}
		}
		for _, span := range page.Spans {
			switch {
			case strings.HasPrefix(span.Text, product.Command+" "):
				commandLines = append(commandLines, mention{file, span.Line, span.Text})
			case flagName.MatchString(span.Text):
				flags = append(flags, mention{file, span.Line, flagName.FindString(span.Text)})
			}
		}
	}
	return commandLines, flags
}

// faultOf says what is wrong with a command line, "" when nothing is.
func faultOf(line string) string {
	var args []string
	for _, word := range strings.Fields(line)[2:] {
		if strings.HasPrefix(word, "#") || slices.Contains([]string{"--", "|", ">", "&&", ";", "..."}, word) {
			break
		}
		word = strings.Trim(word, "`,.:;)")
		if strings.HasPrefix(word, "[") || strings.ToUpper(word) == word && !strings.HasPrefix(word, "-") {
			continue // NAME, [flags]: what stands for something else
		}
		args = append(args, word)
	}
	if len(args) == 0 {
		return ""
	}
	cmd, rest, err := commands().Find(args)
	if err != nil {
		return err.Error()
	}
	if !cmd.HasParent() && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		return "there is no command " + rest[0]
	}
	cmd.InitDefaultHelpFlag()
	for _, word := range rest {
		name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
		switch {
		case strings.HasPrefix(word, "--") && name != "" && flagOf(cmd, name) == nil:
			return "no flag --" + name
		case strings.HasPrefix(word, "-") && !strings.HasPrefix(word, "--") && len(word) > 1 && shorthandOf(cmd, word[1:2]) == nil:
			return "no flag " + word
		}
	}
	return ""
}

func flagOf(cmd *cobra.Command, name string) *pflag.Flag {
	if flag := cmd.Flags().Lookup(name); flag != nil {
		return flag
	}
	return cmd.Root().PersistentFlags().Lookup(name)
}

func shorthandOf(cmd *cobra.Command, letter string) *pflag.Flag {
	if flag := cmd.Flags().ShorthandLookup(letter); flag != nil {
		return flag
	}
	return cmd.Root().PersistentFlags().ShorthandLookup(letter)
}

// allFlags are the flags of all commands.
func allFlags(cmd *cobra.Command) map[string]bool {
	known := map[string]bool{}
	for _, set := range []*pflag.FlagSet{cmd.Flags(), cmd.PersistentFlags()} {
		set.VisitAll(func(flag *pflag.Flag) { known["--"+flag.Name] = true })
	}
	for _, sub := range cmd.Commands() {
		for name := range allFlags(sub) {
			known[name] = true
		}
	}
	return known
}

// TestFaultOf: the test above can fail.
func TestFaultOf(t *testing.T) {
	for line, want := range map[string]string{
		"kubectl eksnodes add workers --desired 3 --yes":        "",
		"kubectl eksnodes add NAME [flags]":                     "",
		"kubectl eksnodes doctor -o json | jq -r '.x'":          "",
		"kubectl eksnodes add workers --dry-run -o cfn > f":     "",
		"kubectl eksnodes explain CHECK":                        "",
		"kubectl eksnodes add workers --context=x # a --remark": "",
		"kubectl eksnodes fly workers":                          "there is no command fly",
		"kubectl eksnodes add workers --wings 2":                "no flag --wings",
		"kubectl eksnodes add workers -z":                       "no flag -z",
	} {
		if got := faultOf(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// TestReadmesFileIsOne: the example of a group as a file is read as one.
func TestReadmesFileIsOne(t *testing.T) {
	source, err := os.ReadFile(filepath.FromSlash("../../README.md"))
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, block := range markdown.Parse(source).Blocks {
		if !strings.HasPrefix(block.Text, "apiVersion: ") {
			continue
		}
		read++
		if _, err := groupconfig.Decode([]byte(block.Text)); err != nil {
			t.Errorf("README.md, block at line %d: %v", block.Line, err)
		}
	}
	if read != 1 {
		t.Errorf("%d examples were read", read)
	}
}
