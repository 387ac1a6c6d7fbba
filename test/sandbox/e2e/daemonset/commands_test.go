package daemonset

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/daemon"
	"github.com/eksnodes/kubectl-eksnodes/pkg/hostreport"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

// byInstalledAgent: the doctor takes what an installed agent has printed,
// without being told to ask the machine.
func byInstalledAgent(t *testing.T, m machine) {
	result := sandbox.Exec(t, "kubectl", "eksnodes", "doctor", m.id)
	if result.Code != 0 || !strings.Contains(result.Stderr, m.id+": report by installed agent") {
		t.Errorf("exit %d:\n%s", result.Code, result.Stderr)
	}
}

// runOnce: a pod brings the report home, and is gone.
func runOnce(t *testing.T, m machine) {
	result := sandbox.Exec(t, "kubectl", "eksnodes", "agent", "run", m.node)
	if result.Code != 0 {
		t.Fatalf("exit %d", result.Code)
	}
	document, err := hostreport.Decode(strings.NewReader(result.Stdout))
	if err != nil {
		t.Fatal(err)
	}
	if facts := document.Facts; facts.System == nil || facts.System.InstanceID != m.id || !facts.System.InPod || facts.SelfReview == nil || facts.SelfReview.Failure != nil {
		t.Errorf("facts are %+v", facts)
	}
	if left := runs(t); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// runs are the pods of runs, wherever they are.
func runs(t *testing.T) []string {
	t.Helper()
	pods, err := sandbox.Kube(t).CoreV1().Pods("").List(t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=node-agent-run"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, pod := range pods.Items {
		names = append(names, pod.Namespace+"/"+pod.Name)
	}
	return names
}

// interruptedRun: Ctrl-C takes the pod away.
func interruptedRun(t *testing.T, m machine) {
	process := sandbox.Start(t, "kubectl", "eksnodes", "agent", "run", m.id)
	harness.Eventually(t, patience, func() error {
		if len(runs(t)) == 0 {
			return fmt.Errorf("no pod yet")
		}
		return nil
	})
	process.Signal(syscall.SIGINT)
	if result := process.Wait(); result.Code != 130 || result.Stdout != "" {
		t.Errorf("exit %d", result.Code)
	}
	if left := runs(t); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// noSuchImage: the reason that a pod does not start is told, and the pod gone.
func noSuchImage(t *testing.T, m machine) {
	result := sandbox.Exec(t, "kubectl", "eksnodes", "agent", "run", m.node, "--image", "localhost/none:1")
	if result.Code != 1 || !strings.Contains(result.Stderr, "the pod does not start: ") {
		t.Errorf("exit %d", result.Code)
	}
	if left := runs(t); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// lastRoad: where neither SSM nor SSH leads to a machine, a pod does.
func lastRoad(t *testing.T, m machine) {
	sandbox.Driver(t, "fault", "inject", "deny", "ssm:DescribeInstanceInformation")
	t.Cleanup(func() { sandbox.Driver(t, "fault", "clear") })
	result := sandbox.Exec(t, "kubectl", "eksnodes", "doctor", m.id, "--agent", "always")
	for _, said := range []string{m.id + ": report by ", "pod (", "ssm: access denied", "ssh: "} {
		if !strings.Contains(result.Stderr, said) {
			t.Errorf("stderr does not say %q:\n%s", said, result.Stderr)
		}
	}
	if left := runs(t); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// uninstalled: nothing of it is left in the cluster.
func uninstalled(t *testing.T, nodes []machine) {
	sandbox.MustExec(t, "kubectl", "eksnodes", "agent", "uninstall", "--yes")
	for _, m := range nodes {
		if have, err := condition(t, m.node, daemon.ConditionType); err != nil || have != nil {
			t.Errorf("%s: %+v, %v", m.node, have, err)
		}
		if have, err := condition(t, m.node, "Ready"); err != nil || have == nil || have.Status != "True" {
			t.Errorf("%s: %+v, %v", m.node, have, err)
		}
	}
	if _, err := sandbox.Kube(t).CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("namespace: %v", err)
	}
	out := sandbox.MustExec(t, "kubectl", "get", "clusterroles,clusterrolebindings,roles,rolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings",
		"--all-namespaces", "-l", "app.kubernetes.io/name=node-agent", "-o", "name")
	if strings.TrimSpace(out) != "" {
		t.Errorf("left: %s", out)
	}
}

// installed: the command installs what the manifest says.
func installed(t *testing.T, nodes []machine) {
	began := time.Now()
	result := sandbox.Exec(t, "kubectl", "eksnodes", "agent", "install", "--yes")
	if result.Code != 0 || !strings.Contains(result.Stderr, "successfully rolled out") {
		t.Fatalf("exit %d:\n%s", result.Code, result.Stderr)
	}
	t.Logf("installed after %s", time.Since(began))
	running(t)
	for _, m := range nodes {
		becomes(t, m, "True", "no check fails")
	}
}
