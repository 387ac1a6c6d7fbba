package product_test

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/reference/markdown"
)

// pages are all Markdown files, by their path from the root.
func pages(t *testing.T) map[string]*markdown.Page {
	t.Helper()
	found := map[string]*markdown.Page{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", "bin", "dist", "testdata", ".venv"}, entry.Name()):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".md":
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		found[filepath.ToSlash(rel)] = markdown.Parse(source)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 10 {
		t.Fatalf("only %d pages found", len(found))
	}
	return found
}

// TestLinks follows every link of every page that leads to a file of the
// repository, and to a heading in it.
func TestLinks(t *testing.T) {
	all := pages(t)
	for path, page := range all {
		for _, link := range page.Links {
			target, err := url.Parse(link.Target)
			if err != nil {
				t.Errorf("%s:%d: %v", path, link.Line, err)
				continue
			}
			if target.Scheme != "" || target.Host != "" {
				continue // other people's pages: not ours to hold
			}
			to := path
			if target.Path != "" {
				to = filepath.ToSlash(filepath.Join(filepath.Dir(path), target.Path))
			}
			if _, err := os.Stat(filepath.Join(root, to)); err != nil || strings.HasPrefix(to, "..") {
				t.Errorf("%s:%d: %s leads nowhere", path, link.Line, link.Target)
				continue
			}
			if target.Fragment != "" && (all[to] == nil || !all[to].Anchors[target.Fragment]) {
				t.Errorf("%s:%d: %s has no heading #%s", path, link.Line, to, target.Fragment)
			}
		}
	}
}
