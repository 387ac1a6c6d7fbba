//go:build linux

package host

import (
	"crypto/x509"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Machine is where the agent looks. The zero value is not usable: see Local.
type Machine struct {
	// Budget is the time for all probes; zero: DefaultBudget.
	Budget time.Duration

	root  tree
	proc  tree // where the machine's /proc is
	run   runner
	inPod bool

	readers readers

	imds     string // endpoint of instance metadata; "" is the SDK's own
	healthz  string // URL of the kubelet's health
	ipamd    string // base URL of the VPC CNI's address manager
	dbus     string // socket of the system bus
	cri      []string
	chrony   string // UDP address of chronyd's commands
	resolver string // port that name servers listen on
	dial     dialer
	tap      func(from netip.Addr) (tap, error) // packets that come in

	// trusted are the authorities of the machine's own store, read once: it
	// holds some 140 certificates.
	trusted func() *x509.CertPool
}

// Local is the machine that the agent runs on. root is "/", or where the
// machine's root, or parts of it, are mounted in a pod: see enterPod.
func Local(root string) *Machine {
	root = filepath.Clean(root)
	m := &Machine{
		root: tree{root: root}, proc: tree{root: root}, run: programs{},
		healthz:  "http://127.0.0.1:10248/healthz",
		ipamd:    "http://127.0.0.1:61679",
		dbus:     "/run/dbus/system_bus_socket",
		cri:      []string{"/run/containerd/containerd.sock", "/run/dockershim.sock", "/run/crio/crio.sock"},
		chrony:   "127.0.0.1:323",
		resolver: "53",
		dial:     (&net.Dialer{}).DialContext,
		tap:      openTap,
	}
	m.trusted = sync.OnceValue(m.authorities)
	if root != "/" {
		m.enterPod()
	}
	return m
}

// probes are all that is looked at, in the order of the report.
func (m *Machine) probes() []probe {
	const quick, short, long = 2 * time.Second, 5 * time.Second, 10 * time.Second
	on := func(names ...snapshot.Probe) []snapshot.Probe { return names }
	return []probe{
		{snapshot.ProbeSystem, on(snapshot.ProbeIMDS), quick, m.readSystem},
		{snapshot.ProbeIMDS, nil, short, m.readIMDS},
		{snapshot.ProbeHopLimit, on(snapshot.ProbeIMDS), short, m.readHopLimit},
		{snapshot.ProbeKubeconfig, nil, quick, m.readKubeconfig},
		{snapshot.ProbeProxy, nil, short, m.readProxy},
		{snapshot.ProbeIdentity, on(snapshot.ProbeIMDS, snapshot.ProbeKubeconfig, snapshot.ProbeProxy), long, m.readIdentity},
		{snapshot.ProbeToken, on(snapshot.ProbeIMDS, snapshot.ProbeKubeconfig, snapshot.ProbeProxy), long, m.readToken},
		{snapshot.ProbeAPI, on(snapshot.ProbeKubeconfig, snapshot.ProbeProxy), long, m.readAPI},
		{snapshot.ProbeSelfReview, on(snapshot.ProbeIMDS, snapshot.ProbeKubeconfig, snapshot.ProbeProxy), long, m.readSelfReview},
		{snapshot.ProbeExec, on(snapshot.ProbeKubeconfig), long, m.readExec},
		{snapshot.ProbeClock, on(snapshot.ProbeIMDS, snapshot.ProbeKubeconfig, snapshot.ProbeProxy), short, m.readClock},
		{snapshot.ProbeUnits, nil, short, m.readUnits},
		{snapshot.ProbeNodeadm, on(snapshot.ProbeUnits), short, m.readNodeadm},
		{snapshot.ProbeCloudInit, nil, quick, m.readCloudInit},
		{snapshot.ProbeKubelet, nil, short, m.readKubelet},
		{snapshot.ProbeKubeletConfig, on(snapshot.ProbeKubelet), quick, m.readKubeletConfig},
		{snapshot.ProbeCertificates, on(snapshot.ProbeKubeconfig), quick, m.readCertificates},
		{snapshot.ProbeRuntime, nil, short, m.readRuntime},
		{snapshot.ProbeRuntimeConfig, nil, quick, m.readRuntimeConfig},
		{snapshot.ProbeWorkloads, nil, short, m.readWorkloads},
		{snapshot.ProbeCNI, nil, quick, m.readCNI},
		{snapshot.ProbeIPAMD, on(snapshot.ProbeCNI, snapshot.ProbeWorkloads), quick, m.readIPAMD},
		{snapshot.ProbeDisks, nil, short, m.readDisks},
		{snapshot.ProbeResources, nil, quick, m.readResources},
		{snapshot.ProbeProcesses, nil, quick, m.readProcesses},
		{snapshot.ProbeKernel, nil, short, m.readKernel},
		{snapshot.ProbeBottlerocket, nil, short, m.readBottlerocket},
		{snapshot.ProbeLogs, nil, long, m.readLogs},
	}
}

// uid is who the agent runs as.
func uid() int { return os.Getuid() }
