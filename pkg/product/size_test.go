package product_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestBinarySize builds the released form of each binary (stripped,
// linux/amd64) and holds its size. The limits catch the imports that switch the
// linker's method pruning off and take the plugin above 100 MB.
func TestBinarySize(t *testing.T) {
	limits := map[string]int64{
		"kubectl-eksnodes": 38e6,
		"node-agent":       22e6,
	}
	for name, limit := range limits {
		t.Run(name, func(t *testing.T) {
			binary := filepath.Join(t.TempDir(), name)
			build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "../../cmd/"+name)
			build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			info, err := os.Stat(binary)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %.1f MB of %.0f MB", name, float64(info.Size())/1e6, float64(limit)/1e6)
			if info.Size() > limit {
				t.Errorf("%s has %d bytes, more than %d: see docs/decisions/0002-dependencies.md", name, info.Size(), limit)
			}
		})
	}
}
