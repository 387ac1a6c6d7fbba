//go:build sandbox

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
