package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

const authHelp = `Look at who may come into the cluster, and change it.

EKS has two lists: access entries, and the ConfigMap aws-auth. The cluster's
authentication mode says which are read: CONFIG_MAP aws-auth only, API entries
only, API_AND_CONFIG_MAP both, and there an entry comes first.

What the authenticator would answer is computed by its own rules from both
lists; nobody's credentials are used for it.`

const authExamples = `  # every mapping, what it does, and what is wrong with it
  %[1]s auth list

  # what would the cluster answer to this role, to this machine
  %[1]s auth simulate arn:aws:iam::111122223333:role/team/admin
  %[1]s auth simulate i-0123456789abcdef0

  # let the nodes of a role in
  %[1]s auth add arn:aws:iam::111122223333:role/nodes --dry-run`

func newAuth(app *app, conn *connection) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "auth",
		Short:   "See and change who may come into the cluster: access entries and aws-auth",
		Long:    authHelp,
		Example: fmt.Sprintf(authExamples, product.Command),
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q for %q: see %s --help", args[0], cmd.CommandPath(), cmd.CommandPath())
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(newAuthList(app, conn), newAuthSimulate(app, conn), newAuthAdd(app, conn), newAuthRemove(app, conn),
		newAuthRestore(app, conn), newAuthMigrate(app, conn))
	return cmd
}

// onePrincipal takes exactly one argument.
func onePrincipal(cmd *cobra.Command, args []string) error {
	switch len(args) {
	case 1:
		return nil
	case 0:
		return usagef("name the principal: %s ARN", cmd.CommandPath())
	}
	return usagef("%s takes one ARN, got %q", cmd.CommandPath(), args)
}
