//go:build sandbox

package node_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/pki"
)

// A machine of a warm pool is stopped in the midst of its user data, started in
// the pool and taken into service while it runs: no kubelet before that, and
// all that was asked for is done once.
func TestWarmPool(t *testing.T) {
	authority, err := pki.NewAuthority("kubernetes")
	check(t, err)
	document, err := userdata.AL2023(userdata.Config{
		Cluster: userdata.Cluster{
			Name: "demo", Endpoint: layout.Endpoint, CA: base64.StdEncoding.EncodeToString(authority.Pair.Cert), CIDR: layout.ServiceCIDR,
		},
		WarmPool:      true,
		PreBootstrap:  []string{"touch /var/lib/begun", "until [ -e /var/lib/go-on ]; do sleep 0.2; done", "echo ran >>/var/log/before"},
		PostBootstrap: []string{"echo ran >>/var/log/after"},
		BeaconDelay:   3 * time.Second,
	})
	check(t, err)
	r := newRig(t, string(document), true)
	be := func(state string) {
		instance := testInstance(string(document))
		instance.TargetState = state
		r.imds.Update(instance)
	}

	be("Warmed:Stopped")
	ended := r.start(t)
	r.eventually(t, "[ -e /var/lib/begun ]")
	check(t, r.node.PowerOff())
	if end := <-ended; end != node.PoweredOff {
		t.Fatalf("node ended %v", end)
	}

	be("Warmed:Running")
	ended = r.start(t)
	r.eventually(t, "touch /var/lib/go-on; grep -q ran /var/log/before")
	r.eventually(t, "[ $(systemctl show -p ActiveState --value nodeadm-run) = activating ] && systemctl is-active eksnodes-beacon.service")
	if got := r.run(t, "systemctl is-active kubelet; ls /var/log/after 2>&1; true"); !strings.HasPrefix(got, "inactive\n") || !strings.Contains(got, "No such file") {
		t.Errorf("in the pool: %s", got)
	}
	if text, _, err := r.node.ConsoleOutput(); err != nil || strings.Contains(string(text), "EKSNODES BEACON") {
		t.Errorf("the beacon of a machine in the pool (%v):\n%s", err, text)
	}

	be("InService")
	r.eventually(t, "systemctl is-active kubelet && grep -q ran /var/log/after && journalctl -u kubelet | grep -q 'dial tcp "+layout.ControlPlaneIP+":443'")
	r.eventually(t, "[ $(systemctl show -p Result --value nodeadm-run) = success ] && cloud-init status | grep done")
	r.consoleUntil(t, "END EKSNODES BEACON") // nobody answers the kubelet here
	if got := r.run(t, "systemctl --failed --no-legend"); got != "" {
		t.Errorf("units failed: %s", got)
	}

	check(t, r.node.PowerOff())
	<-ended
	r.start(t)
	r.eventually(t, "systemctl is-active kubelet && cloud-init status | grep done")
	if got := r.run(t, "cat /var/log/before /var/log/after"); got != "ran\nran" {
		t.Errorf("commands ran %q, want each once", got)
	}
}
