package product_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestActionsArePinned: an action is named by one release, never by a branch
// or a tag that moves.
func TestActionsArePinned(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no workflows: %v", err)
	}
	uses := regexp.MustCompile(`(?m)\buses:\s*(\S+)`)
	pinned := regexp.MustCompile(`^[\w-]+/[\w./-]+@(v\d+\.\d+\.\d+|[0-9a-f]{40})$`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range uses.FindAllStringSubmatch(string(text), -1) {
			if !pinned.MatchString(match[1]) {
				t.Errorf("%s uses %s: name a release", filepath.Base(file), match[1])
			}
		}
	}
}
