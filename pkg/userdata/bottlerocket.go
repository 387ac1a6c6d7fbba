package userdata

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// UnsupportedError names what was asked for that a kind of user data cannot say.
type UnsupportedError struct {
	Family string
	Wishes []string
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s user data cannot express %s", e.Family, strings.Join(e.Wishes, ", "))
}

// Bottlerocket renders user data for Bottlerocket: TOML, under settings.kubernetes
// (https://bottlerocket.dev/en/os/latest/#/api/settings/kubernetes/). The user's own TOML is merged in, table by
// table; where both say something, ours wins.
//
// Bottlerocket has no shell and no nodeadm. A configuration that needs either gives an *UnsupportedError; only the
// beacon is left out without a word, since nobody asks for it by name.
func Bottlerocket(c Config) ([]byte, error) {
	if err := c.Cluster.Validate(); err != nil {
		return nil, err
	}
	if wishes := needsNodeadm(c); len(wishes) > 0 {
		return nil, &UnsupportedError{Family: "bottlerocket", Wishes: wishes}
	}
	settings := map[string]any{}
	for i, raw := range c.User {
		own, err := readTOML(raw)
		if err != nil {
			return nil, fmt.Errorf("user data %d of %d: %w", i+1, len(c.User), err)
		}
		if err := merge(settings, own, ""); err != nil {
			return nil, fmt.Errorf("user data %d of %d: %w", i+1, len(c.User), err)
		}
	}
	ours, err := bottlerocketSettings(c)
	if err != nil {
		return nil, err
	}
	if err := merge(settings, ours, ""); err != nil {
		return nil, fmt.Errorf("merge the user's settings: %w", err)
	}
	document, err := toml.Marshal(settings)
	if err != nil {
		return nil, fmt.Errorf("render Bottlerocket settings: %w", err)
	}
	return limited(document)
}

func bottlerocketSettings(c Config) (map[string]any, error) {
	dns, err := ClusterDNS(c.Cluster.CIDR)
	if err != nil {
		return nil, err
	}
	kubernetes := map[string]any{
		"api-server":          c.Cluster.Endpoint,
		"cluster-certificate": c.Cluster.CA,
		"cluster-name":        c.Cluster.Name,
		"cluster-dns-ip":      dns,
	}
	if len(c.Labels) > 0 {
		labels := map[string]any{}
		for key, value := range c.Labels {
			labels[key] = value
		}
		kubernetes["node-labels"] = labels
	}
	if len(c.Taints) > 0 {
		kubernetes["node-taints"] = taintTable(c.Taints)
	}
	if c.MaxPods > 0 {
		kubernetes["max-pods"] = int64(c.MaxPods)
	}
	settings := map[string]any{"kubernetes": kubernetes}
	if c.WarmPool {
		// Bottlerocket itself waits until the machine is in service
		// (https://github.com/bottlerocket-os/bottlerocket/pull/2562).
		settings["autoscaling"] = map[string]any{"should-wait": true}
	}
	if c.AdminContainer {
		settings["host-containers"] = map[string]any{"admin": map[string]any{"enabled": true}}
	}
	return map[string]any{"settings": settings}, nil
}

// taintTable writes taints as Bottlerocket has them: key to a list of "value:Effect". A list, because one key may
// carry several effects.
func taintTable(taints []Taint) map[string]any {
	table := map[string]any{}
	for _, t := range taints {
		list, _ := table[t.Key].([]any)
		table[t.Key] = append(list, t.Value+":"+t.Effect)
	}
	return table
}

// needsNodeadm names the wishes that only nodeadm or a shell can grant.
func needsNodeadm(c Config) []string {
	var wishes []string
	for _, wish := range []struct {
		words string
		asked bool
	}{
		{"a pod limit by expression", c.MaxPodsExpression != ""},
		{"kubelet configuration", len(c.KubeletConfig) > 0},
		{"kubelet flags", len(c.KubeletFlags) > 0},
		{"containerd configuration", c.ContainerdConfig != ""},
		{"local storage", c.LocalStorage != ""},
		{"nodeadm feature gates", len(c.FeatureGates) > 0},
		{"bootstrap commands", len(c.PreBootstrap)+len(c.PostBootstrap) > 0},
	} {
		if wish.asked {
			wishes = append(wishes, wish.words)
		}
	}
	return wishes
}

func readTOML(raw []byte) (map[string]any, error) {
	text, err := decode(raw)
	if err != nil {
		return nil, err
	}
	own := map[string]any{}
	if err := toml.Unmarshal(stripCR(text), &own); err != nil {
		return nil, fmt.Errorf("bottlerocket user data must be TOML: %w", err)
	}
	return own, nil
}

// merge puts src over dst, table by table. A table in place of a plain value, or the reverse, is an error that names
// the key.
func merge(dst, src map[string]any, path string) error {
	for _, key := range slices.Sorted(maps.Keys(src)) {
		have, exists := dst[key]
		haveTable, haveIsTable := have.(map[string]any)
		table, isTable := src[key].(map[string]any)
		switch {
		case !exists || !haveIsTable && !isTable:
			dst[key] = src[key]
		case haveIsTable && isTable:
			if err := merge(haveTable, table, path+key+"."); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s%s is a table in one place and a value in another", path, key)
		}
	}
	return nil
}
