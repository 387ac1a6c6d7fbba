// Package cloud plays what runs for a cluster on the AWS side and is no part of
// Kubernetes: the AWS cloud controller manager, EKS's approver of kubelet serving
// certificates, and the VPC CNI. Each can be switched off as a fault.
package cloud

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	certificateslisters "k8s.io/client-go/listers/certificates/v1"
	corelisters "k8s.io/client-go/listers/core/v1"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/instances"
)

// Source is what the controllers know of AWS: the instances that are not
// terminated, and a way to write into a running one.
type Source interface {
	Instances() []instances.Instance
	WriteFile(instanceID, path string, data []byte) error
}

// Controllers are the three roles of one cluster.
type Controllers struct {
	client kubernetes.Interface
	source Source
	faults *Faults
	log    *slog.Logger
	cni    *networks

	nodes    corelisters.NodeLister
	requests certificateslisters.CertificateSigningRequestLister
	seen     map[string]string // groups of the instances that have existed, by provider id
}

// New makes the controllers. The client must be allowed to change nodes and to
// approve certificate signing requests.
func New(client kubernetes.Interface, source Source, faults *Faults, log *slog.Logger) *Controllers {
	return &Controllers{
		client: client, source: source, faults: faults, log: log,
		cni: newNetworks(time.Now), seen: map[string]string{},
	}
}

// interval is how often the caches are looked at; what is right already costs no
// request.
const interval = 200 * time.Millisecond

// Run works until ctx is done.
func (c *Controllers) Run(ctx context.Context) error {
	factory := informers.NewSharedInformerFactory(c.client, 0)
	c.nodes = factory.Core().V1().Nodes().Lister()
	c.requests = factory.Certificates().V1().CertificateSigningRequests().Lister()
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return fmt.Errorf("watch %s: %w", kind, ctx.Err())
		}
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := c.sync(ctx); err != nil && ctx.Err() == nil {
			c.log.Warn("cloud controllers", "error", err) // and again soon
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// sync looks at everything once.
func (c *Controllers) sync(ctx context.Context) error {
	nodes, err := c.nodes.List(labels.Everything())
	if err != nil {
		return fmt.Errorf("list nodes: %w", err)
	}
	requests, err := c.requests.List(labels.Everything())
	if err != nil {
		return fmt.Errorf("list certificate signing requests: %w", err)
	}
	byName := map[string]instances.Instance{}
	for _, i := range c.source.Instances() {
		byName[i.PrivateDNS] = i
		c.seen[providerID(i)] = GroupOf(i)
	}
	return errors.Join(
		c.syncNodes(ctx, nodes, byName),
		c.syncRequests(ctx, requests, byName),
		c.syncNetworks(nodes, byName),
	)
}

// GroupOf is the Auto Scaling group of an instance, by the tag that Auto Scaling
// gives it.
func GroupOf(i instances.Instance) string { return i.Tags["aws:autoscaling:groupName"] }

func (c *Controllers) syncNodes(ctx context.Context, nodes []*corev1.Node, byName map[string]instances.Instance) error {
	var errs []error
	for _, n := range nodes {
		i, named := byName[n.Name]
		// A machine's address, and so its name, may be another's by now.
		lives := named && (n.Spec.ProviderID == "" || n.Spec.ProviderID == providerID(i))
		group, existed := c.seen[n.Spec.ProviderID]
		switch {
		case lives && !c.faults.Active(NoCCM, GroupOf(i)):
			errs = append(errs, c.initialize(ctx, n, i))
		case !lives && existed && !c.faults.Active(NoCCM, group):
			errs = append(errs, c.deleteNode(ctx, n))
		}
	}
	return errors.Join(errs...)
}

func (c *Controllers) syncRequests(ctx context.Context, requests []*certificatesv1.CertificateSigningRequest, byName map[string]instances.Instance) error {
	var errs []error
	for _, r := range requests {
		if decided(r) || r.Spec.SignerName != certificatesv1.KubeletServingSignerName {
			continue
		}
		if c.faults.Active(NoCSR, GroupOf(byName[strings.TrimPrefix(r.Spec.Username, nodeUserPrefix)])) {
			continue
		}
		if err := checkServing(r, byName); err != nil {
			c.log.Debug("serving certificate is not approved", "request", r.Name, "why", err)
			continue
		}
		errs = append(errs, c.approve(ctx, r))
	}
	return errors.Join(errs...)
}

func (c *Controllers) syncNetworks(nodes []*corev1.Node, byName map[string]instances.Instance) error {
	c.cni.forget(byName)
	var errs []error
	for _, n := range nodes {
		if i, lives := byName[n.Name]; lives && !c.faults.Active(NoCNI, GroupOf(i)) {
			errs = append(errs, c.cni.sync(i.ID, c.source.WriteFile))
		}
	}
	return errors.Join(errs...)
}
