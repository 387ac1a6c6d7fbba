package cli

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestCompletionShim: what kubectl finds on each system.
func TestCompletionShim(t *testing.T) {
	for goos, want := range map[string]struct{ file, script string }{
		"linux":   {"kubectl_complete-eksnodes", "#!/bin/sh\nexec kubectl eksnodes __complete \"$@\"\n"},
		"darwin":  {"kubectl_complete-eksnodes", "#!/bin/sh\nexec kubectl eksnodes __complete \"$@\"\n"},
		"windows": {"kubectl_complete-eksnodes.cmd", "@kubectl eksnodes __complete %*\r\n"},
	} {
		file, script := completionShim(goos)
		if file != want.file || script != want.script {
			t.Errorf("%s: %s holds %q", goos, file, script)
		}
		// kubectl looks the name up as the system looks up programs.
		if name := strings.TrimSuffix(file, filepath.Ext(file)); goos == "windows" && name != completionFile {
			t.Errorf("%s: %s is not found by the name %s", goos, file, completionFile)
		}
	}
}
