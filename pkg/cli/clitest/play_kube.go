package clitest

import (
	"net/http"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// kubeAsked is what a request to the API server is for.
type kubeAsked struct{ verb, resource, namespace, name string }

// call is how Calls has it: "kube:list nodes", "kube:list pods in kube-system",
// "kube:get configmaps/aws-auth in kube-system".
func (a kubeAsked) call() string {
	call := "kube:" + a.verb + " " + a.resource
	if a.name != "" {
		call += "/" + a.name
	}
	if a.namespace != "" {
		call += " in " + a.namespace
	}
	return call
}

// askedOf takes a path below /api/v1 or /apis/GROUP/VERSION apart.
func askedOf(path string) kubeAsked {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if parts[0] == "version" {
		return kubeAsked{verb: "get", resource: "version"}
	}
	parts = parts[min(len(parts), map[string]int{"api": 2, "apis": 3}[parts[0]]):]
	var a kubeAsked
	if len(parts) > 2 && parts[0] == "namespaces" {
		a.namespace, parts = parts[1], parts[2:]
	}
	a.verb, a.resource = "list", parts[0]
	if len(parts) > 1 {
		a.verb, a.name = "get", parts[1]
	}
	return a
}

func (p *Play) serveKube(rw http.ResponseWriter, r *http.Request) {
	asked := askedOf(r.URL.Path)
	denied, throttled := p.trouble(r, asked.call())
	switch {
	case denied:
		refuseKube(rw, http.StatusForbidden, metav1.StatusReasonForbidden, asked.resource+" is forbidden: User \"me\" cannot "+asked.verb+" resource \""+asked.resource+"\"")
	case throttled:
		rw.Header().Set("Retry-After", "1")
		refuseKube(rw, http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests, "too many requests")
	case asked.resource == "version":
		send(rw, http.StatusOK, map[string]string{"major": "1", "minor": "34", "gitVersion": p.snap.Kube.ServerVersion})
	case asked.verb == "get":
		p.getObject(rw, asked)
	default:
		p.listObjects(rw, r, asked)
	}
}

func refuseKube(rw http.ResponseWriter, code int, reason metav1.StatusReason, message string) {
	send(rw, code, metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Reason: reason, Code: int32(code), Message: message,
	})
}

func (p *Play) getObject(rw http.ResponseWriter, asked kubeAsked) {
	system := &p.snap.Kube.System
	switch {
	case asked.resource == "configmaps" && p.snap.Access.AwsAuth != nil:
		send(rw, http.StatusOK, configMap(p.snap.Access.AwsAuth))
	case asked.resource == "daemonsets" && system.DaemonSet(asked.namespace, asked.name) != nil:
		send(rw, http.StatusOK, daemonSet(*system.DaemonSet(asked.namespace, asked.name)))
	case asked.resource == "serviceaccounts":
		send(rw, http.StatusOK, serviceAccount(asked.namespace, asked.name, *p.snap.Kube.CNIPolicyOnNode))
	default:
		notFound(rw, asked.resource+" "+asked.name)
	}
}

func (p *Play) listObjects(rw http.ResponseWriter, r *http.Request, asked kubeAsked) {
	system := &p.snap.Kube.System
	reply := kubeReply{play: p, rw: rw, r: r, kind: asked.resource}
	switch asked.resource {
	case "nodes":
		var nodes []*snapshot.KubeNode
		for i := range p.snap.Nodes {
			if node := p.snap.Nodes[i].Kube; node != nil {
				nodes = append(nodes, node)
			}
		}
		sendList(reply, nodes, nodeObject)
	case "daemonsets":
		sendList(reply, system.DaemonSets, daemonSet)
	case "pods":
		sendList(reply, system.Pods, podObject)
	case "events":
		var events []snapshot.Event
		for _, event := range system.Events {
			if (event.Kind == "Node") == (asked.namespace == "default") {
				events = append(events, event)
			}
		}
		sendList(reply, events, eventObject)
	case "leases":
		sendList(reply, system.Leases, leaseObject)
	case "certificatesigningrequests":
		sendList(reply, system.CSRs, csrObject)
	case "validatingwebhookconfigurations", "mutatingwebhookconfigurations":
		sendList(reply, webhooksOf(system, asked.resource), webhookObject)
	case "eniconfigs":
		sendList(reply, p.snap.Kube.ENIConfigs, func(c snapshot.ENIConfig) any {
			return map[string]any{"metadata": map[string]any{"name": c.Name}, "spec": map[string]any{"subnet": c.SubnetID, "securityGroups": c.SecurityGroupIDs}}
		})
	case "clusterrolebindings":
		sendList(reply, p.snap.Kube.Bindings, bindingObject)
	default:
		notFound(rw, r.URL.Path)
	}
}

type kubeReply struct {
	play *Play
	rw   http.ResponseWriter
	r    *http.Request
	kind string
}

// sendList sends the page of a list that the request asks for.
func sendList[T any](reply kubeReply, items []T, one func(T) any) {
	query := reply.r.URL.Query()
	asked, _ := strconv.Atoi(query.Get("limit"))
	from, to, next := reply.play.page(len(items), query.Get("continue"), asked)
	objects := make([]any, 0, to-from)
	for _, item := range items[from:to] {
		objects = append(objects, one(item))
	}
	send(reply.rw, http.StatusOK, map[string]any{
		"kind": listKind(reply.kind), "apiVersion": apiVersion(reply.r.URL.Path), "metadata": map[string]any{"continue": next, "resourceVersion": "1"}, "items": objects,
	})
}

func listKind(resource string) string {
	return map[string]string{"nodes": "NodeList", "daemonsets": "DaemonSetList"}[resource] // the others are read without a scheme
}

func apiVersion(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if parts[0] == "api" {
		return parts[1]
	}
	return parts[1] + "/" + parts[2]
}

// webhooksOf are the webhooks of one kind.
func webhooksOf(system *snapshot.System, resource string) []snapshot.Webhook {
	var of []snapshot.Webhook
	for _, webhook := range system.Webhooks {
		if webhook.Mutating == (resource == "mutatingwebhookconfigurations") {
			of = append(of, webhook)
		}
	}
	return of
}
