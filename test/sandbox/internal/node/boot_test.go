//go:build sandbox

package node_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/cgroup"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node"
)

// A node boots through cloud-init and nodeadm to a kubelet that looks for its
// API server, all from the user data that its metadata service gives.
func TestBootThroughCloudInit(t *testing.T) {
	r := newRig(t, nodeConfig(t), true)
	r.start(t)
	r.eventually(t, "journalctl -u kubelet | grep -q 'dial tcp "+layout.ControlPlaneIP+":443'")

	for script, want := range map[string]string{
		"cat /var/log/ran":                              "hello from user data on " + testName,
		"cloud-init status":                             "status: done",
		"systemctl --failed --no-legend":                "",
		"systemctl show -p Result --value nodeadm-run":  "success",
		"id -un ec2-user":                               "ec2-user",
		"ctr -n k8s.io images ls -q | grep ^localhost/": "localhost/kubernetes/pause:latest\n" + node.BusyboxImage,
		"hostname":                           testName,
		"cat /proc/sys/vm/overcommit_memory": "1",
	} {
		if got := r.run(t, script); got != want {
			t.Errorf("%s: got %q, want %q", script, got, want)
		}
	}
	r.eventually(t, "systemctl is-active console-getty graphical.target")
	text, at := r.consoleUntil(t, "login:")
	for _, want := range []string{"BEGIN SSH HOST KEY FINGERPRINTS", "nodeadm", "hello from user data", "ip-10-20-16-7 login:"} {
		if !strings.Contains(text, want) {
			t.Errorf("console does not show %q", want)
		}
	}
	if strings.Contains(text, "ordering cycle") || time.Since(at) > time.Minute {
		t.Errorf("console of %v:\n%s", at, text)
	}
}

// Without cloud-init the node is up sooner; reboot, power-off and a later start
// keep its volume, and its end leaves nothing on the machine.
func TestPowerCycle(t *testing.T) {
	r := newRig(t, nodeConfig(t), false)
	ended := r.start(t)
	r.eventually(t, "systemctl is-active kubelet && systemctl is-active ssh")
	r.run(t, "echo kept > /var/lib/marker; cat /proc/sys/kernel/random/boot_id > /var/lib/first-boot")
	if got := r.run(t, "ls /var/log/ran 2>/dev/null; cloud-init status"); got != "status: disabled" {
		t.Errorf("cloud-init ran: %s", got)
	}

	check(t, r.node.Reboot())
	r.eventually(t, "! grep -qf /var/lib/first-boot /proc/sys/kernel/random/boot_id && systemctl is-active kubelet")
	if got := r.run(t, "cat /var/lib/marker; journalctl --list-boots -o json | jq length"); got != "kept\n2" {
		t.Errorf("after reboot: %q, want the marker and two boots", got)
	}

	check(t, r.node.PowerOff())
	if end := <-ended; end != node.PoweredOff || r.node.PID() != 0 {
		t.Errorf("node ended %v, process %d", end, r.node.PID())
	}
	check(t, noCgroup(r.spec.Cgroup))
	r.consoleUntil(t, "Reached target poweroff.target")

	ctx, kill := context.WithCancel(t.Context())
	again := make(chan node.Ending, 1)
	go func() {
		end, err := r.node.Run(ctx)
		if err != nil {
			t.Error(err)
		}
		again <- end
	}()
	r.eventually(t, "grep kept /var/lib/marker && systemctl is-active kubelet")
	kill()
	if end := <-again; end != node.Killed {
		t.Errorf("node ended %v, want killed", end)
	}
	check(t, noCgroup(r.spec.Cgroup))
}

// The key of the key pair and keys pushed by EC2 Instance Connect open ec2-user;
// root is refused.
func TestLogins(t *testing.T) {
	r := newRig(t, nodeConfig(t), true)
	r.start(t)
	r.eventually(t, "cloud-init status | grep done")
	r.run(t, "ssh-keygen -q -t ed25519 -N '' -f /root/key")
	login := func(user string) string {
		return "ssh -i /root/key -o BatchMode=yes -o StrictHostKeyChecking=accept-new " + user + "@" + testIP + " sudo -n id -un"
	}
	if result, err := r.node.RunCommand(t.Context(), login("ec2-user"), patience); err != nil || result.ExitCode == 0 {
		t.Errorf("a key that nobody pushed: %+v, %v", result, err)
	}
	r.imds.PushKey("ec2-user", r.run(t, "cat /root/key.pub"))
	if got := r.run(t, login("ec2-user")); got != "root" {
		t.Errorf("pushed key: sudo gives %q", got)
	}
	if got := r.run(t, "cat /root/.ssh/authorized_keys"); !strings.Contains(got, "Please login as the user \\\"ec2-user\\\"") {
		t.Errorf("root's keys: %q", got)
	}
}

// A user data mistake shows as it does on EC2: nodeadm fails and says why on the
// console, and no kubelet starts.
func TestBadNodeConfig(t *testing.T) {
	r := newRig(t, strings.Replace(nodeConfig(t), layout.ServiceCIDR, "not-a-cidr", 1), false)
	r.start(t)
	r.eventually(t, "systemctl is-failed nodeadm-config")
	if got := r.run(t, "systemctl is-active kubelet || true"); got != "inactive" {
		t.Errorf("kubelet is %s", got)
	}
	r.consoleUntil(t, "not-a-cidr")
	r.consoleUntil(t, "[DEPEND]")
}

// An image without Kubernetes boots and never becomes a node.
func TestPlainImage(t *testing.T) {
	r := newRigOf(t, nodeConfig(t), false, func(i node.Images) []string { return i.Plain })
	r.start(t)
	r.eventually(t, "systemctl is-active ssh")
	r.run(t, "! command -v kubelet && ! command -v nodeadm && ! systemctl cat kubelet")
}

// Commands end when their time is over, even if they start what outlives them.
func TestRunCommand(t *testing.T) {
	r := newRigOf(t, "", false, func(i node.Images) []string { return i.Plain })
	r.start(t)
	r.eventually(t, "systemctl is-active ssh")

	result, err := r.node.RunCommand(t.Context(), "echo out; echo err >&2; exit 7", patience)
	check(t, err)
	if string(result.Stdout) != "out\n" || string(result.Stderr) != "err\n" || result.ExitCode != 7 {
		t.Errorf("result %+v", result)
	}
	start := time.Now()
	result, err = r.node.RunCommand(t.Context(), "echo before; setsid sleep 600 & sleep 600", 5*time.Second)
	check(t, err)
	if !result.TimedOut || string(result.Stdout) != "before\n" || time.Since(start) > 9*time.Minute {
		t.Errorf("after %v: %+v", time.Since(start), result)
	}
	check(t, r.node.WriteFile("etc/made/by/test", []byte("text")))
	if got := r.run(t, "cat /etc/made/by/test"); got != "text" {
		t.Errorf("file holds %q", got)
	}
}

func noCgroup(name string) error {
	// Removing what is not there is no error; what is busy is one.
	return cgroup.Remove(name, 0)
}
