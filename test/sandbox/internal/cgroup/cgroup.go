// Package cgroup makes and removes one cgroup in every hierarchy of the machine:
// cgroup v1, v2 and the hybrid of both.
package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const root = "/sys/fs/cgroup"

// Hierarchies returns the root folders of all mounted hierarchies: the one of
// cgroup v2, or the v1 controllers together with "unified" and "systemd".
func Hierarchies() ([]string, error) { return hierarchies(root) }

func hierarchies(root string) ([]string, error) {
	if isHierarchy(root) {
		return []string{root}, nil
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("list cgroup hierarchies: %w", err)
	}
	var found []string
	for _, e := range entries {
		// A symbolic link (cpu -> cpu,cpuacct) is another name of one of the others.
		if dir := filepath.Join(root, e.Name()); e.IsDir() && isHierarchy(dir) {
			found = append(found, dir)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no cgroup hierarchy is mounted below %s", root)
	}
	return found, nil
}

func isHierarchy(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "cgroup.procs"))
	return err == nil
}

// Create makes the cgroup, given relative to the hierarchies' roots, and its
// parents in every hierarchy. In cpuset they take over their parent's processors
// and memory nodes, which a v1 cpuset does not do by itself.
func Create(name string) error {
	all, err := Hierarchies()
	if err != nil {
		return err
	}
	for _, h := range all {
		if err := createIn(h, name); err != nil {
			return err
		}
	}
	return nil
}

func createIn(hierarchy, name string) error {
	dir := hierarchy
	for _, elem := range strings.Split(filepath.Clean(name), "/") {
		parent := dir
		dir = filepath.Join(dir, elem)
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("make cgroup: %w", err)
		}
		if err := inheritCPUSet(parent, dir); err != nil {
			return err
		}
	}
	return nil
}

func inheritCPUSet(parent, dir string) error {
	clone := filepath.Join(dir, "cgroup.clone_children") // every v1 hierarchy has it, v2 does not
	if !exists(clone) || !exists(filepath.Join(dir, "cpuset.mems")) {
		return nil
	}
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := os.ReadFile(filepath.Join(parent, file))
		if err != nil {
			return fmt.Errorf("read parent's cpuset: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), value, 0o644); err != nil {
			return fmt.Errorf("hand cpuset down: %w", err)
		}
	}
	if err := os.WriteFile(clone, []byte("1"), 0o644); err != nil {
		return fmt.Errorf("hand cpuset down: %w", err)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Remove removes the cgroup and all below it in every hierarchy. Processes that
// were killed leave their cgroup a moment later, so a busy one is tried again until
// the time is over.
func Remove(name string, patience time.Duration) error {
	all, err := Hierarchies()
	if err != nil {
		return err
	}
	deadline := time.Now().Add(patience)
	for {
		var errs []error
		for _, h := range all {
			errs = append(errs, removeTree(filepath.Join(h, name)))
		}
		err := errors.Join(errs...)
		if err == nil || !errors.Is(err, unix.EBUSY) || time.Now().After(deadline) {
			return err
		}
		time.Sleep(20 * time.Millisecond) // rmdir has no event to wait for
	}
}

// removeTree removes a cgroup's folders depth first. Their files cannot be unlinked
// and go with the folder.
func removeTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list cgroup: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeTree(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("remove cgroup %s: %w", dir, err)
	}
	return nil
}
