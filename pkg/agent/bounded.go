package agent

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
)

// Bounds of what one machine may say, in bytes.
const (
	maxOutput = 1 << 20
	maxStderr = 8 << 10
)

// errTooMuch ends the listening to a machine that says more than any report.
var errTooMuch = fmt.Errorf("it said more than %d KiB, which is no report", maxOutput>>10)

// capture keeps what is written up to a limit. A strict one refuses what
// comes after that, and calls full once; another one drops it.
type capture struct {
	limit  int
	strict bool
	full   func()

	mu   sync.Mutex
	buf  bytes.Buffer
	over bool
}

// Write keeps what there is room for.
func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := c.limit - c.buf.Len()
	c.buf.Write(p[:min(room, len(p))])
	if len(p) <= room {
		return len(p), nil
	}
	if !c.strict {
		return len(p), nil
	}
	if !c.over && c.full != nil {
		c.full()
	}
	c.over = true
	return 0, errTooMuch
}

// Bytes is what was kept.
func (c *capture) Bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.buf.Bytes())
}

// overflown reports whether a strict capture refused something.
func (c *capture) overflown() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.over
}

// lastLine is the last line that says something, cleaned.
func lastLine(text []byte) string {
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return redact.Line(string(lines[len(lines)-1]))
}

// between cuts out what a script printed between the lines that it marked. A
// login's greeting may stand before them. Complete is false when the end is
// not there.
func between(output []byte, marker string) (body []byte, code int, complete bool) {
	_, rest, found := bytes.Cut(output, []byte(marker+" begin\n"))
	if !found {
		return nil, 0, false
	}
	body, tail, found := bytes.Cut(rest, []byte("\n"+marker+" end "))
	if !found {
		return rest, 0, false
	}
	if _, err := fmt.Sscanf(string(tail), "%d", &code); err != nil {
		return body, 0, false
	}
	return body, code, true
}

// errNotWhole says that a report was cut off on its way.
var errNotWhole = errors.New("its report did not arrive whole")

// gunzip unpacks up to a limit; more than that is an error.
func gunzip(packed []byte, limit int) ([]byte, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(unpacked, int64(limit)+1))
	if err == nil && len(plain) > limit {
		err = errTooMuch
	}
	return plain, err
}
