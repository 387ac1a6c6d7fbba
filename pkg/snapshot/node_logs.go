package snapshot

import (
	"slices"
	"time"
)

// Seen is a known line of a machine's logs. Logs become facts where they are
// read, bounded and with credentials removed: a snapshot holds no raw logs
// but the serial console.
type Seen struct {
	Sig   string    `json:"sig"`   // id of the line in package signature: kubelet-401
	Where string    `json:"where"` // unit or file: kubelet, nodeadm-config, console
	Count int       `json:"count"` // lines that matched
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
	Line  string    `json:"line"` // the last of them, at most 400 bytes
	// Values are the named parts of that line: host, field, user …
	Values map[string]string `json:"values,omitempty"`
	// Road is by which the line came home, "" for collected files.
	Road string `json:"road,omitempty"`
}

// Saw returns what was seen of a known line, the first place where it stands
// if several have it, or nil.
func (n *Node) Saw(sig string) *Seen {
	for i := range n.Logs {
		if n.Logs[i].Sig == sig {
			return &n.Logs[i]
		}
	}
	return nil
}

// joinLogs adds what was seen elsewhere; the same line in the same place is
// one row, of the reading that saw more of it, or of the later one.
func joinLogs(have, added []Seen) []Seen {
	joined := slices.Clone(have)
	for _, seen := range added {
		i := slices.IndexFunc(joined, func(s Seen) bool { return s.Sig == seen.Sig && s.Where == seen.Where })
		switch {
		case i < 0:
			joined = append(joined, seen)
		case seen.Count >= joined[i].Count:
			joined[i] = seen
		}
	}
	return joined
}
