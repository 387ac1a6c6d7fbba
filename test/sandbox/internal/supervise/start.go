package supervise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/build"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// Config is what a supervisor is started with.
type Config struct {
	Sandbox   layout.Sandbox
	Artefacts build.Artefacts
	// Source is the folder of the sandbox's module: moto's launcher is run from it.
	Source string
	// AuthenticationMode is the cluster's, to begin with.
	AuthenticationMode string
	// CloudInit says whether nodes boot through cloud-init, as on EC2, or without it
	// and some seconds faster.
	CloudInit bool
}

// LoadConfig reads the file that Start has written.
func LoadConfig(path string) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read supervisor configuration: %w", err)
	}
	var c Config
	if err := json.Unmarshal(text, &c); err != nil {
		return Config{}, fmt.Errorf("read supervisor configuration: %w", err)
	}
	return c, nil
}

// Start starts the supervisor of a sandbox, of which nothing may be left, in new
// namespaces and a session of its own. The returned channel gets one value when the
// supervisor ends while the caller lives.
func Start(c Config) (ended <-chan error, err error) {
	s := c.Sandbox
	if err := os.MkdirAll(filepath.Dir(s.Log("supervisor")), 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	if err := copySelf(s.Binary()); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write supervisor configuration: %w", err)
	}
	if err := os.WriteFile(configPath(s), text, 0o600); err != nil {
		return nil, fmt.Errorf("write supervisor configuration: %w", err)
	}
	log, err := os.OpenFile(s.Log("supervisor"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open supervisor log: %w", err)
	}
	cmd := exec.Command(s.Binary(), Command, configPath(s))
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "AWS_EC2_METADATA_DISABLED=true"}
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid: true,
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET |
			syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
	}
	if err := errors.Join(cmd.Start(), log.Close()); err != nil {
		return nil, fmt.Errorf("start supervisor (needs root): %w", err)
	}
	if err := os.WriteFile(s.PIDFile(), []byte(strconv.Itoa(cmd.Process.Pid)+"\n"), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("write process id: %w", err), cmd.Process.Kill(), cmd.Wait())
	}
	result := make(chan error, 1)
	go func() { result <- cmd.Wait() }()
	return result, nil
}

// copySelf copies the running program.
func copySelf(to string) (err error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fmt.Errorf("make state directory: %w", err)
	}
	from, err := os.Open("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("copy the sandbox's program: %w", err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o700)
	if err != nil {
		return fmt.Errorf("copy the sandbox's program: %w", err)
	}
	if _, err := io.Copy(out, from); err != nil {
		return errors.Join(fmt.Errorf("copy the sandbox's program: %w", err), out.Close())
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("copy the sandbox's program: %w", err)
	}
	return nil
}

// Clean removes what a former sandbox of this name has left, if anything. It does
// not touch one that lives.
func Clean(ctx context.Context, s layout.Sandbox) error {
	if _, alive := Find(s); alive {
		return fmt.Errorf("sandbox %s is running", s.Name)
	}
	return Remove(ctx, s)
}
