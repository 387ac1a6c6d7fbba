package cgroup

import (
	"os"
	"path/filepath"
	"testing"
)

func TestHierarchies(t *testing.T) {
	tests := []struct {
		name string
		dirs []string // those with a cgroup.procs file
		link string
		want []string
	}{
		{name: "v2", dirs: []string{"."}, want: []string{"."}},
		{name: "hybrid", dirs: []string{"cpu,cpuacct", "memory", "unified"}, link: "cpu", want: []string{"cpu,cpuacct", "memory", "unified"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			for _, d := range tt.dirs {
				if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(root, d, "cgroup.procs"), nil, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if tt.link != "" {
				if err := os.Symlink(tt.dirs[0], filepath.Join(root, tt.link)); err != nil {
					t.Fatal(err)
				}
			}
			got, err := hierarchies(root)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(tt.want) {
				t.Fatalf("got %v, want %v", got, tt.want)
			}
			for i, w := range tt.want {
				if got[i] != filepath.Join(root, w) {
					t.Errorf("got %v, want %v", got, tt.want)
				}
			}
		})
	}
}

func TestHierarchiesNone(t *testing.T) {
	if got, err := hierarchies(t.TempDir()); err == nil {
		t.Errorf("got %v, want an error that says that none is mounted", got)
	}
}
