package userdata

import (
	"strconv"
	"strings"
)

// kubeletFlags reads flags of the kubelet, "--name=value" or "--name value". Labels and taints are taken out of them.
func (p *parser) kubeletFlags(flags []string, line int) {
	for i := 0; i < len(flags); i++ {
		name, value, joined := strings.Cut(flags[i], "=")
		if !joined && i+1 < len(flags) && !strings.HasPrefix(flags[i+1], "-") {
			i++
			value = flags[i]
		}
		switch name {
		case "--node-labels":
			p.flagLabels(value)
		case "--register-with-taints":
			p.flagTaints(value, line)
		case "--max-pods":
			if pods, err := strconv.Atoi(value); err == nil {
				p.flagPods = max(pods, 0)
			}
			p.doc.KubeletFlags = append(p.doc.KubeletFlags, name+"="+value)
		default:
			if value != "" {
				name += "=" + value
			}
			p.doc.KubeletFlags = append(p.doc.KubeletFlags, name)
		}
	}
}

func (p *parser) flagLabels(value string) {
	for pair := range strings.SplitSeq(value, ",") {
		if key, value, found := strings.Cut(pair, "="); found {
			p.label(key, value)
		}
	}
}

func (p *parser) flagTaints(value string, line int) {
	for spec := range strings.SplitSeq(value, ",") {
		head, effect, found := strings.Cut(spec, ":")
		if !found {
			p.fault(line, FaultValue, "--register-with-taints has a taint without an effect")
			continue
		}
		key, value, _ := strings.Cut(head, "=")
		p.doc.Taints = append(p.doc.Taints, Taint{Key: key, Value: value, Effect: effect})
	}
}

func (p *parser) label(key, value string) {
	if p.doc.Labels == nil {
		p.doc.Labels = map[string]string{}
	}
	p.doc.Labels[key] = value
}
