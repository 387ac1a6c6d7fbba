package product_test

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// The limits of the released binaries, in bytes. They catch the imports that
// switch the linker's method pruning off and take the plugin above 100 MB.
const (
	maxAgent  = 22e6
	maxPlugin = 54e6 // with both agents inside
)

// TestBinarySize builds the released form of each binary (stripped; the plugin
// for linux/amd64, carrying the agents as `make build` packs them) and holds
// its size.
func TestBinarySize(t *testing.T) {
	dir := t.TempDir()
	overlay := map[string]string{}
	place := func(name, text string) {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay[filepath.Join(root, "pkg/agent/binaries", name)] = file
	}
	place("SHA256SUMS", "")
	for _, arch := range []string{"amd64", "arm64"} {
		agent := filepath.Join(dir, "node-agent-"+arch)
		build(t, arch, agent, "node-agent")
		hold(t, agent, maxAgent)
		place("node-agent-linux-"+arch+".gz", packed(t, agent))
	}
	plan := filepath.Join(dir, "overlay.json")
	text, err := json.Marshal(map[string]any{"Replace": absolute(t, overlay)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(plan, text, 0o600); err != nil {
		t.Fatal(err)
	}
	plugin := filepath.Join(dir, product.Binary)
	build(t, "amd64", plugin, product.Binary, "-overlay", plan)
	hold(t, plugin, maxPlugin)
}

func build(t *testing.T, arch, out, command string, flags ...string) {
	t.Helper()
	args := slices.Concat([]string{"build", "-trimpath", "-ldflags", "-s -w", "-o", out}, flags, []string{"../../cmd/" + command})
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func hold(t *testing.T, binary string, limit int64) {
	t.Helper()
	info, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %.1f MB of %.0f MB", filepath.Base(binary), float64(info.Size())/1e6, float64(limit)/1e6)
	if info.Size() > limit {
		t.Errorf("%s has %d bytes, more than %d: see docs/decisions/0002-dependencies.md", filepath.Base(binary), info.Size(), limit)
	}
}

// packed is a file as `gzip -9` packs it.
func packed(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	packer, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := packer.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := packer.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func absolute(t *testing.T, files map[string]string) map[string]string {
	t.Helper()
	out := make(map[string]string, len(files))
	for name, file := range files {
		full, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		out[full] = file
	}
	return out
}
