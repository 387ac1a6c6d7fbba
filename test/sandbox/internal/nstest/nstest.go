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

const insideEnv = "EKSNODES_NSTEST_INSIDE"

// Main is for TestMain: outside it calls outside, for what needs the machine's
// network, and runs the test binary again in new namespaces; inside it prepares
// them and calls run. It returns the exit code.
func Main(outside func() error, run func() int) int {
	if os.Getenv(insideEnv) == "" {
		if err := outside(); err != nil {
			fmt.Fprintln(os.Stderr, "prepare tests:", err)
			return 1
		}
		return reexec()
	}
	if err := prepare(); err != nil {
		fmt.Fprintln(os.Stderr, "prepare namespaces:", err)
		return 1
	}
	return run()
}

func reexec() int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
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
