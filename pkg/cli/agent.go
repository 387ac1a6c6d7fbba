package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/pkg/agent"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// newAgent groups what there is to do with node-agent by hand.
func newAgent(app *app, conn *connection) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Have machines tell what they know",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAgentRun(app, conn), newAgentInstall(app, conn), newAgentUninstall(app, conn), newAgentCommand(app))
	return cmd
}

const agentCommandHelp = `Print a line to paste into a session on a machine: a serial console, Session
Manager, whatever there is. It prints the ends of the machine's logs and the
states of its units, without credentials, as text to copy out again. It needs
sudo, reads only, and fetches nothing.`

const agentCommandExamples = `  # on the machine, paste the line; save what it prints in a file; then
  %[1]s doctor --from FILE`

func newAgentCommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:     "command [flags]",
		Short:   "Print a line that has a machine tell what its logs say",
		Long:    agentCommandHelp,
		Example: fmt.Sprintf(agentCommandExamples, product.Command),
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			line, err := agent.OneLiner()
			if err != nil {
				return err
			}
			fmt.Fprintln(app.streams.Out, line)
			if app.screen.terminal {
				app.screen.say("paste it on the machine, save what it prints in a file, and: %s doctor --from FILE", product.Command)
			}
			return nil
		},
	}
}
