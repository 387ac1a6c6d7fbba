package snapshot

import "slices"

// SplitGap makes of the gap of a whole section one for every machine, so that
// some of them can be filled. Gaps of single machines stay.
func (s *Snapshot) SplitGap(section Section) {
	i := slices.IndexFunc(s.Gaps, func(g Gap) bool { return g.Section == section && g.Subject == "" })
	if i < 0 {
		return
	}
	whole := s.Gaps[i]
	gaps := slices.Delete(slices.Clone(s.Gaps), i, i+1)
	for j := range s.Nodes {
		id := s.Nodes[j].InstanceID
		if id == "" || slices.ContainsFunc(gaps, func(g Gap) bool { return g.Section == section && g.Subject == id }) {
			continue
		}
		one := whole
		one.Subject = id
		gaps = append(gaps, one)
	}
	s.Gaps = gaps
}

// DropGap takes a machine's gap away: its facts have come.
func (s *Snapshot) DropGap(section Section, subject string) {
	s.Gaps = slices.DeleteFunc(slices.Clone(s.Gaps), func(g Gap) bool { return g.Section == section && g.Subject == subject })
}
