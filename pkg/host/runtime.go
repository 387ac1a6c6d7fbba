//go:build linux

package host

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/eksnodes/kubectl-eksnodes/pkg/host/hostfile"
	"github.com/eksnodes/kubectl-eksnodes/pkg/netfail"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// The services of the interface, and the messages' field numbers, are those
// of k8s.io/cri-api pkg/apis/runtime/v1.
const (
	runtimeService = "RuntimeService"
	imageService   = "ImageService"
)

// socket is the first runtime's socket that is there; without any it is
// containerd's, which is then what is missing. An error says that the agent has
// no way to see any.
func (m *Machine) socket() (string, error) {
	for _, socket := range m.cri {
		if m.root.finds(socket) {
			return socket, nil
		}
	}
	if _, err := m.root.exists(m.cri[0]); errors.Is(err, errNotMounted) {
		return "", err
	}
	return m.cri[0], nil
}

// readRuntime asks the container runtime how it is, as the kubelet does.
func (m *Machine) readRuntime(ctx context.Context, _ *snapshot.Host) (fill, error) {
	socket, err := m.socket()
	if err != nil {
		return nil, err
	}
	facts := &snapshot.HostRuntime{Socket: socket}
	done := func(h *snapshot.Host) { h.Runtime = facts }
	client := newCRIClient(m.root.path(facts.Socket))
	defer client.close()
	answer, err := client.call(ctx, runtimeService, "Version", nil)
	if err != nil {
		facts.Failure = criFailure(err)
		return done, nil
	}
	facts.Name, facts.Version = redact.Line(answer.text(2)), redact.Line(answer.text(3))
	verbose := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1)
	answer, err = client.call(ctx, runtimeService, "Status", verbose)
	if err != nil {
		facts.Failure = criFailure(err)
		return done, nil
	}
	takeStatus(facts, answer)
	return done, m.askRuntime(ctx, client, facts)
}

func criFailure(err error) *snapshot.HostFailure {
	failure := netfail.Of(err)
	failure.Detail = redact.Line(failure.Detail)
	return failure
}

// takeStatus reads the conditions, and of the runtime's own configuration the
// two values that must fit the kubelet's.
func takeStatus(facts *snapshot.HostRuntime, answer fields) {
	for _, condition := range answer.message(1).messages(1) {
		holds := condition.number(2) == 1
		message := redact.Line(strings.TrimSuffix(condition.text(3)+": "+condition.text(4), ": "))
		if holds {
			message = ""
		}
		switch condition.text(1) {
		case "RuntimeReady":
			facts.Ready, facts.RuntimeMessage = &holds, message
		case "NetworkReady":
			facts.NetworkReady, facts.NetworkMessage = &holds, message
		}
	}
	for _, entry := range answer.messages(2) {
		if entry.text(1) != "config" {
			continue
		}
		var config runtimeConfig
		if json.Unmarshal([]byte(entry.text(2)), &config) == nil {
			facts.SandboxImage = redact.Line(config.SandboxImage)
			name := cmp.Or(config.Containerd.DefaultRuntime, "runc")
			if systemd := config.Containerd.Runtimes[name].Options.SystemdCgroup; systemd != nil {
				facts.CgroupDriver = driver(*systemd)
			}
		}
	}
}

// runtimeConfig is the part of containerd's verbose status that is read.
type runtimeConfig struct {
	SandboxImage string `json:"sandboxImage"`
	Containerd   struct {
		DefaultRuntime string `json:"defaultRuntimeName"`
		Runtimes       map[string]struct {
			Options struct {
				SystemdCgroup *bool `json:"SystemdCgroup"`
			} `json:"options"`
		} `json:"runtimes"`
	} `json:"containerd"`
}

func driver(systemd bool) string {
	if systemd {
		return "systemd"
	}
	return "cgroupfs"
}

// askRuntime asks what newer runtimes tell better, and whether the image of
// the pods' sandboxes is there.
func (m *Machine) askRuntime(ctx context.Context, client *criClient, facts *snapshot.HostRuntime) error {
	answer, err := client.call(ctx, runtimeService, "RuntimeConfig", nil)
	switch {
	case err == nil:
		facts.CgroupDriver = driver(answer.message(1).number(1) == 0)
	case !isUnimplemented(err):
		return err
	}
	if facts.SandboxImage == "" {
		return nil
	}
	spec := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), facts.SandboxImage)
	question := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), spec)
	answer, err = client.call(ctx, imageService, "ImageStatus", question)
	if err != nil {
		return err
	}
	present := len(answer[1]) > 0
	facts.SandboxPresent = &present
	return nil
}

// Bounds of what is named.
const (
	maxPods       = 130
	maxContainers = 200
)

// readWorkloads names the pods and containers that the runtime has.
func (m *Machine) readWorkloads(ctx context.Context, _ *snapshot.Host) (fill, error) {
	socket, err := m.socket()
	if err != nil {
		return nil, err
	}
	client := newCRIClient(m.root.path(socket))
	defer client.close()
	pods, err := client.call(ctx, runtimeService, "ListPodSandbox", nil)
	if err != nil {
		return nil, fmt.Errorf("list pods: %w", err)
	}
	containers, err := client.call(ctx, runtimeService, "ListContainers", nil)
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	facts := &snapshot.HostWorkloads{}
	names := map[string]string{}
	for _, pod := range pods.messages(1) {
		meta := pod.message(2)
		row := snapshot.HostPod{Namespace: redact.Line(meta.text(3)), Name: redact.Line(meta.text(1)), Ready: pod.number(3) == 0}
		names[pod.text(1)] = row.Namespace + "/" + row.Name
		if len(facts.Pods) < maxPods {
			facts.Pods = append(facts.Pods, row)
		} else {
			facts.More++
		}
	}
	states := []string{"created", "running", "exited", "unknown"}
	for _, container := range containers.messages(1) {
		if len(facts.Containers) >= maxContainers {
			facts.More++
			continue
		}
		meta := container.message(3)
		facts.Containers = append(facts.Containers, snapshot.HostContainer{
			Pod: names[container.text(2)], Name: redact.Line(meta.text(1)), Attempt: int(meta.number(2)), State: states[min(container.number(6), 3)],
		})
	}
	return func(h *snapshot.Host) { h.Workloads = facts }, nil
}

// readRuntimeConfig reads containerd's configuration file and those that it
// imports.
func (m *Machine) readRuntimeConfig(context.Context, *snapshot.Host) (fill, error) {
	const file = "/etc/containerd/config.toml"
	data, err := m.root.read(file)
	if err != nil {
		return nil, err
	}
	facts, imports := hostfile.Containerd(file, data)
	for _, pattern := range imports {
		for _, imported := range m.matches(pattern) {
			data, err := m.root.read(imported)
			if err != nil {
				continue // containerd passes over what its pattern does not find
			}
			if more, _ := hostfile.Containerd(imported, data); more.Invalid != "" && facts.Invalid == "" {
				facts.Invalid = imported + ": " + more.Invalid
			}
		}
	}
	return func(h *snapshot.Host) { h.RuntimeConfig = &facts }, nil
}

// matches are the files of a pattern whose last part alone has wildcards.
func (m *Machine) matches(pattern string) []string {
	dir, last := path.Split(pattern)
	names, err := m.root.names(dir)
	if err != nil {
		return nil
	}
	var found []string
	for _, name := range names {
		if ok, err := path.Match(last, name); err == nil && ok && len(found) < 20 {
			found = append(found, dir+name)
		}
	}
	return found
}
