package faults

import (
	"encoding/base64"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// swaps is what the kernel says of a machine that swaps. The machine itself
// never does: the nodes share its memory.
const swaps = `Filename				Type		Size		Used		Priority
/dev/nvme1n1p2                          partition	2097148		0		-2
`

// networkOnNode are faults on a node's way to the cluster, and swap.
func networkOnNode(t *testing.T) []nodeFault {
	t.Helper()
	authority, err := base64.StdEncoding.DecodeString(otherAuthority(t))
	must(t, err)
	dropIn := "/etc/systemd/system/kubelet.service.d"
	return []nodeFault{
		{
			name: "on the node: swap", want: "kubelet.swap-on", shown: "running with swap on is not supported",
			breaks: "cat >/run/swaps <<'SWAPS'\n" + swaps + "SWAPS\nmount --bind /run/swaps /proc/swaps", mends: "umount /proc/swaps",
		},
		editOnNode("on the node: name server that does not answer", "net.resolver-broken-node", `dial tcp: lookup `,
			"/etc/resolv.conf", `sed 's/^nameserver .*/nameserver 127.0.0.1/'`),
		{
			name: "on the node: no route to the endpoint", want: "net.api-unreachable", shown: "no route to host",
			breaks: "ip route add unreachable " + layout.ControlPlaneIP, mends: "ip route del unreachable " + layout.ControlPlaneIP,
		},
		{
			name: "on the node: certificate authority of another cluster", want: "boot.ca-wrong", shown: "x509: certificate signed by unknown authority",
			breaks: "cp -p " + clusterAuthority + " " + kept + "; cat >" + clusterAuthority + " <<'AUTHORITY'\n" + string(authority) + "AUTHORITY\n",
			mends:  "cp -p " + kept + " " + clusterAuthority,
		},
		{
			name: "on the node: proxy without NO_PROXY", want: "net.proxy-wrong", shown: `proxyconnect|Forbidden|x509: |EOF`,
			breaks: "mkdir -p " + dropIn + "; printf '[Service]\\nEnvironment=HTTPS_PROXY=http://" + layout.AWSIP + ":3128\\n' >" + dropIn + "/proxy.conf; systemctl daemon-reload",
			mends:  "rm " + dropIn + "/proxy.conf; systemctl daemon-reload",
		},
	}
}
