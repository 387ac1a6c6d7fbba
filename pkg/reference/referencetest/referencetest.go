// Package referencetest holds folders of generated pages to what generates
// them.
package referencetest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Hold compares a folder's Markdown files with the pages, by file name: a page
// that differs, is missing or is made of nothing any more fails the test. With
// update the folder is made equal first.
func Hold(t *testing.T, dir string, pages map[string]string, update bool) {
	t.Helper()
	if update {
		write(t, dir, pages)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]string{}
	for _, path := range found {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		have[filepath.Base(path)] = string(text)
	}
	if diff := cmp.Diff(pages, have); diff != "" {
		t.Errorf("%s is not what its sources say (make generate writes it):\n%s", dir, diff)
	}
}

func write(t *testing.T, dir string, pages map[string]string) {
	t.Helper()
	stale, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stale {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
