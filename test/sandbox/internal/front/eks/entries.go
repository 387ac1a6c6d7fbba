package eks

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
)

// entry is an access entry as it is kept.
type entry struct {
	PrincipalARN string `json:"principalArn"`
	// PrincipalID is the unique id that the principal had at creation.
	PrincipalID string                 `json:"principalId"`
	ARN         string                 `json:"accessEntryArn"`
	Type        string                 `json:"type"`
	Username    string                 `json:"username"`
	Groups      []string               `json:"kubernetesGroups"`
	Tags        map[string]string      `json:"tags"`
	CreatedAt   time.Time              `json:"createdAt"`
	ModifiedAt  time.Time              `json:"modifiedAt"`
	Token       string                 `json:"clientRequestToken,omitempty"`
	Policies    map[string]*attachment `json:"policies,omitempty"` // by policy ARN
}

// createInput is the body of CreateAccessEntry.
type createInput struct {
	PrincipalARN       string            `json:"principalArn"`
	Type               string            `json:"type"`
	Username           string            `json:"username"`
	KubernetesGroups   []string          `json:"kubernetesGroups"`
	Tags               map[string]string `json:"tags"`
	ClientRequestToken string            `json:"clientRequestToken"`
}

func (s *Service) createAccessEntry(ctx context.Context, call awsapi.Call) (any, error) {
	var in createInput
	if err := decode(call, &in); err != nil {
		return nil, err
	}
	name := call.Path["name"]
	if err := s.entriesAllowed(call); err != nil {
		return nil, err
	}
	p, err := s.checkCreate(name, &in)
	if err != nil {
		return nil, err
	}
	id, err := s.principalID(ctx, name, p)
	if err != nil {
		return nil, err
	}
	e := s.newEntry(name, p, id, in)
	repeated := false
	var answer any
	err = s.change(func() error {
		c, err := s.withEntries(call)
		if err != nil {
			return err
		}
		if old, ok := c.Entries[p.arn]; ok {
			repeated = in.ClientRequestToken != "" && old.Token == in.ClientRequestToken
			if !repeated {
				return inUse(name, "The specified access entry resource is already in use on this cluster.")
			}
			e = old
		}
		c.Entries[p.arn] = e
		answer = e.view(name)
		return nil
	})
	if err != nil || repeated {
		return answer, err
	}
	return answer, s.changed(ctx, name)
}

func (s *Service) newEntry(clusterName string, p principal, id string, in createInput) *entry {
	now := s.cfg.Now()
	e := &entry{
		PrincipalARN: p.arn, PrincipalID: id, Type: in.Type, Tags: in.Tags, Token: in.ClientRequestToken,
		Username: in.Username, Groups: in.KubernetesGroups, CreatedAt: now, ModifiedAt: now,
		ARN: fmt.Sprintf("arn:%s:eks:%s:%s:access-entry/%s/%s/%s/%s/%s", s.cfg.Partition, s.cfg.Region, s.cfg.Account,
			clusterName, p.kind, p.account, p.name, awsapi.NewID()),
		Policies: map[string]*attachment{},
	}
	if kind := entryTypes[in.Type]; kind.username != "" {
		e.Username, e.Groups = kind.username, kind.shownGroups
	} else if e.Username == "" {
		e.Username = p.defaultUsername(s.cfg.Partition)
	}
	return e
}

// principalID refuses a principal that does not exist. Those of other accounts
// cannot be asked for.
func (s *Service) principalID(ctx context.Context, clusterName string, p principal) (string, error) {
	if p.account != s.cfg.Account {
		return "", nil
	}
	id, found, err := s.cfg.Principals.PrincipalID(ctx, p.arn)
	if err != nil {
		return "", err
	}
	if !found {
		return "", invalidParameter(clusterName, "The specified principalArn is invalid: invalid principal.")
	}
	return id, nil
}

// withEntries returns the cluster that a call names, unless it uses aws-auth
// only. The caller holds the lock.
func (s *Service) withEntries(call awsapi.Call) (*cluster, error) {
	c, err := s.find(call)
	if err != nil {
		return nil, err
	}
	if c.AuthenticationMode == ModeConfigMap {
		return nil, invalidRequest(c.Name,
			"The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.")
	}
	return c, nil
}

func (s *Service) entriesAllowed(call awsapi.Call) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.withEntries(call)
	return err
}

// findEntry returns the entry that a call names. The caller holds the lock.
func (s *Service) findEntry(call awsapi.Call) (*cluster, *entry, error) {
	c, err := s.withEntries(call)
	if err != nil {
		return nil, nil, err
	}
	e, ok := c.Entries[call.Path["principalArn"]]
	if !ok {
		return nil, nil, notFound(c.Name, "The specified principalArn could not be found. "+
			"You can view your access entries with 'aws eks list-access-entries'.")
	}
	return c, e, nil
}

// changeEntry runs f on the entry that a call names and tells Changed.
func (s *Service) changeEntry(ctx context.Context, call awsapi.Call, f func(c *cluster, e *entry) error) error {
	err := s.change(func() error {
		c, e, err := s.findEntry(call)
		if err != nil {
			return err
		}
		return f(c, e)
	})
	if err != nil {
		return err
	}
	return s.changed(ctx, call.Path["name"])
}

func (s *Service) describeAccessEntry(_ context.Context, call awsapi.Call) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, e, err := s.findEntry(call)
	if err != nil {
		return nil, err
	}
	return e.view(c.Name), nil
}

func (s *Service) updateAccessEntry(ctx context.Context, call awsapi.Call) (any, error) {
	var in struct {
		KubernetesGroups *[]string `json:"kubernetesGroups"`
		Username         *string   `json:"username"`
	}
	if err := decode(call, &in); err != nil {
		return nil, err
	}
	var answer any
	err := s.changeEntry(ctx, call, func(c *cluster, e *entry) error {
		if err := checkUpdate(c.Name, e, in.KubernetesGroups, in.Username); err != nil {
			return err
		}
		if in.KubernetesGroups != nil {
			e.Groups = *in.KubernetesGroups
		}
		if in.Username != nil {
			e.Username = *in.Username
		}
		e.ModifiedAt = s.cfg.Now()
		answer = e.view(c.Name)
		return nil
	})
	return answer, err
}

func (s *Service) deleteAccessEntry(ctx context.Context, call awsapi.Call) (any, error) {
	return object{}, s.changeEntry(ctx, call, func(c *cluster, e *entry) error {
		delete(c.Entries, e.PrincipalARN)
		return nil
	})
}

func (s *Service) listAccessEntries(_ context.Context, call awsapi.Call) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.withEntries(call)
	if err != nil {
		return nil, err
	}
	policy := call.Form.Get("associatedPolicyArn")
	var arns []string
	for _, arn := range slices.Sorted(maps.Keys(c.Entries)) {
		if policy == "" || c.Entries[arn].Policies[policy] != nil {
			arns = append(arns, arn)
		}
	}
	return page(call, "accessEntries", arns)
}

func (e *entry) view(clusterName string) object {
	return object{"accessEntry": object{
		"clusterName": clusterName, "principalArn": e.PrincipalARN, "accessEntryArn": e.ARN,
		"type": e.Type, "username": e.Username, "kubernetesGroups": list(e.Groups), "tags": tagsOf(e.Tags),
		"createdAt": epoch(e.CreatedAt), "modifiedAt": epoch(e.ModifiedAt),
	}}
}

// seed makes an access entry unless there is one, by the rules of the API but
// in any authentication mode: EKS keeps the creator's entry there, too.
func (s *Service) seed(ctx context.Context, clusterName string, in SeedEntry) error {
	create := createInput{PrincipalARN: in.PrincipalARN, Type: in.Type, Username: in.Username, KubernetesGroups: in.Groups}
	p, err := s.checkCreate(clusterName, &create)
	if err != nil {
		return err
	}
	id, err := s.principalID(ctx, clusterName, p)
	if err != nil {
		return fmt.Errorf("access entry of %s: %w", in.PrincipalARN, err)
	}
	e := s.newEntry(clusterName, p, id, create)
	for _, arn := range in.PolicyARNs {
		if err := s.checkPolicy(clusterName, e, arn); err != nil {
			return err
		}
		e.Policies[arn] = &attachment{Scope: scope{Type: scopeCluster}, AssociatedAt: e.CreatedAt, ModifiedAt: e.CreatedAt}
	}
	return s.change(func() error {
		if c := s.clusters[clusterName]; c.Entries[p.arn] == nil {
			c.Entries[p.arn] = e
		}
		return nil
	})
}

// Access returns what the authenticator of a cluster has to honour now.
func (s *Service) Access(clusterName string) (Access, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.clusters[clusterName]
	if !ok {
		return Access{}, false
	}
	a := Access{ClusterName: c.Name, AuthenticationMode: c.AuthenticationMode}
	if c.AuthenticationMode == ModeConfigMap {
		return a, true
	}
	for _, arn := range slices.Sorted(maps.Keys(c.Entries)) {
		a.Entries = append(a.Entries, c.Entries[arn].forAuthenticator())
	}
	return a, true
}

func (e *entry) forAuthenticator() AccessEntry {
	groups := e.Groups
	if kind := entryTypes[e.Type]; kind.username != "" {
		groups = kind.groups
	}
	out := AccessEntry{
		PrincipalARN: e.PrincipalARN, CanonicalARN: withoutPath(e.PrincipalARN), PrincipalID: e.PrincipalID,
		Type: e.Type, Username: e.Username, Groups: slices.Clone(groups),
	}
	for _, arn := range slices.Sorted(maps.Keys(e.Policies)) {
		out.Policies = append(out.Policies, AccessPolicy{ARN: arn, Namespaces: e.Policies[arn].Scope.Namespaces})
	}
	return out
}

// withoutPath drops the path of a role's or user's ARN.
func withoutPath(arn string) string {
	slash := strings.IndexByte(arn, '/')
	if slash < 0 {
		return arn
	}
	return arn[:slash+1] + arn[strings.LastIndexByte(arn, '/')+1:]
}
