package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/agent"
	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
	"github.com/eksnodes/kubectl-eksnodes/pkg/kube"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const agentRunHelp = `Run node-agent once on a node, as a pod, and print its report: what the machine
says of itself, as JSON for doctor --from.

NODE is a Node's name or an instance id; it must have joined. The pod is that of
agent install, without a way to the cluster's API. It is deleted in the end,
also after Ctrl-C.`

const agentRunExamples = `  %[1]s agent run ip-10-0-1-23.ec2.internal > report.json
  %[1]s doctor --from report.json`

// runFlags are those of `agent run`.
type runFlags struct {
	image   string
	timeout time.Duration
}

func newAgentRun(app *app, conn *connection) *cobra.Command {
	var flags runFlags
	cmd := &cobra.Command{
		Use:     "run NODE [flags]",
		Short:   "Run node-agent once on a node, as a pod, and print its report",
		Long:    agentRunHelp,
		Example: fmt.Sprintf(agentRunExamples, product.Command),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("name one node: %s NODE", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return app.runAgent(cmd.Context(), conn, args[0], flags)
		},
	}
	section(cmd, "Run", func(set *pflag.FlagSet) {
		bindImage(set, &flags.image)
		set.DurationVar(&flags.timeout, "timeout", agent.DefaultRoadTimeout, "`time` that the pod may take")
	})
	return cmd
}

func (a *app) runAgent(ctx context.Context, conn *connection, name string, flags runFlags) error {
	if _, err := agentManifest(flags.image); err != nil {
		return err
	}
	s, err := a.proven(ctx, conn)
	if err != nil {
		return err
	}
	machine, err := a.findNode(ctx, s, name)
	if err != nil {
		return err
	}
	a.screen.say("running a pod on node %s ...", machine.Node)
	roads := []agent.Road{agentPods(s, flags.image).Run()}
	result := agent.Fetch(ctx, []agent.Machine{machine}, roads, agent.Options{RoadTimeout: flags.timeout, NodeTimeout: flags.timeout})[0]
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, note := range result.Notes {
		a.note("%s", note)
	}
	if len(result.Reports) == 0 {
		return fmt.Errorf("no report of node %s: %w", machine.Node, errors.New(result.Tried()))
	}
	return result.Reports[0].Write(a.streams.Out)
}

// agentPods are the roads through pods.
func agentPods(s *session, image string) agent.Pods {
	return agent.Pods{Reporter: kube.AgentPods{Client: s.kube.Client, Image: image}, Now: time.Now}
}

// podRoad is the road of a pod that is run once, closed where it is not proven
// in whose cluster the pod would be made.
func podRoad(s *session, snap *snapshot.Snapshot, image string) agent.Road {
	road := agentPods(s, image).Run()
	if _, same := sameCluster(snap); !same {
		road.Fetch = func(context.Context, *agent.Machine) (agent.Cargo, error) {
			return agent.Cargo{}, errors.New("not tried: it is not proven that EKS and the kubeconfig mean the same cluster")
		}
	}
	return road
}

// findNode is the machine of a Node's name or of an instance id.
func (a *app) findNode(ctx context.Context, s *session, name string) (agent.Machine, error) {
	snap := s.read(ctx, s.base, cloud.Request{}, snapshot.SectionNodes)
	if err := errors.Join(ctx.Err(), missing(&snap, snapshot.SectionNodes)); err != nil {
		return agent.Machine{}, err
	}
	for i := range snap.Nodes {
		if node := &snap.Nodes[i]; node.Kube != nil && (node.Kube.Name == name || node.InstanceID == name) {
			return agent.MachineOf(&snap, node), nil
		}
	}
	return agent.Machine{}, fmt.Errorf("no node of cluster %s is named %q: kubectl get nodes lists them; a machine that has not joined cannot run a pod, but %s doctor %s --agent always asks it otherwise",
		s.cluster, name, product.Command, name)
}
