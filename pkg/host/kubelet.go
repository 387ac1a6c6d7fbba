//go:build linux

package host

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/host/hostfile"
	"github.com/eksnodes/kubectl-eksnodes/pkg/netfail"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// readKubelet tells how the kubelet runs: its process, its flags, its own
// word on its health, its version.
func (m *Machine) readKubelet(ctx context.Context, _ *snapshot.Host) (fill, error) {
	facts := &snapshot.HostKubelet{}
	for _, process := range m.processes() {
		if arguments := m.arguments(process); process.Name == "kubelet" && !asksVersion(arguments) {
			facts.Running, facts.Flags = true, hostfile.Flags(arguments)
		}
	}
	m.askHealthz(ctx, facts)
	facts.Binary, _ = m.find("kubelet")
	facts.Version = m.kubeletVersion(ctx, facts.Binary)
	return func(h *snapshot.Host) { h.Kubelet = facts }, nil
}

// arguments are those of a process, without its own name.
func (m *Machine) arguments(process snapshot.HostProcess) []string {
	command, err := m.proc.readUpTo(fmt.Sprintf("/proc/%d/cmdline", process.PID), 64<<10)
	if err != nil {
		return nil // it has ended, or is not ours to see
	}
	return hostfile.Environ(command)[1:]
}

// asksVersion: somebody, perhaps this agent, asks the kubelet's program what
// it is.
func asksVersion(arguments []string) bool {
	return len(arguments) == 1 && arguments[0] == "--version"
}

func (m *Machine) askHealthz(ctx context.Context, facts *snapshot.HostKubelet) {
	status, body, err := m.localGet(ctx, m.healthz)
	facts.Healthz, facts.Failure = status, netfail.Of(err)
	if err == nil && status != http.StatusOK {
		facts.HealthzSays = redact.Line(string(body[:min(len(body), 300)]))
	}
}

// localGet asks a service on the machine's loopback address; no proxy is for
// that.
func (m *Machine) localGet(ctx context.Context, target string) (int, []byte, error) {
	client := &http.Client{
		Timeout:       2 * time.Second,
		Transport:     &http.Transport{DialContext: m.dial, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return 0, nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxFile))
	return response.StatusCode, body, err
}

// version finds v1.34.4 and the like in what a program prints.
var version = regexp.MustCompile(`\bv\d+\.\d+\.\d+[-+.0-9A-Za-z]*`)

// kubeletVersion is what EKS's images write down, and else the binary's own
// word: running it takes more memory than all of the agent.
func (m *Machine) kubeletVersion(ctx context.Context, binary string) string {
	if data, err := m.root.read("/etc/eks/kubelet-version.txt"); err == nil {
		if found := version.Find(data); found != nil {
			return string(found)
		}
	}
	if m.run == nil || binary == "" {
		return ""
	}
	var out bytes.Buffer
	if _, err := m.run.run(ctx, nil, &out, binary, "--version"); err != nil {
		return ""
	}
	return string(version.Find(out.Bytes()))
}
