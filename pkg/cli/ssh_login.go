package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/agent"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// remoteError ends the command as the one on the machine ended: it has said
// for itself what there is to say.
type remoteError struct{ code int }

// Error says how it ended.
func (e *remoteError) Error() string { return fmt.Sprintf("ssh ended with %d", e.code) }

// login runs the user's ssh with the verified key as the only one that it
// knows for the machine.
func (c *sshCommand) login(ctx context.Context, m *agent.Machine, reached agent.Reached, command []string) error {
	dir, err := os.MkdirTemp("", product.Binary+"-") // mode 0700
	if err != nil {
		return fmt.Errorf("make a folder for ssh: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	known := filepath.Join(dir, "known_hosts")
	if err := os.WriteFile(known, []byte(agent.KnownHostsLine(m.InstanceID, reached.Key)+"\n"), 0o600); err != nil {
		return fmt.Errorf("write known hosts: %w", err)
	}
	user := c.flags.user
	if user == "" {
		user = m.LoginUser()
	}
	args := []string{
		"-l", user, "-o", "HostKeyAlias=" + m.InstanceID, "-o", "UserKnownHostsFile=" + known, "-o", "GlobalKnownHostsFile=/dev/null",
		"-o", "StrictHostKeyChecking=yes", "-o", "UpdateHostKeys=no", "-o", "CheckHostIP=no",
	}
	if c.flags.bastion != "" {
		args = append(args, "-J", c.flags.bastion)
	}
	key, err := c.identity(ctx, m, user, dir)
	if err != nil {
		return err
	}
	if key != "" {
		args = append(args, "-i", key, "-o", "IdentitiesOnly=yes")
	}
	return c.exec(ctx, append(append(args, "--", reached.Host), command...))
}

// identity is the file of the key to log in with, "" for the user's own.
func (c *sshCommand) identity(ctx context.Context, m *agent.Machine, user, dir string) (string, error) {
	if c.flags.key != "" {
		return c.flags.key, nil
	}
	file, line, err := agent.NewLoginKey()
	if err != nil {
		return "", err
	}
	if err := c.session.aws.PushSSHKey(ctx, m.InstanceID, m.Zone, user, line); err != nil {
		c.app.screen.say("no key could be pushed (%s); trying your own", err)
		return "", ctx.Err()
	}
	path := filepath.Join(dir, "key")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		return "", fmt.Errorf("write the key for this login: %w", err)
	}
	return path, nil
}

// exec runs ssh on the user's own streams. An interrupt of the whole program
// ends it; the keyboard's reaches it by itself, as the session's.
func (c *sshCommand) exec(ctx context.Context, args []string) error {
	cmd := exec.CommandContext(ctx, "ssh", args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.app.streams.In, c.app.streams.Out, c.app.streams.ErrOut
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return &remoteError{code: exit.ExitCode()}
	}
	return fmt.Errorf("run ssh: %w", err)
}
