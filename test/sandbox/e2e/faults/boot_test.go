package faults

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// nodeadmFailed is how nodeadm ends when it cannot go on.
const nodeadmFailed = `Command failed \{"error"`

// authority finds the certificate authority in a NodeConfig.
var authority = regexp.MustCompile(`certificateAuthority: \S+`)

// bootFaults are mistakes in the user data.
func bootFaults(otherAuthority string) []fault {
	return []fault{
		kubeletFault("wrong cluster name in the user data", "boot.cluster-name-wrong", notLetIn, replace("name: "+layout.ClusterName, "name: other")),
		kubeletFault("wrong endpoint in the user data", "boot.endpoint-wrong", "no such host",
			replace(layout.EndpointHost, "FEDCBA9876543210FEDCBA9876543210.gr7."+layout.Region+".eks.amazonaws.com")),
		kubeletFault("wrong certificate authority in the user data", "boot.ca-wrong", "x509: certificate signed by unknown authority", func(in *template) {
			in.userData = authority.ReplaceAllString(in.userData, "certificateAuthority: "+otherAuthority)
		}),
		nodeadmFault("no certificate authority in the user data", "boot.nodeconfig-incomplete", "Certificate authority is missing", func(in *template) {
			in.userData = authority.ReplaceAllString(in.userData, "")
		}),
		nodeadmFault("NodeConfig that is no YAML", "boot.nodeconfig-yaml", nodeadmFailed, replace("kind: NodeConfig", "kind: [NodeConfig")),
		nodeadmFault("MIME without its boundary", "boot.mime-malformed", nodeadmFailed, replace("boundary=", "border=")),
		nodeadmFault("bootstrap.sh on AL2023", "boot.al2-script-on-al2023", `bootstrap\.sh has been removed`, func(in *template) {
			in.userData = "#!/bin/bash\n/etc/eks/bootstrap.sh " + layout.ClusterName + "\n"
		}),
		nodeadmFault("no user data", "boot.nodeconfig-missing", nodeadmFailed, func(in *template) { in.userData = "" }),
		{name: "wrong service network in the user data", want: []string{"boot.service-cidr-wrong"}, breaks: wrongNetwork},
	}
}

func replace(old, with string) func(*template) {
	return func(in *template) { in.userData = strings.Replace(in.userData, old, with, 1) }
}

// nodeadmFault is one that ends the boot before the kubelet starts: the machine
// says so on its console. A machine from the mended template must join.
func nodeadmFault(name, want, sign string, edit func(*template)) fault {
	return fault{name: name, want: []string{want}, breaks: func(t *testing.T, w *world, group string) func() {
		w.group(t, group, 1, edit)
		id := w.running(t, group)
		w.fails(t, id, sign)
		return func() { w.rebuilt(t, group, id) }
	}}
}

// kubeletFault is one that the kubelet runs into.
func kubeletFault(name, want, sign string, edit func(*template)) fault {
	return fault{name: name, want: []string{want}, breaks: func(t *testing.T, w *world, group string) func() {
		w.group(t, group, 1, edit)
		id := w.running(t, group)
		w.refused(t, id, sign)
		return func() { w.rebuilt(t, group, id) }
	}}
}

// wrongNetwork lets the machine join, and its pods look for DNS where there is
// none: nothing in the cluster shows that.
func wrongNetwork(t *testing.T, w *world, group string) func() {
	asksDNSAt := func(id, address string) {
		harness.Eventually(t, patience, func() error {
			text, err := sandbox.Node(id, "cat", "/etc/kubernetes/kubelet/config.json")
			if err == nil && !strings.Contains(text, `"`+address+`"`) {
				err = fmt.Errorf("%s: the kubelet's configuration has no %s", id, address)
			}
			return err
		})
	}
	w.group(t, group, 1, replace("cidr: "+layout.ServiceCIDR, "cidr: 172.20.0.0/16"))
	id := w.running(t, group)
	ready(t, id)
	asksDNSAt(id, "172.20.0.10")
	return func() {
		w.rebuilt(t, group, id)
		asksDNSAt(w.running(t, group, id), "10.100.0.10")
	}
}

// kubeletFaults are about what user data hands to the kubelet.
func kubeletFaults() []fault {
	flag := func(text string) func(*template) {
		return func(in *template) { in.userData = withFlag(in.userData, text) }
	}
	return []fault{
		kubeletFault("flag that the kubelet no longer has", "kubelet.unknown-flag", "unknown flag: --network-plugin", flag("--network-plugin=cni")),
		kubeletFault("label that is Kubernetes' own", "kubelet.bad-labels", "labels specified with --node-labels", flag("--node-labels=node-role.kubernetes.io/worker=")),
		kubeletFault("name that is not the machine's", "auth.node-name-mismatch", "only its own Node object", flag("--hostname-override=worker-1")),
	}
}

// withFlag hands the kubelet one more flag.
func withFlag(userData, flag string) string {
	if strings.Contains(userData, "    flags:\n") {
		return strings.Replace(userData, "    flags:\n", "    flags:\n    - "+flag+"\n", 1)
	}
	return strings.Replace(userData, "\nspec:\n", "\nspec:\n  kubelet:\n    flags:\n    - "+flag+"\n", 1)
}
