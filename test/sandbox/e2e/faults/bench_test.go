package faults

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/instances/cloud"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// bench is a machine on which one fault after the other is broken and mended.
// It has joined, and loses its node for each fault: the doctor is to say why a
// machine does not join, of which it knows nothing but what the machine itself
// tells, by the one road that is open to it.
type bench struct {
	group  string // of its own, with a role of its own
	road   string // snapshot.RoadSSH or snapshot.RoadSSM
	asks   []string
	faults []nodeFault
}

// nodeFault is a fault that is broken on the machine.
type nodeFault struct {
	name, want string
	// breaks and mends are scripts that root runs on the machine while its
	// kubelet is stopped.
	breaks, mends string
	// outside breaks what is not on the machine, and returns what mends it.
	outside func(t *testing.T, w *world, m machine) (mend func())
	// shown is what the kubelet says when it meets the fault.
	shown string
	// stays: the kubelet is not started, which is the fault.
	stays bool
	// after waits for what comes about by itself where the kubelet joins
	// nonetheless.
	after func(t *testing.T, m machine)
}

// row is the fault as one of the table.
func (f *nodeFault) row() fault { return fault{name: f.name, want: []string{f.want}} }

// machine is one that has joined.
type machine struct {
	id, group string
	role      string // ARN
}

// expect says which rows there will be.
func (b *bench) expect(rows *table) {
	for i := range b.faults {
		rows.expect(b.faults[i].row())
	}
}

// try launches the bench's machine and tries its faults.
func (b *bench) try(t *testing.T, w *world, rows *table) {
	m := b.launch(t, w)
	for i := range b.faults {
		f, mended := &b.faults[i], false
		t.Run(f.name, func(t *testing.T) {
			mend := f.breakOn(t, w, m)
			got := expect(t, []string{f.want}, append([]string{m.id, "--agent", "always"}, b.asks...)...)
			if got.road() != b.road {
				t.Errorf("the answer came by %s, not by %s", got.road(), b.road)
			}
			rows.add(f.row(), got)
			mend()
			mended = true
		})
		if !mended {
			t.Fatalf("%s is broken: what else was to be tried on it is not", m.id)
		}
	}
}

// launch makes the bench's group with one road to its machine, and waits until
// that has joined.
func (b *bench) launch(t *testing.T, w *world) machine {
	t.Helper()
	role, profile := w.ownRole(t, b.group)
	w.createEntry(t, role, "EC2_LINUX")
	edit := func(in *template) { in.profile = profile }
	if b.road == snapshot.RoadSSH {
		off(t, string(cloud.NoSSM), b.group)
		door := w.sshGroup(t, b.group)
		edit = func(in *template) { in.profile, in.securityGroups = profile, []string{door} }
	}
	w.group(t, b.group, 1, edit)
	id := w.running(t, b.group)
	ready(t, id)
	if b.road == snapshot.RoadSSM {
		installAgent(t, id)
	}
	return machine{id: id, group: b.group, role: role}
}

// sshGroup makes a security group in place of the healthy group's that lets
// the user's seat reach port 22.
func (w *world) sshGroup(t *testing.T, name string) string {
	t.Helper()
	id := w.ownGroup(t, name)
	_, err := w.ec2.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &id, IpPermissions: []ec2types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), IpRanges: []ec2types.IpRange{{CidrIp: aws.String(layout.LaptopIP + "/32")}},
	}}})
	must(t, err)
	return id
}

// installAgent puts node-agent where SSM looks for it, as an image may have it.
func installAgent(t *testing.T, id string) {
	t.Helper()
	program, err := os.Open("../../../../bin/node-agent")
	must(t, err)
	defer program.Close()
	const place = "/usr/local/bin/node-agent"
	put := sandbox.Command(t, "node", id, "--", "sh", "-c", "cat >"+place+" && chmod 755 "+place)
	put.Stdin = program
	if out, err := put.CombinedOutput(); err != nil {
		t.Fatal(errors.Join(err, errors.New(string(out))))
	}
}

// breakOn breaks a machine and returns what mends it and waits until it has
// joined anew, which proves that what was broken was the cause.
func (f *nodeFault) breakOn(t *testing.T, w *world, m machine) (mend func()) {
	t.Helper()
	m.script(t, "systemctl stop kubelet")
	must(t, sandbox.Kube(t).CoreV1().Nodes().Delete(t.Context(), node(t, m.id).Name, metav1.DeleteOptions{}))
	since := strings.TrimSpace(m.script(t, "date +@%s"))
	m.script(t, f.breaks)
	unbreak := func() {}
	if f.outside != nil {
		unbreak = f.outside(t, w, m)
	}
	if !f.stays {
		m.script(t, "systemctl start kubelet")
	}
	if f.shown != "" {
		m.awaitKubelet(t, since, f.shown)
	}
	if f.after != nil {
		f.after(t, m)
	} else {
		notReady(t, m.id)
	}
	return func() {
		m.script(t, "systemctl stop kubelet")
		m.script(t, f.mends)
		unbreak()
		m.script(t, "systemctl reset-failed; systemctl start kubelet")
		ready(t, m.id)
	}
}

// notReady is the proof that something is broken. A kubelet that ends may have
// registered before.
func notReady(t *testing.T, id string) {
	t.Helper()
	n := node(t, id)
	if n != nil && slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	}) {
		t.Errorf("%s is Ready: nothing was broken", id)
	}
}

// script runs a shell script as root on the machine, and returns its output.
func (m machine) script(t *testing.T, text string) string {
	t.Helper()
	out, err := sandbox.Node(m.id, "sh", "-euc", text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// awaitKubelet waits until the kubelet has said so since a time.
func (m machine) awaitKubelet(t *testing.T, since, sign string) {
	t.Helper()
	pattern := regexp.MustCompile(sign)
	harness.Eventually(t, 2*time.Minute, func() error {
		text, err := sandbox.Node(m.id, "journalctl", "-q", "-o", "cat", "--no-pager", "--since", since, "-u", "kubelet")
		if err == nil && !pattern.MatchString(text) {
			err = fmt.Errorf("the kubelet of %s does not say %q:\n%s", m.id, sign, tail(text))
		}
		return err
	})
}
