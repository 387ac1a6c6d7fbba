// Package harness runs one sandbox for the end-to-end tests of a package and
// gives them the two things that they need: the user's seat, to run the plugin's
// real binary in, and clients of their own to look at AWS and the API server
// with, so that no test believes the plugin's own messages alone.
package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/seat"
)

// KeepEnv is the variable that, when set, leaves the sandbox up after the tests, to look into it.
const KeepEnv = "EKSNODES_E2E_KEEP"

// Sandbox is a running sandbox.
type Sandbox struct {
	layout.Sandbox
	driver string
	bin    string // folder with the plugin's binary, first on the seat's PATH
}

// Main is the body of a TestMain: it brings a sandbox of the name, and of this
// clone, up, runs the tests and takes it down again. A sandbox that does not start is a failure,
// never a skip.
func Main(m *testing.M, name string, upFlags ...string) (*Sandbox, func() int) {
	s := &Sandbox{}
	return s, func() int {
		if err := s.up(name, upFlags); err != nil {
			fmt.Fprintln(os.Stderr, "sandbox:", err)
			return 1
		}
		code := m.Run()
		if os.Getenv(KeepEnv) != "" {
			fmt.Fprintf(os.Stderr, "sandbox %s stays up\n", s.Name)
			return code
		}
		if err := s.command(context.Background(), "down").Run(); err != nil {
			fmt.Fprintln(os.Stderr, "sandbox down:", err)
			return 1
		}
		return code
	}
}

func (s *Sandbox) up(name string, flags []string) error {
	if os.Geteuid() != 0 {
		return errors.New("these tests make network namespaces: run them as root")
	}
	state, cache, err := layout.Bases(os.Getenv)
	if err != nil {
		return err
	}
	root, err := repositoryRoot()
	if err != nil {
		return err
	}
	if s.Sandbox, err = layout.New(name+"-"+layout.CloneHash(root), state, cache); err != nil {
		return err
	}
	s.bin = filepath.Join(root, "bin")
	if _, err := os.Stat(filepath.Join(s.bin, "kubectl-eksnodes")); err != nil {
		return fmt.Errorf("the plugin is not built (make build): %w", err)
	}
	s.driver = filepath.Join(root, "bin", "sandbox")
	build := exec.Command("go", "build", "-o", s.driver, ".")
	build.Dir = filepath.Join(root, "test", "sandbox")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build the sandbox's driver: %w", err)
	}
	up := s.command(context.Background(), append([]string{"up"}, flags...)...)
	up.Stdout, up.Stderr = os.Stderr, os.Stderr
	return up.Run()
}

// repositoryRoot is the folder with the product's go.mod.
func repositoryRoot() (string, error) {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		return "", errors.New("no caller information")
	}
	return filepath.Abs(filepath.Join(filepath.Dir(file), "..", "..", "..", ".."))
}

// command runs the driver on this sandbox.
func (s *Sandbox) command(ctx context.Context, args ...string) *exec.Cmd {
	full := append([]string{args[0], "--name", s.Name}, args[1:]...)
	return exec.CommandContext(ctx, s.driver, full...)
}

// Driver runs a command of the sandbox's driver and returns its stdout.
func (s *Sandbox) Driver(t testing.TB, args ...string) string {
	t.Helper()
	cmd := s.command(context.Background(), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("sandbox %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// Node runs a command as root in a node, by instance id, and returns its output.
// It fails for a node that has not booted yet, which is for the caller to judge.
func (s *Sandbox) Node(id string, args ...string) (string, error) {
	out, err := s.command(context.Background(), append([]string{"node", id, "--"}, args...)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%v on %s: %w: %s", args, id, err, bytes.TrimSpace(out))
	}
	return string(out), nil
}

// Command is a command of the sandbox's driver, for tests that wire its streams
// themselves or run it under another program.
func (s *Sandbox) Command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	return s.command(t.Context(), args...)
}

// Result is how a command in the user's seat ended.
type Result struct {
	Stdout, Stderr string
	Code           int
}

// Process is a command running in the user's seat.
type Process struct {
	t      testing.TB
	cmd    *exec.Cmd
	args   []string
	secret bool // neither arguments nor output may stand in a log
	stdout bytes.Buffer
	stderr watched
}

// watched is a buffer that can be waited on.
type watched struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.Write(p)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// Start starts a command in the user's seat; stdin is empty.
func (s *Sandbox) Start(t testing.TB, args ...string) *Process {
	t.Helper()
	p := &Process{t: t, args: args}
	p.cmd = s.command(context.Background(), append([]string{"exec", "--"}, args...)...)
	p.cmd.Env = append(os.Environ(), seat.PathEnv+"="+s.bin)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %v: %v", args, err)
	}
	return p
}

// AwaitStderr waits until the text stands on stderr.
func (p *Process) AwaitStderr(text string, timeout time.Duration) {
	p.t.Helper()
	Eventually(p.t, timeout, func() error {
		if !strings.Contains(p.stderr.String(), text) {
			return fmt.Errorf("%v has not said %q; stderr:\n%s", p.args, text, p.stderr.String())
		}
		return nil
	})
}

// Signal sends a signal to the driver, which passes it on to the command;
// SIGKILL takes the command with it.
func (p *Process) Signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatalf("signal %v: %v", p.args, err)
	}
}

// Wait waits for the end.
func (p *Process) Wait() Result {
	p.t.Helper()
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatalf("%v: %v", p.args, err)
	}
	result := Result{Stdout: p.stdout.String(), Stderr: p.stderr.String(), Code: p.cmd.ProcessState.ExitCode()}
	if !p.secret {
		p.t.Logf("$ %s\n%s%s[exit %d]", strings.Join(p.args, " "), result.Stdout, result.Stderr, result.Code)
	}
	return result
}

// Exec runs a command in the user's seat to its end.
func (s *Sandbox) Exec(t testing.TB, args ...string) Result {
	t.Helper()
	return s.Start(t, args...).Wait()
}

// MustExec is Exec of a command that has to succeed; it returns stdout.
func (s *Sandbox) MustExec(t testing.TB, args ...string) string {
	t.Helper()
	result := s.Exec(t, args...)
	if result.Code != 0 {
		t.Fatalf("%v ended with %d\n%s", args, result.Code, result.Stderr)
	}
	return result.Stdout
}

// SecretExec is MustExec of a command whose arguments or output hold
// credentials: nothing of it is logged.
func (s *Sandbox) SecretExec(t testing.TB, args ...string) string {
	t.Helper()
	process := s.Start(t, args...)
	process.secret = true
	result := process.Wait()
	if result.Code != 0 {
		t.Fatalf("a command with credentials ended with %d", result.Code)
	}
	return result.Stdout
}

// Eventually polls until the condition holds, and fails the test with its last
// error when it does not in time.
func Eventually(t testing.TB, timeout time.Duration, condition func() error) {
	t.Helper()
	if err := Within(t.Context(), timeout, condition); err != nil {
		t.Fatal(err)
	}
}

// Within is Eventually outside of a test's own time, as in its cleanup, whose
// context is done.
func Within(ctx context.Context, timeout time.Duration, condition func() error) error {
	deadline := time.Now().Add(timeout)
	for {
		err := condition()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %s: %w", timeout, err)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("ended while waiting: %w", err)
		}
	}
}
