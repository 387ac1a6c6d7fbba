package evidence

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Bounds of what the collector printed.
const (
	maxPacked    = 64 << 10
	maxCollected = 4 << 20
)

// Collected is what the shell collector read on a node.
type Collected struct {
	InstanceID string // "" when the node did not know
	At         time.Time
	// Files by their names below node/INSTANCE/.
	Files map[string][]byte
}

// The collector's first and last lines.
var (
	collectedBegin = regexp.MustCompile(`(?m)^node-collector v1 (\S+) (\S+)\s*$`)
	collectedEnd   = regexp.MustCompile(`(?m)^node-collector end\s*$`)
)

// ErrNotCollected says that a text holds no output of the collector.
var ErrNotCollected = errors.New("no output of the collector")

// ParseCollected finds the collector's output in a text: prompts and greetings
// may stand around it. One that was cut off anywhere is an error.
func ParseCollected(text []byte) (*Collected, error) {
	begin := collectedBegin.FindSubmatchIndex(text)
	if begin == nil {
		return nil, ErrNotCollected
	}
	out := &Collected{Files: map[string][]byte{}}
	if id := string(text[begin[2]:begin[3]]); instanceIDs.FindString(id) == id {
		out.InstanceID = id
	}
	if at, err := time.Parse(time.RFC3339, string(text[begin[4]:begin[5]])); err == nil {
		out.At = at
	}
	rest := text[begin[1]:]
	end := collectedEnd.FindIndex(rest)
	if end == nil {
		return nil, fmt.Errorf("the collector's output is cut off after %d characters", len(rest))
	}
	packed := bytes.Join(bytes.Fields(rest[:end[0]]), nil)
	if len(packed) > maxPacked {
		return nil, fmt.Errorf("the collector's output: %w", errTooLarge)
	}
	plain, err := unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("the collector's output is damaged: %w", err)
	}
	name := ""
	for line := range bytes.Lines(plain) {
		if text, ok := bytes.CutPrefix(line, []byte("|")); ok && name != "" {
			out.Files[name] = append(out.Files[name], text...)
			continue
		}
		heading, ok := strings.CutPrefix(strings.TrimSpace(string(line)), "# ")
		if name = heading; !ok || name != path.Base(name) || name == "." || name == ".." {
			return nil, errors.New("the collector's output is damaged: a line of no file")
		}
		out.Files[name] = nil
	}
	return out, nil
}

func unpack(packed []byte) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(string(packed))
	if err != nil {
		return nil, err
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(unpacked, maxCollected+1))
	if err == nil && len(plain) > maxCollected {
		err = errTooLarge
	}
	return plain, err
}

// Memory are files that are in memory already, by their names in the layout.
func Memory(contents map[string][]byte, modified time.Time) *Files {
	return &Files{
		names: slices.Sorted(maps.Keys(contents)), modified: modified.UTC(),
		read: func(name string) ([]byte, error) { return contents[name], nil },
	}
}

// AsFiles gives what was collected the places that the layout has for it.
func (c *Collected) AsFiles() *Files {
	dir := c.InstanceID
	if dir == "" {
		dir = unknownDir
	}
	contents := make(map[string][]byte, len(c.Files))
	for name, data := range c.Files {
		contents["node/"+dir+"/"+name] = data
	}
	return Memory(contents, c.At)
}
