package groupconfig

import (
	"encoding/json"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"
)

// Encode writes a config as a file, with comments on top.
func (c *Config) Encode(comments ...string) ([]byte, error) {
	text, err := yaml.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("write the config of %s: %w", c.Metadata.Name, err)
	}
	var head strings.Builder
	for _, comment := range comments {
		for line := range strings.Lines(comment) {
			head.WriteString("# " + strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	return append([]byte(head.String()), text...), nil
}

// Data is a config as the plain maps and values that a template is made of.
func (c *Config) Data() (map[string]any, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("write the config of %s: %w", c.Metadata.Name, err)
	}
	var data map[string]any
	if err := json.Unmarshal(text, &data); err != nil {
		return nil, fmt.Errorf("write the config of %s: %w", c.Metadata.Name, err)
	}
	return data, nil
}
