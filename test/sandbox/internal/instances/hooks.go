package instances

import (
	"context"
	"fmt"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/control"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node"
)

// find returns the machine of an instance.
func (w *Watcher) find(instanceID string) (*machine, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, ok := w.machines[instanceID]
	if !ok {
		return nil, fmt.Errorf("instance %s has no node", instanceID)
	}
	return m, nil
}

// Instances lists the instances that have a machine, running or stopped.
func (w *Watcher) Instances() []Instance {
	machines := w.all()
	all := make([]Instance, 0, len(machines))
	for _, m := range machines {
		all = append(all, m.current())
	}
	return all
}

// Nodes lists the nodes for the sandbox's status.
func (w *Watcher) Nodes() []control.Node {
	machines := w.all()
	all := make([]control.Node, 0, len(machines))
	for _, m := range machines {
		i := m.current()
		all = append(all, control.Node{
			InstanceID: i.ID, PrivateDNSName: i.PrivateDNS, PrivateIP: i.PrivateIP,
			State: string(i.State), PID: m.node.PID(),
		})
	}
	return all
}

// ConsoleOutput returns the last 64 KiB of an instance's serial console and the
// time of its last output; also of an instance that is gone.
func (w *Watcher) ConsoleOutput(_ context.Context, instanceID string) ([]byte, time.Time, error) {
	w.mu.Lock()
	old, gone := w.consoles[instanceID]
	w.mu.Unlock()
	if gone {
		return old.text, old.at, nil
	}
	m, err := w.find(instanceID)
	if err != nil {
		return nil, time.Time{}, err
	}
	return m.node.ConsoleOutput()
}

// RunCommand runs a shell script as root in an instance's node.
func (w *Watcher) RunCommand(ctx context.Context, instanceID, script string, timeout time.Duration) (node.CommandResult, error) {
	m, err := w.find(instanceID)
	if err != nil {
		return node.CommandResult{}, err
	}
	return m.node.RunCommand(ctx, script, timeout)
}

// Instance is what EC2 says of an instance that has a machine.
func (w *Watcher) Instance(instanceID string) (Instance, error) {
	m, err := w.find(instanceID)
	if err != nil {
		return Instance{}, err
	}
	return m.current(), nil
}

// CommandTarget reports whether commands can be run in an instance.
func (w *Watcher) CommandTarget(_ context.Context, instanceID string) (bool, error) {
	m, err := w.find(instanceID)
	return err == nil && m.node.PID() != 0, nil
}

// PushSSHKey offers a public key for 60 s through the instance's metadata, from
// where sshd's AuthorizedKeysCommand takes it.
func (w *Watcher) PushSSHKey(_ context.Context, instanceID, osUser, publicKey string) error {
	m, err := w.find(instanceID)
	if err != nil {
		return err
	}
	m.imds.PushKey(osUser, publicKey)
	return nil
}

// Reboot restarts an instance's node in its own time.
func (w *Watcher) Reboot(_ context.Context, instanceID string) error {
	m, err := w.find(instanceID)
	if err != nil {
		return err
	}
	return m.node.Reboot()
}

// EnterArgs is the command line that enters an instance's node; see
// node.Node.EnterArgs.
func (w *Watcher) EnterArgs(instanceID string) ([]string, error) {
	m, err := w.find(instanceID)
	if err != nil {
		return nil, err
	}
	return m.node.EnterArgs()
}

// WriteFile replaces a file in an instance's running node.
func (w *Watcher) WriteFile(instanceID, path string, data []byte) error {
	m, err := w.find(instanceID)
	if err != nil {
		return err
	}
	return m.node.WriteFile(path, data)
}
