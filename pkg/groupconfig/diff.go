package groupconfig

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Change is one setting that two specs have otherwise, in words for people.
type Change struct {
	Name       string // volumeSize
	Have, Want string // "" where it is left open
}

// Changes compares two specs, in the order of the type.
func Changes(have, want *Spec) ([]Change, error) {
	var out []Change
	before, after := have.Fields(), want.Fields()
	for i, field := range before {
		if field.Inline != "" || slices.Equal(field.Texts, after[i].Texts) {
			continue
		}
		words := func(texts []string) string { return strings.Join(texts, ", ") }
		if strings.HasSuffix(field.Name, "Bootstrap") {
			words = func(texts []string) string { return digestOf(strings.Join(texts, "\n")) }
		}
		out = append(out, Change{Name: field.Name, Have: words(field.Texts), Want: words(after[i].Texts)})
	}
	a, err := inlineText(have.KubeletConfig)
	if err != nil {
		return nil, err
	}
	b, err := inlineText(want.KubeletConfig)
	if err != nil {
		return nil, err
	}
	if a != b {
		out = append(out, Change{Name: "kubeletConfig", Have: a, Want: b})
	}
	if have.NodeConfig != want.NodeConfig {
		out = append(out, Change{Name: "nodeConfig", Have: digestOf(have.NodeConfig), Want: digestOf(want.NodeConfig)})
	}
	return out, nil
}

// inlineText is a part of a file on one line; "" for none.
func inlineText(fields map[string]any) (string, error) {
	if len(fields) == 0 {
		return "", nil
	}
	text, err := json.Marshal(fields)
	return string(text), err
}

// digestOf stands for user data and commands, which may hold secrets; "" for
// none.
func digestOf(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return fmt.Sprintf("%d bytes, sha256 %x…", len(text), sum[:4])
}
