//go:build linux

package host

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/eksnodes/kubectl-eksnodes/deploy"
	"github.com/eksnodes/kubectl-eksnodes/pkg/check"
	"github.com/eksnodes/kubectl-eksnodes/pkg/host/hostfile"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
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

// bottlerocketFiles is a machine of Bottlerocket as its packages lay it out:
// neither /etc/eks nor nodeadm, the kubelet's files below /etc/kubernetes, an
// os-release and a resolv.conf that are links. What a pod must not need is not
// there.
func bottlerocketFiles(r *rig) map[string]string {
	return map[string]string{
		"usr/lib/os-release": "ID=bottlerocket\nPRETTY_NAME=\"Bottlerocket OS 1.50.0 (aws-k8s-1.34)\"\n", "run/netdog/resolv.conf": "nameserver 127.0.0.1\n",
		"etc/kubernetes/pki/ca.crt": r.ca, "etc/pki/tls/certs/ca-bundle.crt": r.ca,
		"etc/kubernetes/kubelet/config":     "---\nkind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\nclusterDNS:\n- 10.100.0.10\ncgroupDriver: systemd\nmaxPods: 29\nfailSwapOn: false\n",
		"etc/kubernetes/kubelet/kubeconfig": strings.NewReplacer("command: aws\n", "command: /usr/bin/aws-iam-authenticator\n", "[eks, get-token, --cluster-name, demo, --region, us-west-2]", "[token, -i, demo, --region, us-west-2]").Replace(kubeconfigFor(r.api.URL)),
		"etc/containerd/config.toml":        "version = 2\n[plugins.'io.containerd.grpc.v1.cri']\nsandbox_image = 'localhost/kubernetes/pause:0.1.0'\n",
		"etc/cni/net.d/10-aws.conflist":     `{"name":"aws-cni","plugins":[{"type":"aws-cni"}]}`, "opt/cni/bin/aws-cni": "x",
		"proc/1/mountinfo": "1 0 253:0 / / ro - erofs /dev/dm-0 ro\n2 1 259:2 / /var rw - xfs /dev/nvme1n1 rw\n3 1 259:2 / /opt/cni rw - overlay overlay rw\n",
		"proc/meminfo":     "MemTotal: 8000000 kB\nMemAvailable: 5000000 kB\n", "proc/swaps": "Filename Type Size Used Priority\n", "proc/loadavg": "0.1 0.1 0.1 1/321 99\n",
		"proc/sys/kernel/hostname": "n\n", "proc/sys/kernel/pid_max": "4194304\n", "proc/sys/kernel/threads-max": "60000\n", "proc/self/stat": "",
	}
}

// hostPaths are the paths of the machine that a manifest mounts, with their types.
func hostPaths(t *testing.T, manifest string) map[string]string {
	t.Helper()
	paths := map[string]string{}
	for document := range strings.SplitSeq(manifest, "\n---\n") {
		var set struct {
			Spec struct {
				Template struct {
					Spec struct {
						Volumes []struct{ HostPath struct{ Path, Type string } }
					}
				}
			}
		}
		if err := yaml.Unmarshal([]byte(document), &set); err != nil {
			t.Fatal(err)
		}
		for _, volume := range set.Spec.Template.Spec.Volumes {
			paths[volume.HostPath.Path] = volume.HostPath.Type
		}
	}
	return paths
}

// A pod of Bottlerocket's manifest finds on a machine of that layout what it
// mounts, and reads there what it is to judge. The processes of the machine are
// hidden from it, as SELinux may do: the kubelet's own word is enough.
func TestPodOnBottlerocket(t *testing.T) {
	r := newRig(t)
	r.dir = plant(t, bottlerocketFiles(r))
	if err := os.Symlink("../usr/lib/os-release", filepath.Join(r.dir, "etc/os-release")); err != nil {
		t.Fatal(err)
	}
	mounted := hostPaths(t, deploy.NodeAgentBottlerocket())
	for path, kind := range mounted {
		info, err := os.Stat(filepath.Join(r.dir, path)) // follows links, as the kubelet does
		if err != nil || info.IsDir() != (kind == "Directory") || !info.IsDir() && (kind != "File" || !info.Mode().IsRegular()) {
			t.Errorf("%s is no %s: %v", path, kind, err)
		}
	}
	r.inPod, r.run = true, nil
	r.root = tree{root: r.dir, parts: append(slices.Collect(maps.Keys(mounted)), "/usr/lib/os-release")} // a mount of a link is one of what it leads to
	r.proc = r.root
	r.trusted = sync.OnceValue(r.authorities)
	facts := r.Read(context.Background())
	if facts.Kubeconfig == nil || facts.KubeletConfig == nil || facts.Kubelet == nil || facts.CNI == nil || facts.RuntimeConfig == nil || facts.Disks == nil || facts.API == nil {
		t.Fatalf("gaps: %+v", facts.Gaps)
	}
	k := facts.Kubeconfig
	for what, ok := range map[string]bool{
		"system":         facts.System.Family == "bottlerocket" && facts.System.NodeImage == nil,
		"kubeconfig":     k.Path == "/etc/kubernetes/kubelet/kubeconfig" && k.Invalid == "" && len(k.CA) == 1 && k.Exec.Cluster == "demo" && k.Exec.Region == "us-west-2" && k.Exec.Found == nil,
		"kubelet":        facts.Kubelet.Healthz == 200 && !facts.Kubelet.Running,
		"its config":     *facts.KubeletConfig.MaxPods == 29 && len(facts.KubeletConfig.Errors) == 0 && facts.KubeletConfig.Files[0] == "/etc/kubernetes/kubelet/config",
		"CNI":            facts.CNI.Files[0].Network == "aws-cni" && len(facts.CNI.Missing) == 0,
		"name servers":   slices.Equal(r.nameServers(), []string{"127.0.0.1"}),
		"authorities":    r.trusted() != nil,
		"API server":     facts.API.Livez == 200,
		"identity":       facts.Identity != nil && facts.Identity.Failure == nil,
		"certificates":   len(facts.Certificates.Certificates) == 1,
		"containerd's":   facts.RuntimeConfig.Invalid == "",
		"resources":      facts.Resources.MemoryTotal > 0,
		"units not read": facts.Units == nil,
	} {
		if !ok {
			t.Errorf("%s: %+v\n%+v", what, facts, k)
		}
	}
	snap := &snapshot.Snapshot{CollectedAt: facts.CollectedAt}
	snap.Target.ClusterName, snap.Target.Region = "demo", "us-west-2"
	snap.AddNodes(snapshot.Node{InstanceID: instance, Host: &facts})
	passed := 0
	for _, finding := range check.Run(snap, check.Standing()).Findings {
		if finding.Status == report.Pass {
			passed++
		}
		if slices.Contains(finding.Subjects, instance) && finding.Status != report.Pass && finding.Status != report.Unknown {
			t.Errorf("%s %s: %s %v", finding.Status, finding.Check, finding.Summary, finding.Evidence)
		}
	}
	if passed < 20 {
		t.Errorf("%d checks had something to say", passed)
	}
}
