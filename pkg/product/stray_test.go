package product_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

const root = "../.."

// onTheNode are files whose text runs on a node: there the name is part of
// user data that must keep its bytes from version to version.
func onTheNode() map[string]bool {
	return map[string]bool{
		"pkg/userdata/commands.go": true, "pkg/userdata/beacon.sh": true, "pkg/userdata/warmpool.go": true, "pkg/userdata/warmpool.sh": true,
	}
}

// TestNamesStandInOnePlace looks for the product's names in the literals of
// the program. Import paths are the module's own affair, tests and their data
// quote what users see.
func TestNamesStandInOnePlace(t *testing.T) {
	names := []string{product.PluginName, product.Owner, product.ImageRepository, strings.TrimSuffix(product.TagPrefix, "/")}
	for _, top := range []string{"pkg", "cmd"} {
		walk(t, top, func(path string) {
			if onTheNode()[path] || within(path, "pkg/product") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "test/") {
				return
			}
			switch filepath.Ext(path) {
			case ".go":
				for _, literal := range literals(t, path) {
					for _, name := range names {
						if strings.Contains(literal, name) {
							t.Errorf("%s says %q: take it from pkg/product", path, literal)
						}
					}
				}
			case ".md":
			default:
				for _, name := range names {
					if contains(t, path, name) {
						t.Errorf("%s says %q: write it from Go, or name the file here with the reason", path, name)
					}
				}
			}
		})
	}
}

func contains(t *testing.T, path, text string) bool {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(data), text)
}

// literals are the string literals of a Go file but for its imports.
func literals(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		if _, ok := n.(*ast.ImportSpec); ok {
			return false
		}
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Errorf("%s: %v", path, err)
			}
			found = append(found, text)
		}
		return true
	})
	return found
}

// TestReleaseFilesAgree holds the files that cannot read Go constants to the
// names in this package.
func TestReleaseFilesAgree(t *testing.T) {
	for file, want := range map[string][]string{
		"go.mod":           {"module " + module + "\n"},
		"krew.yaml":        {"name: " + product.PluginName + "\n", product.Homepage, product.Binary},
		".goreleaser.yaml": {product.Binary},
	} {
		data, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, text := range want {
			if !strings.Contains(string(data), text) {
				t.Errorf("%s does not say %q", file, strings.TrimSpace(text))
			}
		}
	}
}

// walk visits the files below a top-level folder by their path from the root.
// Test data is left out.
func walk(t *testing.T, top string, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(root, top), func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == "testdata":
			return filepath.SkipDir
		case entry.IsDir():
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		visit(filepath.ToSlash(rel))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
