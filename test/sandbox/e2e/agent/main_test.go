// Package agent tests node-agent's real binary on a real node of the sandbox:
// with systemd, journald, D-Bus, cloud-init, nodeadm, containerd and the
// kubelet there.
package agent

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

var sandbox *harness.Sandbox

func TestMain(m *testing.M) {
	s, run := harness.Main(m, "e2e-agent")
	sandbox = s
	os.Exit(run())
}

// where the agent lies on the node.
const onNode = "/root/node-agent"

// node is the one node of the tests, with the agent on it.
var node = sync.OnceValues(func() (string, error) {
	out, err := exec.Command(sandboxDriver(), "exec", "--name", sandbox.Name, "--path", filepath.Join(root(), "bin"), "--",
		"kubectl", "eksnodes", "add", "workers", "--desired", "1", "--yes").CombinedOutput()
	if err != nil {
		return "", errors.Join(err, errors.New(string(out)))
	}
	id := ""
	for word := range strings.FieldsSeq(string(out)) {
		if strings.HasPrefix(word, "i-") {
			id = word
		}
	}
	agent, err := os.Open(filepath.Join(root(), "bin", "node-agent"))
	if err != nil {
		return "", err
	}
	defer agent.Close()
	put := exec.Command(sandboxDriver(), "node", "--name", sandbox.Name, id, "--", "sh", "-c", "cat >"+onNode+" && chmod 755 "+onNode)
	put.Stdin = agent
	if out, err := put.CombinedOutput(); err != nil {
		return "", errors.Join(err, errors.New(string(out)))
	}
	return id, nil
})

func root() string { return filepath.Join("..", "..", "..", "..") }

func sandboxDriver() string { return filepath.Join(root(), "bin", "sandbox") }

// onTheNode runs a shell command on the node and returns what it printed and
// its exit code.
func onTheNode(t *testing.T, script string) (out, errOut string, code int) {
	t.Helper()
	id, err := node()
	if err != nil {
		t.Fatal(err)
	}
	cmd := sandbox.Command(t, "node", id, "--", "sh", "-c", script)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}
