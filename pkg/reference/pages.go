package reference

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Home is the file name of the root command's page.
const Home = "README.md"

// Pages writes a page for every command that help lists, by its file name: of
// the root README.md, of `auth list` auth-list.md. What the root hands down
// stands on its page only, under the heading named.
func Pages(root *cobra.Command, inherited string) map[string]string {
	pages := map[string]string{}
	for _, cmd := range all(root) {
		pages[fileName(cmd)] = page(cmd, inherited)
	}
	return pages
}

// all gives a command and all below it that help lists.
func all(cmd *cobra.Command) []*cobra.Command {
	found := []*cobra.Command{cmd}
	for _, sub := range listed(cmd) {
		found = append(found, all(sub)...)
	}
	return found
}

func listed(cmd *cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(cmd.Commands()), func(sub *cobra.Command) bool { return !sub.IsAvailableCommand() })
}

func fileName(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return Home
	}
	path := strings.TrimPrefix(cmd.CommandPath(), cmd.Root().CommandPath()+" ")
	return strings.ReplaceAll(path, " ", "-") + ".md"
}

func page(cmd *cobra.Command, inherited string) string {
	cmd.InitDefaultHelpFlag() // cobra adds it only when the command runs
	var out strings.Builder
	fmt.Fprintf(&out, "<!-- Made of the commands by `make generate`. -->\n\n# %s\n\n", cmd.CommandPath())
	fmt.Fprintf(&out, "%s\n", prose(cmd.Long, cmd.Short))
	if cmd.Runnable() && cmd.HasParent() {
		fmt.Fprintf(&out, "\n```console\n$ %s\n```\n", cmd.UseLine())
	}
	if len(cmd.Aliases) > 0 {
		fmt.Fprintf(&out, "\nAlso: `%s`.\n", strings.Join(cmd.Aliases, "`, `"))
	}
	if cmd.HasExample() {
		fmt.Fprintf(&out, "\n## Examples\n\n```sh\n%s\n```\n", unindent(cmd.Example))
	}
	writeCommands(&out, cmd)
	for _, section := range Sections(cmd) {
		writeFlags(&out, section.Heading, section.Flags)
	}
	handedDown := cmd.Root().PersistentFlags()
	switch {
	case !handedDown.HasAvailableFlags():
	case cmd.HasParent():
		fmt.Fprintf(&out, "\nFlags of all commands: [%s](%s#%s).\n", inherited, Home, strings.ToLower(inherited))
	default:
		writeFlags(&out, inherited, handedDown)
	}
	return out.String()
}

// prose is a help text as Markdown paragraphs: indented lines stay as they
// are, in the others what Markdown would read as markup is escaped.
func prose(long, short string) string {
	text := long
	if text == "" {
		text = upper(short) + "."
	}
	markup := regexp.MustCompile("[\\\\`*_<>\\[\\]]")
	var lines []string
	code := false
	for line := range strings.Lines(strings.TrimSpace(text)) {
		line = strings.TrimRight(line, "\n")
		if indented := strings.HasPrefix(line, "  "); indented {
			if !code && len(lines) > 0 && lines[len(lines)-1] != "" {
				lines = append(lines, "")
			}
			code = true
			lines = append(lines, "  "+line)
			continue
		}
		code = code && line == ""
		lines = append(lines, markup.ReplaceAllString(line, `\$0`))
	}
	return strings.Join(lines, "\n")
}

func upper(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// unindent takes the two columns off that help sets examples in by.
func unindent(text string) string {
	var out strings.Builder
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		out.WriteString(strings.TrimPrefix(line, "  "))
	}
	return out.String()
}

func writeCommands(out *strings.Builder, cmd *cobra.Command) {
	commands := all(cmd)[1:]
	if len(commands) == 0 {
		return
	}
	out.WriteString("\n## Commands\n\n| command | |\n|---|---|\n")
	for _, sub := range commands {
		fmt.Fprintf(out, "| [%s](%s) | %s |\n", strings.TrimPrefix(sub.CommandPath(), cmd.CommandPath()+" "), fileName(sub), cell(sub.Short))
	}
}

func writeFlags(out *strings.Builder, heading string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(out, "\n## %s\n\n| flag | | default |\n|---|---|---|\n", heading)
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(flag)
		spelled := "--" + flag.Name
		if flag.Shorthand != "" {
			spelled = "-" + flag.Shorthand + ", " + spelled
		}
		if value != "" {
			spelled += " " + value
		}
		fmt.Fprintf(out, "| `%s` | %s | %s |\n", strings.ReplaceAll(spelled, "|", `\|`), cell(usage), defaultOf(flag))
	})
}

// defaultOf is a flag's default as code, nothing for one that only says that
// the flag is not set.
func defaultOf(flag *pflag.Flag) string {
	switch flag.DefValue {
	case "", "0", "0s", "false", "[]":
		return ""
	}
	return "`" + flag.DefValue + "`"
}

// cell is text for a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ").Replace(text)
}
