package eks

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
)

// epoch encodes a time as restJson1 does: seconds since 1970, with a fraction.
type epoch time.Time

func (e epoch) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Time(e).UnixMilli())/1000, 'f', 3, 64), nil
}

// object is a JSON object of an answer.
type object = map[string]any

func (s *Service) listClusters(_ context.Context, call awsapi.Call) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bury()
	var names []string
	if call.Region == "" || call.Region == s.cfg.Region {
		names = slices.Sorted(maps.Keys(s.clusters))
	}
	return page(call, "clusters", names)
}

func (s *Service) describeCluster(_ context.Context, call awsapi.Call) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.find(call)
	if err != nil {
		return nil, err
	}
	return object{"cluster": s.view(c)}, nil
}

// deletionTime is how long a cluster is seen going: minutes in AWS, shorter
// here and long enough that nobody can do without waiting.
const deletionTime = 2 * time.Second

func (s *Service) deleteCluster(_ context.Context, call awsapi.Call) (any, error) {
	var answer any
	err := s.change(func() error {
		c, err := s.find(call)
		if err != nil {
			return err
		}
		if c.DeletedAt.IsZero() {
			c.DeletedAt = s.cfg.Now()
		}
		answer = object{"cluster": s.view(c)}
		return nil
	})
	return answer, err
}

// bury takes away the clusters whose deletion has come to its end. The caller
// holds the lock.
func (s *Service) bury() {
	maps.DeleteFunc(s.clusters, func(_ string, c *cluster) bool {
		return !c.DeletedAt.IsZero() && s.cfg.Now().Sub(c.DeletedAt) >= deletionTime
	})
}

func (s *Service) clusterARN(name string) string {
	return fmt.Sprintf("arn:%s:eks:%s:%s:cluster/%s", s.cfg.Partition, s.cfg.Region, s.cfg.Account, name)
}

// view is a cluster as DescribeCluster shows it.
func (s *Service) view(c *cluster) object {
	status := "ACTIVE"
	if !c.DeletedAt.IsZero() {
		status = "DELETING"
	}
	network := object{"ipFamily": c.IPFamily, "elasticLoadBalancing": object{"enabled": false}}
	if c.ServiceIPv4CIDR != "" {
		network["serviceIpv4Cidr"] = c.ServiceIPv4CIDR
	}
	if c.ServiceIPv6CIDR != "" {
		network["serviceIpv6Cidr"] = c.ServiceIPv6CIDR
	}
	identity := object{}
	if c.OIDCIssuer != "" {
		identity["oidc"] = object{"issuer": c.OIDCIssuer}
	}
	publicCIDRs := []string{}
	if c.PublicAccess {
		publicCIDRs = []string{"0.0.0.0/0"}
	}
	return object{
		"name":            c.Name,
		"arn":             s.clusterARN(c.Name),
		"createdAt":       epoch(c.CreatedAt),
		"version":         c.Version,
		"platformVersion": c.PlatformVersion,
		"endpoint":        c.Endpoint,
		"roleArn":         c.RoleARN,
		"status":          status,
		"certificateAuthority": object{
			"data": base64.StdEncoding.EncodeToString([]byte(c.CAPEM)),
		},
		"resourcesVpcConfig": object{
			"vpcId":                  c.VPCID,
			"subnetIds":              list(c.SubnetIDs),
			"securityGroupIds":       list(c.SecurityGroupIDs),
			"clusterSecurityGroupId": c.ClusterSecurityGroup,
			"endpointPublicAccess":   c.PublicAccess,
			"endpointPrivateAccess":  c.PrivateAccess,
			"publicAccessCidrs":      publicCIDRs,
		},
		"kubernetesNetworkConfig": network,
		"identity":                identity,
		"accessConfig":            object{"authenticationMode": c.AuthenticationMode},
		"logging": object{"clusterLogging": []object{{
			"types": []string{"api", "audit", "authenticator", "controllerManager", "scheduler"}, "enabled": false,
		}}},
		"health":             object{"issues": []string{}},
		"upgradePolicy":      object{"supportType": "EXTENDED"},
		"deletionProtection": false,
		"tags":               tagsOf(c.Tags),
	}
}

// list is never null in JSON.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func tagsOf(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// page cuts sorted items to one page by maxResults (1 to 100) and nextToken.
// The token is the last item given out, so that changes between two pages lose
// nothing.
func page(call awsapi.Call, member string, items []string) (any, error) {
	size := 100
	if v := call.Form.Get("maxResults"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 100 {
			return nil, invalidParameter(call.Path["name"], "maxResults must be between 1 and 100.")
		}
		size = n
	}
	if token := call.Form.Get("nextToken"); token != "" {
		after, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			return nil, invalidParameter(call.Path["name"], "The nextToken is invalid.")
		}
		start, found := slices.BinarySearch(items, string(after))
		if found {
			start++
		}
		items = items[start:]
	}
	answer := object{member: list(items)}
	if len(items) > size {
		answer[member] = items[:size]
		answer["nextToken"] = base64.RawURLEncoding.EncodeToString([]byte(items[size-1]))
	}
	return answer, nil
}
