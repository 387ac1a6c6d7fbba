package hostfile

import (
	"fmt"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// kubeletConfiguration is the part of the kubelet's configuration that is
// judged.
type kubeletConfiguration struct {
	APIVersion      string   `json:"apiVersion"`
	Kind            string   `json:"kind"`
	CgroupDriver    string   `json:"cgroupDriver"`
	MaxPods         *int     `json:"maxPods"`
	ProviderID      string   `json:"providerID"`
	ClusterDNS      []string `json:"clusterDNS"`
	FailSwapOn      *bool    `json:"failSwapOn"`
	RuntimeEndpoint string   `json:"containerRuntimeEndpoint"`
	ServerTLS       *bool    `json:"serverTLSBootstrap"`
	RotateClient    *bool    `json:"rotateCertificates"`
}

// KubeletFile is a file of the kubelet's configuration: the main one, or a
// drop-in.
type KubeletFile struct {
	Path string
	Data []byte
}

// KubeletConfig lays files over each other in their order, and flags over
// them, as the kubelet does. What it would not take is in Errors.
func KubeletConfig(files []KubeletFile, flags map[string]string) snapshot.HostKubeletConfig {
	var out snapshot.HostKubeletConfig
	var config kubeletConfiguration
	for _, file := range files {
		out.Files = append(out.Files, file.Path)
		config.APIVersion, config.Kind = "", ""
		if err := yaml.Unmarshal(file.Data, &config); err != nil {
			out.Errors = append(out.Errors, redact.Line(file.Path+": "+strings.TrimPrefix(err.Error(), "error unmarshaling JSON: ")))
			continue
		}
		if config.Kind != "KubeletConfiguration" || !strings.HasPrefix(config.APIVersion, "kubelet.config.k8s.io/") {
			out.Errors = append(out.Errors, redact.Line(fmt.Sprintf("%s: it is a %q of %q, not a KubeletConfiguration of kubelet.config.k8s.io", file.Path, config.Kind, config.APIVersion)))
		}
	}
	out.ProviderID, out.CgroupDriver, out.MaxPods = redact.Line(config.ProviderID), redact.Line(config.CgroupDriver), config.MaxPods
	out.FailSwapOn, out.RuntimeEndpoint = config.FailSwapOn, redact.Line(config.RuntimeEndpoint)
	out.ServerTLS, out.RotateClient = config.ServerTLS, config.RotateClient
	for _, server := range config.ClusterDNS {
		out.ClusterDNS = append(out.ClusterDNS, redact.Line(server))
	}
	overlay(&out, flags)
	return out
}

// overlay applies the flags: they win.
func overlay(out *snapshot.HostKubeletConfig, flags map[string]string) {
	text := func(flag string, field *string) {
		if value, set := flags[flag]; set {
			*field = value
		}
	}
	text("hostname-override", &out.HostnameOverride)
	text("provider-id", &out.ProviderID)
	text("cgroup-driver", &out.CgroupDriver)
	text("container-runtime-endpoint", &out.RuntimeEndpoint)
	if value, set := flags["max-pods"]; set {
		if n, err := strconv.Atoi(value); err == nil {
			out.MaxPods = &n
		} else {
			out.Errors = append(out.Errors, fmt.Sprintf("--max-pods %q is no number", value))
		}
	}
	if value, set := flags["fail-swap-on"]; set {
		on := value != "false"
		out.FailSwapOn = &on
	}
	if value, set := flags["cluster-dns"]; set {
		out.ClusterDNS = strings.Split(value, ",")
	}
}

// NodeName is the name that a kubelet registers: the override, else the host
// name in lower case.
func NodeName(override, hostname string) string {
	if override != "" {
		return strings.ToLower(override)
	}
	return strings.ToLower(strings.TrimSpace(hostname))
}
