package check

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// machineSays changes the report of the first machine, which has not joined.
func machineSays(edit func(*snapshot.Host)) []snapshottest.Edit {
	return []snapshottest.Edit{absent, snapshottest.Reported, func(s *snapshot.Snapshot) { edit(s.Nodes[0].Host) }}
}

// machineLogs gives it a known line.
func machineLogs(sig string, values map[string]string, more ...func(*snapshot.Host)) []snapshottest.Edit {
	return machineSays(func(h *snapshot.Host) {
		h.Logs.Seen = append(h.Logs.Seen, snapshot.Seen{Sig: sig, Where: "kubelet", Count: 2, Line: "line of " + sig, Values: values})
		for _, edit := range more {
			edit(h)
		}
	})
}

// machineBlind takes a probe's facts away for a reason.
func machineBlind(probe snapshot.Probe, reason snapshot.GapReason, drop func(*snapshot.Host)) []snapshottest.Edit {
	return machineSays(func(h *snapshot.Host) {
		drop(h)
		h.Gaps = append(h.Gaps, snapshot.HostGap{Probe: probe, Reason: reason, Detail: "could not look at " + string(probe)})
	})
}

// partly leaves a unit's state in the place of a probe that nobody asked.
func partly(probe snapshot.Probe, unit, state string, drop func(*snapshot.Host)) []snapshottest.Edit {
	return machineBlind(probe, snapshot.GapNotAsked, func(h *snapshot.Host) {
		drop(h)
		h.Units.Unit(unit).Active = state
	})
}

func machineSick(h *snapshot.Host) { h.Kubelet.Healthz = 0 }

func broke(kind snapshot.FailureKind, detail string) *snapshot.HostFailure {
	return &snapshot.HostFailure{Kind: kind, Detail: detail}
}

// hostRuleRows break one thing of a healthy machine at a time, and take each
// family of facts away from the rows that need it.
func hostRuleRows() []ruleRow {
	rows := slices.Concat(hostOSRuleRows(), hostKubeletRuleRows(), hostBootRuleRows(), hostWayRuleRows(), hostIdentityRuleRows(), hostPassRows(), hostUnknownRows())
	links := map[string]Link{}
	for _, check := range All() {
		links[check.ID] = check.Link
	}
	for i := range rows {
		// What hinders a node, and not the way to one, is met on a machine that has joined.
		switch row := &rows[i]; {
		case row.want == report.Warn:
			row.edits = row.edits[1:]
		case row.want == report.Fail && links[row.check] > LinkNodeObject:
			row.edits = slices.Concat([]snapshottest.Edit{says("False", "KubeletNotReady", "anything")}, row.edits[1:])
		}
	}
	return rows
}

// hostPassRows: a healthy report passes every row that has something to say.
func hostPassRows() []ruleRow {
	var rows []ruleRow
	for _, id := range []string{
		"os.disk-full", "os.inodes", "os.readonly-fs", "os.disk-errors", "os.memory", "os.oom", "os.pid-exhausted", "os.conntrack-full", "os.kernel", "kubelet.swap-on",
		"kubelet.not-running", "kubelet.config-invalid", "kubelet.reserved-too-big", "cni.leftover-config", "cni.nm-cloud-setup", "kubelet.cgroup-mismatch", "kubelet.certificate-stale", "runtime.config-invalid", "runtime.down", "runtime.sandbox-pull",
		"cni.config-missing", "cni.ipamd", "boot.nodeadm", "boot.kubeconfig", "boot.userdata-never-ran", "boot.region-wrong", "boot.cluster-name-wrong", "boot.endpoint-wrong", "boot.ca-wrong",
		"net.resolver-broken-node", "net.endpoint-nxdomain", "net.api-unreachable", "net.tls-timeout", "net.tls-intercept", "net.proxy-wrong", "net.imds-blocked", "net.sts-unreachable",
		"iam.identity", "iam.no-credentials", "boot.nodeadm-ec2-unreachable", "iam.credentials-expired", "iam.no-instance-profile", "iam.profile-empty", "instance.metadata",
		"auth.clock-skew", "auth.exec-missing", "auth.exec-fails", "auth.exec-apiversion", "auth.token-expired", "auth.token-malformed", "auth.unauthorized", "auth.node-name-mismatch",
	} {
		rows = append(rows, ruleRow{id, "the machine says so", []snapshottest.Edit{snapshottest.Reported}, report.Pass, ""})
	}
	return rows
}

// hostUnknownRows: could not look is neither fine nor broken.
func hostUnknownRows() []ruleRow {
	drops := map[snapshot.Probe]func(*snapshot.Host){
		snapshot.ProbeDisks:         func(h *snapshot.Host) { h.Disks = nil },
		snapshot.ProbeKernel:        func(h *snapshot.Host) { h.Kernel = nil },
		snapshot.ProbeResources:     func(h *snapshot.Host) { h.Resources = nil },
		snapshot.ProbeSystem:        func(h *snapshot.Host) { h.System = nil },
		snapshot.ProbeKubelet:       func(h *snapshot.Host) { h.Kubelet = nil },
		snapshot.ProbeKubeletConfig: func(h *snapshot.Host) { h.KubeletConfig = nil },
		snapshot.ProbeCertificates:  func(h *snapshot.Host) { h.Certificates = nil },
		snapshot.ProbeRuntime:       func(h *snapshot.Host) { h.Runtime = nil },
		snapshot.ProbeRuntimeConfig: func(h *snapshot.Host) { h.RuntimeConfig = nil },
		snapshot.ProbeCNI:           func(h *snapshot.Host) { h.CNI = nil },
		snapshot.ProbeIPAMD:         func(h *snapshot.Host) { h.IPAMD = nil },
		snapshot.ProbeUnits:         func(h *snapshot.Host) { h.Units = nil },
		snapshot.ProbeNodeadm:       func(h *snapshot.Host) { h.Nodeadm = nil },
		snapshot.ProbeCloudInit:     func(h *snapshot.Host) { h.CloudInit = nil },
		snapshot.ProbeKubeconfig:    func(h *snapshot.Host) { h.Kubeconfig = nil },
		snapshot.ProbeAPI:           func(h *snapshot.Host) { h.API = nil },
		snapshot.ProbeProxy:         func(h *snapshot.Host) { h.Proxy = nil },
		snapshot.ProbeIMDS:          func(h *snapshot.Host) { h.IMDS = nil },
		snapshot.ProbeIdentity:      func(h *snapshot.Host) { h.Identity = nil },
		snapshot.ProbeExec:          func(h *snapshot.Host) { h.Exec = nil },
		snapshot.ProbeLogs:          func(h *snapshot.Host) { h.Logs = nil },
	}
	var rows []ruleRow
	for probe, ids := range map[snapshot.Probe][]string{
		snapshot.ProbeDisks: {"os.disk-full", "os.inodes", "os.readonly-fs"}, snapshot.ProbeKernel: {"os.disk-errors", "os.oom"},
		snapshot.ProbeResources: {"os.memory", "os.pid-exhausted", "os.conntrack-full", "kubelet.swap-on"}, snapshot.ProbeSystem: {"os.kernel"},
		snapshot.ProbeKubelet: {"kubelet.not-running"}, snapshot.ProbeKubeletConfig: {"kubelet.config-invalid", "kubelet.cgroup-mismatch"},
		snapshot.ProbeCertificates: {"kubelet.certificate-stale"}, snapshot.ProbeRuntime: {"runtime.down", "runtime.sandbox-pull"}, snapshot.ProbeRuntimeConfig: {"runtime.config-invalid"},
		snapshot.ProbeCNI: {"cni.config-missing", "cni.leftover-config"}, snapshot.ProbeIPAMD: {"cni.ipamd"}, snapshot.ProbeUnits: {"cni.nm-cloud-setup"},
		snapshot.ProbeNodeadm: {"boot.nodeadm"}, snapshot.ProbeCloudInit: {"boot.userdata-never-ran"}, snapshot.ProbeKubeconfig: {"boot.kubeconfig", "boot.region-wrong"},
		snapshot.ProbeAPI:   {"net.resolver-broken-node", "net.endpoint-nxdomain", "net.api-unreachable", "net.tls-timeout", "net.tls-intercept"},
		snapshot.ProbeProxy: {"net.proxy-wrong"}, snapshot.ProbeIMDS: {"net.imds-blocked", "iam.credentials-expired"}, snapshot.ProbeIdentity: {"iam.identity", "net.sts-unreachable"},
		snapshot.ProbeExec: {"auth.token-expired"}, snapshot.ProbeLogs: {"kubelet.reserved-too-big"},
	} {
		for _, id := range ids {
			rows = append(rows, ruleRow{id, "could not look", machineBlind(probe, snapshot.GapDenied, drops[probe]), report.Unknown, "could not look at " + string(probe)})
		}
	}
	return rows
}

func hostOSRuleRows() []ruleRow {
	disk := func(edit func(*snapshot.HostFilesystem)) []snapshottest.Edit {
		return machineSays(func(h *snapshot.Host) { edit(&h.Disks.Filesystems[0]) })
	}
	kernel := func(kind string) []snapshottest.Edit {
		return machineSays(func(h *snapshot.Host) {
			h.Kernel.Events = []snapshot.HostKernelEvent{{Kind: kind, Count: 2, Line: "line of " + kind}}
		})
	}
	oom := func(process, constraint string) []snapshottest.Edit {
		return machineSays(func(h *snapshot.Host) {
			h.Kernel.OOMKills = []snapshot.HostOOMKill{{Process: process, Constraint: constraint, At: snapshottest.Now()}}
		})
	}
	return []ruleRow{
		{"os.disk-full", "full", disk(func(f *snapshot.HostFilesystem) { f.Free = 1 << 20 }), report.Fail, "/ is full"},
		{"os.disk-full", "nearly", disk(func(f *snapshot.HostFilesystem) { f.Free = 5 << 30 }), report.Warn, "less than a tenth"},
		{"os.disk-full", "does not answer", disk(func(f *snapshot.HostFilesystem) { f.Failure = broke(snapshot.FailTimeout, "deadline exceeded") }), report.Fail, "does not answer"},
		{"os.inodes", "none", disk(func(f *snapshot.HostFilesystem) { f.InodesFree = 0 }), report.Fail, "no inodes"},
		{"os.inodes", "nearly", disk(func(f *snapshot.HostFilesystem) { f.InodesFree = f.Inodes / 30 }), report.Warn, "less than 5%"},
		{"os.readonly-fs", "remounted", disk(func(f *snapshot.HostFilesystem) { f.ReadOnly = true }), report.Fail, "/ is read-only"},
		{"os.readonly-fs", "the kernel says so", kernel("xfs-shutdown"), report.Fail, "stopped writing"},
		{"os.readonly-fs", "Bottlerocket's root", machineSays(func(h *snapshot.Host) {
			h.System.Family, h.Disks.Filesystems[0].ReadOnly, h.Disks.Filesystems[0].For = "bottlerocket", true, []string{"/"}
		}), report.Pass, ""},
		{"os.disk-errors", "hangs", kernel("hung-task"), report.Warn, "do not answer"},
		{"os.memory", "little", machineSays(func(h *snapshot.Host) { h.Resources.MemoryAvailable = 50 << 20 }), report.Warn, "less than 100 MiB"},
		{"os.oom", "kubelet", oom("kubelet", "system"), report.Fail, "ended kubelet"},
		{"os.oom", "a program", oom("java", "system"), report.Warn, "ran out of memory"},
		{"os.oom", "a pod at its limit", oom("java", "cgroup"), report.Pass, ""},
		{"os.pid-exhausted", "none left", machineSays(func(h *snapshot.Host) { h.Resources.Threads = 61900 }), report.Fail, "used up"},
		{"os.pid-exhausted", "many", machineSays(func(h *snapshot.Host) { h.Resources.Threads = 52000 }), report.Warn, "83%"},
		{"os.conntrack-full", "full", machineSays(func(h *snapshot.Host) { n := 262144; h.Resources.Conntrack = &n }), report.Fail, "is full"},
		{"os.conntrack-full", "nearly", machineSays(func(h *snapshot.Host) { n := 230000; h.Resources.Conntrack = &n }), report.Warn, "87%"},
		{"os.conntrack-full", "was", kernel("conntrack-full"), report.Fail, "dropped packets"},
		{"os.kernel", "a known one", machineSays(func(h *snapshot.Host) { h.System.Kernel = "5.4.217-126.408.amzn2.x86_64" }), report.Fail, "runtime hang"},
		{"kubelet.swap-on", "on", machineSays(func(h *snapshot.Host) { h.Resources.Swap, h.Kubelet.Healthz = []string{"/dev/xvda3"}, 0 }), report.Fail, "the machine swaps"},
		{"kubelet.swap-on", "on, and it runs still", machineSays(func(h *snapshot.Host) { h.Resources.Swap = []string{"/dev/xvda3"} }), report.Warn, "will not start again"},
		{"kubelet.swap-on", "wanted", machineSays(func(h *snapshot.Host) {
			no := false
			h.Resources.Swap, h.KubeletConfig.FailSwapOn = []string{"/dev/xvda3"}, &no
		}), report.Pass, "failSwapOn"},
	}
}

func hostKubeletRuleRows() []ruleRow {
	down := func(h *snapshot.Host) {
		h.Kubelet.Running, h.Kubelet.Healthz, h.Units.Units[1].Active = false, 0, "failed"
	}
	certificate := func(edit func(*snapshot.HostCertificate)) []snapshottest.Edit {
		return machineSays(func(h *snapshot.Host) { edit(&h.Certificates.Certificates[0]) })
	}
	return []ruleRow{
		{"kubelet.not-running", "stopped", machineSays(down), report.Fail, "does not run"},
		{"kubelet.not-running", "machineSick", machineSays(machineSick), report.Fail, "is not healthy"},
		{"kubelet.not-running", "just started", machineSays(func(h *snapshot.Host) { h.Kubelet.Healthz, h.System.Uptime = 0, 20 }), report.Warn, "not healthy yet"},
		{"kubelet.not-running", "its unit alone is known: it failed", partly(snapshot.ProbeKubelet, "kubelet", "failed", func(h *snapshot.Host) { h.Kubelet = nil }), report.Fail, "does not run"},
		{"kubelet.not-running", "its unit alone is known: it starts and starts", partly(snapshot.ProbeKubelet, "kubelet", "activating", func(h *snapshot.Host) { h.Kubelet = nil }), report.Fail, "started again"},
		{"runtime.down", "its unit alone is known", partly(snapshot.ProbeRuntime, "containerd", "failed", func(h *snapshot.Host) { h.Runtime = nil }), report.Fail, "does not run"},
		{"kubelet.unknown-flag", "the agent saw it", machineLogs("kubelet-unknown-flag", map[string]string{"flag": "--foo"}, machineSick), report.Fail, "--foo"},
		{"kubelet.bad-labels", "the agent saw it", machineLogs("kubelet-label-forbidden", nil, machineSick), report.Fail, "Kubernetes' own"},
		{"kubelet.config-invalid", "no JSON", machineSays(func(h *snapshot.Host) { h.KubeletConfig.Errors = []string{"config.json: yaml: line 3"} }), report.Fail, "cannot be read"},
		{"kubelet.config-invalid", "refused", machineLogs("kubelet-config-invalid", nil, machineSick), report.Fail, "refuses its configuration"},
		{"kubelet.config-invalid", "an earlier run was refused", machineLogs("kubelet-config-invalid", nil, machineSick, func(h *snapshot.Host) {
			h.Units.Units[1].Since = snapshottest.Now().Add(-time.Minute)
			h.Logs.Seen[0].Last = snapshottest.Now().Add(-time.Hour)
		}), report.Pass, ""},
		{"kubelet.config-invalid", "was refused once", machineLogs("kubelet-config-invalid", nil), report.Pass, ""},
		{"kubelet.reserved-too-big", "too much", machineLogs("allocatable-invalid", nil, machineSick), report.Fail, "more is reserved"},
		{"kubelet.cgroup-mismatch", "differ", machineSays(func(h *snapshot.Host) { h.Runtime.CgroupDriver = "cgroupfs" }), report.Fail, "systemd, the runtime cgroupfs"},
		{"kubelet.cgroup-mismatch", "differ, and the runtime is down", machineSays(func(h *snapshot.Host) { h.Runtime, h.RuntimeConfig.CgroupDriver = nil, "cgroupfs" }), report.Fail, "the runtime cgroupfs"},
		{"kubelet.cgroup-mismatch", "the kubelet says so", machineLogs("cgroup-mismatch", nil, machineSick), report.Fail, "different cgroup drivers"},
		{"kubelet.certificate-stale", "expired", certificate(func(c *snapshot.HostCertificate) { c.NotAfter = snapshottest.Now().Add(-time.Hour) }), report.Fail, "has run out"},
		{"kubelet.certificate-stale", "another's", certificate(func(c *snapshot.HostCertificate) { c.Subject = "CN=system:node:old,O=system:nodes" }), report.Fail, "another node: old"},
		{"kubelet.certificate-stale", "of the future", certificate(func(c *snapshot.HostCertificate) { c.NotBefore = snapshottest.Now().Add(time.Hour) }), report.Fail, "not good yet"},
		{"kubelet.certificate-stale", "broken", certificate(func(c *snapshot.HostCertificate) { c.Invalid = "no certificate" }), report.Fail, "cannot be read"},
		{"runtime.config-invalid", "no TOML", machineSays(func(h *snapshot.Host) { h.RuntimeConfig.Invalid = "line 3" }), report.Fail, "cannot be read"},
		{"runtime.down", "stopped", machineSays(func(h *snapshot.Host) {
			h.Runtime = &snapshot.HostRuntime{Socket: "/run/containerd/containerd.sock", Failure: broke(snapshot.FailRefused, "connection refused")}
		}), report.Fail, "does not answer"},
		{"runtime.down", "not ready", machineSays(func(h *snapshot.Host) { no := false; h.Runtime.Ready = &no }), report.Fail, "not ready"},
		{"runtime.sandbox-pull", "not there", machineSays(func(h *snapshot.Host) { no := false; h.Runtime.SandboxPresent = &no }), report.Warn, "has to be pulled"},
		{"runtime.sandbox-pull", "cannot be pulled", machineLogs("sandbox-image", nil, func(h *snapshot.Host) { no := false; h.Runtime.SandboxPresent = &no }), report.Fail, "cannot be pulled"},
		{"cni.config-missing", "nothing", machineSays(func(h *snapshot.Host) { h.CNI.Files = nil }), report.Fail, "no CNI has left"},
		{"cni.config-missing", "no JSON", machineSays(func(h *snapshot.Host) { h.CNI.Files[0].Invalid = "it is not JSON" }), report.Fail, "cannot be read"},
		{"cni.config-missing", "program missing", machineSays(func(h *snapshot.Host) { h.CNI.Missing = []string{"aws-cni"} }), report.Fail, "program aws-cni"},
		{"cni.leftover-config", "one before", machineSays(func(h *snapshot.Host) {
			h.CNI.Files = append([]snapshot.HostCNIFile{{Name: "05-other.conflist"}}, h.CNI.Files...)
		}), report.Fail, "comes before"},
		{"cni.leftover-config", "one behind", machineSays(func(h *snapshot.Host) { h.CNI.Files = append(h.CNI.Files, snapshot.HostCNIFile{Name: "99-x.conf"}) }), report.Warn, "takes 10-aws.conflist"},
		{"cni.ipamd", "silent", machineSays(func(h *snapshot.Host) {
			h.IPAMD = &snapshot.HostIPAMD{Failure: broke(snapshot.FailRefused, "connection refused")}
		}), report.Fail, "does not answer"},
		{"cni.ipamd", "all given", machineSays(func(h *snapshot.Host) { h.IPAMD.Assigned = 9 }), report.Warn, "all addresses"},
		{"cni.ipamd", "no more", machineLogs("ipamd-no-ips", nil, func(h *snapshot.Host) { h.IPAMD.Assigned = 9 }), report.Fail, "no more addresses"},
		{"cni.nm-cloud-setup", "on", machineSays(func(h *snapshot.Host) {
			h.Units.Units = append(h.Units.Units, snapshot.HostUnit{Name: "nm-cloud-setup", Active: "inactive", Enabled: "enabled"})
		}), report.Fail, "routing rules"},
	}
}

func hostBootRuleRows() []ruleRow {
	phase := func(state, fatal string) []snapshottest.Edit {
		return machineSays(func(h *snapshot.Host) {
			no := false
			h.Nodeadm.Initialized, h.Nodeadm.Phases[0].State, h.Nodeadm.LastFatal = &no, state, fatal
		})
	}
	return []ruleRow{
		{"boot.nodeconfig-missing", "the agent saw it", machineLogs("no-nodeconfig", nil), report.Fail, "found no NodeConfig"},
		{"boot.nodeconfig-incomplete", "the agent saw it", machineLogs("nodeconfig-incomplete", map[string]string{"field": "CIDR"}), report.Fail, "CIDR is missing"},
		{"boot.nodeconfig-yaml", "the agent saw it", machineLogs("nodeconfig-yaml", map[string]string{"what": "mapping values"}), report.Fail, "mapping values"},
		{"boot.al2-script-on-al2023", "the agent saw it", machineLogs("bootstrap-removed", nil), report.Fail, "does not have"},
		{"boot.userdata-failed", "the agent saw it", machineLogs("userdata-script-failed", nil, machineSick), report.Fail, "ended in an error"},
		{"boot.userdata-failed", "cloud-init says so", machineSays(func(h *snapshot.Host) { h.CloudInit.Status, h.CloudInit.Errors = "error", []string{"init: no"} }), report.Warn, "tells of errors"},
		{"boot.nodeadm", "gave up", phase("failed", "Command failed: no config in chain"), report.Fail, "no config in chain"},
		{"boot.nodeadm", "waits", phase("running", ""), report.Fail, "still at work"},
		{"boot.nodeadm", "waits for a moment", machineSays(func(h *snapshot.Host) {
			no := false
			h.Nodeadm.Initialized, h.Nodeadm.Phases[0].State, h.System.Uptime = &no, "running", 30
		}), report.Warn, "still at work"},
		{"boot.nodeadm", "has not begun", phase("waiting", ""), report.Fail, "not run to its end"},
		{"boot.kubeconfig", "none", machineBlind(snapshot.ProbeKubeconfig, snapshot.GapAbsent, func(h *snapshot.Host) { h.Kubeconfig = nil }), report.Fail, "has no kubeconfig"},
		{"boot.kubeconfig", "broken", machineSays(func(h *snapshot.Host) { h.Kubeconfig.Invalid = "it is not YAML" }), report.Fail, "cannot be used"},
		{"boot.userdata-never-ran", "another machine's", machineSays(func(h *snapshot.Host) { h.CloudInit.InstanceID = "i-0fedcba9876543210" }), report.Fail, "ran for another machine"},
		{"boot.userdata-never-ran", "not at all", machineSays(func(h *snapshot.Host) { h.CloudInit.Status = "not-run" }), report.Warn, "has not run"},
		{"ami.not-eks", "no kubelet", machineSays(func(h *snapshot.Host) {
			no := false
			h.System.NodeImage, h.Kubelet.Binary = &no, ""
		}), report.Fail, "no kubelet on the machine"},
		{"boot.cluster-name-wrong", "the machine's own", machineSays(func(h *snapshot.Host) { h.Kubeconfig.Exec.Cluster = "dema" }), report.Fail, `"dema", not "demo"`},
		{"boot.endpoint-wrong", "the machine's own", machineSays(func(h *snapshot.Host) { h.Kubeconfig.Server = "https://FEDC.gr7.us-west-2.eks.amazonaws.com" }), report.Fail, "not the cluster's"},
		{"boot.ca-wrong", "the machine's own", machineSays(func(h *snapshot.Host) { h.Kubeconfig.CA = []string{"00"} }), report.Fail, "not the cluster's"},
		{"boot.region-wrong", "another", machineSays(func(h *snapshot.Host) { h.Kubeconfig.Exec.Region = "eu-west-1" }), report.Warn, "eu-west-1"},
	}
}

func hostWayRuleRows() []ruleRow {
	api := func(edit func(*snapshot.HostAPI)) []snapshottest.Edit {
		return machineSays(func(h *snapshot.Host) { edit(h.API) })
	}
	dials := func(failures ...*snapshot.HostFailure) []snapshottest.Edit {
		return api(func(a *snapshot.HostAPI) {
			for i, failure := range failures {
				a.Dials[i].Failure = failure
			}
			a.Failure = failures[0]
		})
	}
	timeout, refused := broke(snapshot.FailTimeout, "i/o timeout"), broke(snapshot.FailRefused, "connection refused")
	noHost, silent := broke(snapshot.FailDNS, "lookup x: no such host"), broke(snapshot.FailDNS, "lookup x on 10.0.0.2:53: i/o timeout")
	proxy := func(no string, edits ...func(*snapshot.Host)) []snapshottest.Edit {
		return machineSays(func(h *snapshot.Host) {
			for _, unit := range []string{"kubelet", "containerd"} {
				h.Proxy.Units = append(h.Proxy.Units, snapshot.HostProxyUnit{Unit: unit, HTTPS: "http://proxy:3128", No: no})
			}
			for _, edit := range edits {
				edit(h)
			}
		})
	}
	through := func(h *snapshot.Host) { h.API.Proxy, h.API.Livez, h.API.Failure = "http://proxy:3128", 0, refused }
	untrusted := func(issuer string) []snapshottest.Edit {
		return api(func(a *snapshot.HostAPI) {
			no := false
			a.TLS.Trusted, a.TLS.Issuer, a.TLS.Failure = &no, issuer, broke(snapshot.FailTLS, "unknown authority")
		})
	}
	return []ruleRow{
		{"net.resolver-broken-node", "silent", api(func(a *snapshot.HostAPI) { a.Resolvers[0].Failure, a.System.Failure = silent, silent }), report.Fail, "no name server"},
		{"net.resolver-broken-node", "silent, but the kubelet reports", append(
			api(func(a *snapshot.HostAPI) { a.Resolvers[0].Failure, a.System.Failure = silent, silent }), says("False", "KubeletNotReady", "anything"),
		), report.Warn, "reaches the API server"},
		{"net.resolver-broken-node", "one of two", api(func(a *snapshot.HostAPI) {
			a.Resolvers = append(a.Resolvers, snapshot.HostResolver{Server: "10.9.9.9", HostLookup: snapshot.HostLookup{Failure: silent}})
		}), report.Warn, "a name server"},
		{"net.endpoint-nxdomain", "unknown", api(func(a *snapshot.HostAPI) { a.Resolvers[0].Failure, a.System.Failure = noHost, noHost }), report.Fail, "does not resolve"},
		{"net.api-unreachable", "timeout", dials(timeout, timeout), report.Fail, "does not answer"},
		{"net.api-unreachable", "refused", dials(refused, refused), report.Fail, "is refused"},
		{"net.api-unreachable", "no route", dials(broke(snapshot.FailUnreachable, "no route"), timeout), report.Fail, "no route"},
		{"net.api-unreachable", "one of two", dials(timeout), report.Warn, "one of the API server's addresses"},
		{"net.tls-timeout", "stalls", api(func(a *snapshot.HostAPI) { a.TLS = &snapshot.HostTLS{Failure: timeout} }), report.Fail, "handshake stalls"},
		{"net.tls-intercept", "somebody else", untrusted("CN=Corp Inspection"), report.Fail, "intercepted"},
		{"net.tls-intercept", "no TLS", api(func(a *snapshot.HostAPI) {
			a.TLS = &snapshot.HostTLS{Failure: broke(snapshot.FailTLS, "first record")}
		}), report.Fail, "does not speak TLS"},
		{"net.tls-intercept", "another name", api(func(a *snapshot.HostAPI) { no := false; a.TLS.NameMatches = &no }), report.Fail, "not for the name"},
		{"boot.ca-wrong", "another cluster's server", append(untrusted("CN=kubernetes"), func(s *snapshot.Snapshot) {
			s.Nodes[0].Host.Kubeconfig.CA = []string{"00"}
		}), report.Fail, "not the cluster's"},
		{"net.proxy-wrong", "without NO_PROXY", proxy(""), report.Fail, "does not name instance metadata"},
		{"net.proxy-wrong", "eats the API server", proxy("169.254.169.254", through), report.Fail, "gets no answer"},
		{"net.proxy-wrong", "leads nowhere", proxy("169.254.169.254", func(h *snapshot.Host) { h.Identity = &snapshot.HostIdentity{Failure: timeout} }), report.Fail, "through to AWS"},
		{"net.proxy-wrong", "is complete", proxy("localhost,169.254.169.254,.eks.amazonaws.com"), report.Pass, ""},
		{"net.proxy-wrong", "carries the API server", proxy("169.254.169.254", func(h *snapshot.Host) { h.API.Proxy = "http://proxy:3128" }), report.Warn, "through a proxy"},
		{"net.proxy-wrong", "of one unit", proxy("169.254.169.254", func(h *snapshot.Host) { h.Proxy.Units = h.Proxy.Units[:1] }), report.Warn, "not all"},
	}
}

func hostIdentityRuleRows() []ruleRow {
	imds := func(edit func(*snapshot.HostIMDS)) []snapshottest.Edit {
		return machineSays(func(h *snapshot.Host) { edit(h.IMDS) })
	}
	sts := func(kind snapshot.FailureKind, code string) []snapshottest.Edit {
		return machineSays(func(h *snapshot.Host) {
			h.Identity = &snapshot.HostIdentity{Endpoint: "sts.us-west-2.amazonaws.com", Failure: &snapshot.HostFailure{Kind: kind, Code: code, Detail: code + " in words"}}
		})
	}
	clock := func(off time.Duration) []snapshottest.Edit {
		return machineSays(func(h *snapshot.Host) { h.Clock.Dates[0].OffsetMS = off.Milliseconds() })
	}
	no := false
	return []ruleRow{
		{"net.imds-blocked", "unreachable", imds(func(i *snapshot.HostIMDS) {
			*i = snapshot.HostIMDS{Failure: broke(snapshot.FailTimeout, "i/o timeout")}
		}), report.Fail, "cannot reach"},
		{"net.imds-blocked", "refuses", imds(func(i *snapshot.HostIMDS) {
			*i = snapshot.HostIMDS{Reachable: true, TokenStatus: 401, Failure: broke(snapshot.FailDenied, "401")}
		}), report.Fail, "401"},
		{"net.imds-blocked", "another error", imds(func(i *snapshot.HostIMDS) {
			*i = snapshot.HostIMDS{Reachable: true, TokenStatus: 500, Failure: broke(snapshot.FailAnswer, "500")}
		}), report.Fail, "with an error"},
		{"instance.metadata", "off, the machine says", imds(func(i *snapshot.HostIMDS) {
			*i = snapshot.HostIMDS{Reachable: true, TokenStatus: 403, Failure: broke(snapshot.FailDenied, "403")}
		}), report.Fail, "is off"},
		{"iam.no-instance-profile", "the machine says so", imds(func(i *snapshot.HostIMDS) { i.HasProfile = &no }), report.Fail, "no instance profile"},
		{"iam.profile-empty", "the machine says so", imds(func(i *snapshot.HostIMDS) { i.RoleName, i.InfoCode = "", "InstanceProfileNotFound" }), report.Fail, "gives no role"},
		{"iam.trust-not-ec2", "the machine says so", imds(func(i *snapshot.HostIMDS) { i.CredentialsCode = "AssumeRoleUnauthorizedAccess" }), report.Fail, "may not assume"},
		{"iam.credentials-expired", "long ago", imds(func(i *snapshot.HostIMDS) { i.CredentialsExpires = snapshottest.Now().Add(-time.Hour) }), report.Fail, "have run out"},
		{"iam.identity", "refused", sts(snapshot.FailDenied, "InvalidClientTokenId"), report.Fail, "InvalidClientTokenId"},
		{"iam.sts-region-off", "the machine says so", sts(snapshot.FailDenied, "RegionDisabledException"), report.Fail, "turned off"},
		{"net.sts-unreachable", "timeout", sts(snapshot.FailTimeout, ""), report.Fail, "does not answer"},
		{"net.sts-unreachable", "no name", sts(snapshot.FailDNS, ""), report.Fail, "does not resolve"},
		{"auth.clock-skew", "behind", clock(-20 * time.Minute), report.Fail, "20m0s behind"},
		{"auth.clock-skew", "a little ahead", clock(2 * time.Minute), report.Warn, "2m0s ahead"},
		{"auth.clock-skew", "chronyd alone says so", machineSays(func(h *snapshot.Host) {
			h.Clock.Dates, h.Clock.Chrony = nil, &snapshot.HostChrony{OffsetMS: 90_000}
		}), report.Warn, "finds the clock wrong"},
		{"auth.exec-missing", "the machine says so", machineSays(func(h *snapshot.Host) { h.Kubeconfig.Exec.Found = &no }), report.Fail, "does not have aws"},
		{"auth.exec-fails", "the machine tried", machineSays(func(h *snapshot.Host) { h.Exec = &snapshot.HostExecRun{ExitCode: 255, Error: "no credentials"} }), report.Fail, "ends in an error"},
		{"auth.exec-fails", "prints something else", machineSays(func(h *snapshot.Host) { h.Exec = &snapshot.HostExecRun{Error: "its output is no ExecCredential"} }), report.Fail, "makes none"},
		{"auth.exec-apiversion", "the machine tried", machineSays(func(h *snapshot.Host) { h.Exec.APIVersion = "client.authentication.k8s.io/v1" }), report.Fail, "another version"},
		{"auth.exec-apiversion", "asked for an old one", machineSays(func(h *snapshot.Host) { h.Kubeconfig.Exec.APIVersion = "client.authentication.k8s.io/v1alpha1" }), report.Fail, "no longer take"},
		{"auth.token-expired", "kept", machineSays(func(h *snapshot.Host) { h.Exec.Claims.SignedAt = snapshottest.Now().Add(-time.Hour) }), report.Fail, "has run out"},
		{"auth.token-malformed", "the machine's own", machineSays(func(h *snapshot.Host) {
			h.Token.Rules[1] = snapshot.TokenRule{Name: "host", Detail: "unexpected hostname"}
		}), report.Fail, "does not take the machine's token: host"},
		{"auth.wrong-cluster-id", "nodeadm was told another", machineSays(func(h *snapshot.Host) { h.Token.Claims.Cluster = "dema" }), report.Fail, `"dema", nodeadm was told "demo"`},
		{"auth.wrong-cluster-id", "STS refuses", machineSays(func(h *snapshot.Host) {
			h.Token.Accepted, h.Token.Failure = &no, broke(snapshot.FailDenied, "STS answered 403")
		}), report.Fail, "STS refuses"},
		{"auth.unauthorized", "the machine was refused", machineSays(func(h *snapshot.Host) {
			h.SelfReview = &snapshot.HostSelfReview{Status: 401, Failure: broke(snapshot.FailDenied, "401: Unauthorized")}
		}), report.Fail, "401"},
		{"auth.unauthorized", "another answer", machineSays(func(h *snapshot.Host) {
			h.SelfReview = &snapshot.HostSelfReview{Status: 500, Failure: broke(snapshot.FailAnswer, "500")}
		}), report.Fail, "with 500"},
		{"auth.groups-wrong", "the cluster says so", machineSays(func(h *snapshot.Host) { h.SelfReview.Groups = []string{"system:authenticated"} }), report.Fail, "not in the group"},
		{"auth.username-template", "the cluster says so", machineSays(func(h *snapshot.Host) { h.SelfReview.Username = "arn:aws:iam::111122223333:role/workers-role" }), report.Fail, "no node's user name"},
		{"auth.node-name-mismatch", "the machine says so", machineSays(func(h *snapshot.Host) { h.KubeletConfig.NodeName = "custom" }), report.Fail, `"custom"`},
		{"auth.anonymous", "the machine says so", machineSays(func(h *snapshot.Host) { h.Kubeconfig.Auth = "none" }), report.Fail, "nothing to show"},
	}
}

// A machine's report is asked before other facts, and other facts when it does
// not know.
func TestReportIsAskedFirst(t *testing.T) {
	rightData := snapshottest.UserData(snapshottest.Cluster, snapshottest.Endpoint, snapshottest.CA(snapshottest.Cluster), "10.100.0.0/16")
	own := func(s *snapshot.Snapshot) { s.Nodes[0].UserData = rightData }
	wrongData := rewritten("name: demo", "name: dema")
	wrongHost := func(s *snapshot.Snapshot) { s.Nodes[0].Host.Kubeconfig.Exec.Cluster = "dema" }
	blindHost := func(s *snapshot.Snapshot) { s.Nodes[0].Host.Kubeconfig = nil }
	for name, test := range map[string]struct {
		edits []snapshottest.Edit
		want  report.Status
	}{
		"the machine contradicts its user data":  {[]snapshottest.Edit{absent, own, snapshottest.Reported, wrongHost}, report.Fail},
		"the machine is right, the template not": {[]snapshottest.Edit{absent, wrongData, snapshottest.Reported}, report.Pass},
		"the machine does not know":              {[]snapshottest.Edit{absent, wrongData, snapshottest.Reported, blindHost}, report.Fail},
	} {
		for _, finding := range findings(Run(snapshottest.Healthy(test.edits...), All()), "boot.cluster-name-wrong") {
			if slices.Contains(finding.Subjects, "i-0000000000000000a") && finding.Status != test.want {
				t.Errorf("%s: %s %s, want %s", name, finding.Status, finding.Summary, test.want)
			}
		}
	}
}

// Known lines that the machine found in its own logs count without its
// console, and a console that could not be read is then no gap.
func TestReportedLinesNeedNoConsole(t *testing.T) {
	noConsole := func(s *snapshot.Snapshot) {
		s.Gaps = append(s.Gaps, snapshot.Gap{Section: snapshot.SectionConsole, Reason: snapshot.GapDenied, Detail: "access denied"})
	}
	joined := func(s *snapshot.Snapshot) {
		host := s.Nodes[0].Host
		s.Nodes[0].Host = nil
		s.AddNodes(snapshot.Node{InstanceID: s.Nodes[0].InstanceID, Host: host})
	}
	edits := append(machineLogs("exec-failed", map[string]string{"bin": "aws"}), func(s *snapshot.Snapshot) { s.Nodes[0].Host.Exec = nil }, joined, noConsole)
	var got []report.Status
	for _, finding := range findings(Run(snapshottest.Healthy(edits...), All()), "auth.exec-fails") {
		if slices.Contains(finding.Subjects, "i-0000000000000000a") {
			got = append(got, finding.Status)
		}
	}
	if !slices.Equal(got, []report.Status{report.Fail}) {
		t.Errorf("got %q, want one failure", got)
	}
}

// A rule that fails over a report knows nothing, and the other facts are asked.
func TestPanicOverAReport(t *testing.T) {
	check := Check{
		ID: "x.y", Needs: sections(snapshot.SectionHost),
		Host: func(*snapshot.Snapshot, *snapshot.Node) []Result { panic("no") },
		Node: func(*snapshot.Snapshot, *snapshot.Node) []Result { return nil },
	}
	for _, finding := range Run(snapshottest.Healthy(snapshottest.Reported), []Check{check}).Findings {
		if finding.Status != report.Unknown {
			t.Errorf("got %+v", finding)
		}
	}
}

// A cause is told once: what follows from it is folded under it.
func TestHostCausesAndFollowers(t *testing.T) {
	for name, test := range map[string]struct {
		edits []snapshottest.Edit
		cause string
	}{
		"containerd's configuration": {machineSays(func(h *snapshot.Host) {
			h.RuntimeConfig.Invalid, h.Runtime.Failure = "line 3", broke(snapshot.FailRefused, "connection refused")
			h.Kubelet.Running, h.Kubelet.Healthz = false, 0
		}), "runtime.config-invalid"},
		"containerd": {machineSays(func(h *snapshot.Host) {
			h.Runtime.Failure = broke(snapshot.FailRefused, "connection refused")
			h.Kubelet.Running, h.Kubelet.Healthz = false, 0
		}), "runtime.down"},
		"a flag": {machineLogs("kubelet-unknown-flag", map[string]string{"flag": "--foo"}, func(h *snapshot.Host) { h.Kubelet.Running, h.Kubelet.Healthz = false, 0 }), "kubelet.unknown-flag"},
		"nodeadm": {machineSays(func(h *snapshot.Host) {
			no := false
			h.Nodeadm.Initialized, h.Nodeadm.Phases[0].State = &no, "failed"
			h.Kubelet.Running, h.Kubelet.Healthz, h.Kubeconfig, h.SelfReview = false, 0, nil, nil
			h.Gaps = append(h.Gaps, snapshot.HostGap{Probe: snapshot.ProbeKubeconfig, Reason: snapshot.GapAbsent, Detail: "no kubeconfig"}, snapshot.HostGap{Probe: snapshot.ProbeSelfReview, Reason: snapshot.GapNotAsked, Detail: "no kubeconfig"})
		}), "boot.nodeadm"},
		"a name": {machineSays(func(h *snapshot.Host) {
			h.API.System.Failure = broke(snapshot.FailDNS, "lookup x: no such host")
			h.API.Resolvers[0].Failure, h.API.Dials, h.API.TLS, h.API.Livez = h.API.System.Failure, nil, nil, 0
			h.SelfReview = &snapshot.HostSelfReview{Failure: h.API.System.Failure}
			h.Kubelet.Healthz = 200
		}), "net.endpoint-nxdomain"},
		"a role": {machineSays(func(h *snapshot.Host) {
			h.SelfReview = &snapshot.HostSelfReview{Status: 401, Failure: broke(snapshot.FailDenied, "401: Unauthorized")}
			h.CNI.Files = nil
		}), "auth.unauthorized"},
	} {
		var causes []string
		for _, finding := range Run(snapshottest.Healthy(test.edits...), All()).Findings {
			if finding.Status == report.Fail && finding.BlockedBy == "" && slices.Contains(finding.Subjects, "i-0000000000000000a") {
				causes = append(causes, finding.Check)
			}
		}
		if !slices.Equal(causes, []string{test.cause}) {
			t.Errorf("%s: causes %q, want %s alone", name, causes, test.cause)
		}
	}
}

// A check that is asked of the kubeconfig too has a title that is true when the
// user data is right and that file is not.
func TestTitlesFitKubeconfigs(t *testing.T) {
	title := map[string]string{}
	for _, check := range All() {
		title[check.ID] = check.Title
	}
	asked := 0
	for _, row := range hostBootRows() {
		if !slices.Contains(row.needs, snapshot.ProbeKubeconfig) {
			continue
		}
		if asked++; title[row.id] == "" || strings.Contains(title[row.id], "in the user data") {
			t.Errorf("%s: %q", row.id, title[row.id])
		}
	}
	if asked < 4 {
		t.Errorf("%d checks are asked of it", asked)
	}
}
