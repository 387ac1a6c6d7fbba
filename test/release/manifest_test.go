package release

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
)

// releases is where the manifest's archives will be.
const releases = "https://github.com/eksnodes/kubectl-eksnodes/releases/download/"

// render does to krew.yaml what krew-release-bot does at a release, for a tag,
// with the archives in dist. Addresses begin with base instead of GitHub's.
func render(t *testing.T, tag, base string) []byte {
	t.Helper()
	path := filepath.Join(first(t), "krew.yaml")
	values := map[string]string{"TagName": tag}
	expand := func(text string) (string, error) {
		var out bytes.Buffer
		parsed, err := template.New("address").Parse(text)
		if err != nil {
			return "", err
		}
		err = parsed.Execute(&out, values)
		return out.String(), err
	}
	manifest, err := template.New("manifest").Funcs(template.FuncMap{
		"addURIAndSha": func(address, _ string) (string, error) {
			address, err := expand(address)
			if err != nil {
				return "", err
			}
			name, ok := strings.CutPrefix(address, releases+tag+"/")
			if !ok {
				return "", fmt.Errorf("%s is not below %s", address, releases+tag)
			}
			content, err := os.ReadFile(filepath.Join(dist(t), name))
			if err != nil {
				return "", err
			}
			// Four columns in front of the second line are the bot's own habit.
			return fmt.Sprintf("uri: %s/%s\n    sha256: %s", base+tag, name, sum(content)), nil
		},
	}).Parse(string(read(t, path)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := manifest.Execute(&out, values); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// write saves a manifest under the name that Krew's index wants.
func write(t *testing.T, dir string, manifest []byte) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "eksnodes.yaml")
	if err := os.WriteFile(path, manifest, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
