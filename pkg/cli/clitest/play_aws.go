package clitest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func (p *Play) serveAWS(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	service, operation, form := operationOf(r, body)
	call := service + ":" + operation
	denied, throttled := p.trouble(r, call)
	var out answer
	switch {
	case denied && service == "ec2":
		out = refuse(service, http.StatusForbidden, "UnauthorizedOperation", "You are not authorized to perform this operation.")
	case denied:
		out = refuse(service, http.StatusForbidden, "AccessDeniedException", "User is not authorized to perform: "+call)
	case throttled && service == "ec2":
		out = refuse(service, http.StatusServiceUnavailable, "RequestLimitExceeded", "Request limit exceeded.")
	case throttled:
		out = refuse(service, http.StatusBadRequest, "ThrottlingException", "Rate exceeded")
	case service == "eks":
		out = p.eks(operation, r)
	case service == "servicequotas" && operation == "GetServiceQuota":
		out = object(map[string]any{"Quota": map[string]any{"QuotaCode": p.snap.Catalog.QuotaCode, "Value": *p.snap.Catalog.VCPUQuota}})
	case service == "ssm":
		out = p.ssm(operation, body)
	case service == "ec2":
		out = p.ec2(operation, form)
	case service == "iam":
		out = p.iam(operation, form)
	case service == "autoscaling":
		out = p.autoscaling(operation, form)
	default:
		out = unknown(service, operation)
	}
	rw.Header().Set("Content-Type", contentType(service))
	rw.WriteHeader(out.status)
	_, _ = io.WriteString(rw, out.body) // the client is gone if this fails
}

// operationOf is the call that a request makes: the signature's scope says
// which service is meant.
func operationOf(r *http.Request, body []byte) (service, operation string, form url.Values) {
	scope := strings.Split(r.Header.Get("Authorization"), "/")
	if len(scope) < 5 {
		return "unsigned", "", nil
	}
	service = scope[3]
	form, _ = url.ParseQuery(string(body)) // empty for JSON
	operation = form.Get("Action")
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		operation = target[strings.LastIndexByte(target, '.')+1:]
	}
	if service == "eks" {
		operation = eksOperation(r)
	}
	return service, operation, form
}

func contentType(service string) string {
	switch service {
	case "eks":
		return "application/json"
	case "ssm", "servicequotas":
		return "application/x-amz-json-1.1"
	}
	return "text/xml"
}

func object(v any) answer {
	text, err := json.Marshal(v)
	if err != nil {
		return answer{http.StatusInternalServerError, err.Error()}
	}
	return answer{http.StatusOK, string(text)}
}

func (p *Play) eks(operation string, r *http.Request) answer {
	switch operation {
	case "ListClusters":
		return object(map[string]any{"clusters": []string{p.snap.Cluster.Name}})
	case "DescribeCluster":
		return object(map[string]any{"cluster": clusterJSON(p.snap.Cluster)})
	case "ListAccessEntries":
		asked, _ := strconv.Atoi(r.URL.Query().Get("maxResults"))
		from, to, next := p.page(len(p.snap.Access.Entries), r.URL.Query().Get("nextToken"), asked)
		list := []string{}
		for _, entry := range p.snap.Access.Entries[from:to] {
			list = append(list, entry.PrincipalARN)
		}
		out := map[string]any{"accessEntries": list}
		if next != "" {
			out["nextToken"] = next
		}
		return object(out)
	case "DescribeAccessEntry":
		principal, _ := url.PathUnescape(r.URL.EscapedPath()[strings.LastIndex(r.URL.EscapedPath(), "/")+1:])
		for _, entry := range p.snap.Access.Entries {
			if entry.PrincipalARN == principal {
				return object(map[string]any{"accessEntry": map[string]any{
					"principalArn": principal, "type": entry.Type, "username": entry.Username, "kubernetesGroups": entry.Groups, "createdAt": entry.CreatedAt.Unix(),
				}})
			}
		}
		return refuse("eks", http.StatusNotFound, "ResourceNotFoundException", "no such entry")
	}
	return unknown("eks", operation)
}

func clusterJSON(c *snapshot.Cluster) map[string]any {
	return map[string]any{
		"name": c.Name, "arn": c.ARN, "status": c.Status, "version": c.Version, "platformVersion": c.PlatformVersion, "endpoint": c.Endpoint,
		"roleArn": c.RoleARN, "createdAt": c.CreatedAt.Unix(),
		"identity":                map[string]any{"oidc": map[string]any{"issuer": c.OIDCIssuer}},
		"certificateAuthority":    map[string]any{"data": encode([]byte(c.CA))},
		"accessConfig":            map[string]any{"authenticationMode": c.AuthMode},
		"kubernetesNetworkConfig": map[string]any{"serviceIpv4Cidr": c.ServiceCIDR, "ipFamily": c.IPFamily},
		"resourcesVpcConfig": map[string]any{
			"vpcId": c.VPCID, "subnetIds": c.SubnetIDs, "securityGroupIds": c.SecurityGroupIDs, "clusterSecurityGroupId": c.ClusterSGID,
			"endpointPublicAccess": c.EndpointPublic, "endpointPrivateAccess": c.EndpointPrivate, "publicAccessCidrs": c.PublicAccessCIDRs,
		},
	}
}
