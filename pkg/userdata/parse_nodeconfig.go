package userdata

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// nodeConfig reads a NodeConfig that begins at a line, as nodeadm does, and merges it with those before. The values
// are nodeadm's; a walk through the tree gives the places.
func (p *parser) nodeConfig(text string, line int) {
	p.doc.NodeConfigs++
	config, err := decodeNodeConfig([]byte(text))
	walk := nodeConfigWalk{parser: p, base: line - 1, config: config}
	var document yaml.Node
	treeErr := yaml.Unmarshal([]byte(text), &document)
	if treeErr == nil && len(document.Content) > 0 {
		walk.top = document.Content[0]
	}
	if err != nil {
		walk.refused(err, treeErr)
	}
	if errors.As(err, new(base64.CorruptInputError)) {
		config.Spec.Cluster.CertificateAuthority = []byte{} // it is there
	}
	walk.unknownFields()
	walk.cluster()
	walk.kubelet()
	if !p.config.add(config) {
		p.refuse(walk.at("spec", "containerd", "config"), FaultValue, "of several containerd configurations each must be TOML")
	}
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

// nodeConfigWalk knows the line of everything, which the decoder does not tell.
type nodeConfigWalk struct {
	*parser
	base   int        // lines before the document
	top    *yaml.Node // nil when there is no tree
	config decoded
}

func (w nodeConfigWalk) line(n *yaml.Node) int { return w.base + n.Line }

// find gives the value of a field; nil when it is not there.
func (w nodeConfigWalk) find(path ...string) *yaml.Node {
	n := resolve(w.top)
	for _, name := range path {
		if n == nil {
			return nil
		}
		n = resolve(valueOf(n, name))
	}
	return n
}

// at is the line of a field, or of the nearest one above it that is there.
func (w nodeConfigWalk) at(path ...string) int {
	for n := len(path); n >= 0; n-- {
		if found := w.find(path[:n]...); found != nil {
			return w.line(found)
		}
	}
	return w.base + 1
}

func valueOf(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	var value *yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			value = n.Content[i+1] // of two the last counts
		}
	}
	return value
}

// refused words why nodeadm cannot decode the document.
func (w nodeConfigWalk) refused(err, treeErr error) {
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType):
		w.refuse(w.at(strings.Split(wrongType.Field, ".")...), FaultValue, "%s is a %s where a %s is due", fieldName(wrongType.Field), plainValue(wrongType.Value), plainType(wrongType.Type))
	case errors.As(err, new(base64.CorruptInputError)):
		w.refuse(w.at("spec", "cluster", "certificateAuthority"), FaultValue, "spec.cluster.certificateAuthority is not base64")
	case errors.Is(err, errNoConfig):
		w.refuse(w.at(), FaultValue, "%v", err)
	case errors.Is(err, errNotJSON), errors.Is(err, errBomb):
		w.refuse(w.base+1, FaultYAML, "%v", err)
	case treeErr != nil:
		at, detail := yamlError(treeErr)
		w.refuse(w.base+max(at, 1), FaultYAML, "%s", detail)
	default: // the message may quote the text
		w.refuse(w.at("spec"), FaultYAML, "nodeadm cannot decode the document")
	}
}

// fieldName is a field's name as far as it is nodeadm's own: keys of a mapping may be anything.
func fieldName(path string) string {
	names := strings.Split(path, ".")
	return strings.Join(names[:min(len(names), 3)], ".")
}

func plainValue(json string) string {
	switch {
	case json == "object":
		return "mapping"
	case json == "array":
		return "list"
	case json == "bool":
		return "truth value"
	case strings.HasPrefix(json, "number"): // may go on with the number itself
		return "number"
	}
	return json
}

func plainType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "mapping"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "base64 text"
		}
		return "list"
	case reflect.Bool:
		return "truth value"
	case reflect.String:
		return "text"
	}
	return "number"
}

// unknownFields names the fields that nodeadm ignores without a word.
func (w nodeConfigWalk) unknownFields() {
	w.fields(w.top, "the document", "apiVersion", "kind", "metadata", "spec")
	w.fields(w.find("spec"), "spec", "cluster", "containerd", "instance", "kubelet", "featureGates")
	w.fields(w.find("spec", "cluster"), "spec.cluster", "name", "apiServerEndpoint", "certificateAuthority", "cidr", "enableOutpost", "id")
	w.fields(w.find("spec", "kubelet"), "spec.kubelet", "config", "flags", "maxPodsExpression")
}

func (w nodeConfigWalk) fields(n *yaml.Node, what string, known ...string) {
	if n = resolve(n); n == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; !slices.Contains(known, key.Value) && key.Tag != mergeTag {
			w.fault(w.line(key), FaultUnknownField, "%s has no such field; nodeadm ignores it", what)
		}
	}
}

// mergeTag is that of the key "<<".
const mergeTag = "!!merge"

// cluster judges values that nodeadm takes and that cannot be right.
func (w nodeConfigWalk) cluster() {
	w.clusterLine = w.at("spec", "cluster")
	c := w.config.Spec.Cluster
	if c.APIServerEndpoint != "" {
		w.checkEndpoint(w.at("spec", "cluster", "apiServerEndpoint"), c.APIServerEndpoint)
	}
	if c.CertificateAuthority != nil {
		w.checkPEM(w.at("spec", "cluster", "certificateAuthority"), c.CertificateAuthority)
	}
	if _, err := netip.ParsePrefix(c.CIDR); err != nil && c.CIDR != "" {
		w.fault(w.at("spec", "cluster", "cidr"), FaultValue, "spec.cluster.cidr is not an address range like 10.100.0.0/16")
	}
}

// kubelet judges values that nodeadm hands on and that stop the kubelet.
func (w nodeConfigWalk) kubelet() {
	own := merged{kubelet: w.config.Spec.Kubelet.Config}
	if _, ok := own.maxPods(); !ok {
		w.fault(w.at("spec", "kubelet", "config", "maxPods"), FaultValue, "maxPods is not a positive number")
	}
	if _, ok := own.taints(); !ok {
		w.fault(w.at("spec", "kubelet", "config", "registerWithTaints"), FaultValue, "registerWithTaints is not a list of taints")
	}
	w.kubeletFlags(w.config.Spec.Kubelet.Flags, w.at("spec", "kubelet", "flags"))
}

// resolve follows an alias, once: an alias to an alias cannot be written in YAML.
func resolve(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func (p *parser) checkEndpoint(line int, endpoint string) {
	if u, err := url.Parse(endpoint); err != nil || u.Scheme != "https" || u.Host == "" {
		p.fault(line, FaultValue, "the API server's endpoint is not an https URL")
	}
}

func (p *parser) checkCA(line int, ca string) {
	pem, err := base64.StdEncoding.DecodeString(ca)
	if err != nil {
		pem = nil
	}
	p.checkPEM(line, pem)
}

func (p *parser) checkPEM(line int, pem []byte) {
	if !bytes.Contains(pem, []byte("BEGIN CERTIFICATE")) {
		p.fault(line, FaultValue, "the certificate authority is not the base64 of a PEM certificate")
	}
}
