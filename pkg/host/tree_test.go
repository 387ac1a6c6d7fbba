//go:build linux

package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// plant writes files below a new root.
func plant(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	plantIn(t, root, files)
	return root
}

// plantIn writes files below a root.
func plantIn(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A machine's files may be anything that somebody with root on it has made
// of them: nothing leads out of the root, nothing is waited for, and nothing
// is read without end.
func TestTreeIsBounded(t *testing.T) {
	root := plant(t, map[string]string{"etc/plain": "text\nmore\n", "etc/huge": strings.Repeat("x", maxFile+1), "log/long": strings.Repeat("line\n", 1000)})
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("outside"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"etc/absolute": "/etc/plain", "etc/relative": "plain", "etc/escape": "../../../../../../.." + outside, "etc/elsewhere": outside, "etc/loop": "loop", "log/link": "long"} {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mkfifo(filepath.Join(root, "etc/pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	files := tree{root: root}
	for name, want := range map[string]string{"/etc/plain": "text\nmore\n", "/etc/absolute": "text\nmore\n", "/etc/relative": "text\nmore\n"} {
		if got, err := files.read(name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, want := range map[string]error{"/etc/escape": fs.ErrNotExist, "/etc/elsewhere": fs.ErrNotExist, "/etc/pipe": errNotAFile, "/etc": errNotAFile, "/etc/loop": unix.ELOOP, "/none": fs.ErrNotExist} {
		if got, err := files.read(name); !errors.Is(err, want) {
			t.Errorf("%s: %q, %v, want %v", name, got, err, want)
		}
	}
	if _, err := files.read("/etc/huge"); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("huge: %v", err)
	}
	if got, err := files.tail("/log/long", 22); err != nil || string(got) != "line\nline\nline\nline\n" {
		t.Errorf("tail is %q, %v", got, err)
	}
	if _, err := files.tail("/log/link", 10); !errors.Is(err, unix.ELOOP) {
		t.Errorf("a link among logs: %v", err)
	}
	if names, err := files.names("/"); err != nil || strings.Join(names, " ") != "etc log" {
		t.Errorf("names are %q, %v", names, err)
	}
}
