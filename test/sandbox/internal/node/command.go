package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// maxCommandOutput bounds what is kept of a command's output, per stream.
const maxCommandOutput = 1 << 20

// CommandResult is what a command in a node has done.
type CommandResult struct {
	Stdout, Stderr []byte
	ExitCode       int  // -1 when the time was over
	TimedOut       bool // the command was killed
}

// EnterArgs is the command line that runs what is appended to it inside the
// node, as root, in all of the node's namespaces.
func (n *Node) EnterArgs() ([]string, error) {
	pid := n.PID()
	if pid == 0 {
		return nil, fmt.Errorf("node %s is not running", n.spec.InstanceID)
	}
	return []string{
		"nsenter", "--target", strconv.Itoa(pid),
		"--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd",
	}, nil
}

// CommandEnv is the environment of commands that are run in a node.
func CommandEnv() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"}
}

// RunCommand runs a shell script in the node as root. After the timeout the
// script's whole process group is killed, and what still holds its output open
// is not waited for. An error means that the script could not be run.
func (n *Node) RunCommand(ctx context.Context, script string, timeout time.Duration) (CommandResult, error) {
	args, err := n.EnterArgs()
	if err != nil {
		return CommandResult{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], append(args[1:], "/bin/sh", "-c", script)...)
	cmd.Env = CommandEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	stdout, stderr := &capped{max: maxCommandOutput}, &capped{max: maxCommandOutput}
	cmd.Stdout, cmd.Stderr = stdout, stderr

	err = cmd.Run()
	result := CommandResult{Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), ExitCode: -1}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		result.TimedOut = true
		return result, nil
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return CommandResult{}, fmt.Errorf("run command in node %s: %w", n.spec.InstanceID, err)
	}
	result.ExitCode = cmd.ProcessState.ExitCode()
	return result, nil
}

// capped keeps the first bytes written to it and swallows the rest.
type capped struct {
	bytes.Buffer
	max int
}

func (c *capped) Write(p []byte) (int, error) {
	if room := c.max - c.Len(); room < len(p) {
		c.Buffer.Write(p[:max(room, 0)])
		return len(p), nil
	}
	return c.Buffer.Write(p)
}

// WriteFile replaces a file of the running node in one step. The path is
// relative to the node's root.
func (n *Node) WriteFile(path string, data []byte) error {
	pid := n.PID()
	if pid == 0 {
		return fmt.Errorf("node %s is not running", n.spec.InstanceID)
	}
	root, err := os.OpenRoot(filepath.Join("/proc", strconv.Itoa(pid), "root"))
	if err != nil {
		return fmt.Errorf("open root of node %s: %w", n.spec.InstanceID, err)
	}
	defer func() { _ = root.Close() }() // nothing is written through it
	if err := root.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write %s in node %s: %w", path, n.spec.InstanceID, err)
	}
	partial := path + ".partial"
	if err := root.WriteFile(partial, data, 0o644); err != nil {
		return fmt.Errorf("write %s in node %s: %w", path, n.spec.InstanceID, err)
	}
	if err := root.Rename(partial, path); err != nil {
		return fmt.Errorf("write %s in node %s: %w", path, n.spec.InstanceID, err)
	}
	return nil
}
