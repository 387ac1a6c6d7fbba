package instances

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/netns"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node/imds"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/secgroup"
)

// machine is one instance's node with its network and metadata service. Its
// loop is the only one that starts and ends the node.
type machine struct {
	node     *node.Node // nil for a family that cannot run
	imds     *imds.Server
	imdsLog  *os.File
	log      *slog.Logger
	powerCut func(context.Context) // the node has shut itself down

	want chan power // the newest wish; capacity one
	done chan struct{}

	mu       sync.Mutex
	instance Instance
	attached bool   // the network is there
	ruleset  string // of the security groups
}

// set replaces the wish that the loop has not read yet.
func (m *machine) set(p power) {
	for {
		select {
		case m.want <- p:
			return
		case <-m.want:
		}
	}
}

func (m *machine) current() Instance {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.instance
}

// update takes over what EC2 says now.
func (m *machine) update(i Instance) {
	m.mu.Lock()
	m.instance = i
	m.mu.Unlock()
	m.imds.Update(i.Instance)
}

// run is one run of the node with its network.
type run struct {
	cancel context.CancelFunc
	ended  chan node.Ending
}

// loop brings about what is wanted until the instance is gone or ctx is done;
// then nothing of it is left but, when ctx was done, its directory.
func (m *machine) loop(ctx context.Context) {
	defer close(m.done)
	var now *run
	for {
		var ended chan node.Ending
		if now != nil {
			ended = now.ended
		}
		select {
		case <-ctx.Done():
			m.kill(now)
			m.close(m.node.Close)
			return
		case end := <-ended:
			m.detach()
			now = nil
			m.log.Info("node ended", "how", end.String())
			if end == node.PoweredOff {
				m.powerCut(ctx)
			}
		case p := <-m.want:
			switch {
			case p == powerOn && now == nil:
				now = m.start(ctx)
			case p == powerOff && now != nil:
				m.stop(now)
				now = nil
			case p == powerGone:
				m.kill(now)
				m.close(m.node.Remove)
				return
			}
		}
	}
}

func (m *machine) close(end func() error) {
	if err := errors.Join(end(), m.imdsLog.Close()); err != nil {
		m.log.Error("node could not be cleared away", "error", err)
	}
}

// start attaches the network and boots the node.
func (m *machine) start(ctx context.Context) *run {
	instance := m.current()
	if instance.Family == Bottlerocket {
		m.log.Warn("image cannot run in the sandbox", "family", instance.Family)
		m.node.Print("Bottlerocket is an operating system of its own and does not run in the sandbox: " +
			"this instance will never join a cluster.\n")
		return nil
	}
	metadata, err := m.attach(ctx)
	if err != nil {
		m.log.Error("instance has no network", "error", err)
		m.detach()
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &run{cancel: cancel, ended: make(chan node.Ending, 1)}
	m.log.Info("node starts", "name", instance.PrivateDNS, "address", instance.PrivateIP)
	go func() {
		end, err := m.node.Run(ctx)
		if err != nil {
			m.log.Error("node failed", "error", err)
		}
		if err := metadata.Close(); err != nil {
			m.log.Error("metadata service did not end", "error", err)
		}
		r.ended <- end
	}()
	return r
}

// attach makes the network, with the security groups in force from the start.
func (m *machine) attach(ctx context.Context) (*http.Server, error) {
	instance := m.current()
	if err := attach(ctx, instance); err != nil {
		return nil, err
	}
	m.mu.Lock()
	m.attached = true
	ruleset := m.ruleset
	m.mu.Unlock()
	if err := secgroup.Apply(ctx, instance.ID, ruleset); err != nil {
		return nil, err
	}
	return serveIMDS(ctx, instance.ID, m.imds)
}

// shutdownPatience is how long a stopped instance may take to shut down before
// it loses power. EC2 waits for minutes; tests do not.
const shutdownPatience = 20 * time.Second

// stop shuts the node down as EC2's StopInstances does.
func (m *machine) stop(r *run) {
	if err := m.node.PowerOff(); err != nil {
		m.log.Warn("node does not hear the power button", "error", err)
	}
	timer := time.NewTimer(shutdownPatience)
	defer timer.Stop()
	select {
	case end := <-r.ended:
		m.log.Info("node ended", "how", end.String())
		r.cancel()
		m.detach()
	case <-timer.C:
		m.kill(r)
	}
}

// kill takes the power away.
func (m *machine) kill(r *run) {
	if r == nil {
		return
	}
	r.cancel()
	end := <-r.ended
	m.log.Info("node ended", "how", end.String())
	m.detach()
}

func (m *machine) detach() {
	m.mu.Lock()
	m.attached = false
	m.mu.Unlock()
	if err := detach(m.current()); err != nil {
		m.log.Error("instance's network is left", "error", err)
	}
}

// serveIMDS serves the metadata inside the instance's network namespace.
func serveIMDS(ctx context.Context, namespace string, handler http.Handler) (*http.Server, error) {
	l, err := netns.Listen(ctx, namespace, "tcp", imdsAddress)
	if err != nil {
		return nil, fmt.Errorf("serve metadata: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ConnContext: imds.KeepConn}
	go func() { _ = server.Serve(l) }() // returns when the server is closed
	return server, nil
}
