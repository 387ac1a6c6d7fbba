package eks

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
)

// accessPolicies are names from the EKS User Guide, "Review access policy
// permissions".
//
//nolint:gochecknoglobals // a table that nothing changes
var accessPolicies = []string{
	"AmazonEKSAdminPolicy",
	"AmazonEKSAdminViewPolicy",
	"AmazonEKSAutoNodePolicy",
	"AmazonEKSClusterAdminPolicy",
	"AmazonEKSEditPolicy",
	"AmazonEKSViewPolicy",
}

const (
	scopeCluster   = "cluster"
	scopeNamespace = "namespace"
)

type scope struct {
	Type       string   `json:"type"`
	Namespaces []string `json:"namespaces"`
}

// attachment is an access policy associated with an entry.
type attachment struct {
	Scope        scope     `json:"scope"`
	AssociatedAt time.Time `json:"associatedAt"`
	ModifiedAt   time.Time `json:"modifiedAt"`
}

func (a *attachment) view(policyARN string) object {
	return object{
		"policyArn":    policyARN,
		"accessScope":  object{"type": a.Scope.Type, "namespaces": list(a.Scope.Namespaces)},
		"associatedAt": epoch(a.AssociatedAt), "modifiedAt": epoch(a.ModifiedAt),
	}
}

func (s *Service) policyPrefix() string {
	return fmt.Sprintf("arn:%s:eks::aws:cluster-access-policy/", s.cfg.Partition)
}

func isAccessPolicy(name string) bool { return slices.Contains(accessPolicies, name) }

func (s *Service) listAccessPolicies(context.Context, awsapi.Call) (any, error) {
	var out []object
	for _, name := range accessPolicies {
		out = append(out, object{"name": name, "arn": s.policyPrefix() + name})
	}
	return object{"accessPolicies": out}, nil
}

func (s *Service) associateAccessPolicy(ctx context.Context, call awsapi.Call) (any, error) {
	var in struct {
		PolicyARN   string `json:"policyArn"`
		AccessScope scope  `json:"accessScope"`
	}
	if err := decode(call, &in); err != nil {
		return nil, err
	}
	var answer any
	err := s.changeEntry(ctx, call, func(c *cluster, e *entry) error {
		if err := s.checkPolicy(c.Name, e, in.PolicyARN); err != nil {
			return err
		}
		if err := checkScope(c.Name, in.AccessScope); err != nil {
			return err
		}
		now := s.cfg.Now()
		a := &attachment{Scope: in.AccessScope, AssociatedAt: now, ModifiedAt: now}
		if old := e.Policies[in.PolicyARN]; old != nil {
			a.AssociatedAt = old.AssociatedAt
		}
		e.Policies[in.PolicyARN] = a
		answer = object{"clusterName": c.Name, "principalArn": e.PrincipalARN, "associatedAccessPolicy": a.view(in.PolicyARN)}
		return nil
	})
	return answer, err
}

func checkScope(clusterName string, in scope) error {
	switch {
	case in.Type == scopeCluster && len(in.Namespaces) == 0:
	case in.Type == scopeNamespace && len(in.Namespaces) > 0:
	default:
		return invalidParameter(clusterName, "The accessScope must be of type cluster without namespaces, or of type namespace with them.")
	}
	return nil
}

func (s *Service) disassociateAccessPolicy(ctx context.Context, call awsapi.Call) (any, error) {
	return object{}, s.changeEntry(ctx, call, func(c *cluster, e *entry) error {
		policy := call.Path["policyArn"]
		if e.Policies[policy] == nil {
			return notFound(c.Name, "The specified access policy is not associated with the access entry.")
		}
		delete(e.Policies, policy)
		return nil
	})
}

func (s *Service) listAssociatedAccessPolicies(_ context.Context, call awsapi.Call) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, e, err := s.findEntry(call)
	if err != nil {
		return nil, err
	}
	policies := []object{}
	for _, arn := range slices.Sorted(maps.Keys(e.Policies)) {
		policies = append(policies, e.Policies[arn].view(arn))
	}
	return object{"clusterName": c.Name, "principalArn": e.PrincipalARN, "associatedAccessPolicies": policies}, nil
}
