package cli

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/kube"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/version"
)

// connection holds the flags that say which cluster is meant. kubectl's own
// are all taken, so that an alias with --context works; help shows those that
// choose a cluster.
type connection struct {
	kubectl kube.Flags
	set     *pflag.FlagSet // kubectl's flags, to hand on to kubectl

	eksCluster string
	region     string
	profile    string
}

// shownFlags are kubectl's flags that help lists, with shorter words.
func shownFlags() map[string]string {
	return map[string]string{
		"kubeconfig":      "kubeconfig `file`",
		"context":         "kubeconfig `context`",
		"cluster":         "cluster `entry` of the kubeconfig, as kubectl has it",
		"user":            "user `entry` of the kubeconfig",
		"request-timeout": "`time` for one request to the cluster, 0 for no limit",
	}
}

func (c *connection) bind(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&c.eksCluster, "eks-cluster", "", "`name` of the EKS cluster (default: found from the kubeconfig)")
	flags.StringVar(&c.region, "region", "", "AWS `region` (default: found from the kubeconfig, then yours)")
	flags.StringVar(&c.profile, "profile", "", "AWS `profile` (default: the kubeconfig's, then yours)")
	c.set = pflag.NewFlagSet("kubectl", pflag.ContinueOnError)
	c.kubectl.Bind(c.set)
	shown := shownFlags()
	c.set.VisitAll(func(flag *pflag.Flag) {
		usage, ok := shown[flag.Name]
		flag.Hidden = !ok
		if ok {
			flag.Usage = usage
		}
	})
	flags.AddFlagSet(c.set)
}

// kubectlArgs are the connection flags that the user gave, for a kubectl
// that is run on the same cluster.
func (c *connection) kubectlArgs() []string {
	var args []string
	c.set.VisitAll(func(flag *pflag.Flag) {
		if !flag.Changed {
			return
		}
		if values, ok := flag.Value.(pflag.SliceValue); ok {
			for _, value := range values.GetSlice() {
				args = append(args, "--"+flag.Name+"="+value)
			}
			return
		}
		args = append(args, "--"+flag.Name+"="+flag.Value.String())
	})
	return args
}

// args are all flags by which the user chose the cluster.
func (c *connection) args() []string {
	args := c.kubectlArgs()
	for _, flag := range [][2]string{{"eks-cluster", c.eksCluster}, {"region", c.region}, {"profile", c.profile}} {
		if flag[1] != "" {
			args = append(args, "--"+flag[0]+"="+flag[1])
		}
	}
	return args
}

// session is an open connection: the cluster's API, AWS, and the cluster's
// name in EKS.
type session struct {
	kube    *kube.Connection
	aws     *cloud.Client
	cluster string
	base    snapshot.Snapshot

	timeout  time.Duration   // of one reading; 0: gather's
	progress gather.Progress // told of every reading; may be nil
}

// open reads the kubeconfig and the AWS configuration. It makes a call only
// if the kubeconfig does not name the EKS cluster.
func (c *connection) open(ctx context.Context) (*session, error) {
	conn, err := kube.Load(&c.kubectl, version.Current().Version)
	if err != nil {
		return nil, err
	}
	hint := conn.Hint().Override(c.eksCluster, c.region, c.profile)
	config, err := cloud.Load(ctx, cloud.Options{Region: hint.Region, Profile: hint.Profile, Version: version.Current().Version})
	if err != nil {
		return nil, err
	}
	config.Logger = nil // stderr is ours: failures come back as errors
	s := &session{kube: conn, aws: cloud.New(config), cluster: hint.Name}
	if s.cluster == "" {
		if s.cluster, err = s.aws.FindCluster(ctx, conn.Server); err != nil {
			return nil, errors.Join(err, errors.New("name the cluster by --eks-cluster and --region"))
		}
	}
	s.base.Target = conn.Target()
	s.base.Target.ClusterName, s.base.Target.Region = s.cluster, s.aws.Region()
	return s, nil
}

// read gathers sections of AWS and of the cluster's API into a snapshot.
func (s *session) read(ctx context.Context, base snapshot.Snapshot, req cloud.Request, kubeSections ...snapshot.Section) snapshot.Snapshot {
	req.Cluster = s.cluster
	sources := s.aws.Sources(req)
	if len(kubeSections) > 0 {
		sources = slices.Concat(sources, s.kube.Sources(kubeSections...))
	}
	for i := range sources {
		sources[i].Timeout = s.timeout
	}
	return gather.Run(ctx, base, sources, s.progress)
}

// missing is an error for a section without which a command cannot work.
func missing(snap *snapshot.Snapshot, sections ...snapshot.Section) error {
	return missingOf(snap, "", sections...)
}

// missingOf is missing for a command about one thing, such as a group: what
// could not be read of that thing alone is missing too.
func missingOf(snap *snapshot.Snapshot, subject string, sections ...snapshot.Section) error {
	for _, section := range sections {
		if gap, ok := snap.Gap(section, subject); ok {
			return &gapError{gap: gap}
		}
	}
	return nil
}

// gapError is a fact that a command needs and could not read.
type gapError struct{ gap snapshot.Gap }

// Error says what is missing and why.
func (e *gapError) Error() string {
	return "read " + string(e.gap.Section) + ": " + e.gap.Detail
}
