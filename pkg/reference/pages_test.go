package reference_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/reference"
)

// tree is a small tree of commands with everything that pages know.
func tree() *cobra.Command {
	run := func(*cobra.Command, []string) {}
	root := &cobra.Command{Use: "tool", Short: "a tool", Run: run}
	root.PersistentFlags().String("context", "", "kubeconfig `context`")
	nodes := &cobra.Command{Use: "nodes", Short: "work on nodes", Run: run}
	list := &cobra.Command{
		Use: "list NAME|ID [flags]", Aliases: []string{"ls"}, Short: "list | show nodes", Run: run,
		Long:    "List nodes of <cluster>, with *all* they have:\n  NAME  the name\n  ID    the id\nand no more.",
		Example: "  tool nodes list\n  tool nodes list \\\n      --wide",
	}
	list.Flags().SortFlags = false
	list.Flags().BoolP("yes", "y", false, "ask nothing")
	list.Flags().Int("size", 80, "`GiB` of a|b")
	list.Flags().String("poll", "", "for tests")
	if err := list.Flags().MarkHidden("poll"); err != nil {
		panic(err)
	}
	list.Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Name == "size" {
			flag.Annotations = map[string][]string{reference.HeadingAnnotation: {"Volume"}}
		}
	})
	hidden := &cobra.Command{Use: "secret", Hidden: true, Run: run}
	nodes.AddCommand(list, hidden)
	root.AddCommand(nodes)
	root.CompletionOptions.DisableDefaultCmd = true
	return root
}

const listPage = "<!-- Made of the commands by `make generate`. -->\n" + `
# tool nodes list

List nodes of \<cluster\>, with \*all\* they have:

    NAME  the name
    ID    the id
and no more.

` + "```console\n$ tool nodes list NAME|ID [flags]\n```\n\nAlso: `ls`.\n" + `
## Examples

` + "```sh\ntool nodes list\ntool nodes list \\\n    --wide\n```\n" + `
## Volume

| flag | | default |
|---|---|---|
` + "| `--size GiB` | GiB of a\\|b | `80` |\n" + `
## Options

| flag | | default |
|---|---|---|
` + "| `-y, --yes` | ask nothing |  |\n| `-h, --help` | help for list |  |\n" + `
Flags of all commands: [Cluster](README.md#cluster).
`

func TestPages(t *testing.T) {
	pages := reference.Pages(tree(), "Cluster")
	if got, want := slices.Sorted(maps.Keys(pages)), []string{"README.md", "nodes-list.md", "nodes.md"}; !slices.Equal(got, want) {
		t.Errorf("pages %v, want %v", got, want)
	}
	if diff := cmp.Diff(listPage, pages["nodes-list.md"]); diff != "" {
		t.Error(diff)
	}
	for _, want := range []string{"| [nodes list](nodes-list.md) | list \\| show nodes |", "## Cluster", "`--context context`", "A tool."} {
		if !strings.Contains(pages[reference.Home], want) {
			t.Errorf("the root's page does not say %q:\n%s", want, pages[reference.Home])
		}
	}
	for name, text := range pages {
		if strings.Contains(text, "secret") || strings.Contains(text, "--poll") {
			t.Errorf("%s shows what is hidden:\n%s", name, text)
		}
	}
}
