package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/version"
)

func newVersion(app *app) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print version, commit, Go and platform",
		Long: `Print the version of this plugin, the commit it was built from, the Go
version and the platform. Nothing is read but the program itself.`,
		Example: "  " + product.Command + " version -o json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			if !slices.Contains([]string{"", "json", "yaml"}, output) {
				return usagef("-o %q: use json or yaml", output)
			}
			return version.Current().Print(app.streams.Out, output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "json or yaml")
	return cmd
}
