//go:build linux

package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"time"
)

// runner runs a program of the machine.
type runner interface {
	// run copies what it prints to out, at most maxOutput bytes, and returns
	// the first of its errors and its exit code. An error means that it did not
	// run or did not end.
	run(ctx context.Context, env []string, out io.Writer, name string, args ...string) (ended, error)
}

// ended is how a program ended.
type ended struct {
	err  []byte // the first of its standard error
	code int
}

// maxOutput bounds what is kept of a program's streams.
const maxOutput = 4 << 20

// programs are the machine's own, run without a shell.
type programs struct{}

// run ends the program and all it started when ctx ends, and does not wait
// for one that cannot be ended.
func (programs) run(ctx context.Context, env []string, out io.Writer, name string, args ...string) (ended, error) {
	var said bytes.Buffer
	errOut := &capped{to: &said, left: 64 << 10}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}, env...)
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = &capped{to: out, left: maxOutput}, errOut
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	if ctx.Err() == nil && errors.As(err, &exit) {
		return ended{said.Bytes(), exit.ExitCode()}, nil
	}
	if err != nil {
		return ended{}, fmt.Errorf("run %s: %w", name, err)
	}
	return ended{said.Bytes(), 0}, nil
}

// capped passes the first bytes on and drops the rest.
type capped struct {
	to   io.Writer
	left int
}

func (c *capped) Write(p []byte) (int, error) {
	keep := min(len(p), c.left)
	c.left -= keep
	if _, err := c.to.Write(p[:keep]); err != nil {
		return 0, err
	}
	return len(p), nil
}
