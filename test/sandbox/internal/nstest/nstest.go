// Package nstest runs a package's tests as root of namespaces of their own, as
// the sandbox's supervisor runs: what they mount, name, start or configure is
// seen nowhere else and ends with them.
package nstest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/netns"
	"golang.org/x/sys/unix"
)

const stageEnv = "EKSNODES_NSTEST_STAGE"

// Stages of the test binary, which runs as three processes.
const (
	stageInit  = "init"  // first process of the PID namespace
	stageTests = "tests" // its only direct child
)

// Main is for TestMain: outside it calls outside, for what needs the machine's
// network, and runs the test binary again in new namespaces; inside it calls
// run. It returns the exit code.
func Main(outside func() error, run func() int) int {
	switch os.Getenv(stageEnv) {
	case stageTests:
		return run()
	case stageInit:
		if err := prepare(); err != nil {
			fmt.Fprintln(os.Stderr, "prepare namespaces:", err)
			return 1
		}
		return bury()
	}
	if err := outside(); err != nil {
		fmt.Fprintln(os.Stderr, "prepare tests:", err)
		return 1
	}
	cmd := again(stageInit)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, "these tests make namespaces and need root:", err)
		return 1
	}
	return cmd.ProcessState.ExitCode()
}

func again(stage string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), stageEnv+"="+stage)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd
}

// bury starts the tests and waits for every child, orphans included: a node's
// PID namespace does not end before the last process that entered it from
// outside has been waited for.
func bury() int {
	cmd := again(stageTests)
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "start tests:", err)
		return 1
	}
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			fmt.Fprintln(os.Stderr, "wait for tests:", err)
			return 1
		case pid == cmd.Process.Pid:
			if status.Exited() {
				return status.ExitStatus()
			}
			fmt.Fprintln(os.Stderr, "tests ended by signal", status.Signal())
			return 1
		}
	}
}

func prepare() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount proc: %w", err)
	}
	if err := os.MkdirAll(netns.Dir, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", netns.Dir, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mount %s: %w", netns.Dir, err)
	}
	return netns.Adopt("test")
}
