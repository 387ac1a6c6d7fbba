package eks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
)

// Principals looks up IAM roles and users.
type Principals interface {
	// PrincipalID returns the unique id of the role or user with exactly this
	// ARN, path included; found is false when there is none.
	PrincipalID(ctx context.Context, arn string) (id string, found bool, err error)
}

// Config is what a Service needs.
type Config struct {
	Account, Region, Partition string
	// StateFile keeps clusters and entries, mode 0600; empty keeps nothing.
	StateFile  string
	Principals Principals
	// Changed is told every new Access; it may be nil. Calls never overlap.
	Changed func(ctx context.Context, a Access) error
	Now     func() time.Time
}

// Service answers the calls of the EKS API.
type Service struct {
	cfg      Config
	handlers map[string]handler

	mu       sync.Mutex
	clusters map[string]*cluster

	notify sync.Mutex // orders the calls of cfg.Changed
}

type handler func(ctx context.Context, call awsapi.Call) (any, error)

// cluster is a cluster with everything in it, as StateFile keeps it.
type cluster struct {
	Cluster
	Entries map[string]*entry `json:"entries"` // by principal ARN
	Updates map[string]update `json:"updates"` // by id
	// DeletedAt is when its deletion was asked for; zero while it stands.
	DeletedAt time.Time `json:"deletedAt,omitzero"`
}

// New makes a service, with the state that a former one left in StateFile.
func New(cfg Config) (*Service, error) {
	s := &Service{cfg: cfg, clusters: map[string]*cluster{}}
	s.handlers = s.operations()
	if cfg.StateFile == "" {
		return s, nil
	}
	b, err := os.ReadFile(cfg.StateFile)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read EKS state: %w", err)
	}
	if err := json.Unmarshal(b, &s.clusters); err != nil {
		return nil, fmt.Errorf("read EKS state: %w", err)
	}
	return s, nil
}

func (s *Service) operations() map[string]handler {
	return map[string]handler{
		"ListClusters":                 s.listClusters,
		"DescribeCluster":              s.describeCluster,
		"DeleteCluster":                s.deleteCluster,
		"DescribeClusterVersions":      s.describeClusterVersions,
		"UpdateClusterConfig":          s.updateClusterConfig,
		"DescribeUpdate":               s.describeUpdate,
		"ListUpdates":                  s.listUpdates,
		"CreateAccessEntry":            s.createAccessEntry,
		"DescribeAccessEntry":          s.describeAccessEntry,
		"UpdateAccessEntry":            s.updateAccessEntry,
		"DeleteAccessEntry":            s.deleteAccessEntry,
		"ListAccessEntries":            s.listAccessEntries,
		"ListAccessPolicies":           s.listAccessPolicies,
		"AssociateAccessPolicy":        s.associateAccessPolicy,
		"DisassociateAccessPolicy":     s.disassociateAccessPolicy,
		"ListAssociatedAccessPolicies": s.listAssociatedAccessPolicies,
		"ListAddons":                   s.listAddons,
		"DescribeAddon":                s.describeAddon,
		"ListNodegroups":               s.emptyList("nodegroups"),
		"DescribeNodegroup":            s.describeNodegroup,
		"ListFargateProfiles":          s.emptyList("fargateProfileNames"),
		"ListPodIdentityAssociations":  s.emptyList("associations"),
		"TagResource":                  s.tagResource,
		"UntagResource":                s.untagResource,
		"ListTagsForResource":          s.listTagsForResource,
	}
}

// Handle answers one call with a value that encodes to its JSON answer. Errors
// of the API are *awsapi.Error.
func (s *Service) Handle(ctx context.Context, call awsapi.Call) (any, error) {
	h, ok := s.handlers[call.Operation]
	if !ok {
		return nil, awsapi.NotImplemented(call, "not among the EKS operations that it plays")
	}
	return h(ctx, call)
}

// AddCluster seeds a cluster, replacing one of the same name but keeping its
// access entries, and tells Changed.
func (s *Service) AddCluster(ctx context.Context, c Cluster) error {
	if c.Name == "" || c.Endpoint == "" || c.Version == "" {
		return errors.New("add cluster: name, endpoint and version are required")
	}
	c.setDefaults(s.cfg.Now())
	if !slices.Contains(modes, c.AuthenticationMode) {
		return fmt.Errorf("add cluster %s: unknown authentication mode %q", c.Name, c.AuthenticationMode)
	}
	if err := s.change(func() error { s.put(c); return nil }); err != nil {
		return fmt.Errorf("add cluster %s: %w", c.Name, err)
	}
	for _, e := range c.Entries {
		if err := s.seed(ctx, c.Name, e); err != nil {
			return fmt.Errorf("add cluster %s: %w", c.Name, err)
		}
	}
	return s.changed(ctx, c.Name)
}

func (s *Service) put(c Cluster) {
	next := &cluster{Cluster: c, Entries: map[string]*entry{}, Updates: map[string]update{}}
	if old, ok := s.clusters[c.Name]; ok {
		next.Entries, next.Updates = old.Entries, old.Updates
	}
	next.Cluster.Entries = nil
	s.clusters[c.Name] = next
}

func (c *Cluster) setDefaults(now time.Time) {
	if c.AuthenticationMode == "" {
		c.AuthenticationMode = ModeConfigMap
	}
	if c.PlatformVersion == "" {
		c.PlatformVersion = "eks.1"
	}
	if c.IPFamily == "" {
		c.IPFamily = "ipv4"
	}
	if !c.PublicAccess && !c.PrivateAccess {
		c.PublicAccess = true
	}
	if c.CreatedAt.IsZero() {
		c.CreatedAt = now
	}
}

// change runs f under the lock and saves the state when f has succeeded.
func (s *Service) change(f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := f(); err != nil {
		return err
	}
	return s.save()
}

// save writes the state by way of a second file, so that it is never half there.
func (s *Service) save() error {
	if s.cfg.StateFile == "" {
		return nil
	}
	b, err := json.MarshalIndent(s.clusters, "", "  ")
	if err != nil {
		return fmt.Errorf("save EKS state: %w", err)
	}
	next := s.cfg.StateFile + ".new"
	if err := os.WriteFile(next, b, 0o600); err != nil {
		return fmt.Errorf("save EKS state: %w", err)
	}
	if err := os.Rename(next, s.cfg.StateFile); err != nil {
		return fmt.Errorf("save EKS state in %s: %w", filepath.Dir(next), err)
	}
	return nil
}

// changed tells Changed the cluster's present state.
func (s *Service) changed(ctx context.Context, name string) error {
	if s.cfg.Changed == nil {
		return nil
	}
	s.notify.Lock()
	defer s.notify.Unlock()
	a, ok := s.Access(name)
	if !ok {
		return nil
	}
	// A caller who goes away must not leave the authenticator behind.
	if err := s.cfg.Changed(context.WithoutCancel(ctx), a); err != nil {
		return fmt.Errorf("apply access of cluster %s: %w", name, err)
	}
	return nil
}

// find returns the cluster that a call names. Clusters live in one region. The
// caller holds the lock.
func (s *Service) find(call awsapi.Call) (*cluster, error) {
	s.bury()
	name := call.Path["name"]
	c, ok := s.clusters[name]
	if !ok || (call.Region != "" && call.Region != s.cfg.Region) {
		return nil, notFound(name, fmt.Sprintf("No cluster found for name: %s.", name))
	}
	return c, nil
}

// decode reads a JSON body; an empty one leaves v as it is.
func decode(call awsapi.Call, v any) error {
	if len(call.Body) == 0 {
		return nil
	}
	if err := json.Unmarshal(call.Body, v); err != nil {
		return &awsapi.Error{Code: "SerializationException", Message: "the request body is not valid JSON for this operation"}
	}
	return nil
}
