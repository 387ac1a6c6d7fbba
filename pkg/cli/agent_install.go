package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/deploy"
	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
	"github.com/eksnodes/kubectl-eksnodes/pkg/daemon"
	"github.com/eksnodes/kubectl-eksnodes/pkg/kube"
	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const agentInstallHelp = `Run node-agent on every node, as a DaemonSet: it looks at the machine, and sets
the condition %s of its node when what it sees has changed.

What is applied is deploy/node-agent.yaml, byte for byte but for --image; kubectl
does it. The pods have no privileges: they see single files and folders of the
machine, read-only, as a user without rights. They may change that one condition
of their own node, which a ValidatingAdmissionPolicy makes sure of.

It is made for nodes of EKS-optimized Amazon Linux, and needs Kubernetes 1.30.
For those of Bottlerocket, apply deploy/node-agent-bottlerocket.yaml as well.`

const agentInstallExamples = `  # what would be applied
  %[1]s agent install --dry-run

  %[1]s agent install
  kubectl wait --for=condition=%[2]s node --all`

// installFlags are those of `agent install` and `agent uninstall`.
type installFlags struct {
	yes, dryRun bool
	image       string
	timeout     time.Duration
}

func newAgentInstall(app *app, conn *connection) *cobra.Command {
	var flags installFlags
	cmd := &cobra.Command{
		Use:     "install [flags]",
		Short:   "Run node-agent on every node, as a DaemonSet",
		Long:    fmt.Sprintf(agentInstallHelp, daemon.ConditionType),
		Example: fmt.Sprintf(agentInstallExamples, product.Command, daemon.ConditionType),
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			manifest, err := agentManifest(flags.image)
			if err != nil {
				return err
			}
			if flags.dryRun {
				_, err := io.WriteString(app.streams.Out, manifest)
				return err
			}
			return app.installAgent(cmd.Context(), conn, flags, manifest)
		},
	}
	section(cmd, "Run", func(set *pflag.FlagSet) {
		bindImage(set, &flags.image)
		set.BoolVarP(&flags.yes, "yes", "y", false, "ask nothing")
		set.BoolVar(&flags.dryRun, "dry-run", false, "print what would be applied and end")
		set.DurationVar(&flags.timeout, "timeout", 2*time.Minute, "`time` that the pods may take to run, 0 to wait for none")
	})
	return cmd
}

func bindImage(set *pflag.FlagSet, image *string) {
	set.StringVar(image, "image", "", "`name` of the agent's image, of a registry that the nodes reach (default: the release's)")
}

const agentUninstallHelp = `Remove node-agent's DaemonSet, all that it was installed with, and the condition
%s that it has left on nodes.`

func newAgentUninstall(app *app, conn *connection) *cobra.Command {
	var flags installFlags
	cmd := &cobra.Command{
		Use:   "uninstall [flags]",
		Short: "Remove node-agent's DaemonSet, and what it has set on nodes",
		Long:  fmt.Sprintf(agentUninstallHelp, daemon.ConditionType),
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return app.uninstallAgent(cmd.Context(), conn, flags)
		},
	}
	section(cmd, "Run", func(set *pflag.FlagSet) {
		set.BoolVarP(&flags.yes, "yes", "y", false, "ask nothing")
		set.DurationVar(&flags.timeout, "timeout", 2*time.Minute, "`time` that the removal may take")
	})
	return cmd
}

// agentManifest is what is applied, with another image if one is named.
func agentManifest(image string) (string, error) {
	manifest := deploy.NodeAgent()
	if image == "" {
		return manifest, nil
	}
	if strings.ContainsAny(image, " \t\r\n\"'#{}") || strings.HasPrefix(image, "-") {
		return "", usagef("--image %q is no name of an image", image)
	}
	set, err := kube.AgentDaemonSet()
	if err != nil {
		return "", err
	}
	return strings.Replace(manifest, "image: "+set.Spec.Template.Spec.Containers[0].Image+"\n", "image: "+image+"\n", 1), nil
}

// proven opens the cluster for a change, once EKS has confirmed that it is the
// one that the kubeconfig means.
func (a *app) proven(ctx context.Context, conn *connection) (*session, error) {
	s, err := conn.open(ctx)
	if err != nil {
		return nil, err
	}
	snap := s.read(ctx, s.base, cloud.Request{Sections: []snapshot.Section{snapshot.SectionCluster}})
	if err := errors.Join(ctx.Err(), missing(&snap, snapshot.SectionCluster)); err != nil {
		return nil, err
	}
	return s, a.prove(&snap, "nothing was changed")
}

func (a *app) installAgent(ctx context.Context, conn *connection, flags installFlags, manifest string) error {
	s, err := a.proven(ctx, conn)
	if err != nil {
		return err
	}
	if !flags.yes {
		if err := a.screen.confirm(ctx, "run node-agent on all Linux nodes of cluster "+s.cluster); err != nil {
			return err
		}
	}
	if err := kubectl(ctx, strings.NewReader(manifest), a.screen.err, append([]string{"apply", "-f", "-"}, conn.kubectlArgs()...)); err != nil {
		return orInterrupted(ctx, err, nodegroup.InterruptedError{Done: []string{"what is listed above"}, Left: []string{"the rest"}})
	}
	if flags.timeout <= 0 {
		return nil
	}
	set, err := kube.AgentDaemonSet()
	if err != nil {
		return err
	}
	wait := []string{"rollout", "status", "daemonset/" + set.Name, "--namespace=" + set.Namespace, "--timeout=" + flags.timeout.String()}
	if err := kubectl(ctx, nil, a.screen.err, append(wait, conn.kubectlArgs()...)); err != nil {
		err = fmt.Errorf("%w: it is installed, but does not run on all nodes; see why: kubectl -n %s describe pods", err, set.Namespace)
		return orInterrupted(ctx, err, nodegroup.InterruptedError{Done: []string{"all is applied"}, Left: []string{"the wait for the pods"}})
	}
	return nil
}

// orInterrupted is the error of a step, or when the user has ended it, what is
// done and what is not.
func orInterrupted(ctx context.Context, err error, interrupted nodegroup.InterruptedError) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return &interrupted
}

func (a *app) uninstallAgent(ctx context.Context, conn *connection, flags installFlags) error {
	s, err := a.proven(ctx, conn)
	if err != nil {
		return err
	}
	if !flags.yes {
		if err := a.screen.confirm(ctx, "remove node-agent from cluster "+s.cluster); err != nil {
			return err
		}
	}
	remove := []string{"delete", "--ignore-not-found", "--timeout=" + flags.timeout.String(), "-f", "-"}
	if err := kubectl(ctx, strings.NewReader(deploy.NodeAgent()), a.screen.err, append(remove, conn.kubectlArgs()...)); err != nil {
		return orInterrupted(ctx, err, nodegroup.InterruptedError{Done: []string{"what is listed above"}, Left: []string{"the rest", "the condition of nodes"}})
	}
	// Only now: an agent that still ran would set it again.
	nodes, err := s.kube.Client.DropCondition(ctx, daemon.ConditionType)
	if len(nodes) > 0 {
		a.screen.say("took the condition %s off %s", daemon.ConditionType, count(len(nodes), "node", "nodes"))
	}
	return orInterrupted(ctx, err, nodegroup.InterruptedError{Done: []string{"all is removed"}, Left: []string{"the condition of some nodes"}})
}
