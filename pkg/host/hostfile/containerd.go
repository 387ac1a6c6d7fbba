package hostfile

import (
	"errors"
	"fmt"

	"github.com/pelletier/go-toml/v2"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// containerdPlugin is the CRI plugin's table, in the shapes of containerd 1
// (version 2) and containerd 2 (version 3).
type containerdPlugin struct {
	SandboxImage string `toml:"sandbox_image"`
	PinnedImages struct {
		Sandbox string `toml:"sandbox"`
	} `toml:"pinned_images"`
	Containerd struct {
		DefaultRuntime string `toml:"default_runtime_name"`
		Runtimes       map[string]struct {
			Options struct {
				SystemdCgroup *bool `toml:"SystemdCgroup"`
			} `toml:"options"`
		} `toml:"runtimes"`
	} `toml:"containerd"`
}

// Containerd reads containerd's configuration file. One that containerd does
// not take has Invalid. The values of the file are not quoted: they may be
// credentials of registries.
func Containerd(path string, data []byte) (out snapshot.HostRuntimeConfig, imports []string) {
	out = snapshot.HostRuntimeConfig{Path: path}
	var file struct {
		Version int                         `toml:"version"`
		Imports []string                    `toml:"imports"`
		Plugins map[string]containerdPlugin `toml:"plugins"`
	}
	if err := toml.Unmarshal(data, &file); err != nil {
		out.Invalid = tomlError(err)
		return out, nil
	}
	out.Version = file.Version
	if file.Version > 3 || file.Version < 0 {
		out.Invalid = fmt.Sprintf("version %d is not one that containerd knows", file.Version)
	}
	for _, name := range []string{"io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"} {
		takePlugin(&out, file.Plugins[name])
	}
	return out, file.Imports
}

func takePlugin(out *snapshot.HostRuntimeConfig, plugin containerdPlugin) {
	for _, image := range []string{plugin.SandboxImage, plugin.PinnedImages.Sandbox} {
		if image != "" {
			out.SandboxImage = redact.Line(image)
		}
	}
	name := plugin.Containerd.DefaultRuntime
	if name == "" {
		name = "runc"
	}
	if runtime, there := plugin.Containerd.Runtimes[name]; there {
		out.CgroupDriver = "cgroupfs"
		if systemd := runtime.Options.SystemdCgroup; systemd != nil && *systemd {
			out.CgroupDriver = "systemd"
		}
	}
}

// tomlError says where a file is wrong, not what stands there.
func tomlError(err error) string {
	var fault *toml.DecodeError
	if errors.As(err, &fault) {
		line, column := fault.Position()
		return fmt.Sprintf("line %d, column %d: it is not the TOML that containerd reads", line, column)
	}
	return "it is not the TOML that containerd reads"
}
