//go:build linux

package agentcli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/eksnodes/kubectl-eksnodes/pkg/daemon"
	"github.com/eksnodes/kubectl-eksnodes/pkg/host"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/version"
)

const serveHelp = `Look at this machine again and again, and tell the cluster what is wrong with
it: what the pods of %s agent install run.

The node gets a condition of the type %s: True when nothing
fails, False when something does, Unknown when nothing does but something could
not be read. It is written when it changes, with an Event, and has to be seen
twice in a row before. Ready and all other conditions are left alone.

The report is printed when the condition changes, and every ten minutes, as one
line. Metrics for Prometheus are at /metrics, and /healthz tells whether it still
looks; both answer on this machine alone, unless --listen says otherwise.

This is the one command of node-agent that listens and that writes anything.`

// serveFlags are the flags of `serve`.
type serveFlags struct {
	interval, remote time.Duration
	listen           string
	node             string
	publish          bool
}

func newServe(a *app) *cobra.Command {
	var flags serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Look again and again, and tell the cluster: what the DaemonSet runs",
		Long:  fmt.Sprintf(serveHelp, product.Command, daemon.ConditionType),
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.serve(cmd.Context(), &flags)
		},
	}
	cmd.Flags().DurationVar(&flags.interval, "interval", daemon.DefaultInterval, "`time` from one look to the next")
	cmd.Flags().DurationVar(&flags.remote, "remote-interval", daemon.DefaultRemote, "`time` between two questions to AWS and the cluster whom they take the machine for")
	cmd.Flags().StringVar(&flags.listen, "listen", daemon.DefaultListen, "`address` of metrics and health, \"\" for none")
	cmd.Flags().StringVar(&flags.node, "node", "", "`name` of this machine's Node (default: $NODE_NAME)")
	cmd.Flags().BoolVar(&flags.publish, "publish", true, "tell the cluster, by the pod's service account")
	return cmd
}

// minInterval keeps a slip of the pen from asking the machine all the time.
const minInterval = 5 * time.Second

func (f *serveFlags) check() error {
	if f.interval < minInterval || f.remote < minInterval {
		return usageError{fmt.Errorf("--interval and --remote-interval: use %s or more", minInterval)}
	}
	if f.publish && f.node == "" {
		return usageError{errors.New("name this machine's Node with --node or $NODE_NAME, or leave the cluster alone with --publish=false")}
	}
	return nil
}

func (a *app) serve(ctx context.Context, flags *serveFlags) error {
	flags.node = cmp.Or(flags.node, os.Getenv("NODE_NAME"))
	if err := flags.check(); err != nil {
		return err
	}
	build := version.Current().Version
	machine := a.machine(a.root)
	d := &daemon.Daemon{
		Machine: machine, Judge: judge, Version: build, Interval: flags.interval, Remote: flags.remote, Out: a.streams.Out, Log: a.streams.ErrOut,
	}
	if flags.publish {
		cluster, err := connect(ctx, machine, flags.node, build)
		if err != nil {
			return err
		}
		d.API = cluster
	}
	var tasks errgroup.Group
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if flags.listen != "" {
		listener, err := daemon.Listen(ctx, flags.listen)
		if err != nil {
			return err
		}
		tasks.Go(func() error {
			defer cancel()
			return d.Serve(ctx, listener)
		})
	}
	tasks.Go(func() error {
		defer cancel()
		return d.Run(ctx)
	})
	return tasks.Wait()
}

// connect goes the kubelet's own way to the API server: it is there before
// kube-proxy is, and on a node where kube-proxy is broken.
func connect(ctx context.Context, machine *host.Machine, node, build string) (*daemon.Cluster, error) {
	facts := machine.ReadOnly(ctx, snapshot.ProbeKubeconfig)
	server := ""
	if facts.Kubeconfig != nil {
		server = facts.Kubeconfig.Server
	}
	if server = cmp.Or(server, daemon.InCluster(os.Getenv)); server == "" {
		return nil, errors.New("neither the kubelet's kubeconfig nor the pod's environment says where the API server is: run it in a pod, or with --publish=false")
	}
	cluster, err := daemon.Connect(server, daemon.ServiceAccountDir, node, "node-agent/"+build)
	if err != nil {
		return nil, fmt.Errorf("%w: run it in a pod that has a service account, or with --publish=false", err)
	}
	return cluster, nil
}
