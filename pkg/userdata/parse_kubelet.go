package userdata

import (
	"maps"
	"slices"
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
				p.doc.MaxPods = max(pods, 0)
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

// finish says what the document as a whole lacks, and puts the faults in order of their lines.
func (p *parser) finish() {
	if p.doc.NodeConfigs > 0 || p.doc.Format == FormatBottlerocket {
		p.missing()
	}
	slices.SortStableFunc(p.doc.Faults, func(a, b Fault) int { return a.Line - b.Line })
}

// missing names the fields without which a node cannot join. Bottlerocket is told the DNS address and not the range.
func (p *parser) missing() {
	c, bottlerocket := p.doc.Cluster, p.doc.Format == FormatBottlerocket
	for _, field := range []struct{ nodeadm, bottlerocket, value string }{
		{"spec.cluster.name", "settings.kubernetes.cluster-name", c.Name},
		{"spec.cluster.apiServerEndpoint", "settings.kubernetes.api-server", c.Endpoint},
		{"spec.cluster.certificateAuthority", "settings.kubernetes.cluster-certificate", c.CA},
		{"spec.cluster.cidr", "", c.CIDR},
	} {
		name := field.nodeadm
		if bottlerocket {
			name = field.bottlerocket
		}
		if field.value == "" && name != "" {
			p.fault(p.clusterLine, FaultMissing, "%s is not set", name)
		}
	}
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
