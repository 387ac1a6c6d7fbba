package seat

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/netns"
)

// Hidden commands that do the second half of entering, inside the sandbox.
const (
	// SitCommand takes the resolv.conf to mount and the command to become.
	SitCommand = "seat-sit"
	// NodeCommand takes the process id of a node's first process, as the sandbox
	// sees it, and the command to run.
	NodeCommand = "seat-node"
)

// Run runs a command at the seat of the sandbox whose supervisor has the given
// process id, with the caller's standard streams, terminal and working directory.
// Signals are passed on, and a caller that is killed takes the command with it. It
// returns the command's exit code as a shell would. A folder in path comes first in
// the search path.
func Run(ctx context.Context, s layout.Sandbox, supervisor int, path string, command []string) (int, error) {
	p, err := Load(s)
	if err != nil {
		return 0, err
	}
	if path != "" {
		p.Path = path + ":" + p.Path
	}
	args := append([]string{s.Binary(), SitCommand, p.ResolvConf}, command...)
	dir, err := os.Getwd()
	if err != nil {
		return 0, fmt.Errorf("find working directory: %w", err)
	}
	return enterAndRun(ctx, supervisor, &exec.Cmd{Path: args[0], Args: args, Env: p.Environ(os.Getenv), Dir: dir})
}

// RunInNode runs a command in a node, whose first process has the given id inside the
// sandbox's PID namespace. Signals and exit code are passed on as in Run.
func RunInNode(ctx context.Context, s layout.Sandbox, supervisor, node int, command []string) (int, error) {
	args := append([]string{s.Binary(), NodeCommand, strconv.Itoa(node)}, command...)
	return enterAndRun(ctx, supervisor, &exec.Cmd{Path: args[0], Args: args, Env: []string{"TERM=" + os.Getenv("TERM")}, Dir: "/"})
}

// enterAndRun runs a command inside the namespaces of a process.
func enterAndRun(ctx context.Context, pid int, cmd *exec.Cmd) (int, error) {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr

	signals := make(chan os.Signal, 16)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH)
	defer signal.Stop(signals)

	started, ended := make(chan error, 1), make(chan struct{})
	go func() {
		// The namespaces belong to this thread, which is never given back. It lives on,
		// since its end would be its child's: see dieWithParent.
		runtime.LockOSThread()
		err := enter(pid)
		if err == nil {
			err = cmd.Start()
		}
		started <- err
		<-ended
	}()
	defer close(ended)
	if err := <-started; err != nil {
		return 0, fmt.Errorf("enter sandbox: %w", err)
	}
	stop := make(chan struct{})
	defer close(stop)
	go forward(ctx, signals, cmd.Process, stop)
	return exitCode(cmd.Wait())
}

// enter moves the thread into the namespaces of a process; children of the thread
// will be in its PID namespace, too.
func enter(pid int) error {
	// A thread that shares its working directory cannot change its mounts.
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return fmt.Errorf("unshare working directory: %w", err)
	}
	kinds := []struct {
		name string
		flag int
	}{
		{"pid", unix.CLONE_NEWPID}, {"ipc", unix.CLONE_NEWIPC}, {"uts", unix.CLONE_NEWUTS},
		{"net", unix.CLONE_NEWNET}, {"cgroup", unix.CLONE_NEWCGROUP}, {"mnt", unix.CLONE_NEWNS},
	}
	fds := make([]int, len(kinds))
	for i, k := range kinds { // all before the first is entered: /proc is another one then
		fd, err := unix.Open(filepath.Join("/proc", strconv.Itoa(pid), "ns", k.name), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open %s namespace of process %d: %w", k.name, pid, err)
		}
		defer func() { _ = unix.Close(fd) }()
		fds[i] = fd
	}
	for i, k := range kinds {
		if err := unix.Setns(fds[i], k.flag); err != nil {
			return fmt.Errorf("enter %s namespace: %w", k.name, err)
		}
	}
	return nil
}

// signalLag is how much later than the end of the context that it caused a signal
// may be seen here.
const signalLag = time.Second

// forward passes signals on. Those of the keyboard reach the command by itself, as a
// member of the terminal's foreground process group; a second one does no harm to it.
// A context that ends without a signal ends the command by SIGTERM. One that a signal
// has ended must not: to many programs a second signal says to die at once.
func forward(ctx context.Context, signals <-chan os.Signal, p *os.Process, stop <-chan struct{}) {
	done := ctx.Done()
	var late <-chan time.Time
	for {
		select {
		case s := <-signals:
			_ = p.Signal(s) // it may have ended
			if s != unix.SIGWINCH {
				done, late = nil, nil
			}
		case <-done:
			done, late = nil, time.After(signalLag)
		case <-late:
			_ = p.Signal(unix.SIGTERM)
			late = nil
		case <-stop:
			return
		}
	}
}

// exitCode translates a wait result into what a shell gives: 128 and the signal's
// number for a command that a signal has ended.
func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case !errors.As(err, &exit):
		return 0, fmt.Errorf("wait for command: %w", err)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}

// dieWithParent ends this process when the thread that started it ends. It is done
// here and not by the parent, whose process id means nothing on this side of the PID
// namespace: from here, a living parent has the number 0.
func dieWithParent() error {
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("bind life to parent's: %w", err)
	}
	if os.Getppid() != 0 {
		return errors.New("the calling command has ended")
	}
	return nil
}

// Node is the second half of RunInNode, inside the sandbox.
func Node(ctx context.Context, pid int, command []string) (int, error) {
	if err := dieWithParent(); err != nil {
		return 0, err
	}
	// The program is looked for by the node's own env(1), in the node.
	args := append([]string{"env", "-i",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/root", "LANG=C.UTF-8", "TERM=" + os.Getenv("TERM")}, command...)
	return enterAndRun(ctx, pid, &exec.Cmd{Path: "/usr/bin/env", Args: args, Dir: "/"})
}

// Sit is the second half of Run, inside the namespaces of the supervisor: it moves
// into the laptop's network, with its resolv.conf in a mount namespace of its own, and
// becomes the command. It returns only when that fails.
func Sit(resolvConf string, command []string) error {
	runtime.LockOSThread()
	if err := dieWithParent(); err != nil {
		return err
	}
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare mounts: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount(resolvConf, "/etc/resolv.conf", "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount resolv.conf: %w", err)
	}
	ns, err := os.Open(netns.Path(layout.NetLaptop))
	if err != nil {
		return fmt.Errorf("open laptop's network: %w", err)
	}
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter laptop's network: %w", err)
	}
	path, err := exec.LookPath(command[0])
	if err != nil {
		return fmt.Errorf("find command: %w", err)
	}
	if err := unix.Exec(path, command, os.Environ()); err != nil {
		return fmt.Errorf("run %s: %w", path, err)
	}
	return nil
}
