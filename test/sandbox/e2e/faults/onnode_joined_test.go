package faults

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/instances/cloud"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// joinedOnNode are faults of machines whose kubelet joins: what they lack shows
// afterwards.
func joinedOnNode(t *testing.T) []nodeFault {
	t.Helper()
	const conf, served = "/etc/cni/net.d", "/var/lib/kubelet/pki"
	return []nodeFault{
		{
			name: "on the node: CNI's configuration missing", want: "cni.config-missing",
			breaks: "mv " + conf + " " + kept + "; mkdir " + conf + "; systemctl restart containerd", mends: "rmdir " + conf + "; mv " + kept + " " + conf + "; systemctl restart containerd",
			outside: without(cloud.NoCNI), after: func(t *testing.T, m machine) { noNetwork(t, m.id) },
		},
		{
			name: "on the node: certificate of the kubelet has run out", want: "kubelet.certificate-stale",
			breaks: "mv " + served + " " + kept + "; mkdir " + served + "; cat >" + served + "/kubelet-server-current.pem <<'CERTIFICATE'\n" + staleCertificate(t) + "CERTIFICATE\n",
			mends:  "rm -r " + served + "; mv " + kept + " " + served,
			// A kubelet asks for a new one at once: nobody approves it.
			outside: without(cloud.NoCSR), after: func(t *testing.T, m machine) { ready(t, m.id) },
		},
	}
}

// without switches one of AWS's controllers off for the machine's group.
func without(role cloud.Fault) func(*testing.T, *world, machine) func() {
	return func(t *testing.T, _ *world, m machine) func() { return off(t, string(role), m.group) }
}

// staleCertificate is a certificate that a kubelet serves with, and its key: of
// an image that was made of a node, and has lain for a while.
func staleCertificate(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	in := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Organization: []string{"system:nodes"}, CommonName: "system:node:ip-10-20-9-9." + layout.Region + ".compute.internal"},
		NotBefore: time.Now().Add(-400 * 24 * time.Hour), NotAfter: time.Now().Add(-35 * 24 * time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, in, in, &key.PublicKey, key)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})) + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

// clockBench has AWS's clock differ from the machines': it is tried alone,
// because all of them are wrong then. The user's way to the cluster is a
// certificate, for the user's clock is wrong, too.
func clockBench() bench {
	const skew = "20m"
	return bench{
		group: "bench-clock", road: snapshot.RoadSSH,
		asks: []string{"--kubeconfig", sandbox.AdminKubeconfig(), "--eks-cluster", layout.ClusterName, "--region", layout.Region},
		faults: []nodeFault{{
			name: "on the node: clock 20 minutes behind", want: "auth.clock-skew", shown: notLetIn,
			outside: func(t *testing.T, _ *world, _ machine) func() {
				back := func() { sandbox.Driver(t, "clock", "0s") }
				sandbox.Driver(t, "clock", skew)
				t.Cleanup(back)
				return back
			},
		}},
	}
}
