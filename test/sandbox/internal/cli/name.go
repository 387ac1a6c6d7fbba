package cli

import (
	"path/filepath"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/build"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// defaultName names a sandbox after the clone that it is run from.
func defaultName() (string, error) {
	source, err := build.FindSource(".")
	if err != nil {
		return "", err
	}
	return nameOf(filepath.Dir(filepath.Dir(source))), nil
}

// nameOf makes a name from a repository's folder: what is readable of its own name,
// and a hash of its path, so that two clones do not meet.
func nameOf(repository string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(filepath.Base(repository)) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else if b.Len() > 0 {
			b.WriteByte('-')
		}
	}
	readable := strings.Trim(b.String()[:min(b.Len(), 20)], "-")
	return strings.TrimPrefix(readable+"-"+layout.CloneHash(repository), "-")
}
