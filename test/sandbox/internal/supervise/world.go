package supervise

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/control"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/controlplane"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/dns"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/instances"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/instances/cloud"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/parts"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/pki"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/seed"
)

// world is everything of one sandbox that lives in the supervisor's process.
type world struct {
	config Config
	log    *slog.Logger
	parts  *parts.Set

	zone  *dns.Zone
	awsCA *pki.Authority
	plane *controlplane.Plane
	k8s   kubernetes.Interface
	seed  seed.Result
	roles cloud.Faults // which of AWS's controllers are switched off

	mu      sync.Mutex
	front   *front.Front       // nil until it is up
	watcher *instances.Watcher // nil until it is up
	status  control.Status
}

// Run brings the sandbox up inside the namespaces that Init has prepared and keeps it
// until the process is killed. A start that fails leaves the supervisor up, to tell
// why, until the sandbox is removed.
func Run(ctx context.Context, config Config) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	w := &world{
		config: config,
		log:    log,
		parts:  parts.New(log, config.Sandbox.Log),
		status: control.Status{Name: config.Sandbox.Name, Phase: control.PhaseStarting},
	}
	failed := make(chan error, 8)
	if err := w.serveControl(failed); err != nil {
		return err
	}
	if err := w.start(ctx, failed); err != nil {
		log.Error("start failed", "error", err)
		w.setPhase(control.PhaseFailed, err)
	} else {
		log.Info("ready")
		w.setPhase(control.PhaseReady, nil)
	}
	for {
		select {
		case err := <-failed:
			log.Error("a server of the sandbox ended", "error", err)
			w.setPhase(control.PhaseFailed, err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// start does the steps of the start, each of which stands in the status.
func (w *world) start(ctx context.Context, failed chan<- error) error {
	for _, s := range []struct {
		name string
		do   func(context.Context, chan<- error) error
	}{
		{"network", func(ctx context.Context, _ chan<- error) error { return buildNetwork(ctx) }},
		{"DNS", w.startDNS},
		{"AWS", w.startAWS},
		{"control plane", w.startControlPlane},
		{"account and cluster", w.seedAccount},
		{"user's seat", func(context.Context, chan<- error) error { return w.prepareSeat() }},
		{"instances", w.startInstances},
	} {
		done := w.beginStep(s.name)
		if err := s.do(ctx, failed); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		done()
	}
	return nil
}

func (w *world) beginStep(name string) (done func()) {
	start := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	i := len(w.status.Steps)
	w.status.Steps = append(w.status.Steps, control.Step{Name: name})
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.status.Steps[i].Took = time.Since(start)
	}
}

func (w *world) setPhase(p control.Phase, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.Phase = p
	if err != nil && w.status.Error == "" { // the first is the cause of the others
		w.status.Error = err.Error()
	}
}

func (w *world) startDNS(ctx context.Context, failed chan<- error) error {
	aws, err := parseAddr(layout.AWSIP)
	if err != nil {
		return err
	}
	cp, err := parseAddr(layout.ControlPlaneIP)
	if err != nil {
		return err
	}
	w.zone = dns.NewZone(aws)
	w.zone.Set(layout.EndpointHost, cp)
	packets, listeners, err := listenDNS(ctx)
	if err != nil {
		return err
	}
	go func() {
		if err := w.zone.Serve(ctx, packets, listeners); err != nil {
			failed <- err
		}
	}()
	return nil
}

func (w *world) startControlPlane(ctx context.Context, _ chan<- error) error {
	ca, err := pki.NewAuthority("kubernetes")
	if err != nil {
		return err
	}
	w.plane = &controlplane.Plane{
		Sandbox:  w.config.Sandbox,
		Binaries: controlplane.Binaries{Kubernetes: w.config.Artefacts.Kubernetes, IAMAuth: w.config.Artefacts.IAMAuth},
		Parts:    w.parts,
		AWSKey:   controlplane.AWSKey{ID: serviceKey().ID, Secret: serviceKey().Secret},
		Mode:     w.config.AuthenticationMode,
	}
	if err := w.plane.Start(ctx, ca); err != nil {
		return err
	}
	rest, err := clientcmd.BuildConfigFromFlags("", w.plane.SupervisorKubeconfig())
	if err != nil {
		return fmt.Errorf("load own kubeconfig: %w", err)
	}
	rest.QPS, rest.Burst = 100, 200
	client, err := kubernetes.NewForConfig(rest)
	if err != nil {
		return fmt.Errorf("make Kubernetes client: %w", err)
	}
	w.k8s = client
	return controlplane.Bootstrap(ctx, client)
}

// serve runs an HTTP server on a listener for the rest of the process's life.
func serve(l net.Listener, h http.Handler, name string, failed chan<- error) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { failed <- fmt.Errorf("%s: %w", name, server.Serve(l)) }()
}
