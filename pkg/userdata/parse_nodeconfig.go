package userdata

import (
	"encoding/base64"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// nodeConfig reads a NodeConfig that begins at a line. Several are merged as nodeadm merges them: what is set later
// wins, kubelet flags are appended.
func (p *parser) nodeConfig(text string, line int) {
	p.doc.NodeConfigs++
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		at, detail := yamlError(err)
		p.fault(line+max(at, 1)-1, FaultYAML, "%s", detail)
		return
	}
	if len(document.Content) == 0 {
		p.fault(line, FaultYAML, "the NodeConfig is empty")
		return
	}
	walk := nodeConfigWalk{parser: p, base: line - 1}
	walk.root(document.Content[0])
}

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): (.*)$`)

// yamlError takes line and reason from the library's message. Only messages about syntax come here; they quote
// nothing of the text.
func yamlError(err error) (line int, detail string) {
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			return n, m[2]
		}
	}
	return 0, strings.TrimPrefix(err.Error(), "yaml: ")
}

// nodeConfigWalk goes through the tree by hand rather than decoding into a struct, to know the line of everything
// and to read on past a field of the wrong type.
type nodeConfigWalk struct {
	*parser
	base int // lines before the document
}

func (w nodeConfigWalk) line(n *yaml.Node) int { return w.base + n.Line }

func (w nodeConfigWalk) root(n *yaml.Node) {
	fields := w.fields(n, "the document", "apiVersion", "kind", "metadata", "spec")
	version, kind := scalar(fields["apiVersion"]), scalar(fields["kind"])
	if !strings.HasPrefix(version, "node.eks.aws/") || kind != nodeConfigKind {
		w.fault(w.line(n), FaultValue, "apiVersion and kind are not %s and %s", nodeConfigVersion, nodeConfigKind)
	}
	w.clusterLine = w.line(n)
	spec := w.fields(fields["spec"], "spec", "cluster", "containerd", "instance", "kubelet", "featureGates")
	w.cluster(spec["cluster"])
	w.kubelet(spec["kubelet"])
	if gate := w.fields(spec["featureGates"], "spec.featureGates")["InstanceIdNodeName"]; gate != nil {
		w.doc.InstanceName = scalar(gate) == "true"
	}
}

func (w nodeConfigWalk) cluster(n *yaml.Node) {
	if n == nil {
		return
	}
	w.clusterLine = w.line(n)
	fields := w.fields(n, "spec.cluster", "name", "apiServerEndpoint", "certificateAuthority", "cidr", "enableOutpost", "id")
	c := &w.doc.Cluster
	set(&c.Name, fields["name"])
	if value := fields["apiServerEndpoint"]; set(&c.Endpoint, value) {
		w.checkEndpoint(w.line(value), c.Endpoint)
	}
	if value := fields["certificateAuthority"]; set(&c.CA, value) {
		w.checkCA(w.line(value), c.CA)
	}
	if value := fields["cidr"]; set(&c.CIDR, value) {
		if _, err := netip.ParsePrefix(c.CIDR); err != nil {
			w.fault(w.line(value), FaultValue, "spec.cluster.cidr is not an address range like 10.100.0.0/16")
		}
	}
}

func (w nodeConfigWalk) kubelet(n *yaml.Node) {
	fields := w.fields(n, "spec.kubelet", "config", "flags", "maxPodsExpression")
	config := w.fields(fields["config"], "")
	if value := config["maxPods"]; value != nil {
		pods, err := strconv.Atoi(scalar(value))
		if err != nil || pods < 1 {
			w.fault(w.line(value), FaultValue, "maxPods is not a positive number")
		}
		w.doc.MaxPods = max(pods, 0)
	}
	if value := config["registerWithTaints"]; value != nil {
		w.doc.Taints = w.taints(value)
	}
	if flags := resolve(fields["flags"]); flags != nil {
		if flags.Kind != yaml.SequenceNode {
			w.fault(w.line(flags), FaultValue, "spec.kubelet.flags is not a list")
			return
		}
		var all []string
		for _, flag := range flags.Content {
			all = append(all, scalar(flag))
		}
		w.kubeletFlags(all, w.line(flags))
	}
}

func (w nodeConfigWalk) taints(n *yaml.Node) []Taint {
	if n = resolve(n); n.Kind != yaml.SequenceNode {
		w.fault(w.line(n), FaultValue, "registerWithTaints is not a list")
		return nil
	}
	var taints []Taint
	for _, item := range n.Content {
		fields := w.fields(item, "registerWithTaints[]", "key", "value", "effect", "timeAdded")
		taints = append(taints, Taint{Key: scalar(fields["key"]), Value: scalar(fields["value"]), Effect: scalar(fields["effect"])})
	}
	return taints
}

// fields gives the values of a mapping by key. With names given, a key that is none of them is a fault: nodeadm
// ignores it without a word. A node that is no mapping gives none.
func (w nodeConfigWalk) fields(n *yaml.Node, what string, known ...string) map[string]*yaml.Node {
	n = resolve(n)
	if n == nil || n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		w.fault(w.line(n), FaultValue, "%s is not a mapping", what)
		return nil
	}
	values := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		values[key.Value] = n.Content[i+1]
		if len(known) > 0 && !slices.Contains(known, key.Value) {
			w.fault(w.line(key), FaultUnknownField, "%s has no such field; nodeadm ignores it", what)
		}
	}
	return values
}

// resolve follows an alias, once: an alias to an alias cannot be written in YAML.
func resolve(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func scalar(n *yaml.Node) string {
	if n = resolve(n); n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	return n.Value
}

// set takes a scalar over, unless it is empty.
func set(target *string, n *yaml.Node) bool {
	value := scalar(n)
	if value == "" {
		return false
	}
	*target = value
	return true
}

func (p *parser) checkEndpoint(line int, endpoint string) {
	if u, err := url.Parse(endpoint); err != nil || u.Scheme != "https" || u.Host == "" {
		p.fault(line, FaultValue, "the API server's endpoint is not an https URL")
	}
}

func (p *parser) checkCA(line int, ca string) {
	if pem, err := base64.StdEncoding.DecodeString(ca); err != nil || !strings.Contains(string(pem), "BEGIN CERTIFICATE") {
		p.fault(line, FaultValue, "the certificate authority is not the base64 of a PEM certificate")
	}
}
