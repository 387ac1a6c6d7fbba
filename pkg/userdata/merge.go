package userdata

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"

	"github.com/pelletier/go-toml/v2"
)

// merged is what several NodeConfigs come to, by nodeadm's rules (internal/api/merge.go): a value that is not empty
// wins over an earlier one, kubelet flags are appended, and the kubelet's configuration is merged key by key, where
// even null wins.
type merged struct {
	count                    int
	name, endpoint, cidr, id string
	ca                       []byte // nil and empty are two things to nodeadm
	outpost                  bool
	containerd               string
	kubelet                  map[string]json.RawMessage
	flags                    []string
	gates                    map[string]bool
}

// add merges a later NodeConfig in. It reports whether nodeadm could: containerd's configurations of two must be TOML,
// that of one is handed on as it is.
func (m *merged) add(config decoded) bool {
	spec := config.Spec
	override(&m.name, spec.Cluster.Name)
	override(&m.endpoint, spec.Cluster.APIServerEndpoint)
	override(&m.cidr, spec.Cluster.CIDR)
	override(&m.id, spec.Cluster.ID)
	if ca := spec.Cluster.CertificateAuthority; len(ca) > 0 || m.count == 0 {
		m.ca = ca
	}
	m.outpost = m.outpost || spec.Cluster.EnableOutpost != nil && *spec.Cluster.EnableOutpost
	m.flags = append(m.flags, spec.Kubelet.Flags...)
	if m.count == 0 {
		m.kubelet, m.gates = map[string]json.RawMessage{}, map[string]bool{}
	}
	m.count++
	maps.Copy(m.kubelet, spec.Kubelet.Config)
	maps.Copy(m.gates, spec.FeatureGates)
	return m.addContainerd(spec.Containerd.Config)
}

func (m *merged) addContainerd(config string) bool {
	if m.containerd == "" || config == "" {
		override(&m.containerd, config)
		return true
	}
	for _, text := range []string{m.containerd, config} {
		if err := toml.Unmarshal([]byte(text), &map[string]any{}); err != nil {
			return false
		}
	}
	m.containerd = config
	return true
}

func override(target *string, value string) {
	if value != "" {
		*target = value
	}
}

// cluster gives the coordinates as DescribeCluster writes them.
func (m *merged) cluster() Cluster {
	return Cluster{Name: m.name, Endpoint: m.endpoint, CA: base64.StdEncoding.EncodeToString(m.ca), CIDR: m.cidr}
}

// maxPods is the limit in the kubelet's configuration; ok is false when there is one that the kubelet does not take.
func (m *merged) maxPods() (pods int, ok bool) {
	raw, set := m.kubelet["maxPods"]
	if !set || isNull(raw) {
		return 0, true
	}
	var limit int32
	if err := json.Unmarshal(raw, &limit); err != nil || limit < 1 {
		return 0, false
	}
	return int(limit), true
}

// taints are those of the kubelet's configuration; ok is false when it is not a list of taints.
func (m *merged) taints() (taints []Taint, ok bool) {
	raw, set := m.kubelet["registerWithTaints"]
	if !set || isNull(raw) {
		return nil, true
	}
	var list []struct{ Key, Value, Effect string }
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, false
	}
	for _, t := range list {
		taints = append(taints, Taint{Key: t.Key, Value: t.Value, Effect: t.Effect})
	}
	return taints, true
}

func isNull(raw json.RawMessage) bool { return len(bytes.TrimSpace(raw)) == 0 || string(raw) == "null" }
