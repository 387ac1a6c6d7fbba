package life

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

// The sandbox's images of the family for its version: the newest, and the one
// before; and one that is no node image.
const (
	newestImage = "ami-0a772ac7be9d4d800"
	olderImage  = "ami-004ccfee6177eaab3"
	plainImage  = "ami-04af53146658a43e9"
)

// requireUpgraded checks that all of a group's instances were started from the
// newest image, and that nothing of an upgrade is left on the group.
func (w *world) requireUpgraded(name string) {
	w.t.Helper()
	group := w.group(name)
	for _, tag := range group.Tags {
		if aws.ToString(tag.Key) == "eksnodes.dev/upgrade" {
			w.t.Errorf("%s has still the mark %q", name, aws.ToString(tag.Value))
		}
	}
	for _, process := range group.SuspendedProcesses {
		w.t.Errorf("%s of %s is suspended", aws.ToString(process.ProcessName), name)
	}
	out, err := w.ec2.DescribeInstances(w.t.Context(), &ec2.DescribeInstancesInput{InstanceIds: w.instances(name)})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, reservation := range out.Reservations {
		for _, instance := range reservation.Instances {
			if have := aws.ToString(instance.ImageId); have != newestImage {
				w.t.Errorf("%s was started from %s, not from %s", aws.ToString(instance.InstanceId), have, newestImage)
			}
		}
	}
}

// TestUpgrade gives the three nodes under a Service another image while a
// client asks the Service from another group's node.
func TestUpgrade(t *testing.T) {
	w := look(t)
	remove(t, "client")
	remove(t, "pool")
	sandbox.MustExec(t, "kubectl", "eksnodes", "add", "client", "--desired", "1", "--yes")
	sandbox.MustExec(t, "kubectl", "eksnodes", "add", "pool", "--desired", "3", "--max", "3", "--ami", olderImage, "--yes")
	before := w.requireSize("pool", 3)
	w.serve("site", "pool", 3, 2)
	harness.Eventually(t, 2*time.Minute, func() error { return w.available("site") })

	client := poll(t, w.instances("client")[0], "site")
	result := sandbox.MustExec(t, "kubectl", "eksnodes", "upgrade", "pool", "--yes", "-o", "json")
	client.end("upgrade of three nodes")
	after := w.requireSize("pool", 3)
	w.requireUpgraded("pool")
	for _, id := range before {
		if slices.Contains(after, id) {
			t.Errorf("%s is still there", id)
		}
	}
	got := parse[struct {
		Version  int
		Replaced []struct{ InstanceID string }
	}](t, result)
	if got.Version != 2 || len(got.Replaced) != 3 {
		t.Errorf("told as %+v", got)
	}
	harness.Eventually(t, 2*time.Minute, func() error { return w.available("site") })

	again := sandbox.Exec(t, "kubectl", "eksnodes", "upgrade", "pool")
	if again.Code != 0 || !strings.Contains(again.Stderr, "nothing to do") || !slices.Equal(after, w.instances("pool")) {
		t.Errorf("exit %d, instances %v", again.Code, w.instances("pool"))
	}
}

// TestUpgradeThatStops has new nodes that do not join, is mended, killed, and
// rolled back; the client is served all the time.
func TestUpgradeThatStops(t *testing.T) {
	w := look(t)
	remove(t, "client")
	remove(t, "pool")
	sandbox.MustExec(t, "kubectl", "eksnodes", "add", "client", "--desired", "1", "--yes")
	sandbox.MustExec(t, "kubectl", "eksnodes", "add", "pool", "--desired", "2", "--ami", olderImage, "--yes")
	before := w.requireSize("pool", 2)
	w.serve("site", "pool", 3, 2)
	harness.Eventually(t, 2*time.Minute, func() error { return w.available("site") })
	client := poll(t, w.instances("client")[0], "site")

	// New nodes get no network: paused, with what is there left alone.
	sandbox.Driver(t, "fault", "inject", "no-cni", "--group", aws.ToString(w.group("pool").AutoScalingGroupName))
	t.Cleanup(func() { sandbox.Driver(t, "fault", "clear") })
	upgrade := []string{"kubectl", "eksnodes", "upgrade", "pool", "--yes"}
	result := sandbox.Exec(t, append(upgrade, "--timeout", "25s")...)
	if result.Code != 3 || !strings.Contains(result.Stderr, "is paused") || !strings.Contains(result.Stderr, "cni.") || !strings.Contains(result.Stderr, "upgrade pool --rollback") {
		t.Errorf("exit %d, and the cause is not named", result.Code)
	}
	for _, id := range before {
		if w.nodes()[id] == "" {
			t.Errorf("%s serves no more", id)
		}
	}
	// Mended, the same command goes on, killed in between, and once more.
	sandbox.Driver(t, "fault", "clear")
	run := sandbox.Start(t, upgrade...)
	run.AwaitStderr("draining", 2*time.Minute)
	kill(t, "upgrade", "pool")
	run.Wait()
	run = sandbox.Start(t, upgrade...)
	run.AwaitStderr("reading cluster", time.Minute)
	run.Signal(syscall.SIGINT)
	if result := run.Wait(); result.Code != 130 {
		t.Errorf("interrupted with exit code %d", result.Code)
	}
	sandbox.MustExec(t, upgrade...)
	good := w.requireSize("pool", 2)
	w.requireUpgraded("pool")

	// An image that is none of nodes never joins: rolled back, only the new
	// machine goes.
	result = sandbox.Exec(t, append(upgrade, "--ami", plainImage, "--timeout", "15s")...)
	if result.Code != 3 || !strings.Contains(result.Stderr, "is paused") {
		t.Errorf("exit %d", result.Code)
	}
	sandbox.MustExec(t, append(upgrade, "--rollback")...)
	client.end("an upgrade stopped, killed, gone on with, and one rolled back")
	if left := w.requireSize("pool", 2); !slices.Equal(left, good) {
		t.Errorf("left are %v, before were %v", left, good)
	}
	w.requireUpgraded("pool")
}
