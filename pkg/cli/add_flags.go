package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"sigs.k8s.io/yaml"

	"github.com/eksnodes/kubectl-eksnodes/pkg/groupconfig"
	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/nodelabels"
	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

// addFlags are the flags of `add` as typed. request turns them into a typed
// request; nothing after it sees a flag's text.
type addFlags struct {
	file, fromExisting string
	inline             groupconfig.Spec // the settings of the file that flags take from files of their own

	min, max, desired int
	instanceTypes     []string
	spot              bool
	onDemandBase      int
	family, image     string
	warmPool, warmMax int
	warmState         string
	lifecycleHooks    []string
	groupMetrics      bool

	volumeSize, volumeIOPS, volumeThroughput int
	volumeType, volumeKey                    string
	volumeEncrypted                          bool
	extraVolumes                             []string

	subnets, subnetTags []string
	private, public     bool
	securityGroups      []string
	cidrs               []string
	isolated            bool
	hopLimit            int

	labels, taints            []string
	maxPods                   int
	kubeletConfig, nodeConfig string
	before, after             []string
	noBeacon                  bool
	beaconDelay               time.Duration

	keyPair, createKey, importKey  string
	role, profile, boundary        string
	tags                           []string
	autoscalerTags                 bool
	template, stackRole, onFailure string

	timeout time.Duration
	noWait  bool
	dryRun  bool
	yes     bool
	output  string
	poll    time.Duration

	privateKey []byte // of --create-key-pair, not written yet
}

func (f *addFlags) bind(cmd *cobra.Command) {
	section(cmd, "Settings from elsewhere", f.bindFrom)
	section(cmd, "Nodes", f.bindNodes)
	section(cmd, "Volume", f.bindVolume)
	section(cmd, "Network", f.bindNetwork)
	section(cmd, "Kubelet and boot", f.bindBoot)
	section(cmd, "Access", f.bindAccess)
	section(cmd, "Stack", f.bindStack)
	section(cmd, "Run", f.bindRun)
}

func (f *addFlags) bindFrom(flags *pflag.FlagSet) {
	flags.StringVarP(&f.file, "filename", "f", "", "YAML `file` with the settings, - for stdin; a flag given beside it wins")
	flags.StringVar(&f.fromExisting, "from-existing", "", "take the settings of the `group`; a flag given beside it wins")
}

func (f *addFlags) bindNodes(flags *pflag.FlagSet) {
	flags.IntVar(&f.desired, "desired", 0, "nodes to begin with (default 3)")
	flags.IntVar(&f.min, "min", 0, "fewest nodes (default 1)")
	flags.IntVar(&f.max, "max", 0, "most nodes (default: one more than desired)")
	flags.StringSliceVar(&f.instanceTypes, "instance-type", []string{"t3.medium"}, "EC2 instance `types`, the preferred one first")
	flags.BoolVar(&f.spot, "spot", false, "Spot instances, of whichever type is cheap and likely to stay")
	flags.IntVar(&f.onDemandBase, "on-demand-base", 0, "with --spot: `number` of nodes that are on demand all the same")
	flags.StringVar(&f.family, "ami-family", "al2023", "al2023, bottlerocket or custom (with --ami)")
	flags.StringVar(&f.image, "ami", "", "AMI `id` (default: newest of the family for the cluster's version)")
	flags.IntVar(&f.warmPool, "warm-pool", 0, "`number` of machines kept ready beside the group, out of the cluster until they are needed")
	flags.StringVar(&f.warmState, "warm-pool-state", "", "as what they are kept: stopped or running (default: stopped)")
	flags.IntVar(&f.warmMax, "warm-pool-max", 0, "fill the pool up to this `number` of machines, the group's included (default: just --warm-pool)")
	flags.StringArrayVar(&f.lifecycleHooks, "lifecycle-hook", nil, "hold machines that come or go: `name=terminating,timeout=5m,default=continue` (or launching, abandon; repeatable)")
	flags.BoolVar(&f.groupMetrics, "group-metrics", false, "the group's own numbers in CloudWatch, one a minute")
}

func (f *addFlags) bindVolume(flags *pflag.FlagSet) {
	flags.IntVar(&f.volumeSize, "volume-size", 80, "`GiB`")
	flags.StringVar(&f.volumeType, "volume-type", "gp3", "EBS volume `type`")
	flags.IntVar(&f.volumeIOPS, "volume-iops", 0, "IOPS (gp3, io1, io2)")
	flags.IntVar(&f.volumeThroughput, "volume-throughput", 0, "`MiB/s` (gp3)")
	flags.BoolVar(&f.volumeEncrypted, "volume-encrypted", true, "encrypt the volume")
	flags.StringVar(&f.volumeKey, "volume-kms-key", "", "KMS `key` to encrypt with (default: the account's for EBS)")
	flags.StringSliceVar(&f.extraVolumes, "extra-volumes", nil, "more volumes, `device=GiB:type,...` (type: gp3), neither formatted nor mounted")
}

func (f *addFlags) bindNetwork(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.subnets, "subnets", nil, "subnet `ids` (default: the cluster's, private ones if it has any)")
	flags.StringSliceVar(&f.subnetTags, "subnet-tag", nil, "`key=value` tags that choose subnets of the cluster's VPC")
	flags.BoolVar(&f.private, "private", false, "only subnets without a route to an internet gateway")
	flags.BoolVar(&f.public, "public", false, "only subnets with one; nodes get public addresses")
	flags.StringSliceVar(&f.securityGroups, "security-groups", nil, "`ids` of groups to attach besides")
	flags.StringSliceVar(&f.cidrs, "cidr", nil, "address `ranges` that may reach the nodes' SSH port (default: none)")
	flags.BoolVar(&f.isolated, "isolated-sg", false, "a security group of its own in place of the cluster's")
	flags.IntVar(&f.hopLimit, "hop-limit", 2, "hops of instance metadata: 1 keeps pods away from it")
}

func (f *addFlags) bindBoot(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.labels, "labels", nil, "node labels, `key=value,...`")
	flags.StringSliceVar(&f.taints, "taints", nil, "node taints, `key=value:Effect,...`")
	flags.IntVar(&f.maxPods, "max-pods", 0, "most pods of a node (default: what the type's addresses allow)")
	flags.StringVar(&f.kubeletConfig, "kubelet-config", "", "YAML `file` with fields of a KubeletConfiguration")
	flags.StringVar(&f.nodeConfig, "node-config", "", "`file` with a NodeConfig or other user data, merged before ours")
	flags.StringArrayVar(&f.before, "pre-bootstrap", nil, "shell `command` before the kubelet starts (repeatable)")
	flags.StringArrayVar(&f.after, "post-bootstrap", nil, "shell `command` after it (repeatable)")
	flags.BoolVar(&f.noBeacon, "no-beacon", false, "do not report boot errors on the serial console")
	flags.DurationVar(&f.beaconDelay, "beacon-delay", userdata.DefaultBeaconDelay, "`time` a node has to register before it reports")
}

func (f *addFlags) bindAccess(flags *pflag.FlagSet) {
	flags.StringVar(&f.keyPair, "key-pair", "", "`name` of an EC2 key pair (default: none)")
	flags.StringVar(&f.createKey, "create-key-pair", "", "make a key pair, private key into this new `file`")
	flags.StringVar(&f.importKey, "import-key-pair", "", "make a key pair of this public key `file`")
	flags.StringVar(&f.role, "role", "", "existing IAM `role` for the nodes (default: the stack makes one)")
	flags.StringVar(&f.profile, "instance-profile", "", "existing instance `profile` for the nodes")
	flags.StringVar(&f.boundary, "permissions-boundary", "", "policy `ARN` that bounds the role the stack makes")
}

func (f *addFlags) bindStack(flags *pflag.FlagSet) {
	flags.StringVar(&f.template, "template", "builtin", "builtin, aws, a `file` or a URL")
	flags.StringSliceVar(&f.tags, "tags", nil, "tags for all that is made, `key=value,...`")
	flags.BoolVar(&f.autoscalerTags, "autoscaler-tags", false, "tags by which the cluster autoscaler finds the group")
	flags.StringVar(&f.stackRole, "role-arn", "", "`ARN` of the role CloudFormation acts as (default: you)")
	flags.StringVar(&f.onFailure, "on-failure", "rollback", "rollback, do-nothing or delete what was made")
}

func (f *addFlags) bindRun(flags *pflag.FlagSet) {
	flags.BoolVar(&f.dryRun, "dry-run", false, "print the plan and its checks, make nothing")
	flags.StringVarP(&f.output, "output", "o", "", "json or yaml; with --dry-run also cfn: template and parameters")
	flags.BoolVarP(&f.yes, "yes", "y", false, "ask nothing")
	flags.DurationVar(&f.timeout, "timeout", 15*time.Minute, "`time` the nodes have to become Ready")
	flags.BoolVar(&f.noWait, "no-wait", false, "do not wait for the nodes")
	flags.DurationVar(&f.poll, "poll-interval", 0, "")
	_ = flags.MarkHidden("poll-interval")
}

// request parses and types the flags. Files are read here, nothing else is.
func (f *addFlags) request(name string, flags *pflag.FlagSet) (*nodegroup.Request, error) {
	changed := flags.Changed
	req := &nodegroup.Request{
		Name: name, Mixed: nodegroup.Mixed{Spot: f.spot, OnDemandBase: f.onDemandBase}, Family: nodegroup.Family(f.family), ImageID: f.image,
		Volume: nodegroup.Volume{SizeGiB: f.volumeSize, Type: f.volumeType, IOPS: f.volumeIOPS, Throughput: f.volumeThroughput,
			Encrypted: f.volumeEncrypted, KMSKeyID: f.volumeKey},
		Subnets:  nodegroup.SubnetChoice{IDs: f.subnets},
		Access:   nodegroup.SSHKey{Name: f.keyPair, CreateFile: f.createKey},
		Identity: nodegroup.Identity{Role: f.role, InstanceProfile: f.profile, PermissionsBoundary: f.boundary},
		Network:  nodegroup.Network{SecurityGroups: f.securityGroups, SSHFrom: f.cidrs, Isolated: f.isolated},
		Kubelet:  nodegroup.Kubelet{MaxPods: f.maxPods},
		Boot:     nodegroup.Boot{Before: f.before, After: f.after, NoBeacon: f.noBeacon, BeaconDelay: f.beaconDelay},
		Stack: nodegroup.StackOptions{Template: f.template, RoleARN: f.stackRole,
			OnFailure: strings.ReplaceAll(strings.ToUpper(f.onFailure), "-", "_")},
		WarmPool:       nodegroup.WarmPool{Size: f.warmPool, State: f.warmState, Max: f.warmMax},
		AutoscalerTags: f.autoscalerTags, GroupMetrics: f.groupMetrics, Timeout: f.timeout, NoWait: f.noWait,
	}
	for flag, size := range map[string]struct {
		to    **int
		value *int
	}{"min": {&req.Size.Min, &f.min}, "max": {&req.Size.Max, &f.max}, "desired": {&req.Size.Desired, &f.desired}} {
		if changed(flag) {
			*size.to = size.value
		}
	}
	if len(f.instanceTypes) > 0 {
		req.InstanceType = f.instanceTypes[0]
	}
	if len(f.instanceTypes) > 1 {
		req.Mixed.Types = f.instanceTypes[1:]
	}
	if changed("hop-limit") {
		if f.hopLimit < 1 {
			return nil, usagef("--hop-limit %d: EC2 takes 1 to 64", f.hopLimit)
		}
		req.Network.HopLimit = f.hopLimit
	}
	if err := f.placement(req); err != nil {
		return nil, err
	}
	if err := f.lists(req); err != nil {
		return nil, err
	}
	if err := f.files(req); err != nil {
		return nil, err
	}
	if err := f.key(req); err != nil {
		return nil, err
	}
	if err := req.Validate(); err != nil {
		return nil, err
	}
	var err error
	req.Config, err = record(req, flags)
	return req, err
}

func (f *addFlags) placement(req *nodegroup.Request) error {
	switch {
	case f.private && f.public:
		return usagef("--private and --public exclude each other")
	case f.private:
		req.Subnets.Placement = nodegroup.PlacePrivate
	case f.public:
		req.Subnets.Placement = nodegroup.PlacePublic
	}
	return nil
}

func (f *addFlags) lists(req *nodegroup.Request) error {
	var err error
	if req.ExtraVolumes, err = nodegroup.ParseVolumes(f.extraVolumes); err != nil {
		return err
	}
	if req.LifecycleHooks, err = nodegroup.ParseHooks(f.lifecycleHooks); err != nil {
		return err
	}
	if req.Subnets.Tags, err = pairs("--subnet-tag", f.subnetTags); err != nil {
		return err
	}
	if req.Tags, err = pairs("--tags", f.tags); err != nil {
		return err
	}
	if req.Kubelet.Labels, err = nodelabels.ParseLabels(f.labels...); err != nil {
		return usagef("--labels: %w", err)
	}
	if req.Kubelet.Taints, err = nodelabels.ParseTaints(f.taints...); err != nil {
		return usagef("--taints: %w", err)
	}
	return nil
}

// pairs reads key=value; a key alone has an empty value.
func pairs(flag string, specs []string) (map[string]string, error) {
	if len(specs) == 0 {
		return nil, nil
	}
	out := make(map[string]string, len(specs))
	for _, spec := range specs {
		key, value, _ := strings.Cut(spec, "=")
		if key == "" {
			return nil, usagef("%s %q: use key=value", flag, spec)
		}
		if old, twice := out[key]; twice && old != value {
			return nil, usagef("%s: %q is given twice", flag, key)
		}
		out[key] = value
	}
	return out, nil
}

func (f *addFlags) files(req *nodegroup.Request) error {
	req.Kubelet.Config, req.Boot.UserData = f.inline.KubeletConfig, []byte(f.inline.NodeConfig)
	if f.kubeletConfig != "" {
		text, err := readFile("--kubelet-config", f.kubeletConfig)
		if err != nil {
			return err
		}
		if err := yaml.Unmarshal(text, &req.Kubelet.Config); err != nil {
			return usagef("--kubelet-config %s: %w", f.kubeletConfig, err)
		}
	}
	// These two say what kind of file it is, not how a kubelet runs.
	delete(req.Kubelet.Config, "apiVersion")
	delete(req.Kubelet.Config, "kind")
	if f.nodeConfig != "" {
		text, err := readFile("--node-config", f.nodeConfig)
		if err != nil {
			return err
		}
		req.Boot.UserData = text
	}
	return nil
}

// maxFile bounds what is read of a user's file: user data ends at 16 KiB.
const maxFile = 1 << 20

func readFile(flag, name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, usagef("%s: %w", flag, err)
	}
	if info.Size() > maxFile {
		return nil, usagef("%s %s has %d bytes, more than can be meant", flag, name, info.Size())
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return text, nil
}

// checkOutput refuses formats that a command does not have.
func checkOutput(output string, allowed ...string) error {
	if output == "" || slices.Contains(allowed, output) {
		return nil
	}
	return usagef("-o %q: use %s", output, strings.Join(allowed, ", "))
}
