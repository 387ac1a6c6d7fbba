package nodes

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

// Canaries that a unit of the node writes to its journal; none may reach the
// console.
const (
	canaryToken    = "k8s-aws-v1.CANARYTOKENCANARYTOKEN"
	canaryPassword = "CANARYPASSWORD"
	canaryKey      = "AKIACANARYCANARY0000"
)

// plant makes containerd's unit write, again and again, an error with the
// canaries in it; the kubelet's own errors stay as they are.
const plant = `mkdir -p /etc/systemd/system/containerd.service.d; ` +
	`printf '[Service]\nExecStartPost=/bin/sh -c "(while sleep 2; do echo E1122 failed: https://admin:` + canaryPassword + `@proxy; echo E1122 failed: ` + canaryToken + `; echo E1122 failed: ` + canaryKey + `; done) &"\n' > /etc/systemd/system/containerd.service.d/canary.conf; ` +
	`systemctl daemon-reload`

// TestBeacon lets STS refuse the nodes, so that the kubelet runs and can never
// register, and reads by EC2 console output what the node says of it.
func TestBeacon(t *testing.T) {
	const group = "mute"
	w := look(t)
	remove(t, group)
	sandbox.Driver(t, "fault", "inject", "deny", "sts:GetCallerIdentity", "--principal", "*assumed-role*")
	t.Cleanup(func() { sandbox.Driver(t, "fault", "clear") })

	result := sandbox.Exec(t, "kubectl", "eksnodes", "add", group, "--desired", "1", "--yes",
		"--beacon-delay", "30s", "--timeout", "70s", "--pre-bootstrap", plant) // it must not join, however long that takes
	_, outputs := w.stack(stackName(group))
	instances := w.instances(outputs["NodeAutoScalingGroup"])
	if len(instances) != 1 {
		t.Fatalf("%d instances", len(instances))
	}
	for id := range instances {
		if result.Code != 3 || !strings.Contains(result.Stderr, id) {
			t.Errorf("exit %d, want 3 and a line for %s", result.Code, id)
		}
		var console string
		var report userdata.BeaconReport
		lines := map[string]string{}
		harness.Eventually(t, patience, func() error {
			console = w.console(id)
			var found bool
			if report, found = userdata.ParseBeacon(console); !found || !report.Complete {
				return fmt.Errorf("no complete beacon on the console:\n%s", console)
			}
			for _, unit := range report.Units {
				lines[unit.Name] = strings.Join(unit.Lines, "\n")
			}
			if !strings.Contains(lines["kubelet"], "Unauthorized") {
				// The node was slower than the delay: let it look again.
				if _, err := sandbox.Node(id, "bash", "/run/eksnodes-beacon"); err != nil {
					return err
				}
				return fmt.Errorf("the beacon does not say why the kubelet cannot register: %+v", report)
			}
			return nil
		})
		if !strings.Contains(lines["containerd"], "E1122 failed") {
			t.Errorf("the planted lines are not in the beacon, so its filter is not tried: %+v", report)
		}
		_, beacon, _ := strings.Cut(console, "BEGIN EKSNODES BEACON")
		for _, canary := range []string{canaryToken, canaryPassword, canaryKey} {
			if strings.Contains(beacon, canary) {
				t.Errorf("%s stands on the console", canary)
			}
		}
	}
}

// console is what EC2 says of the instance's serial console.
func (w *world) console(id string) string {
	w.t.Helper()
	out, err := w.ec2.GetConsoleOutput(w.t.Context(), &ec2.GetConsoleOutputInput{InstanceId: &id, Latest: aws.Bool(true)})
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := base64.StdEncoding.DecodeString(aws.ToString(out.Output))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}
