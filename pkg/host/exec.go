//go:build linux

package host

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/host/hostfile"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/token"
)

// readExec runs the kubelet's own program for tokens, as the kubelet would,
// and tells what came of it. The token that it makes is looked at in memory.
func (m *Machine) readExec(ctx context.Context, known *snapshot.Host) (fill, error) {
	switch {
	case known.Kubeconfig == nil || known.Kubeconfig.Exec == nil:
		return nil, notAsked("the kubelet's kubeconfig runs no program for tokens")
	case m.run == nil:
		return nil, notAsked("the machine's programs cannot be run from a pod")
	case known.Kubeconfig.Exec.Path == "":
		return nil, notAsked("the program %s is not there", known.Kubeconfig.Exec.Command)
	case !hostfile.ExecSigns(known.Kubeconfig.Exec):
		return nil, notAsked("%s is not a program that is known to do nothing but make tokens", known.Kubeconfig.Exec.Command)
	}
	k, err := m.findKubeconfig()
	if err != nil {
		return nil, err
	}
	info := `KUBERNETES_EXEC_INFO={"apiVersion":"` + k.Facts.Exec.APIVersion + `","kind":"ExecCredential","spec":{"interactive":false}}`
	var out bytes.Buffer
	ran, err := m.run.run(ctx, append(k.ExecEnv, info), &out, known.Kubeconfig.Exec.Path, k.ExecArgs...)
	if err != nil {
		return nil, err
	}
	facts := &snapshot.HostExecRun{ExitCode: ran.code}
	if ran.code != 0 {
		lines := strings.Split(strings.TrimSpace(redact.Text(string(ran.err))), "\n")
		facts.Error = redact.Line(lines[len(lines)-1])
		facts.Error = facts.Error[:min(len(facts.Error), 300)]
		return func(h *snapshot.Host) { h.Exec = facts }, nil
	}
	var credential struct {
		APIVersion string `json:"apiVersion"`
	}
	if err := json.Unmarshal(out.Bytes(), &credential); err != nil {
		facts.Error = "its output is no ExecCredential"       // whatever it is, it is not quoted
		return func(h *snapshot.Host) { h.Exec = facts }, nil //nolint:nilerr // that it prints something else is the fact
	}
	facts.APIVersion = redact.Line(credential.APIVersion)
	if made, err := token.Parse(out.Bytes()); err == nil {
		if claims, err := token.Describe(made); err == nil {
			claims.Cluster = known.Kubeconfig.Exec.Cluster
			facts.Claims = &claims
		}
	}
	return func(h *snapshot.Host) { h.Exec = facts }, nil
}
