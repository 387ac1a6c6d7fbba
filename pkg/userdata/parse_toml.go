package userdata

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// toml reads Bottlerocket's settings.
func (p *parser) toml(text string, line int) {
	var tree map[string]any
	if err := toml.Unmarshal([]byte(text), &tree); err != nil {
		var syntax *toml.DecodeError
		at := line
		if errors.As(err, &syntax) {
			row, _ := syntax.Position()
			at += row - 1
		}
		p.fault(at, FaultTOML, "not TOML")
		return
	}
	kubernetes := table(table(tree, "settings"), "kubernetes")
	p.clusterLine = line + lineOf(text, "[settings.kubernetes]")
	c := &p.doc.Cluster
	c.Name, _ = kubernetes["cluster-name"].(string)
	c.Endpoint, _ = kubernetes["api-server"].(string)
	c.CA, _ = kubernetes["cluster-certificate"].(string)
	if c.Endpoint != "" {
		p.checkEndpoint(line+lineOf(text, "api-server"), c.Endpoint)
	}
	if c.CA != "" {
		p.checkCA(line+lineOf(text, "cluster-certificate"), c.CA)
	}
	if pods, ok := kubernetes["max-pods"].(int64); ok && pods > 0 {
		p.doc.MaxPods = int(min(pods, 1<<16))
	}
	for key, value := range table(kubernetes, "node-labels") {
		p.label(key, fmt.Sprint(value))
	}
	p.tomlTaints(table(kubernetes, "node-taints"))
}

// tomlTaints reads both forms of node-taints: a list of "value:Effect", and one such string.
func (p *parser) tomlTaints(taints map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(taints)) {
		list, isList := taints[key].([]any)
		if !isList {
			list = []any{taints[key]}
		}
		for _, item := range list {
			value, effect, _ := strings.Cut(fmt.Sprint(item), ":")
			p.doc.Taints = append(p.doc.Taints, Taint{Key: key, Value: value, Effect: effect})
		}
	}
}

func table(tree map[string]any, key string) map[string]any {
	sub, _ := tree[key].(map[string]any)
	return sub
}

// lineOf counts the lines before the first that begins with the prefix; 0 when there is none.
func lineOf(text, prefix string) int {
	before := 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimLeft(line, " \t"), prefix) {
			return before
		}
		before++
	}
	return 0
}
