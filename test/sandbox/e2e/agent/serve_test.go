package agent

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/daemon"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// servePatience is how long two looks may take under strace, which makes each
// system call many times slower.
const servePatience = 3 * time.Minute

// Of what serve does on a machine, as root and with all that it can see: it
// listens at the address of its metrics and nowhere else, connects to what a
// report connects to and to the API server, to which it writes; it writes no
// file and starts no unit.
func TestServeChangesNothing(t *testing.T) {
	id, err := node()
	if err != nil {
		t.Fatal(err)
	}
	name := serviceAccount(t, id)
	trace := filepath.Join(t.TempDir(), "trace")
	cmd := traced(t, id, trace, "echo $$ >/run/traced.pid; export NODE_NAME="+name+"; exec "+onNode+" serve --interval 5s --remote-interval 5s >/run/traced.out 2>&1")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		if _, err := sandbox.Node(id, "sh", "-c", "kill -TERM $(cat /run/traced.pid)"); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("serve: %v\n%s", err, said.String())
		}
	}
	t.Cleanup(stop)
	harness.Eventually(t, servePatience, func() error { return twoLooksTold(t, id, name) })
	stop()
	calls := agentCalls(t, trace)
	for _, line := range calls {
		if reason := changes(line); reason != "" && reason != listensSomewhere {
			t.Errorf("%s: %s", reason, line)
		}
	}
	if _, sent := rawSockets(calls); len(sent) > 0 {
		t.Errorf("sends on a raw socket: %q", sent)
	}
	s := socketsOf(calls)
	if !slices.Equal(s.listening, []string{daemon.DefaultListen}) {
		t.Errorf("listens at %q", s.listening)
	}
	api := layout.ControlPlaneIP + ":443"
	allowed := []string{
		api, layout.AWSIP + ":443", layout.VPCResolver + ":53", layout.IMDSIP + ":80",
		layout.IMDSIP + ":0",                                  // the raw socket, on which nothing is sent
		"127.0.0.1:10248", "127.0.0.1:61679", "127.0.0.1:323", // kubelet, address manager, chronyd
	}
	for _, address := range s.connected {
		if !slices.Contains(allowed, address) {
			t.Errorf("connects to %s", address)
		}
	}
	if !slices.Contains(s.connected, api) {
		t.Errorf("connects to %q, and not to the API server", s.connected)
	}
	for _, address := range s.bound {
		if !slices.Contains([]string{"::1:0", "::ffff:127.0.0.1:0"}, address) { // Go's runtime tries which families there are
			t.Errorf("binds a socket to %s", address)
		}
	}
}

// twoLooksTold is nil once serve has looked twice and the node has its
// condition.
func twoLooksTold(t *testing.T, id, name string) error {
	t.Helper()
	text, err := sandbox.Node(id, "curl", "-sS", "http://"+daemon.DefaultListen+"/metrics")
	if err != nil {
		log, readErr := sandbox.Node(id, "cat", "/run/traced.out")
		return fmt.Errorf("%w; it says: %s", errors.Join(err, readErr), log)
	}
	looks := regexp.MustCompile(`(?m)^node_agent_looks_total (\d+)$`).FindStringSubmatch(text)
	if looks == nil || looks[1] < "2" && len(looks[1]) == 1 {
		return fmt.Errorf("looks: %q", looks)
	}
	found, err := sandbox.Kube(t).CoreV1().Nodes().Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(found.Status.Conditions, func(c corev1.NodeCondition) bool { return c.Type == daemon.ConditionType }) {
		return fmt.Errorf("%s has no condition of the agent's", name)
	}
	return nil
}

// serviceAccount puts what a pod is given on the machine, for an account that
// may do what the agent does, and returns the name of the machine's Node.
func serviceAccount(t *testing.T, id string) string {
	t.Helper()
	const account = "traced"
	kube := sandbox.Kube(t)
	nodes, err := kube.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(nodes.Items) != 1 {
		t.Fatalf("%d nodes: %v", len(nodes.Items), err)
	}
	meta := metav1.ObjectMeta{Name: account}
	if _, err := kube.CoreV1().ServiceAccounts("default").Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: meta}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := kube.RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: meta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: "default", Name: account}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	token, err := kube.CoreV1().ServiceAccounts("default").CreateToken(t.Context(), account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	put := sandbox.Command(t, "node", id, "--", "sh", "-c", "umask 077 && mkdir -p "+daemon.ServiceAccountDir+" && cd "+daemon.ServiceAccountDir+" && cat >token && cp /etc/kubernetes/pki/ca.crt ca.crt")
	put.Stdin = strings.NewReader(token.Status.Token)
	if out, err := put.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return nodes.Items[0].Name
}

// sockets are what calls did with sockets of IP, as ADDRESS:PORT.
type sockets struct {
	listening []string // one for each call of listen
	bound     []string // and not listened on
	connected []string // each once
}

var (
	ipAddress = regexp.MustCompile(`^(bind|connect)\((\d+), \{sa_family=AF_INET6?, sin6?_port=htons\((\d+)\).*?"([0-9a-f.:]+)"`)
	listensOn = regexp.MustCompile(`^listen\((\d+),`)
)

func socketsOf(calls []string) sockets {
	var s sockets
	bound := map[string]string{} // by descriptor
	forget := func(descriptor string) {
		if address := bound[descriptor]; address != "" {
			s.bound = append(s.bound, address)
		}
		delete(bound, descriptor)
	}
	for _, call := range calls {
		if done := closes.FindStringSubmatch(call); done != nil {
			forget(done[1])
		}
		if on := listensOn.FindStringSubmatch(call); on != nil {
			s.listening = append(s.listening, bound[on[1]])
			delete(bound, on[1])
		}
		found := ipAddress.FindStringSubmatch(call)
		switch {
		case found == nil:
		case found[1] == "bind":
			forget(found[2])
			bound[found[2]] = found[4] + ":" + found[3]
		case !slices.Contains(s.connected, found[4]+":"+found[3]):
			s.connected = append(s.connected, found[4]+":"+found[3])
		}
	}
	for descriptor := range bound {
		s.bound = append(s.bound, bound[descriptor])
	}
	return s
}
