package faults

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

// patience is how long a machine may take for anything: some boot at the same
// time, on a machine that may have more to do.
const patience = 8 * time.Minute

// node is the Node object of a machine, nil when there is none.
func node(t *testing.T, id string) *corev1.Node {
	t.Helper()
	list, err := sandbox.Kube(t).CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	must(t, err)
	for i := range list.Items {
		if snapshot.InstanceIDFromProviderID(list.Items[i].Spec.ProviderID) == id {
			return &list.Items[i]
		}
	}
	return nil
}

// condition waits until the Ready condition of a machine's node is so.
func condition(t *testing.T, id string, want func(corev1.NodeCondition) bool) {
	t.Helper()
	harness.Eventually(t, patience, func() error {
		found := node(t, id)
		if found == nil {
			return fmt.Errorf("%s has no node", id)
		}
		for _, c := range found.Status.Conditions {
			if c.Type == corev1.NodeReady && want(c) {
				return nil
			}
		}
		return fmt.Errorf("node of %s: %+v", id, found.Status.Conditions)
	})
}

// ready waits until a machine is a Ready node.
func ready(t *testing.T, id string) {
	t.Helper()
	condition(t, id, func(c corev1.NodeCondition) bool { return c.Status == corev1.ConditionTrue })
}

// notJoined is the proof that something is broken.
func notJoined(t *testing.T, id string) {
	t.Helper()
	if node(t, id) != nil {
		t.Errorf("%s has joined: nothing was broken", id)
	}
}

// console is what EC2 says of the machine's serial console.
func (w *world) console(t *testing.T, id string) (string, error) {
	out, err := w.ec2.GetConsoleOutput(t.Context(), &ec2.GetConsoleOutputInput{InstanceId: &id, Latest: aws.Bool(true)})
	if err != nil {
		return "", err
	}
	text, err := base64.StdEncoding.DecodeString(aws.ToString(out.Output))
	return string(text), err
}

// fails waits until the machine says so on its console.
func (w *world) fails(t *testing.T, id, sign string) {
	t.Helper()
	harness.Eventually(t, patience, func() error {
		text, err := w.console(t, id)
		if err == nil && !regexp.MustCompile(sign).MatchString(text) {
			err = fmt.Errorf("the console of %s does not say %q:\n%s", id, sign, tail(text))
		}
		return err
	})
	notJoined(t, id)
}

// awaitJournal waits until the machine says so in its journal.
func (w *world) awaitJournal(t *testing.T, id, sign string) {
	t.Helper()
	harness.Eventually(t, patience, func() error {
		text, err := sandbox.Node(id, "journalctl", "-b", "-q", "-o", "cat", "--no-pager", "-n", "400",
			"-u", "kubelet", "-u", "nodeadm-config", "-u", "nodeadm-run")
		if err == nil && !regexp.MustCompile(sign).MatchString(text) {
			err = fmt.Errorf("the journal of %s does not say %q:\n%s", id, sign, tail(text))
		}
		return err
	})
}

// refused waits until the machine says so in its journal. Then its beacon, which
// would wait for minutes, is sent off at once, and the console read.
func (w *world) refused(t *testing.T, id, sign string) {
	t.Helper()
	w.awaitJournal(t, id, sign)
	harness.Eventually(t, patience, func() error {
		if _, err := sandbox.Node(id, "bash", "/run/eksnodes-beacon"); err != nil {
			return err // cloud-init has not written it yet
		}
		text, err := w.console(t, id)
		if report, found := userdata.ParseBeacon(text); err == nil && (!found || !report.Complete) {
			err = fmt.Errorf("no beacon on the console of %s", id)
		}
		return err
	})
	notJoined(t, id)
}

// tail is the end of a text, for people.
func tail(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}
