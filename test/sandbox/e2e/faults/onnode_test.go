package faults

import (
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// What kubelets say.
const (
	noRuntime = `validate CRI v1 runtime API`
	noSpace   = `no space left on device`
)

// The files of a node that faults change.
const (
	kubeletEnvironment = "/etc/eks/kubelet/environment"
	kubeletConfig      = "/etc/kubernetes/kubelet/config.json"
	containerdConfig   = "/etc/containerd/config.toml"
	clusterAuthority   = "/etc/kubernetes/pki/ca.crt"

	kept = "/run/kept-by-the-test" // one of them, as it was
)

// benches are the machines on which faults are tried side by side.
func benches(t *testing.T) []bench {
	t.Helper()
	return []bench{
		{group: "bench-kubelet", road: snapshot.RoadSSH, faults: kubeletOnNode()},
		{group: "bench-disks", road: snapshot.RoadSSH, faults: disksOnNode()},
		{group: "bench-network", road: snapshot.RoadSSH, faults: networkOnNode(t)},
		{group: "bench-credentials", road: snapshot.RoadSSM, faults: credentialsOnNode()},
		{group: "bench-joined", road: snapshot.RoadSSM, faults: joinedOnNode(t)},
	}
}

// kubeletOnNode are faults of the kubelet itself.
func kubeletOnNode() []nodeFault {
	return []nodeFault{
		{name: "on the node: kubelet stopped", want: "kubelet.not-running", stays: true},
		editOnNode("on the node: flag that the kubelet does not know", "kubelet.unknown-flag", `unknown flag: --no-such-flag`,
			kubeletEnvironment, `sed -E 's/^(NODEADM_KUBELET_ARGS="?)/\1--no-such-flag /'`),
		editOnNode("on the node: kubelet's configuration is cut off", "kubelet.config-invalid", `failed to load [Kk]ubelet config file`,
			kubeletConfig, `printf '{"kind": "KubeletConfiguration",'`),
		editOnNode("on the node: name that is not the machine's", "auth.node-name-mismatch", "only its own Node object",
			kubeletEnvironment, `sed -E 's/--hostname-override=[^ "]+/--hostname-override=worker-1/'`),
		editOnNode("on the node: cluster's name in the kubeconfig", "boot.cluster-name-wrong", notLetIn,
			"/var/lib/kubelet/kubeconfig", `sed 's/\bdemo\b/other/'`),
	}
}

// editOnNode changes one file: its new content is what a filter makes of the
// old one.
func editOnNode(name, want, shown, file, filter string) nodeFault {
	return nodeFault{
		name: name, want: want, shown: shown,
		breaks: "cp -p " + file + " " + kept + "; " + filter + " <" + kept + " >" + file,
		mends:  "cp -p " + kept + " " + file,
	}
}

// tryBenches tries the faults of all benches, each on its own machine.
func tryBenches(t *testing.T, w *world, rows *table) {
	for _, b := range benches(t) {
		b.expect(rows)
		t.Run(b.group, func(t *testing.T) {
			t.Parallel()
			b.try(t, w, rows)
		})
	}
}
