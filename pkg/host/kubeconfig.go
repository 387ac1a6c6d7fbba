//go:build linux

package host

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/host/hostfile"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// kubeconfigs are where the images keep the kubelet's: AL2023 and AL2,
// Bottlerocket, Ubuntu's snap.
func kubeconfigs() []string {
	return []string{"/var/lib/kubelet/kubeconfig", "/etc/kubernetes/kubelet/kubeconfig", "/var/snap/kubelet-eks/common/kubelet-eks/kubeconfig"}
}

// searched are the directories that a program is looked for in, as systemd
// hands them to a unit.
func searched() []string {
	return []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}
}

// findKubeconfig reads the first kubeconfig that is there. A pod has the place
// of one family of images only: at the others there may be one, or none.
func (m *Machine) findKubeconfig() (hostfile.Kubeconfig, error) {
	var hidden error
	for _, path := range kubeconfigs() {
		data, err := m.root.read(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case errors.Is(err, errNotMounted):
			hidden = cmp.Or(hidden, err)
		case err != nil:
			return hostfile.Kubeconfig{}, err
		default:
			return hostfile.ParseKubeconfig(path, data), nil
		}
	}
	if hidden != nil {
		return hostfile.Kubeconfig{}, hidden
	}
	return hostfile.Kubeconfig{}, absent("there is no kubeconfig: %s", strings.Join(kubeconfigs(), ", "))
}

// authority is the PEM bundle that the kubeconfig trusts, nil for the
// system's.
func (m *Machine) authority(k *hostfile.Kubeconfig) ([]byte, error) {
	if k.CA != nil || k.Facts.CAFile == "" {
		return k.CA, nil
	}
	return m.root.read(k.Facts.CAFile)
}

// readKubeconfig tells where the kubelet is sent to, whom it trusts and how
// it gets its token.
func (m *Machine) readKubeconfig(context.Context, *snapshot.Host) (fill, error) {
	k, err := m.findKubeconfig()
	if err != nil {
		return nil, err
	}
	facts := k.Facts
	if facts.Invalid == "" && facts.CAFile != "" {
		bundle, err := m.authority(&k)
		facts.CA = hostfile.Sums(bundle)
		switch {
		case err != nil:
			facts.Invalid = "its certificate authority cannot be read: " + redact.Line(err.Error())
		case len(facts.CA) == 0:
			facts.Invalid = "its certificate authority " + facts.CAFile + " holds no certificate"
		}
	}
	if facts.Exec != nil {
		exec := *facts.Exec
		exec.Path, exec.Found = m.find(exec.Command)
		facts.Exec = &exec
	}
	return func(h *snapshot.Host) { h.Kubeconfig = &facts }, nil
}

// find looks for a program as the kubelet would. Nil: it could not be looked
// for.
func (m *Machine) find(command string) (path string, found *bool) {
	yes, no := true, false
	candidates := []string{command}
	if !strings.HasPrefix(command, "/") {
		candidates = nil
		for _, dir := range searched() {
			candidates = append(candidates, dir+"/"+command)
		}
	}
	for _, path := range candidates {
		there, err := m.root.exists(path)
		if err != nil {
			return "", nil
		}
		if there {
			return path, &yes
		}
	}
	return "", &no
}
