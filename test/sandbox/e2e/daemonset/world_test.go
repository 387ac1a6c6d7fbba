package daemonset

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/daemon"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

// Names in the manifest.
const (
	namespace = "eksnodes"
	name      = "node-agent"
)

// patience is how long pods may take to run, on a machine that may have more
// to do.
const patience = 4 * time.Minute

// machine is a node, by its names in AWS and in the cluster.
type machine struct{ id, node string }

var settled sync.Once

// settle adds the nodes, puts the image on them, and returns them. There is no
// registry in the sandbox.
func settle(t *testing.T) []machine {
	t.Helper()
	settled.Do(func() {
		sandbox.MustExec(t, "kubectl", "eksnodes", "add", "workers", "--desired", "2", "--yes")
		image := read(t, "bin", "node-agent-image.tar")
		for _, m := range machines(t) {
			load := sandbox.Command(t, "node", m.id, "--", "ctr", "-n", "k8s.io", "images", "import", "-")
			load.Stdin = bytes.NewReader(image)
			if out, err := load.CombinedOutput(); err != nil {
				t.Fatalf("import the image: %v\n%s", err, out)
			}
		}
	})
	return machines(t)
}

// read reads a file of the repository.
func read(t *testing.T, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(fromRoot(path...))
	if err != nil {
		t.Fatalf("make agent-image makes it: %v", err)
	}
	return data
}

func fromRoot(path ...string) string {
	return filepath.Join(append([]string{"..", "..", "..", ".."}, path...)...)
}

// absolute is where a file of the repository lies, for commands of the seat.
func absolute(t *testing.T, path ...string) string {
	t.Helper()
	place, err := filepath.Abs(fromRoot(path...))
	if err != nil {
		t.Fatal(err)
	}
	return place
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// machines are all nodes.
func machines(t *testing.T) []machine {
	t.Helper()
	list, err := sandbox.Kube(t).CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var all []machine
	for i := range list.Items {
		all = append(all, machine{snapshot.InstanceIDFromProviderID(list.Items[i].Spec.ProviderID), list.Items[i].Name})
	}
	if len(all) != 2 {
		t.Fatalf("%d nodes, want 2", len(all))
	}
	return all
}

// condition is what the node's condition of a type is, nil for none.
func condition(t *testing.T, node string, kind corev1.NodeConditionType) (*corev1.NodeCondition, error) {
	t.Helper()
	found, err := sandbox.Kube(t).CoreV1().Nodes().Get(t.Context(), node, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	for i := range found.Status.Conditions {
		if found.Status.Conditions[i].Type == kind {
			return &found.Status.Conditions[i], nil
		}
	}
	return nil, nil
}

// becomes waits until the agent's condition has a status and names a check,
// and returns how long that took: a minute at the most.
func becomes(t *testing.T, m machine, status corev1.ConditionStatus, says string) time.Duration {
	t.Helper()
	began := time.Now()
	harness.Eventually(t, flip, func() error {
		have, err := condition(t, m.node, daemon.ConditionType)
		switch {
		case err != nil:
			return err
		case have == nil:
			return fmt.Errorf("%s has no condition; its agent says:\n%s", m.node, logs(t, m))
		case have.Status != status || !strings.Contains(have.Message, says):
			return fmt.Errorf("%s: %s %s: %s; its agent says:\n%s", m.node, have.Status, have.Reason, have.Message, logs(t, m))
		}
		return nil
	})
	return time.Since(began)
}

// ready waits until the node is Ready again.
func ready(t *testing.T, m machine) {
	t.Helper()
	harness.Eventually(t, patience, func() error {
		have, err := condition(t, m.node, corev1.NodeReady)
		if err == nil && (have == nil || have.Status != corev1.ConditionTrue) {
			err = fmt.Errorf("%s: %+v", m.node, have)
		}
		return err
	})
}

// pod is the agent's pod on a node.
func pod(t *testing.T, m machine) (*corev1.Pod, error) {
	t.Helper()
	list, err := sandbox.Kube(t).CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{FieldSelector: "spec.nodeName=" + m.node})
	if err != nil {
		return nil, err
	}
	if len(list.Items) != 1 {
		return nil, fmt.Errorf("%d pods on %s", len(list.Items), m.node)
	}
	return &list.Items[0], nil
}

// logs is what the agent on a node has said, but for its reports.
func logs(t *testing.T, m machine) string {
	t.Helper()
	found, err := pod(t, m)
	if err != nil {
		return err.Error()
	}
	data, err := sandbox.Kube(t).CoreV1().Pods(namespace).GetLogs(found.Name, &corev1.PodLogOptions{}).DoRaw(t.Context())
	if err != nil {
		return err.Error()
	}
	var said []string
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "{") {
			said = append(said, line)
		}
	}
	return strings.Join(said, "")
}

// running waits until the agent is Ready on all nodes.
func running(t *testing.T) *appsv1.DaemonSet {
	t.Helper()
	var set *appsv1.DaemonSet
	harness.Eventually(t, patience, func() error {
		var err error
		if set, err = sandbox.Kube(t).AppsV1().DaemonSets(namespace).Get(t.Context(), name, metav1.GetOptions{}); err != nil {
			return err
		}
		if s := set.Status; s.ObservedGeneration != set.Generation || s.DesiredNumberScheduled == 0 || s.NumberReady != s.DesiredNumberScheduled {
			return fmt.Errorf("%d of %d pods are Ready:\n%s", s.NumberReady, s.DesiredNumberScheduled, trouble(t))
		}
		return nil
	})
	return set
}

// trouble is what the cluster tells of pods that do not run.
func trouble(t *testing.T) string {
	t.Helper()
	events, err := sandbox.Kube(t).CoreV1().Events(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	var out strings.Builder
	for _, event := range events.Items {
		if event.Type == corev1.EventTypeWarning {
			fmt.Fprintf(&out, "%s %s: %s\n", event.InvolvedObject.Name, event.Reason, event.Message)
		}
	}
	for _, m := range machines(t) {
		out.WriteString(logs(t, m))
	}
	return out.String()
}

// metrics is what the agent tells on the machine itself.
func metrics(t *testing.T, m machine) string {
	t.Helper()
	out, err := sandbox.Node(m.id, "curl", "-sS", "http://"+daemon.DefaultListen+"/metrics")
	if err != nil {
		t.Fatal(err)
	}
	return out
}
