package faults

import (
	"slices"
	"strings"
)

// disksOnNode are faults of the container runtime and of what kubelet and
// runtime write to. Small file systems in memory stand in for full disks.
func disksOnNode() []nodeFault {
	stopRuntime := nodeFault{
		name: "on the node: container runtime stopped", want: "runtime.down", shown: noRuntime,
		breaks: "systemctl mask -q --runtime --now containerd", mends: "systemctl unmask -q --runtime containerd; systemctl start containerd",
	}
	badRuntime := editOnNode("on the node: container runtime's configuration is no TOML", "runtime.config-invalid", noRuntime,
		containerdConfig, `sed 's/^version = .*/version = [/'`)
	badRuntime.breaks += "; systemctl restart containerd || true"
	badRuntime.mends += "; systemctl reset-failed containerd; systemctl restart containerd"
	return []nodeFault{
		stopRuntime,
		badRuntime,
		{
			name: "on the node: disk of the kubelet full", want: "os.disk-full", shown: noSpace,
			breaks: smallDisk("size=16m", "dd if=/dev/zero of=/run/small/filler bs=4k 2>/dev/null || true", ""), mends: largeDisk,
		},
		{
			name: "on the node: disk of the kubelet read-only", want: "os.readonly-fs", shown: `read-only file system`,
			breaks: smallDisk("size=16m", "", "mount -o remount,bind,ro "+kubeletFiles), mends: largeDisk,
		},
		{
			name: "on the node: disk of the kubelet without inodes", want: "os.inodes", shown: noSpace,
			breaks: smallDisk("size=16m,nr_inodes=400", "for i in $(seq 400); do touch /run/small/$i 2>/dev/null || break; done", ""), mends: largeDisk,
		},
	}
}

const kubeletFiles = "/var/lib/kubelet"

// smallDisk puts a small file system over the kubelet's files, with no more on
// it than a machine has before it joins, fills it, and does what else is to be
// done to it. What nodeadm reserves for the system does not fit on it.
func smallDisk(options, fill, then string) string {
	return strings.Join(slices.DeleteFunc([]string{
		"cp -p " + kubeletConfig + " " + kept,
		`sed 's/"ephemeral-storage": "1Gi"/"ephemeral-storage": "1Mi"/' <` + kept + " >" + kubeletConfig,
		"mkdir -p /run/small",
		"mount -t tmpfs -o mode=755," + options + " small /run/small",
		"cp -p " + kubeletFiles + "/kubeconfig /run/small",
		fill,
		"mount --bind /run/small " + kubeletFiles,
		then,
	}, func(line string) bool { return line == "" }), "\n")
}

const largeDisk = "umount " + kubeletFiles + "; umount /run/small; cp -p " + kept + " " + kubeletConfig
