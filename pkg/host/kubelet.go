package host

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
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
		if process.Name != "kubelet" {
			continue
		}
		facts.Running = true
		command, err := m.proc.readUpTo(fmt.Sprintf("/proc/%d/cmdline", process.PID), 64<<10)
		if err == nil {
			facts.Flags = hostfile.Flags(hostfile.Environ(command)[1:])
		}
	}
	m.askHealthz(ctx, facts)
	facts.Binary, _ = m.find("kubelet")
	facts.Version = m.kubeletVersion(ctx, facts.Binary)
	return func(h *snapshot.Host) { h.Kubelet = facts }, nil
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

// kubeletVersion is the binary's own word; from a pod it cannot be run, and
// what EKS's images write down has to do.
func (m *Machine) kubeletVersion(ctx context.Context, binary string) string {
	if m.run != nil && binary != "" {
		var out bytes.Buffer
		if _, err := m.run.run(ctx, nil, &out, binary, "--version"); err == nil {
			return string(version.Find(out.Bytes()))
		}
	}
	data, err := m.root.read("/etc/eks/kubelet-version.txt")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(version.Find(bytes.TrimSpace(data))))
}
