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

// finish says what the document as a whole lacks, and puts the faults in order of their lines.
func (p *parser) finish() {
	if p.config.count > 0 {
		p.doc.Cluster = p.config.cluster()
		p.doc.InstanceName = p.config.gates["InstanceIdNodeName"]
		p.doc.MaxPods, _ = p.config.maxPods()
		taints, _ := p.config.taints()
		p.doc.Taints = append(taints, p.doc.Taints...)
	}
	if p.flagPods > 0 {
		p.doc.MaxPods = p.flagPods
	}
	for _, field := range p.missing() {
		p.doc.Faults = append(p.doc.Faults, Fault{Line: p.clusterLine, Kind: FaultMissing, Detail: field + " is not set"})
	}
	slices.SortStableFunc(p.doc.Faults, func(a, b Fault) int { return a.Line - b.Line })
}

// unreadable reports whether the document could not be taken apart: what could not be read is not missing.
func (p *parser) unreadable() bool {
	refused := p.doc.Refused
	return refused != nil && slices.Contains([]FaultKind{FaultYAML, FaultMIME, FaultEncoding}, refused.Kind) ||
		slices.ContainsFunc(p.doc.Faults, func(f Fault) bool { return f.Kind == FaultTOML })
}

// missing names the fields without which a node cannot join, in the order in which nodeadm looks at them. Bottlerocket
// is told the DNS address and not the range.
func (p *parser) missing() []string {
	c := p.doc.Cluster
	type field struct{ name, value string }
	var fields []field
	switch {
	case p.unreadable():
	case p.doc.NodeConfigs > 0:
		ca := c.CA
		if p.config.ca != nil { // empty is not missing: nodeadm goes on with it, and fault says so
			ca = "set"
		}
		fields = []field{
			{"spec.cluster.name", c.Name}, {"spec.cluster.apiServerEndpoint", c.Endpoint},
			{"spec.cluster.certificateAuthority", ca}, {"spec.cluster.cidr", c.CIDR},
		}
		if p.config.outpost {
			fields = append(fields, field{"spec.cluster.id", p.config.id}) // of clusters on an Outpost only
		}
	case p.doc.Format == FormatBottlerocket:
		fields = []field{
			{"settings.kubernetes.cluster-name", c.Name}, {"settings.kubernetes.api-server", c.Endpoint},
			{"settings.kubernetes.cluster-certificate", c.CA},
		}
	}
	var names []string
	for _, f := range fields {
		if f.value == "" {
			names = append(names, f.name)
		}
	}
	return names
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
