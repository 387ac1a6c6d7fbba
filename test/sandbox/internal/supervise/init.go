package supervise

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/netns"
)

// WorldCommand is the hidden command that runs the sandbox itself, as the only
// direct child of the namespace's first process.
const WorldCommand = "world"

// Init is the first process of the sandbox's PID namespace. It prepares the
// namespaces, starts the world as its child and from then on only buries orphans,
// which the world itself could not tell from its own children. When the world ends,
// so does Init, and with it every process in the namespace.
func Init(config Config) error {
	if os.Getpid() != 1 {
		return errors.New("this command is started by `up`, as the first process of new namespaces")
	}
	if err := prepareMounts(config.Sandbox); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte("eksnodes-" + config.Sandbox.Name)); err != nil {
		return fmt.Errorf("set host name: %w", err)
	}
	child, err := os.StartProcess(config.Sandbox.Binary(),
		[]string{config.Sandbox.Binary(), WorldCommand, configPath(config.Sandbox)},
		&os.ProcAttr{Env: os.Environ(), Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
	if err != nil {
		return fmt.Errorf("start world: %w", err)
	}
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("wait for children: %w", err)
		case pid == child.Pid:
			return fmt.Errorf("world ended: %s", describe(status))
		}
	}
}

func describe(status unix.WaitStatus) string {
	if status.Signaled() {
		return "signal " + status.Signal().String()
	}
	return fmt.Sprintf("exit status %d", status.ExitStatus())
}

// prepareMounts makes the mount namespace the sandbox's own: nothing that is mounted
// from here on is seen outside, /proc shows the PID namespace, /run is empty but for
// named network namespaces, and names are asked of the sandbox's DNS.
func prepareMounts(s layout.Sandbox) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount proc: %w", err)
	}
	// Where the machine's resolv.conf leads to, before /run hides it.
	resolv, err := filepath.EvalSymlinks("/etc/resolv.conf")
	if err != nil {
		return fmt.Errorf("find resolv.conf: %w", err)
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("mount run: %w", err)
	}
	if err := os.Mkdir(netns.Dir, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", netns.Dir, err)
	}
	if err := bindText(s.Path("etc", "resolv.conf"), resolvConf(layout.VPCResolver), resolv); err != nil {
		return err
	}
	return bindText(s.Path("etc", "hosts"), "127.0.0.1 localhost\n", "/etc/hosts")
}

// resolvConf is for a resolver that should give up soon: what the sandbox's DNS does
// not answer at once, it never will.
func resolvConf(server string) string {
	return "nameserver " + server + "\noptions timeout:2 attempts:2\n"
}

// bindText writes a file and mounts it over another one.
func bindText(file, text, over string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write file to mount: %w", err)
	}
	if _, err := os.Stat(over); errors.Is(err, os.ErrNotExist) { // it was on the former /run
		if err := os.MkdirAll(filepath.Dir(over), 0o755); err != nil {
			return fmt.Errorf("make mount point: %w", err)
		}
		if err := os.WriteFile(over, nil, 0o644); err != nil {
			return fmt.Errorf("make mount point: %w", err)
		}
	}
	if err := unix.Mount(file, over, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount over %s: %w", over, err)
	}
	return nil
}
