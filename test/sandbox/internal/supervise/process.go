package supervise

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/cgroup"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// Command is the hidden command that runs a supervisor, with the path of its
// configuration as the argument.
const Command = "supervise"

func configPath(s layout.Sandbox) string { return s.Path("supervise.json") }

// Find returns the host's process id of the sandbox's supervisor, the first process
// of the sandbox's PID namespace. It is looked for by its command line, which holds
// the state directory: a file with the number could be stale or missing.
func Find(s layout.Sandbox) (pid int, ok bool) {
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return 0, false // the pattern is good
	}
	want := []string{s.Binary(), Command, configPath(s)}
	for _, file := range all {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it ended meanwhile
		}
		if args := strings.Split(string(bytes.TrimSuffix(text, []byte{0})), "\x00"); !slices.Equal(args, want) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil && pid > 0 {
			return pid, true
		}
	}
	return 0, false
}

// killTimeout is how long the kernel may take to end all processes of a namespace.
const killTimeout = 30 * time.Second

// Kill ends the supervisor and thereby everything of its namespaces: processes,
// mounts and networks. A process descriptor is held, so that no other process that
// got the same number can be hit.
func Kill(ctx context.Context, s layout.Sandbox) error {
	pid, ok := Find(s)
	if !ok {
		return nil
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open supervisor process %d: %w", pid, err)
	}
	defer func() { _ = unix.Close(fd) }()
	if again, ok := Find(s); !ok || again != pid {
		return nil
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("kill supervisor %d: %w", pid, err)
	}
	return waitExit(ctx, fd)
}

// waitExit waits for the end of the process behind a process descriptor, which the
// kernel announces after all others of its PID namespace have ended.
func waitExit(ctx context.Context, fd int) error {
	deadline := time.Now().Add(killTimeout)
	for time.Now().Before(deadline) && ctx.Err() == nil {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 100)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("wait for supervisor's end: %w", err)
		}
		if n > 0 {
			return nil
		}
	}
	return errors.Join(errors.New("the supervisor did not end"), ctx.Err())
}

// cgroupPatience is how long dead processes may take to leave their cgroups.
const cgroupPatience = 10 * time.Second

// Remove takes a sandbox away in whatever state it is: running, half started, or
// what a SIGKILL has left of it.
func Remove(ctx context.Context, s layout.Sandbox) error {
	if err := Kill(ctx, s); err != nil {
		return err
	}
	if err := cgroup.Remove(s.Cgroup(), cgroupPatience); err != nil {
		return err
	}
	// All mounts were made in the supervisor's namespace. Were one of them here,
	// removing would go through it.
	if mounted, err := mountsBelow(s.Dir); err != nil {
		return err
	} else if len(mounted) > 0 {
		return fmt.Errorf("state directory %s holds mounts: %s", s.Dir, strings.Join(mounted, ", "))
	}
	if err := os.RemoveAll(s.Dir); err != nil {
		return fmt.Errorf("remove state directory: %w", err)
	}
	return nil
}

func mountsBelow(dir string) ([]string, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	return parseMounts(string(text), dir), nil
}

// parseMounts finds the mount points at or below dir: the fifth field, see
// proc_pid_mountinfo(5). Spaces in it are written as \040.
func parseMounts(mountinfo, dir string) []string {
	var found []string
	for line := range strings.Lines(mountinfo) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		point := strings.ReplaceAll(fields[4], `\040`, " ")
		if point == dir || strings.HasPrefix(point, dir+"/") {
			found = append(found, point)
		}
	}
	return found
}

// Lock keeps other commands that start or remove the same sandbox waiting. It is
// held by the calling process until unlock, or its end.
func Lock(ctx context.Context, s layout.Sandbox) (unlock func() error, err error) {
	path := s.Dir + ".lock"
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, fmt.Errorf("open lock: %w", err)
		}
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil && sameFile(f, path) {
			return func() error { return errors.Join(os.Remove(path), f.Close()) }, nil
		}
		if cerr := f.Close(); cerr != nil {
			return nil, fmt.Errorf("close lock: %w", cerr)
		}
		if err != nil && !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("take lock: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for another command on sandbox %s: %w", s.Name, ctx.Err())
		case <-tick.C:
		}
	}
}

// sameFile reports whether the path still leads to the open file: the lock's last
// owner may have removed it between our opening and locking it.
func sameFile(f *os.File, path string) bool {
	there, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err != nil {
		return false
	}
	open, err := f.Stat()
	return err == nil && os.SameFile(there, open)
}
