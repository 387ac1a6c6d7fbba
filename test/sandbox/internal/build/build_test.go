package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestKey(t *testing.T) {
	base := key("module x\n", "sum\n", "go1.26", "-s -w")
	if again := key("module x\n", "sum\n", "go1.26", "-s -w"); again != base {
		t.Errorf("the same inputs gave %s and %s", base, again)
	}
	for name, other := range map[string]string{
		"another go.mod":          key("module y\n", "sum\n", "go1.26", "-s -w"),
		"another go.sum":          key("module x\n", "sun\n", "go1.26", "-s -w"),
		"another Go":              key("module x\n", "sum\n", "go1.27", "-s -w"),
		"other flags":             key("module x\n", "sum\n", "go1.26", "-s"),
		"the same, cut elsewhere": key("module x\ns", "um\n", "go1.26", "-s -w"),
		"nothing":                 key(),
	} {
		if other == base {
			t.Errorf("%s gave the same key", name)
		}
	}
}

func testCache(t *testing.T) (cache, *strings.Builder) {
	t.Helper()
	var mu sync.Mutex
	said := &strings.Builder{}
	return cache{dir: filepath.Join(t.TempDir(), "cache"), progress: func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(said, format+"\n", args...)
	}}, said
}

func write(name string) func(context.Context, string) error {
	return func(_ context.Context, dir string) error {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), nil, 0o644)
	}
}

func TestArtefactIsMadeOnce(t *testing.T) {
	c, said := testCache(t)
	dir, err := c.artefact(t.Context(), "tool", "k1", "building tool", write("tool"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "tool")); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said.String(), "building tool: done") {
		t.Errorf("said %q", said)
	}
	again, err := c.artefact(t.Context(), "tool", "k1", "building tool", func(context.Context, string) error {
		return errors.New("made a second time")
	})
	if err != nil || again != dir {
		t.Errorf("second time: %s, %v", again, err)
	}
	other, err := c.artefact(t.Context(), "tool", "k2", "building tool", write("tool"))
	if err != nil || other == dir {
		t.Errorf("another key: %s, %v", other, err)
	}
}

func TestInterruptedBuildIsNeverUsed(t *testing.T) {
	c, _ := testCache(t)
	broken := errors.New("out of memory")
	_, err := c.artefact(t.Context(), "tool", "k", "building tool", func(ctx context.Context, dir string) error {
		if err := write("half")(ctx, dir); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Fatalf("artefact = %v", err)
	}
	dir, err := c.artefact(t.Context(), "tool", "k", "building tool", write("whole"))
	if err != nil {
		t.Fatal(err)
	}
	if exists(filepath.Join(dir, "half")) || !exists(filepath.Join(dir, "whole")) {
		t.Error("the artefact holds what the interrupted build left")
	}
}

func TestConcurrentBuilds(t *testing.T) {
	c, _ := testCache(t)
	var mu sync.Mutex
	made := 0
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, err := c.artefact(t.Context(), "tool", "k", "building tool", func(ctx context.Context, dir string) error {
				mu.Lock()
				made++
				mu.Unlock()
				return write("tool")(ctx, dir)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made != 1 {
		t.Errorf("made %d times", made)
	}
}

func TestLockGivesUpWithItsContext(t *testing.T) {
	c, _ := testCache(t)
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	unlock, err := c.lock(t.Context(), "tool")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.lock(ctx, "tool"); !errors.Is(err, context.Canceled) {
		t.Errorf("lock = %v", err)
	}
}

func TestFindSource(t *testing.T) {
	got, err := FindSource(".")
	if err != nil {
		t.Fatal(err)
	}
	if !exists(filepath.Join(got, "controlplane", "go.mod")) {
		t.Errorf("FindSource = %s", got)
	}
	fromRoot, err := FindSource(filepath.Join(got, "..", ".."))
	if err != nil || fromRoot != got {
		t.Errorf("from the repository's root: %s, %v", fromRoot, err)
	}
	if _, err := FindSource(t.TempDir()); err == nil {
		t.Error("a folder outside a clone gave no error")
	}
}

func TestMissing(t *testing.T) {
	all := []need{
		{program: "sh", pkg: "dash"},
		{program: "no-such-program", pkg: "nothing"},
		{program: "probe", pkg: "good", probe: []string{"true"}},
		{program: "probe", pkg: "bad", probe: []string{"false"}},
	}
	got := missing(t.Context(), all)
	if len(got) != 2 || got[0].pkg != "nothing" || got[1].pkg != "bad" {
		t.Errorf("missing = %+v", got)
	}
}

// TestReleaseFlags keeps the flags on the release that the module pins.
func TestReleaseFlags(t *testing.T) {
	source, err := FindSource(".")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(source, "controlplane", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(mod), "k8s.io/kubernetes ")
	version, _, _ := strings.Cut(after, "\n")
	if !ok || !strings.Contains(releaseFlags, "gitVersion="+version+" ") {
		t.Errorf("controlplane/go.mod pins %q, the flags are %q", version, releaseFlags)
	}
}
