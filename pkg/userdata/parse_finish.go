package userdata

import "slices"

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
