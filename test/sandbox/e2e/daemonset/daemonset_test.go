package daemonset

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/daemon"
)

// flip is how long the condition may take to follow the machine.
const flip = time.Minute

// TestDaemonSet is one test because its parts follow on each other: what is
// applied is looked at, and then broken.
func TestDaemonSet(t *testing.T) {
	nodes := settle(t)
	sandbox.MustExec(t, "kubectl", "apply", "-f", manifest(t))
	set := running(t)
	if set.Status.NumberReady != int32(len(nodes)) {
		t.Fatalf("%d pods are Ready on %d nodes", set.Status.NumberReady, len(nodes))
	}
	for _, m := range nodes {
		t.Logf("%s: healthy after %s", m.node, becomes(t, m, corev1.ConditionTrue, "no check fails"))
	}
	t.Run("metrics", func(t *testing.T) { onThisMachineAlone(t, nodes[0]) })
	t.Run("memory", func(t *testing.T) { littleMemory(t, nodes[0]) })
	t.Run("CNI's configuration gone", func(t *testing.T) {
		const file = "/etc/cni/net.d/10-aws.conflist"
		// containerd takes no notice of a file that is moved in: it is written.
		follows(t, nodes[0], "cni.config-missing", []string{"mv", file, "/root/cni"}, []string{"cp", "/root/cni", file})
		ready(t, nodes[0])
	})
	t.Run("kubelet stopped", func(t *testing.T) {
		follows(t, nodes[1], "kubelet.not-running", []string{"systemctl", "stop", "kubelet"}, []string{"systemctl", "start", "kubelet"})
		ready(t, nodes[1])
	})
	t.Run("report of the installed agent", func(t *testing.T) { byInstalledAgent(t, nodes[0]) })
	t.Run("run once", func(t *testing.T) { runOnce(t, nodes[0]) })
	t.Run("writes outside", func(t *testing.T) { refusedOutside(t, nodes) })
	t.Run("uninstall", func(t *testing.T) { uninstalled(t, nodes) })
	t.Run("run once, with nothing installed", func(t *testing.T) { runOnce(t, nodes[1]) })
	t.Run("run interrupted", func(t *testing.T) { interruptedRun(t, nodes[1]) })
	t.Run("run without its image", func(t *testing.T) { noSuchImage(t, nodes[1]) })
	t.Run("the last road", func(t *testing.T) { lastRoad(t, nodes[1]) })
	t.Run("install", func(t *testing.T) { installed(t, nodes) })
}

// manifest is the path of the manifest, as it stands in the repository.
func manifest(t *testing.T) string {
	t.Helper()
	read(t, "deploy", "node-agent.yaml")
	return absolute(t, "deploy", "node-agent.yaml")
}

// onThisMachineAlone: metrics tell of a healthy node, to whoever is on it.
func onThisMachineAlone(t *testing.T, m machine) {
	text := metrics(t, m)
	for _, want := range []string{
		`node_agent_healthy{status="True"} 1`, `node_agent_checks{status="fail"} 0`, `node_agent_checks{status="unknown"} 0`, `node_agent_api_writes_total{result="ok"} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	out, err := sandbox.Node(m.id, "ss", "-Hltn", "sport", "=", ":61690")
	if err != nil {
		t.Fatal(err)
	}
	if fields := strings.Fields(out); len(fields) < 4 || fields[3] != daemon.DefaultListen || strings.Count(strings.TrimSpace(out), "\n") > 0 {
		t.Errorf("it listens at %q", out)
	}
}

// maxMemory is what the agent may have in memory, in KiB.
const maxMemory = 40 << 10

// littleMemory holds the agent's resident memory, at its most since it began.
func littleMemory(t *testing.T, m machine) {
	out, err := sandbox.Node(m.id, "sh", "-c", "sed -n 's/^VmHWM:[^0-9]*\\([0-9]*\\) kB$/\\1/p' /proc/$(pgrep -x node-agent)/status")
	if err != nil {
		t.Fatal(err)
	}
	most := number(t, strings.TrimSpace(out))
	t.Logf("%d KiB of memory at the most", most)
	if most > maxMemory {
		t.Errorf("%d KiB, more than %d", most, maxMemory)
	}
}

// follows breaks a machine and mends it: the condition goes with it, both
// times within a minute, by one write each, and Events tell of it.
func follows(t *testing.T, m machine, check string, breaks, mends []string) {
	writes := written(t, m)
	began := time.Now()
	if _, err := sandbox.Node(m.id, breaks...); err != nil {
		t.Fatal(err)
	}
	mended := false
	mend := func() {
		if _, err := sandbox.Node(m.id, mends...); err != nil && !mended {
			t.Error(err)
		}
		mended = true
	}
	t.Cleanup(func() {
		if !mended {
			mend()
		}
	})
	t.Logf("%s: %s after %s", m.node, check, becomes(t, m, corev1.ConditionFalse, check))
	mend()
	t.Logf("%s: healthy after %s", m.node, becomes(t, m, corev1.ConditionTrue, "no check fails"))
	if now := written(t, m); now != writes+2 {
		t.Errorf("%d writes for two changes", now-writes)
	}
	events, err := sandbox.Kube(t).CoreV1().Events("default").List(t.Context(), metav1.ListOptions{FieldSelector: "involvedObject.kind=Node,involvedObject.name=" + m.node})
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, event := range events.Items {
		if event.Source.Component == "node-agent" && event.LastTimestamp.After(began.Add(-time.Second)) {
			said[event.Reason] = event.Type + " " + event.Message
		}
	}
	if !strings.HasPrefix(said[daemon.ReasonFails], "Warning "+check) || said[daemon.ReasonHealthy] != "Normal no check fails" {
		t.Errorf("events are %q", said)
	}
}

// written is how often the agent has set its condition.
func written(t *testing.T, m machine) int {
	t.Helper()
	for line := range strings.Lines(metrics(t, m)) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), `node_agent_api_writes_total{result="ok"} `); found {
			return number(t, value)
		}
	}
	t.Fatal("writes are not counted")
	return 0
}
