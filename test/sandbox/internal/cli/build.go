package cli

import (
	"github.com/spf13/cobra"
)

// buildParts makes everything that a sandbox is made of and starts none: tests
// that need it begin with it, so that minutes of compiling are seen, and count
// for nobody's deadline.
func (a *app) buildParts() *cobra.Command {
	return &cobra.Command{
		Use:   "build",
		Short: "Build what sandboxes are made of, or find it in the cache",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needRoot(); err != nil {
				return err
			}
			s, err := a.sandbox()
			if err != nil {
				return err
			}
			_, _, err = a.build(cmd.Context(), s)
			return err
		},
	}
}
