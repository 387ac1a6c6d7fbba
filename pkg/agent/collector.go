package agent

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/evidence"
)

// collectorScript prints what can be had without an agent; see its own head.
//
//go:embed collector.sh
var collectorScript string

// Collector is the script that prints a node's logs and units for
// ParseCollected: read-only, for sh, as root.
func Collector() string { return withoutComments(collectorScript) }

// OneLiner is the collector as one line to paste into a session on a node. Its
// output, saved in a file, is what `doctor --from` reads.
func OneLiner() (string, error) {
	var packed bytes.Buffer
	out, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return "", fmt.Errorf("pack the collector: %w", err)
	}
	if _, err := out.Write([]byte(Collector())); err != nil {
		return "", fmt.Errorf("pack the collector: %w", err)
	}
	if err := out.Close(); err != nil {
		return "", fmt.Errorf("pack the collector: %w", err)
	}
	return "echo " + base64.StdEncoding.EncodeToString(packed.Bytes()) + " | base64 -d | gunzip | sudo sh", nil
}

// withoutComments drops whole lines of comment and blank ones: every byte is
// sent to every node.
func withoutComments(script string) string {
	var out strings.Builder
	for line := range strings.Lines(script) {
		if text := strings.TrimSpace(line); text == "" || strings.HasPrefix(text, "#") && !strings.HasPrefix(text, "#!") {
			continue
		}
		out.WriteString(line)
	}
	return out.String()
}

// ParseCollected finds what the collector printed in an output that may hold
// more, and checks that it is whole.
func ParseCollected(output []byte) (map[string][]byte, error) {
	collected, err := evidence.ParseCollected(output)
	if err != nil {
		return nil, err
	}
	return collected.Files, nil
}
