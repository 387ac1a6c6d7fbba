package clitest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

func encode(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

// answer is a status and a body.
type answer struct {
	status int
	body   string
}

func ok(format string, args ...any) answer {
	return answer{http.StatusOK, fmt.Sprintf(format, args...)}
}

// serveAWS is every AWS service: the signature's scope says which.
func (w *World) serveAWS(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	scope := strings.Split(r.Header.Get("Authorization"), "/")
	if len(scope) < 5 {
		http.Error(rw, "unsigned", http.StatusForbidden)
		return
	}
	service := scope[3]
	form, _ := url.ParseQuery(string(body)) // empty for JSON
	operation := form.Get("Action")
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		operation = target[strings.LastIndexByte(target, '.')+1:]
	}
	if service == "eks" {
		operation = eksOperation(r)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !again(r) {
		w.calls = append(w.calls, service+":"+operation)
	}
	var out answer
	switch {
	case w.denied[service+":"+operation]:
		out = refuse(service, http.StatusForbidden, "AccessDenied", "User is not authorized to perform: "+service+":"+operation)
	case service == "eks":
		rw.Header().Set("Content-Type", "application/json")
		out = w.eks(operation, r, body)
	case service == "ssm" || service == "servicequotas":
		rw.Header().Set("Content-Type", "application/x-amz-json-1.1")
		out = w.json(operation)
	default:
		rw.Header().Set("Content-Type", "text/xml")
		out = w.query(service, operation, form)
	}
	rw.WriteHeader(out.status)
	_, _ = io.WriteString(rw, out.body)
}

// refuse is an error in the protocol of the service.
func refuse(service string, status int, code, message string) answer {
	switch service {
	case "eks", "ssm", "servicequotas":
		text, _ := json.Marshal(map[string]string{"__type": code, "code": code, "message": message})
		return answer{status, string(text)}
	case "ec2":
		return answer{status, fmt.Sprintf("<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors></Response>", code, message)}
	}
	return answer{status, fmt.Sprintf("<ErrorResponse><Error><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>", code, message)}
}

// unknown is the answer to a call that the world does not play.
func unknown(service, operation string) answer {
	return refuse(service, http.StatusNotImplemented, "NotPlayed", "clitest does not play "+service+":"+operation)
}

func eksOperation(r *http.Request) string {
	parts := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/") // an ARN has slashes of its own
	switch {
	case len(parts) == 2 && r.Method == http.MethodGet:
		return "DescribeCluster"
	case len(parts) == 2 && r.Method == http.MethodDelete:
		return "DeleteCluster"
	case len(parts) == 3 && parts[2] == "node-groups" && r.Method == http.MethodGet:
		return "ListNodegroups"
	case len(parts) == 3 && parts[2] == "fargate-profiles" && r.Method == http.MethodGet:
		return "ListFargateProfiles"
	case len(parts) == 1 && r.Method == http.MethodGet:
		return "ListClusters"
	case len(parts) == 3 && parts[2] == "access-entries" && r.Method == http.MethodGet:
		return "ListAccessEntries"
	case len(parts) == 3 && parts[2] == "access-entries" && r.Method == http.MethodPost:
		return "CreateAccessEntry"
	case len(parts) == 3 && parts[2] == "update-config":
		return "UpdateClusterConfig"
	case len(parts) == 5 && parts[4] == "access-policies" && r.Method == http.MethodPost:
		return "AssociateAccessPolicy"
	case len(parts) == 5 && parts[4] == "access-policies":
		return "ListAssociatedAccessPolicies"
	case len(parts) == 4 && parts[2] == "access-entries" && r.Method == http.MethodGet:
		return "DescribeAccessEntry"
	case len(parts) == 4 && parts[2] == "access-entries" && r.Method == http.MethodDelete:
		return "DeleteAccessEntry"
	}
	return r.Method + " " + r.URL.Path
}

func (w *World) eks(operation string, r *http.Request, body []byte) answer {
	marshal := func(v any) answer {
		text, err := json.Marshal(v)
		if err != nil {
			return answer{http.StatusInternalServerError, err.Error()}
		}
		return answer{http.StatusOK, string(text)}
	}
	parts := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	principal := ""
	if len(parts) > 3 {
		principal, _ = url.PathUnescape(parts[3])
	}
	if strings.Contains(operation, "Access") && w.mode == "CONFIG_MAP" {
		return refuse("eks", http.StatusBadRequest, "InvalidRequestException", "the cluster's mode has no access entries")
	}
	if out, ok := w.endOfCluster(operation); ok {
		return out
	}
	switch operation {
	case "ListClusters":
		return marshal(map[string]any{"clusters": []string{Cluster}})
	case "DescribeCluster":
		return marshal(map[string]any{"cluster": w.cluster()})
	case "ListAccessEntries":
		list := []string{}
		for principal := range w.entries {
			list = append(list, principal)
		}
		return marshal(map[string]any{"accessEntries": list})
	case "DescribeAccessEntry":
		entry := w.entries[principal]
		if entry == nil {
			return refuse("eks", http.StatusNotFound, "ResourceNotFoundException", "no such entry")
		}
		return marshal(map[string]any{"accessEntry": entry})
	case "CreateAccessEntry":
		var in entry
		if err := json.Unmarshal(body, &in); err != nil {
			return refuse("eks", http.StatusBadRequest, "InvalidParameterException", err.Error())
		}
		if w.entries[in.Principal] != nil {
			return refuse("eks", http.StatusConflict, "ResourceInUseException", "it exists")
		}
		w.entries[in.Principal] = in.made()
		return marshal(map[string]any{"accessEntry": in})
	case "DeleteAccessEntry":
		delete(w.entries, principal)
		return marshal(map[string]any{})
	case "AssociateAccessPolicy":
		var in struct{ PolicyArn string }
		if err := json.Unmarshal(body, &in); err != nil || w.entries[principal] == nil {
			return refuse("eks", http.StatusNotFound, "ResourceNotFoundException", "no such entry")
		}
		w.entries[principal].policies = append(w.entries[principal].policies, in.PolicyArn)
		return marshal(map[string]any{})
	case "ListAssociatedAccessPolicies":
		list := []map[string]any{}
		for _, policy := range w.entries[principal].policies {
			list = append(list, map[string]any{"policyArn": policy, "accessScope": map[string]any{"type": "cluster"}})
		}
		return marshal(map[string]any{"associatedAccessPolicies": list})
	case "UpdateClusterConfig":
		var in struct {
			AccessConfig struct{ AuthenticationMode string }
		}
		if err := json.Unmarshal(body, &in); err != nil {
			return refuse("eks", http.StatusBadRequest, "InvalidParameterException", err.Error())
		}
		w.mode = in.AccessConfig.AuthenticationMode
		return marshal(map[string]any{"update": map[string]any{"id": "u", "status": "InProgress"}})
	}
	return unknown("eks", operation)
}

func (w *World) cluster() map[string]any {
	tags, status := map[string]string{}, "ACTIVE"
	if w.ending.stack != nil {
		tags["aws:cloudformation:stack-name"], tags["aws:cloudformation:stack-id"] = w.ending.stack.name, w.ending.stack.id
	}
	if w.ending.state != "" {
		status = w.ending.state
	}
	return map[string]any{
		"tags": tags, "deletionProtection": w.ending.protected,
		"name": Cluster, "arn": fmt.Sprintf("arn:aws:eks:%s:%s:cluster/%s", Region, Account, Cluster),
		"status": status, "version": "1.34", "endpoint": w.Kube(),
		"roleArn":                 "arn:aws:iam::" + Account + ":role/cluster",
		"certificateAuthority":    map[string]any{"data": encode(w.CA())},
		"accessConfig":            map[string]any{"authenticationMode": w.mode},
		"kubernetesNetworkConfig": map[string]any{"serviceIpv4Cidr": "10.100.0.0/16", "ipFamily": "ipv4"},
		"resourcesVpcConfig": map[string]any{
			"vpcId": vpcID, "clusterSecurityGroupId": clusterSG,
			"subnetIds":            []string{"subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"},
			"endpointPublicAccess": true, "endpointPrivateAccess": true, "publicAccessCidrs": []string{"0.0.0.0/0"},
		},
	}
}

func (w *World) json(operation string) answer {
	switch operation {
	case "GetParameter":
		return ok(`{"Parameter": {"Name": "p", "Value": "ami-0123456789abcdef0"}}`)
	case "GetServiceQuota":
		return ok(`{"Quota": {"QuotaCode": "L-1216C47A", "Value": 64}}`)
	}
	return unknown("ssm", operation)
}

// again reports whether the SDK sends a call once more, as it does when reading
// a large answer is cut short. What is counted is what the plugin asks for.
func again(r *http.Request) bool {
	attempt := r.Header.Get("Amz-Sdk-Request")
	return attempt != "" && !strings.HasPrefix(attempt, "attempt=1;")
}
