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

// readKubeletConfig reads the kubelet's configuration where its flags say
// that it lies, or where the images keep it.
func (m *Machine) readKubeletConfig(_ context.Context, known *snapshot.Host) (fill, error) {
	flags := m.kubeletFlags(known)
	file, err := m.kubeletFile(flags["config"])
	if err != nil {
		return nil, err
	}
	files := []hostfile.KubeletFile{file}
	dropIns := cmp.Or(flags["config-dir"], file.Path+".d")
	names, err := m.root.names(dropIns)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, name := range names {
		if !strings.HasSuffix(name, ".conf") && !strings.HasSuffix(name, ".json") {
			continue
		}
		data, err := m.root.read(dropIns + "/" + name)
		if err != nil {
			return nil, err
		}
		files = append(files, hostfile.KubeletFile{Path: dropIns + "/" + name, Data: data})
	}
	facts := hostfile.KubeletConfig(files, flags)
	facts.NodeName = redact.Line(hostfile.NodeName(facts.HostnameOverride, m.proc.line("/proc/sys/kernel/hostname")))
	return func(h *snapshot.Host) { h.KubeletConfig = &facts }, nil
}

// kubeletFlags are those of the running kubelet, or those that it would be
// started with.
func (m *Machine) kubeletFlags(known *snapshot.Host) map[string]string {
	if known.Kubelet != nil && known.Kubelet.Flags != nil {
		return known.Kubelet.Flags
	}
	for _, path := range []string{"/etc/eks/kubelet/environment", "/etc/kubernetes/kubelet/environment"} {
		data, err := m.root.read(path)
		if err != nil {
			continue
		}
		for _, setting := range hostfile.EnvironmentFile(data) {
			if name, value, _ := strings.Cut(setting, "="); strings.HasSuffix(name, "KUBELET_ARGS") {
				return hostfile.Flags(strings.Fields(value))
			}
		}
	}
	return nil
}

func (m *Machine) kubeletFile(named string) (hostfile.KubeletFile, error) {
	candidates := []string{named}
	if named == "" {
		candidates = []string{"/etc/kubernetes/kubelet/config.json", "/etc/kubernetes/kubelet/kubelet-config.json", "/etc/kubernetes/kubelet/config"}
	}
	for _, path := range candidates {
		data, err := m.root.read(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return hostfile.KubeletFile{Path: path, Data: data}, err
	}
	return hostfile.KubeletFile{}, absent("the kubelet has no configuration: %s", strings.Join(candidates, ", "))
}

// readCertificates reads the node's certificates. Their keys, where they
// stand in the same files, are passed over.
func (m *Machine) readCertificates(_ context.Context, known *snapshot.Host) (fill, error) {
	authority := "/etc/kubernetes/pki/ca.crt"
	if known.Kubeconfig != nil {
		authority = cmp.Or(known.Kubeconfig.CAFile, authority)
	}
	facts := &snapshot.HostCertificates{}
	for _, row := range [][2]string{
		{"/var/lib/kubelet/pki/kubelet-server-current.pem", "kubelet-server"},
		{"/var/lib/kubelet/pki/kubelet-client-current.pem", "kubelet-client"},
		{"/var/lib/kubelet/pki/kubelet.crt", "kubelet-self-signed"},
		{authority, "cluster-ca"},
	} {
		data, err := m.root.read(row[0])
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errNotMounted):
		case err != nil:
			facts.Certificates = append(facts.Certificates, snapshot.HostCertificate{Path: row[0], Use: row[1], Invalid: redact.Line(err.Error())})
		default:
			facts.Certificates = append(facts.Certificates, hostfile.Certificate(row[0], row[1], data))
		}
	}
	return func(h *snapshot.Host) { h.Certificates = facts }, nil
}
