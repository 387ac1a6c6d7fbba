//go:build linux

package host

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/host/hostfile"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func TestPartsOfAPod(t *testing.T) {
	at := func(paths ...string) []hostfile.Mount {
		var mounts []hostfile.Mount
		for _, path := range paths {
			mounts = append(mounts, hostfile.Mount{Path: path})
		}
		return mounts
	}
	for name, test := range map[string]struct {
		mounts []hostfile.Mount
		want   []string
	}{
		"single parts": {at("/", "/proc", "/host/etc/eks", "/host/proc", "/hostile/etc"), []string{"/etc/eks", "/proc"}},
		"whole root":   {at("/", "/host", "/host/proc"), nil},
		"a copy":       {at("/", "/proc"), nil},
	} {
		if diff := cmp.Diff(test.want, partsOf(test.mounts, "/host")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// inParts is the rig seen from a pod that has no more than some of it.
func inParts(t *testing.T, parts ...string) *rig {
	t.Helper()
	r := newRig(t)
	r.inPod, r.run, r.root.parts = true, nil, parts
	r.proc = r.root
	return r
}

// What a pod does not have is not known: it is neither missing nor broken, and
// no rule judges it.
func TestPodWithParts(t *testing.T) {
	r := inParts(t, "/etc/kubernetes", "/etc/cni/net.d", "/var/lib/kubelet/kubeconfig", "/etc/pki", "/etc/ssl", "/etc/resolv.conf", "/proc")
	facts := r.Read(context.Background())
	for _, probe := range []snapshot.Probe{
		snapshot.ProbeRuntime, snapshot.ProbeWorkloads, snapshot.ProbeRuntimeConfig, snapshot.ProbeNodeadm, snapshot.ProbeCloudInit,
		snapshot.ProbeBottlerocket, snapshot.ProbeLogs, snapshot.ProbeExec, snapshot.ProbeKernel,
	} {
		if gap := gapOfProbe(t, &facts, probe); gap.Reason != snapshot.GapNotAsked {
			t.Errorf("%s: %+v", probe, gap)
		}
	}
	switch {
	case facts.Kubeconfig == nil || facts.Kubeconfig.Exec == nil || facts.Kubeconfig.Exec.Found != nil:
		t.Errorf("a program that cannot be looked for: %+v", facts.Kubeconfig)
	case facts.System.NodeImage != nil:
		t.Error("whether the image is EKS's is not known")
	case facts.CNI == nil || len(facts.CNI.Files) == 0 || len(facts.CNI.Missing) > 0:
		t.Errorf("CNI: %+v", facts.CNI)
	}
	if slices.ContainsFunc(facts.Certificates.Certificates, func(c snapshot.HostCertificate) bool { return c.Use == "kubelet-server" }) {
		t.Errorf("certificates: %+v", facts.Certificates)
	}
	if _, err := r.root.read("/etc/hostname"); !errors.Is(err, errNotMounted) {
		t.Errorf("a file that is there, but not mounted: %v", err)
	}
}

// A mount of the machine is measured by a part of it that the pod has, and is
// read-only when its file system is, not when the pod's mount is.
func TestDisksOfAPod(t *testing.T) {
	r := inParts(t, "/etc/kubernetes", "/var/lib/kubelet/kubeconfig", "/proc")
	plantIn(t, r.dir, map[string]string{"proc/1/mountinfo": "1 0 259:1 / / rw - xfs /dev/nvme0n1p1 rw\n2 1 259:2 / /var/lib/kubelet rw shared:1 - xfs /dev/nvme1n1 ro,attr2\n3 1 259:3 / /var rw - xfs /dev/nvme2n1 rw\n"})
	facts := r.Read(context.Background())
	if facts.Disks == nil {
		t.Fatalf("gaps: %+v", facts.Gaps)
	}
	var got []snapshot.HostFilesystem
	for _, f := range facts.Disks.Filesystems {
		if f.Size == 0 || f.Inodes == 0 {
			t.Errorf("%s is not measured: %+v", f.Mount, f)
		}
		got = append(got, snapshot.HostFilesystem{Mount: f.Mount, For: f.For, Device: f.Device, Type: f.Type, ReadOnly: f.ReadOnly})
	}
	want := []snapshot.HostFilesystem{
		{Mount: "/", For: []string{"/", "/etc/kubernetes"}, Device: "/dev/nvme0n1p1", Type: "xfs"},
		{Mount: "/var/lib/kubelet", For: []string{"/var/lib/kubelet"}, Device: "/dev/nvme1n1", Type: "xfs", ReadOnly: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
