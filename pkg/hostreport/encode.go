package hostreport

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// Encode writes the document, indented, within MaxBytes.
func (d *Document) Encode(w io.Writer) error { return d.encode(w, MaxBytes, "  ") }

// EncodeCompact writes the document on one line within MaxCompact, without
// the findings: they follow from the facts.
func (d *Document) EncodeCompact(w io.Writer) error {
	compact := *d
	compact.Findings = nil
	return compact.encode(w, MaxCompact, "")
}

// encode leaves out what says least until the rest fits.
func (d *Document) encode(w io.Writer, limit int, indent string) error {
	small := *d
	for _, cut := range cuts() {
		text, err := small.marshal(indent)
		if err != nil {
			return err
		}
		if len(text) <= limit {
			_, err := w.Write(text)
			return err
		}
		if cut.from(&small) {
			small.Trimmed = append(slices.Clip(small.Trimmed), cut.name)
		}
	}
	text, err := small.marshal(indent)
	if err != nil {
		return err
	}
	if len(text) > limit {
		return fmt.Errorf("encode report: %d bytes, more than %d, with everything left out that can be", len(text), limit)
	}
	_, err = w.Write(text)
	return err
}

func (d *Document) marshal(indent string) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(d); err != nil {
		return nil, fmt.Errorf("encode report: %w", err)
	}
	return out.Bytes(), nil
}

// cut leaves one part out, and reports whether there was any of it.
type cut struct {
	name string
	from func(*Document) bool
}

// cuts are in the order in which parts are left out: what can be had
// otherwise, or matters least, first. A cut changes no slice in place: the
// facts belong to the caller.
func cuts() []cut {
	return []cut{
		{"findings that pass", func(d *Document) bool {
			n := len(d.Findings)
			d.Findings = slices.DeleteFunc(slices.Clone(d.Findings), func(f report.Finding) bool { return f.Status == report.Pass })
			return len(d.Findings) < n
		}},
		{"processes", func(d *Document) bool { had := d.Facts.Processes != nil; d.Facts.Processes = nil; return had }},
		{"containers", func(d *Document) bool {
			if d.Facts.Workloads == nil {
				return false
			}
			kept := *d.Facts.Workloads
			kept.More += len(kept.Pods) + len(kept.Containers) - min(len(kept.Pods), 10)
			kept.Pods, kept.Containers = kept.Pods[:min(len(kept.Pods), 10)], nil
			d.Facts.Workloads = &kept
			return true
		}},
		{"findings", func(d *Document) bool { n := len(d.Findings); d.Findings = nil; return n > 0 }},
		{"kubelet flags", func(d *Document) bool {
			if d.Facts.Kubelet == nil || d.Facts.Kubelet.Flags == nil {
				return false
			}
			kept := *d.Facts.Kubelet
			kept.Flags = nil
			d.Facts.Kubelet = &kept
			return true
		}},
		{"words of log lines", trimLines},
		{"log lines", func(d *Document) bool { had := d.Facts.Logs != nil; d.Facts.Logs = nil; return had }},
		{"kernel events", func(d *Document) bool { had := d.Facts.Kernel != nil; d.Facts.Kernel = nil; return had }},
		{"workloads", func(d *Document) bool { had := d.Facts.Workloads != nil; d.Facts.Workloads = nil; return had }},
	}
}

// trimLines shortens the quoted lines: their ids and values stay.
func trimLines(d *Document) bool {
	if d.Facts.Logs == nil {
		return false
	}
	kept := *d.Facts.Logs
	kept.Seen = slices.Clone(kept.Seen)
	for i := range kept.Seen {
		kept.Seen[i].Line = clip(kept.Seen[i].Line, 120)
	}
	d.Facts.Logs = &kept
	return true
}

// clip cuts text at a character, not in one.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && text[limit]&0xC0 == 0x80 {
		limit--
	}
	return text[:limit]
}
