package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/cgroup"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/netns"
	"golang.org/x/sys/unix"
)

// Spec is what a node is made from.
type Spec struct {
	InstanceID string
	Hostname   string   // private DNS name
	Netns      string   // name of the instance's network namespace
	Layers     []string // folders of the image, topmost first
	Dir        string   // the node's own directory, made if missing
	Cgroup     string   // relative to each hierarchy's root
	Program    string   // the sandbox's program, which understands InitCommand
	Nameserver string
	Search     string // DNS search domain
	CloudInit  bool   // false: boot faster, without cloud-init
}

// Node is one instance's machine. All methods may be called concurrently, Run
// only by one goroutine at a time.
type Node struct {
	spec    Spec
	console *console

	mu  sync.Mutex
	pid int // of the node's first process, in the supervisor's PID namespace; 0: off
}

// New prepares a node's directory and console. The directory may be that of a
// node that was stopped: its root is then booted again.
func New(spec Spec) (*Node, error) {
	if err := os.MkdirAll(spec.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("node %s: %w", spec.InstanceID, err)
	}
	console, err := openConsole(filepath.Join(spec.Dir, "console.log"))
	if err != nil {
		return nil, fmt.Errorf("node %s: %w", spec.InstanceID, err)
	}
	return &Node{spec: spec, console: console}, nil
}

// Ending says how a node's run ended.
type Ending int

const (
	// Failed is a node whose first process ended without a power-off.
	Failed Ending = iota
	// Killed is a node ended from outside, as by pulling the plug.
	Killed
	// PoweredOff is a node that shut itself down.
	PoweredOff
	// Rebooted is a node that wants to boot again.
	Rebooted
)

func (e Ending) String() string {
	return [...]string{"failed", "killed", "powered off", "rebooted"}[e]
}

// endingOf reads the wait status of a PID namespace's first process: reboot(2)
// inside it ends it with SIGHUP for a restart and SIGINT for a halt or power-off.
func endingOf(status syscall.WaitStatus) Ending {
	if !status.Signaled() {
		return Failed
	}
	switch status.Signal() {
	case syscall.SIGHUP:
		return Rebooted
	case syscall.SIGINT:
		return PoweredOff
	case syscall.SIGKILL:
		return Killed
	default:
		return Failed
	}
}

// Run boots the node, again after each reboot, until it is powered off, killed
// by the end of the context, or fails.
func (n *Node) Run(ctx context.Context) (Ending, error) {
	for {
		end, err := n.boot(ctx)
		if err != nil {
			return end, fmt.Errorf("node %s: %w", n.spec.InstanceID, err)
		}
		select {
		case <-ctx.Done(): // killed while it went down for a reboot
			return end, nil
		default:
		}
		if end != Rebooted {
			return end, nil
		}
	}
}

// boot runs the node once.
func (n *Node) boot(ctx context.Context) (Ending, error) {
	if err := cgroup.Create(n.spec.Cgroup); err != nil {
		return Failed, err
	}
	config := filepath.Join(n.spec.Dir, "init.json")
	if err := n.initConfig().write(config); err != nil {
		return Failed, err
	}
	// Opened anew for each boot: the getty hangs the terminal up, which makes
	// every older descriptor of it useless.
	serial, err := os.OpenFile(n.console.serial.slave.Name(), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return Failed, fmt.Errorf("open console: %w", err)
	}
	cmd := exec.CommandContext(ctx, n.spec.Program, InitCommand, config)
	cmd.Dir = "/"
	cmd.Env = []string{}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = serial, serial, serial
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid:     true,
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
	}
	if err := errors.Join(netns.Start(n.spec.Netns, cmd), serial.Close()); err != nil {
		return Failed, fmt.Errorf("start: %w", err)
	}
	n.setPID(cmd.Process.Pid)
	err = cmd.Wait()
	n.setPID(0)

	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && ctx.Err() == nil {
		return Failed, fmt.Errorf("wait: %w", err)
	}
	end := Failed
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok {
		end = endingOf(status)
	}
	return end, cgroup.Remove(n.spec.Cgroup, cgroupPatience)
}

// cgroupPatience is how long dead processes may take to leave their cgroups.
const cgroupPatience = 5 * time.Second

func (n *Node) initConfig() initConfig {
	return initConfig{
		InstanceID: n.spec.InstanceID,
		Hostname:   n.spec.Hostname,
		Dir:        n.spec.Dir,
		Lower:      n.spec.Layers,
		Cgroup:     n.spec.Cgroup,
		Console:    n.console.serial.slave.Name(),
		KernelLog:  n.console.kernel.slave.Name(),
		Nameserver: n.spec.Nameserver,
		Search:     n.spec.Search,
		CloudInit:  n.spec.CloudInit,
	}
}

func (n *Node) setPID(pid int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pid = pid
}

// PID is the node's first process as the supervisor sees it; 0 when it is off.
func (n *Node) PID() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.pid
}

// systemd's own signals, from glibc's SIGRTMIN on (systemd(1), "SIGNALS").
const (
	sigPowerOff = syscall.Signal(34 + 4)
	sigReboot   = syscall.Signal(34 + 5)
)

// PowerOff presses the power button: the node shuts down in its own time and
// Run returns PoweredOff.
func (n *Node) PowerOff() error { return n.signal(sigPowerOff) }

// Reboot asks the node to restart in its own time.
func (n *Node) Reboot() error { return n.signal(sigReboot) }

func (n *Node) signal(s syscall.Signal) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.pid == 0 {
		return fmt.Errorf("node %s is not running", n.spec.InstanceID)
	}
	if err := syscall.Kill(n.pid, s); err != nil {
		return fmt.Errorf("node %s: %w", n.spec.InstanceID, err)
	}
	return nil
}

// ConsoleOutput returns the last ConsoleSize bytes of the serial console and
// the time of the last output. It can be read after the node's end.
func (n *Node) ConsoleOutput() ([]byte, time.Time, error) { return n.console.tail(ConsoleSize) }

// Print writes a message of the sandbox to the console.
func (n *Node) Print(text string) {
	// A console that cannot be written to shows in the next ConsoleOutput.
	_ = n.console.print(text)
}

// Close closes the console of a node that is off.
func (n *Node) Close() error { return n.console.close() }

// Remove closes the node's console and deletes its directory, as EC2 deletes
// the volume of a terminated instance. The node must be off.
func (n *Node) Remove() error {
	return errors.Join(n.Close(), os.RemoveAll(n.spec.Dir))
}
