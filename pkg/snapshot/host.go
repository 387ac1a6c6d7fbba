package snapshot

import (
	"slices"
	"time"
)

// Host is what a machine says of itself: the facts of node-agent's report.
//
// Each family of facts is what one probe read. It is nil when the probe could
// not look, and then Gaps says why: nothing here is a zero value that looks
// like an answer. Within a family, pointers and empty words mean not known.
// There are no secrets in it: no token, key, credential or presigned URL.
type Host struct {
	CollectedAt time.Time `json:"collectedAt"` // the machine's own clock
	// Road is by which the facts came home, "" for a file. It is the reader's
	// word: what a report itself says of it does not count.
	Road string `json:"road,omitempty"`

	System        *HostSystem        `json:"system,omitempty"`        // ProbeSystem
	IMDS          *HostIMDS          `json:"imds,omitempty"`          // ProbeIMDS
	HopLimit      *HostHopLimit      `json:"hopLimit,omitempty"`      // ProbeHopLimit
	Identity      *HostIdentity      `json:"identity,omitempty"`      // ProbeIdentity
	Token         *HostToken         `json:"token,omitempty"`         // ProbeToken
	Kubeconfig    *HostKubeconfig    `json:"kubeconfig,omitempty"`    // ProbeKubeconfig
	API           *HostAPI           `json:"api,omitempty"`           // ProbeAPI
	SelfReview    *HostSelfReview    `json:"selfReview,omitempty"`    // ProbeSelfReview
	Exec          *HostExecRun       `json:"exec,omitempty"`          // ProbeExec
	Proxy         *HostProxy         `json:"proxy,omitempty"`         // ProbeProxy
	Clock         *HostClock         `json:"clock,omitempty"`         // ProbeClock
	Nodeadm       *HostNodeadm       `json:"nodeadm,omitempty"`       // ProbeNodeadm
	CloudInit     *HostCloudInit     `json:"cloudInit,omitempty"`     // ProbeCloudInit
	Units         *HostUnits         `json:"units,omitempty"`         // ProbeUnits
	Kubelet       *HostKubelet       `json:"kubelet,omitempty"`       // ProbeKubelet
	KubeletConfig *HostKubeletConfig `json:"kubeletConfig,omitempty"` // ProbeKubeletConfig
	Certificates  *HostCertificates  `json:"certificates,omitempty"`  // ProbeCertificates
	Runtime       *HostRuntime       `json:"runtime,omitempty"`       // ProbeRuntime
	RuntimeConfig *HostRuntimeConfig `json:"runtimeConfig,omitempty"` // ProbeRuntimeConfig
	Workloads     *HostWorkloads     `json:"workloads,omitempty"`     // ProbeWorkloads
	CNI           *HostCNI           `json:"cni,omitempty"`           // ProbeCNI
	IPAMD         *HostIPAMD         `json:"ipamd,omitempty"`         // ProbeIPAMD
	Disks         *HostDisks         `json:"disks,omitempty"`         // ProbeDisks
	Resources     *HostResources     `json:"resources,omitempty"`     // ProbeResources
	Processes     *HostProcesses     `json:"processes,omitempty"`     // ProbeProcesses
	Kernel        *HostKernel        `json:"kernel,omitempty"`        // ProbeKernel
	Bottlerocket  *HostBottlerocket  `json:"bottlerocket,omitempty"`  // ProbeBottlerocket
	Logs          *HostLogs          `json:"logs,omitempty"`          // ProbeLogs

	Gaps []HostGap `json:"gaps,omitempty"`
}

// Probe names one family of facts.
type Probe string

// The probes.
const (
	ProbeSystem        Probe = "system"
	ProbeIMDS          Probe = "imds"
	ProbeHopLimit      Probe = "hop-limit"
	ProbeIdentity      Probe = "identity"
	ProbeToken         Probe = "token"
	ProbeKubeconfig    Probe = "kubeconfig"
	ProbeAPI           Probe = "api"
	ProbeSelfReview    Probe = "self-review"
	ProbeExec          Probe = "exec"
	ProbeProxy         Probe = "proxy"
	ProbeClock         Probe = "clock"
	ProbeNodeadm       Probe = "nodeadm"
	ProbeCloudInit     Probe = "cloud-init"
	ProbeUnits         Probe = "units"
	ProbeKubelet       Probe = "kubelet"
	ProbeKubeletConfig Probe = "kubelet-config"
	ProbeCertificates  Probe = "certificates"
	ProbeRuntime       Probe = "runtime"
	ProbeRuntimeConfig Probe = "runtime-config"
	ProbeWorkloads     Probe = "workloads"
	ProbeCNI           Probe = "cni"
	ProbeIPAMD         Probe = "ipamd"
	ProbeDisks         Probe = "disks"
	ProbeResources     Probe = "resources"
	ProbeProcesses     Probe = "processes"
	ProbeKernel        Probe = "kernel"
	ProbeBottlerocket  Probe = "bottlerocket"
	ProbeLogs          Probe = "logs"
)

// HostGap says that a probe could not look, or could not see all.
type HostGap struct {
	Probe Probe `json:"probe"`
	// Reason is one of a Gap's. GapAbsent: this machine has no such thing, so
	// there is nothing to judge.
	Reason GapReason `json:"reason"`
	// Detail is one line for people: "/run/dbus/system_bus_socket: permission denied".
	Detail string `json:"detail"`
}

// family is a probe with whether its facts are there.
type family struct {
	probe Probe
	read  bool
}

func (h *Host) families() []family {
	return []family{
		{ProbeSystem, h.System != nil},
		{ProbeIMDS, h.IMDS != nil},
		{ProbeHopLimit, h.HopLimit != nil},
		{ProbeIdentity, h.Identity != nil},
		{ProbeToken, h.Token != nil},
		{ProbeKubeconfig, h.Kubeconfig != nil},
		{ProbeAPI, h.API != nil},
		{ProbeSelfReview, h.SelfReview != nil},
		{ProbeExec, h.Exec != nil},
		{ProbeProxy, h.Proxy != nil},
		{ProbeClock, h.Clock != nil},
		{ProbeNodeadm, h.Nodeadm != nil},
		{ProbeCloudInit, h.CloudInit != nil},
		{ProbeUnits, h.Units != nil},
		{ProbeKubelet, h.Kubelet != nil},
		{ProbeKubeletConfig, h.KubeletConfig != nil},
		{ProbeCertificates, h.Certificates != nil},
		{ProbeRuntime, h.Runtime != nil},
		{ProbeRuntimeConfig, h.RuntimeConfig != nil},
		{ProbeWorkloads, h.Workloads != nil},
		{ProbeCNI, h.CNI != nil},
		{ProbeIPAMD, h.IPAMD != nil},
		{ProbeDisks, h.Disks != nil},
		{ProbeResources, h.Resources != nil},
		{ProbeProcesses, h.Processes != nil},
		{ProbeKernel, h.Kernel != nil},
		{ProbeBottlerocket, h.Bottlerocket != nil},
		{ProbeLogs, h.Logs != nil},
	}
}

// Probes lists all probes.
func Probes() []Probe {
	var all []Probe
	for _, f := range (&Host{}).families() {
		all = append(all, f.probe)
	}
	return all
}

// Gap returns the gap of a probe that read nothing, and whether there is one.
// A probe without facts and without a reason is a gap all the same: an older
// agent did not know it.
func (h *Host) Gap(probe Probe) (HostGap, bool) {
	for _, f := range h.families() {
		if f.probe == probe && f.read {
			return HostGap{}, false
		}
	}
	i := slices.IndexFunc(h.Gaps, func(g HostGap) bool { return g.Probe == probe })
	if i < 0 {
		return HostGap{Probe: probe, Reason: GapOther, Detail: "the report does not say: it is of another version"}, true
	}
	return h.Gaps[i], true
}

// Saw returns what the machine logged of a known line, or nil.
func (h *Host) Saw(sig string) *Seen {
	if h.Logs == nil {
		return nil
	}
	node := Node{Logs: h.Logs.Seen}
	return node.Saw(sig)
}

// The roads by which a machine's own word comes home.
const (
	RoadInstalled = "installed agent"
	RoadConsole   = "console"
	RoadSSM       = "ssm"
	RoadSSH       = "ssh"
	RoadPod       = "pod"
)

// CameBy notes the road that the facts, and the lines among them, came home
// by.
func (h *Host) CameBy(road string) {
	h.Road = road
	if h.Logs == nil {
		return
	}
	for i := range h.Logs.Seen {
		h.Logs.Seen[i].Road = road
	}
}

// HostFailure is how a request of the machine's failed. That a machine cannot
// reach something is a fact about it, not a gap.
type HostFailure struct {
	Kind   FailureKind `json:"kind"`
	Code   string      `json:"code,omitempty"` // of AWS: InvalidClientTokenId …
	Status int         `json:"status,omitempty"`
	Detail string      `json:"detail"` // one line
}

// FailureKind is the class of a failed request: which link of the way broke.
type FailureKind string

// The kinds, in the order of the way.
const (
	FailNoCredentials FailureKind = "no-credentials"
	FailDNS           FailureKind = "dns"         // no such host, or no answer of the resolver
	FailTimeout       FailureKind = "timeout"     // no answer in time
	FailRefused       FailureKind = "refused"     // connection refused
	FailUnreachable   FailureKind = "unreachable" // no route
	FailTLS           FailureKind = "tls"         // handshake or certificate
	FailDenied        FailureKind = "denied"      // 401, 403 and AWS's codes for them
	FailAnswer        FailureKind = "answer"      // any other answer that is an error
	FailOther         FailureKind = "other"
)
