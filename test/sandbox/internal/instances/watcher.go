package instances

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node/imds"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/secgroup"
)

// Names are the DNS records of instances.
type Names interface {
	Set(host string, address netip.Addr)
	Remove(host string)
}

// Config is what a Watcher works with.
type Config struct {
	Sandbox     layout.Sandbox
	Place       Place
	EC2         EC2
	IAM         IAM
	AutoScaling AutoScaling
	Names       Names
	Credentials imds.CredentialSource
	Images      node.Images
	Program     string // the sandbox's program, which understands node.InitCommand
	CloudInit   bool   // false: nodes boot faster, without cloud-init
	Log         *slog.Logger
	// Members are interfaces in security groups that belong to no instance: the
	// control plane's in the cluster's group.
	Members secgroup.Members
}

// Watcher keeps one machine per instance.
type Watcher struct {
	config Config
	reader *reader

	mu       sync.Mutex
	machines map[string]*machine // by instance id
	wants    map[string]power    // what each machine was last told
	consoles map[string]console  // of instances that are gone, as EC2 keeps them for a while
}

// console is the last output of a serial console.
type console struct {
	text []byte
	at   time.Time
}

// New makes a watcher; Run starts it.
func New(config Config) *Watcher {
	return &Watcher{
		config:   config,
		reader:   &reader{ec2: config.EC2, iam: config.IAM, asg: config.AutoScaling, place: config.Place, details: map[string]details{}},
		machines: map[string]*machine{},
		wants:    map[string]power{},
		consoles: map[string]console{},
	}
}

// pollInterval is how soon a change in EC2 is seen.
const pollInterval = 300 * time.Millisecond

// Run watches until ctx is done and has ended all nodes when it returns.
func (w *Watcher) Run(ctx context.Context) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	var last string
	for {
		err := w.poll(ctx)
		if text := fmt.Sprint(err); err != nil && text != last && ctx.Err() == nil {
			w.config.Log.Error("instances could not be read", "error", err)
			last = text
		} else if err == nil {
			last = ""
		}
		select {
		case <-ctx.Done():
			w.wait()
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// wait waits for the loops of all machines, whose context is done.
func (w *Watcher) wait() {
	for _, m := range w.all() {
		<-m.done
	}
}

func (w *Watcher) all() []*machine {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := slices.Sorted(maps.Keys(w.machines))
	all := make([]*machine, 0, len(ids))
	for _, id := range ids {
		all = append(all, w.machines[id])
	}
	return all
}

// poll reads the instances once and tells the machines what is wanted. A node
// starts only when its security groups are known.
func (w *Watcher) poll(ctx context.Context) error {
	instances, err := w.reader.list(ctx)
	if err != nil {
		return err
	}
	var errs []error
	seen := map[string]bool{}
	for _, i := range instances {
		seen[i.ID] = true
		if i.Unread == nil {
			i.Unread = w.prepare(ctx, i)
		}
		errs = append(errs, i.Unread)
	}
	for _, m := range w.all() {
		if i := m.current(); !seen[i.ID] || wanted(i.State) == powerGone { // EC2 forgets terminated instances
			w.remove(m)
		}
	}
	if err := w.refreshGroups(ctx); err != nil {
		return errors.Join(append(errs, err)...)
	}
	for _, m := range w.all() {
		w.tell(m)
	}
	return errors.Join(errs...)
}

// prepare takes over what EC2 says of one instance, making its machine when it
// is to run for the first time.
func (w *Watcher) prepare(ctx context.Context, i Instance) error {
	w.mu.Lock()
	m, known := w.machines[i.ID]
	w.mu.Unlock()
	if known {
		m.update(i)
		return nil
	}
	if wanted(i.State) != powerOn {
		return nil
	}
	m, err := w.newMachine(i)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.machines[i.ID] = m
	w.mu.Unlock()
	w.nameInstance(i)
	go m.loop(ctx)
	return nil
}

// tell gives a machine its wish when that has changed.
func (w *Watcher) tell(m *machine) {
	i := m.current()
	want := wanted(i.State)
	w.mu.Lock()
	told, ever := w.wants[i.ID]
	w.wants[i.ID] = want
	w.mu.Unlock()
	if !ever || told != want {
		m.set(want)
	}
}

// remove ends a machine. It is forgotten at once; its loop clears it away.
func (w *Watcher) remove(m *machine) {
	i := m.current()
	text, at, err := m.node.ConsoleOutput()
	w.mu.Lock()
	delete(w.machines, i.ID)
	delete(w.wants, i.ID)
	if err == nil {
		w.consoles[i.ID] = console{text: text, at: at}
	}
	w.mu.Unlock()
	w.config.Names.Remove(i.PrivateDNS)
	m.set(powerGone)
}

func (w *Watcher) nameInstance(i Instance) {
	if address, err := netip.ParseAddr(i.PrivateIP); err == nil {
		w.config.Names.Set(i.PrivateDNS, address)
	}
}

func (w *Watcher) newMachine(i Instance) (*machine, error) {
	dir := w.config.Sandbox.Node(i.ID)
	log := w.config.Log.With("instance", i.ID)
	n, err := node.New(node.Spec{
		InstanceID: i.ID, Hostname: i.PrivateDNS, Netns: i.ID, Layers: w.layers(i.Family),
		Dir: dir, Cgroup: w.config.Sandbox.NodeCgroup(i.ID), Program: w.config.Program,
		Nameserver: layout.VPCResolver, Search: w.config.Place.Region + ".compute.internal",
		CloudInit: w.config.CloudInit,
	})
	if err != nil {
		return nil, err
	}
	imdsLog, err := os.OpenFile(filepath.Join(dir, "imds.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open metadata log of %s: %w", i.ID, err)
	}
	return &machine{
		node: n, imds: imds.New(i.Instance, w.config.Credentials, imdsLog), imdsLog: imdsLog, log: log,
		powerCut: func(ctx context.Context) { w.powerCut(ctx, i) },
		want:     make(chan power, 1), done: make(chan struct{}), instance: i,
	}, nil
}

// layers gives the image of a family; none for one that cannot run.
func (w *Watcher) layers(f Family) []string {
	switch f {
	case EKSOptimized:
		return w.config.Images.EKS
	case Bottlerocket:
		return nil
	default:
		return w.config.Images.Plain
	}
}

// powerCut tells EC2 that an instance has shut itself down, which stops or
// terminates it (Amazon EC2 User Guide, "Change the instance initiated shutdown
// behavior").
func (w *Watcher) powerCut(ctx context.Context, i Instance) {
	var err error
	if i.Shutdown == types.ShutdownBehaviorTerminate {
		_, err = w.config.EC2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{i.ID}})
	} else {
		_, err = w.config.EC2.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{i.ID}})
	}
	if err != nil && !strings.Contains(err.Error(), "IncorrectInstanceState") {
		w.config.Log.Error("EC2 was not told of a shutdown", "instance", i.ID, "error", err)
	}
}
