package signature

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Bounds of a scan: anybody with root on a node writes what we read.
const (
	maxLog    = 64 << 20 // bytes of one log
	maxLine   = 8 << 10  // bytes of one line; the rest of it is not searched
	maxQuoted = 400      // bytes of a line in a fact
	maxValue  = 200      // bytes of a named part
)

// Scan reads a log of a unit (systemd unit, program, file) and returns the
// known lines in it, ordered by id: how often each was seen, when, and the
// last of them without credentials. Lines may be the program's own, or as
// journalctl prints them (short, short-iso, json). What was read before an
// error is returned with it.
func Scan(unit string, log io.Reader) ([]snapshot.Seen, error) {
	wanted := of(unit)
	found := map[string]*snapshot.Seen{}
	reader := bufio.NewReaderSize(io.LimitReader(log, maxLog), maxLine)
	for {
		text, err := reader.ReadSlice('\n')
		note(found, wanted, unit, string(text))
		for errors.Is(err, bufio.ErrBufferFull) { // the rest of a long line
			_, err = reader.ReadSlice('\n')
		}
		switch {
		case errors.Is(err, io.EOF):
			return Settle(sorted(found)), nil
		case err != nil:
			return Settle(sorted(found)), fmt.Errorf("read log of %s: %w", unit, err)
		}
	}
}

// note adds one line to what was found.
func note(found map[string]*snapshot.Seen, wanted []row, unit, text string) {
	at, message := open(text)
	if message == "" {
		return
	}
	for _, r := range wanted {
		values, ok := r.match(message)
		if !ok {
			continue
		}
		if r.Noise {
			return
		}
		seen := found[r.ID]
		if seen == nil {
			seen = &snapshot.Seen{Sig: r.ID, Where: unit, First: at}
			found[r.ID] = seen
		}
		seen.Count++
		seen.Last = at
		seen.Line = clip(redact.Line(message), maxQuoted)
		for name, value := range values {
			values[name] = clip(redact.Line(value), maxValue)
		}
		seen.Values = values
	}
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

func sorted(found map[string]*snapshot.Seen) []snapshot.Seen {
	all := make([]snapshot.Seen, 0, len(found))
	for _, seen := range found {
		all = append(all, *seen)
	}
	slices.SortFunc(all, func(a, b snapshot.Seen) int { return cmp.Compare(a.Sig, b.Sig) })
	return all
}
