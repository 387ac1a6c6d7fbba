package userdata

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// nodeConfigVersion and nodeConfigKind name nodeadm's configuration object
// (https://awslabs.github.io/amazon-eks-ami/nodeadm/doc/api/).
const (
	nodeConfigVersion = "node.eks.aws/v1alpha1"
	nodeConfigKind    = "NodeConfig"
)

// nodeConfig renders the NodeConfig document. The upstream Go types are not used to write it: they print every empty
// struct, and they would bring the API machinery into every program that imports this package. The tests decode the
// result strictly into them instead.
func nodeConfig(c Config) (string, error) {
	kubelet := map[string]any{}
	put(kubelet, "config", kubeletConfig(c))
	put(kubelet, "flags", kubeletFlags(c))
	put(kubelet, "maxPodsExpression", c.MaxPodsExpression)

	spec := map[string]any{"cluster": map[string]any{
		"name":                 c.Cluster.Name,
		"apiServerEndpoint":    c.Cluster.Endpoint,
		"certificateAuthority": c.Cluster.CA,
		"cidr":                 c.Cluster.CIDR,
	}}
	put(spec, "kubelet", kubelet)
	if c.ContainerdConfig != "" {
		spec["containerd"] = map[string]any{"config": c.ContainerdConfig}
	}
	if c.LocalStorage != "" {
		spec["instance"] = map[string]any{"localStorage": map[string]any{"strategy": c.LocalStorage}}
	}
	put(spec, "featureGates", c.FeatureGates)

	document, err := yaml.Marshal(map[string]any{"apiVersion": nodeConfigVersion, "kind": nodeConfigKind, "spec": spec})
	if err != nil {
		return "", fmt.Errorf("render NodeConfig: %w", err)
	}
	return string(document), nil
}

// kubeletConfig is the user's passthrough with maxPods and the taints of their own flags on top.
func kubeletConfig(c Config) map[string]any {
	config := maps.Clone(c.KubeletConfig)
	if config == nil {
		config = map[string]any{}
	}
	if c.MaxPods > 0 {
		config["maxPods"] = c.MaxPods
	}
	put(config, "registerWithTaints", c.Taints)
	return config
}

// kubeletFlags puts the labels last: flags of several NodeConfigs are appended by nodeadm, and among equal label keys
// the later wins.
func kubeletFlags(c Config) []string {
	flags := slices.Clone(c.KubeletFlags)
	if len(c.Labels) > 0 {
		flags = append(flags, "--node-labels="+joinLabels(c.Labels))
	}
	return flags
}

// joinLabels writes labels in order of their keys.
func joinLabels(labels map[string]string) string {
	pairs := make([]string, 0, len(labels))
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, key+"="+labels[key])
	}
	return strings.Join(pairs, ",")
}

// put sets a key unless the value is empty, so that what the user did not ask for stays the image's default.
func put[V string | []string | []Taint | map[string]any | map[string]bool](m map[string]any, key string, value V) {
	if len(value) > 0 {
		m[key] = value
	}
}
