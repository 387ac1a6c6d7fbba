package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// runner runs a program of the machine.
type runner interface {
	// run returns what it printed, at most maxOutput bytes of each stream, and
	// its exit code. An error means that it did not run or did not end.
	run(ctx context.Context, env []string, name string, args ...string) (output, error)
}

type output struct {
	out, err []byte
	code     int
}

// maxOutput bounds what is kept of a program's streams.
const maxOutput = 4 << 20

// programs are the machine's own, run without a shell.
type programs struct{}

// run ends the program and all it started when ctx ends, and does not wait
// for one that cannot be ended.
func (programs) run(ctx context.Context, env []string, name string, args ...string) (output, error) {
	out, errOut := &capped{left: maxOutput}, &capped{left: 64 << 10}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}, env...)
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = out, errOut
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	if ctx.Err() == nil && errors.As(err, &exit) {
		return output{out.buf.Bytes(), errOut.buf.Bytes(), exit.ExitCode()}, nil
	}
	if err != nil {
		return output{}, fmt.Errorf("run %s: %w", name, err)
	}
	return output{out.buf.Bytes(), errOut.buf.Bytes(), 0}, nil
}

// capped keeps the first bytes and drops the rest.
type capped struct {
	buf  bytes.Buffer
	left int
}

func (c *capped) Write(p []byte) (int, error) {
	keep := min(len(p), c.left)
	c.left -= keep
	c.buf.Write(p[:keep])
	return len(p), nil
}
