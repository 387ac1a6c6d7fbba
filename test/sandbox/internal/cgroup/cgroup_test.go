package cgroup

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func TestCreateAndRemove(t *testing.T) {
	parent := "eksnodes-cgrouptest-" + strconv.Itoa(os.Getpid())
	name := parent + "/i-0123456789abcdef0"
	if err := Create(name); err != nil {
		t.Fatal(err)
	}
	all, err := Hierarchies()
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range all {
		if !exists(filepath.Join(h, name, "cgroup.procs")) {
			t.Errorf("%s has no %s", h, name)
		}
		if mems := filepath.Join(h, name, "cpuset.mems"); exists(filepath.Join(h, name, "cgroup.clone_children")) && exists(mems) {
			if got, err := os.ReadFile(mems); err != nil || len(got) < 2 {
				t.Errorf("cpuset.mems of the new cgroup = %q, %v; want the parent's", got, err)
			}
		}
	}
	if err := Remove(parent, time.Second); err != nil {
		t.Fatal(err)
	}
	for _, h := range all {
		if exists(filepath.Join(h, parent)) {
			t.Errorf("%s still has %s", h, parent)
		}
	}
	if err := Remove(parent, 0); err != nil {
		t.Errorf("removing what is gone: %v", err)
	}
}

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
