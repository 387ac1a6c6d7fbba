package node

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// initConfig is what the first process of a node has to know. Start writes it
// as JSON into the node's directory, mode 0600.
type initConfig struct {
	InstanceID string   `json:"instanceID"`
	Hostname   string   `json:"hostname"`   // the private DNS name
	Dir        string   `json:"dir"`        // the node's directory on the machine
	Lower      []string `json:"lower"`      // overlay's lower folders, topmost first
	Cgroup     string   `json:"cgroup"`     // relative to each hierarchy's root
	Console    string   `json:"console"`    // terminal bound over /dev/console
	KernelLog  string   `json:"kernelLog"`  // terminal bound over /dev/kmsg
	Nameserver string   `json:"nameserver"` // the VPC's resolver
	Search     string   `json:"search"`     // DNS search domain
	CloudInit  bool     `json:"cloudInit"`  // false: the image's cloud-init stays off
}

func (c initConfig) path(elem ...string) string {
	return filepath.Join(append([]string{c.Dir}, elem...)...)
}

func readInitConfig(path string) (initConfig, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return initConfig{}, fmt.Errorf("read node configuration: %w", err)
	}
	var c initConfig
	if err := json.Unmarshal(data, &c); err != nil {
		return initConfig{}, fmt.Errorf("read node configuration %s: %w", path, err)
	}
	return c, nil
}

func (c initConfig) write(path string) error {
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("write node configuration: %w", err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return fmt.Errorf("write node configuration: %w", err)
	}
	return nil
}
