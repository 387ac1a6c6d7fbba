package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/pkg/agent"
	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const sshHelp = `Log in on a machine with your own ssh, its host key verified.

NODE is a Node's name, an instance id, or a node group: of a group, a machine
that is not Ready is taken, if there is one. The host key is compared with
known_hosts under the instance id, else with what the machine's console shows;
a key that nobody vouches for is asked about, one that differs is refused.

Without --ssh-key, a key for this one login is pushed by EC2 Instance Connect
where that is allowed; else your own keys are tried. With --open-ssh, port 22 of
the machine's security group is open for you alone as long as the session lasts.`

const sshExamples = `  # the one that does not join
  %[1]s ssh workers

  # one command
  %[1]s ssh i-0123456789abcdef0 -- sudo journalctl -u kubelet -n 50

  # through a bastion; with the port opened for the session
  %[1]s ssh ip-10-0-1-23.ec2.internal --bastion ops@203.0.113.4
  %[1]s ssh workers --open-ssh`

// sessionOpenFor is how long a port that is opened for a session may stay open
// at the latest, should this program be killed.
const sessionOpenFor = 12 * time.Hour

// reachTimeout is how long a machine may take to show its host key.
const reachTimeout = 45 * time.Second

func newSSH(app *app, conn *connection) *cobra.Command {
	var flags loginFlags
	cmd := &cobra.Command{
		Use:     "ssh NODE [flags] [-- COMMAND...]",
		Short:   "Log in on a machine, its host key verified",
		Long:    sshHelp,
		Example: fmt.Sprintf(sshExamples, product.Command),
		Args: func(cmd *cobra.Command, args []string) error {
			named := len(args)
			if at := cmd.ArgsLenAtDash(); at >= 0 {
				named = at
			}
			if named != 1 {
				return usagef("name one machine: %s NODE [-- COMMAND...]", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.validate(); err != nil {
				return err
			}
			session, err := conn.open(cmd.Context())
			if err != nil {
				return err
			}
			run := &sshCommand{app: app, session: session, flags: &flags}
			return run.run(cmd.Context(), args[0], args[1:])
		},
	}
	section(cmd, "Log in", flags.bind)
	return cmd
}

// sshCommand is one run of `ssh`.
type sshCommand struct {
	app     *app
	session *session
	flags   *loginFlags
}

func (c *sshCommand) run(ctx context.Context, name string, command []string) (err error) {
	machine, err := c.find(ctx, name)
	if err != nil {
		return err
	}
	road, err := c.flags.ssh(c.app, c.session)
	if err != nil {
		return err
	}
	defer func() { _ = road.Bastion.Close() }()
	ctx, stop := guard(ctx)
	defer stop()
	door, err := c.flags.door(ctx, c.app, c.session, []agent.Machine{machine}, sessionOpenFor)
	defer func() {
		if closeErr := door.Close(ctx); closeErr != nil {
			c.app.screen.fail(closeErr.Error())
			err = errors.Join(err, closeErr)
		}
	}()
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	reached, err := road.Reach(limited, &machine)
	if err != nil {
		return c.unreached(err)
	}
	return c.login(ctx, &machine, reached, command)
}

// unreached says what would open the way.
func (c *sshCommand) unreached(err error) error {
	var refused *agent.HostKeyError
	if errors.As(err, &refused) || c.flags.open {
		return err
	}
	return fmt.Errorf("%w; --open-ssh opens port 22 for you for as long as the session lasts, --bastion goes through another machine", err)
}

// find is the machine that a name means.
func (c *sshCommand) find(ctx context.Context, name string) (agent.Machine, error) {
	sections := []snapshot.Section{snapshot.SectionCluster, snapshot.SectionGroups, snapshot.SectionInstances}
	snap := c.session.read(ctx, c.session.base, cloud.Request{Sections: sections}, snapshot.SectionNodes)
	if err := ctx.Err(); err != nil {
		return agent.Machine{}, err
	}
	groups, machines := map[string]bool{}, map[int]bool{}
	if err := pick(&snap, name, groups, machines); err != nil {
		return agent.Machine{}, err
	}
	var running []*snapshot.Node
	for i := range snap.Nodes {
		node := &snap.Nodes[i]
		if (machines[i] || groups[node.Group]) && node.Cloud != nil && node.Cloud.State == "running" {
			running = append(running, node)
		}
	}
	if len(running) == 0 {
		return agent.Machine{}, fmt.Errorf("%s: no instance of it runs", name)
	}
	// Those that are not Ready first: they are what one logs in for.
	slices.SortStableFunc(running, func(a, b *snapshot.Node) int { return order(a) - order(b) })
	chosen := running[0]
	if len(running) > 1 {
		c.app.screen.say("%s has %d machines that run; %s is %s", name, len(running), chosen.InstanceID, []string{"not Ready", "Ready, as all are"}[order(chosen)])
	}
	parts := cloud.Request{Sections: []snapshot.Section{snapshot.SectionImages}, ImageIDs: []string{chosen.Cloud.ImageID}}
	snap = c.session.read(ctx, snap, parts)
	return agent.MachineOf(&snap, chosen), ctx.Err()
}

// order is 1 for a machine that is Ready.
func order(node *snapshot.Node) int {
	if node.Kube != nil && node.Kube.Ready() {
		return 1
	}
	return 0
}
