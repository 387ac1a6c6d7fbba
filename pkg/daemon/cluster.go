package daemon

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/netfail"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
)

// ServiceAccountDir is where the kubelet puts a pod's token and the cluster's
// certificate authority.
const ServiceAccountDir = "/var/run/secrets/kubernetes.io/serviceaccount"

// Cluster is the API server as one node's agent may use it: to read its own
// Node, to set its own condition, to write Events of it. It speaks plain HTTP:
// a client of client-go's would double the agent's size.
type Cluster struct {
	server *url.URL
	client *http.Client
	token  string // file; the kubelet renews it
	node   string
	agent  string // User-Agent
}

// requestLimit bounds one request to the API server.
const requestLimit = 10 * time.Second

// maxNode bounds a Node as the API server answers it: with 50 images of long
// names it has some 30 KiB.
const maxNode = 1 << 20

// Connect prepares requests about a node, by the service account whose files
// are in dir. server is an https URL.
func Connect(server, dir, node, agent string) (*Cluster, error) {
	address, err := url.Parse(server)
	if err != nil || address.Scheme != "https" || address.Host == "" {
		return nil, fmt.Errorf("API server %q is no https URL", redact.Line(server))
	}
	bundle, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		return nil, fmt.Errorf("read the cluster's certificate authority: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(bundle) {
		return nil, errors.New("the service account's ca.crt holds no certificate")
	}
	return &Cluster{
		server: address, token: filepath.Join(dir, "token"), node: node, agent: agent,
		client: &http.Client{
			Timeout:       requestLimit,
			Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// InCluster is the address that every pod is given, "" outside of one. It
// needs kube-proxy on the node, which the kubelet's own way does not.
func InCluster(getenv func(string) string) string {
	host, port := getenv("KUBERNETES_SERVICE_HOST"), getenv("KUBERNETES_SERVICE_PORT")
	if host == "" {
		return ""
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return "https://" + host + ":" + cmp.Or(port, "443")
}

// Condition reads the node's condition, nil when it has none yet.
func (c *Cluster) Condition(ctx context.Context) (*Condition, error) {
	var node struct {
		Status struct {
			Conditions []Condition `json:"conditions"`
		} `json:"status"`
	}
	if err := c.call(ctx, http.MethodGet, c.nodePath(), "", nil, &node); err != nil {
		return nil, err
	}
	for i := range node.Status.Conditions {
		if node.Status.Conditions[i].Type == ConditionType {
			return &node.Status.Conditions[i], nil
		}
	}
	return nil, nil
}

// SetCondition writes the node's condition, and nothing else of it: conditions
// are merged by type.
func (c *Cluster) SetCondition(ctx context.Context, condition Condition) error {
	patch := map[string]any{"status": map[string]any{"conditions": []Condition{condition}}}
	return c.call(ctx, http.MethodPatch, c.nodePath()+"/status", "application/strategic-merge-patch+json", patch, nil)
}

// eventNamespace is where Events of Nodes live.
const eventNamespace = "default"

// Tell writes an Event of the node. Its reference is the one that the kubelet
// makes, whose uid is the node's name: kubectl describe looks for that.
func (c *Cluster) Tell(ctx context.Context, kind, reason, message string, at time.Time) error {
	event := map[string]any{
		"apiVersion": "v1", "kind": "Event",
		"metadata":       map[string]any{"name": fmt.Sprintf("%s.%x", c.node, at.UnixNano()), "namespace": eventNamespace},
		"involvedObject": map[string]any{"kind": "Node", "name": c.node, "uid": c.node},
		"type":           kind, "reason": reason, "message": message,
		"firstTimestamp": at, "lastTimestamp": at, "count": 1,
		"source":             map[string]any{"component": component, "host": c.node},
		"reportingComponent": component,
		"reportingInstance":  c.node,
	}
	return c.call(ctx, http.MethodPost, "api/v1/namespaces/"+eventNamespace+"/events", "application/json", event, nil)
}

// component is who Events are from.
const component = "node-agent"

func (c *Cluster) nodePath() string { return "api/v1/nodes/" + url.PathEscape(c.node) }

// StatusError is a refusal of the API server.
type StatusError struct {
	Code    int
	Message string // cleaned
}

// Error says what was answered.
func (e *StatusError) Error() string {
	return fmt.Sprintf("the API server answered %d: %s", e.Code, e.Message)
}

// call sends a document, nil for none, and decodes the answer into out, nil
// for no use of it. No error holds the token.
func (c *Cluster) call(ctx context.Context, method, path, kind string, document, out any) error {
	var body io.Reader
	if document != nil {
		data, err := json.Marshal(document)
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.server.JoinPath(path).String(), body)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	bearer, err := os.ReadFile(c.token)
	if err != nil {
		return fmt.Errorf("read the service account's token: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(bearer)))
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", c.agent)
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return fmt.Errorf("ask the API server: %s", netfail.Of(err).Detail)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxNode))
	if err != nil {
		return fmt.Errorf("read the API server's answer: %w", err)
	}
	if response.StatusCode/100 != 2 {
		var status struct {
			Message string `json:"message"`
		}
		if json.Unmarshal(answer, &status) != nil {
			status.Message = http.StatusText(response.StatusCode)
		}
		return &StatusError{Code: response.StatusCode, Message: redact.Line(status.Message)}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("decode the API server's answer: %w", err)
	}
	return nil
}
