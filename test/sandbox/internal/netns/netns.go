// Package netns makes named network namespaces and does work inside them:
// listening, dialling and starting processes from one supervisor that itself
// stays where it is.
//
// A network namespace belongs to an OS thread. Every function here does its work
// on a locked thread of its own, which is given back to the Go runtime only when
// it is in its old namespace again, and dies otherwise.
package netns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// Dir is where named network namespaces are bound; ip(8) uses the same place. The
// supervisor mounts a private tmpfs there, so that the names are its own.
const Dir = "/run/netns"

const self = "/proc/thread-self/ns/net"

// Path returns the file that holds the named namespace. A name may also be the
// absolute path of such a file, by which a sandbox's namespace is reached from
// outside: /proc/PID/root/run/netns/laptop.
func Path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(Dir, name)
}

// Create makes a network namespace and brings its loopback up.
func Create(name string) error {
	return onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("unshare network namespace %s: %w", name, err)
		}
		if err := bind(name); err != nil {
			return err
		}
		return loopbackUp()
	})
}

// Adopt gives a name to the network namespace that the process itself is in.
func Adopt(name string) error {
	return onThread(func() error {
		if err := bind(name); err != nil {
			return err
		}
		return loopbackUp()
	})
}

// Delete takes the name away. The namespace ends with its last process and socket.
func Delete(name string) error {
	if err := unix.Unmount(Path(name), unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("unmount network namespace %s: %w", name, err)
	}
	if err := os.Remove(Path(name)); err != nil {
		return fmt.Errorf("remove network namespace %s: %w", name, err)
	}
	return nil
}

// Exists reports whether the name is taken.
func Exists(name string) bool {
	_, err := os.Stat(Path(name))
	return err == nil
}

// Do calls f on an OS thread inside the named namespace. Sockets that f opens and
// processes that it starts stay there. Goroutines that f starts do not.
func Do(name string, f func() error) error { return doAt(Path(name), f) }

// doAt is Do for the namespace behind a file.
func doAt(path string, f func() error) error {
	return onThread(func() error {
		ns, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("open network namespace: %w", err)
		}
		err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
		if cerr := ns.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return fmt.Errorf("enter network namespace %s: %w", path, err)
		}
		return f()
	})
}

// onThread runs f on a locked OS thread and puts the thread back into the network
// namespace it came from. A thread that cannot go back stays locked, so that it
// ends together with its goroutine.
func onThread(f func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		home, err := os.Open(self)
		if err != nil {
			result <- fmt.Errorf("open own network namespace: %w", err)
			return
		}
		err = f()
		if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		result <- errors.Join(err, home.Close())
	}()
	return <-result
}

func bind(name string) error {
	f, err := os.OpenFile(Path(name), os.O_CREATE|os.O_EXCL|os.O_RDONLY, 0o444)
	if err != nil {
		return fmt.Errorf("name network namespace %s: %w", name, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("name network namespace %s: %w", name, err)
	}
	if err := unix.Mount(self, Path(name), "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind network namespace %s: %w", name, errors.Join(err, os.Remove(Path(name))))
	}
	return nil
}

// loopbackUp sets IFF_UP on lo of the thread's namespace.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open socket for lo: %w", err)
	}
	defer func() { _ = unix.Close(fd) }() // nothing was written through it
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("name lo: %w", err)
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr); err != nil {
		return fmt.Errorf("bring lo up: %w", err)
	}
	return nil
}
