//go:build linux

package host

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/host/hostfile"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// bottlerocketAPI is where its settings are asked for, on the host and in its
// admin container.
const bottlerocketAPI = "/run/api.sock"

// readBottlerocket asks for those settings that joining needs. Others, which
// may be secrets, are not kept.
func (m *Machine) readBottlerocket(ctx context.Context, _ *snapshot.Host) (fill, error) {
	there, err := m.root.exists(bottlerocketAPI)
	if err != nil {
		return nil, err
	}
	if !there {
		return nil, absent("this is not Bottlerocket")
	}
	client := &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", m.root.path(bottlerocketAPI))
		},
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/settings", nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask for Bottlerocket's settings: %w", err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxFile))
	if err != nil {
		return nil, fmt.Errorf("ask for Bottlerocket's settings: %w", err)
	}
	facts, err := bottlerocket(data)
	if err != nil {
		return nil, err
	}
	return func(h *snapshot.Host) { h.Bottlerocket = facts }, nil
}

func bottlerocket(data []byte) (*snapshot.HostBottlerocket, error) {
	var settings struct {
		Kubernetes struct {
			ClusterName      string          `json:"cluster-name"`
			Server           string          `json:"api-server"`
			HostnameOverride string          `json:"hostname-override"`
			ProviderID       string          `json:"provider-id"`
			CloudProvider    string          `json:"cloud-provider"`
			ClusterDNS       json.RawMessage `json:"cluster-dns-ip"` // a text or a list
			MaxPods          json.Number     `json:"max-pods"`
		} `json:"kubernetes"`
		Network struct {
			HTTPSProxy string   `json:"https-proxy"`
			NoProxy    []string `json:"no-proxy"`
		} `json:"network"`
	}
	if err := json.Unmarshal(data, &settings); err != nil {
		return nil, fmt.Errorf("the answer about Bottlerocket's settings is not JSON as it has it") // not quoted
	}
	k := &settings.Kubernetes
	proxy := hostfile.Proxy("bottlerocket", []string{"HTTPS_PROXY=" + settings.Network.HTTPSProxy})
	out := &snapshot.HostBottlerocket{
		Cluster: redact.Line(k.ClusterName), Server: redact.Line(k.Server), HostnameOverride: redact.Line(k.HostnameOverride),
		ProviderID: redact.Line(k.ProviderID), CloudProvider: redact.Line(k.CloudProvider), HTTPSProxy: proxy.HTTPS,
	}
	for i, name := range settings.Network.NoProxy {
		if i > 0 {
			out.NoProxy += ","
		}
		out.NoProxy += redact.Line(name)
	}
	var one string
	var list []string
	switch {
	case json.Unmarshal(k.ClusterDNS, &one) == nil:
		out.ClusterDNS = redact.Line(one)
	case json.Unmarshal(k.ClusterDNS, &list) == nil && len(list) > 0:
		out.ClusterDNS = redact.Line(list[0])
	}
	if n, err := strconv.Atoi(k.MaxPods.String()); err == nil {
		out.MaxPods = &n
	}
	return out, nil
}
