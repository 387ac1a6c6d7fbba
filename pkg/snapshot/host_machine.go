package snapshot

import "time"

// HostSystem is the machine and its operating system.
type HostSystem struct {
	InstanceID   string `json:"instanceID,omitempty"` // from IMDS, DMI or cloud-init
	Hostname     string `json:"hostname,omitempty"`
	OS           string `json:"os,omitempty"` // PRETTY_NAME of os-release
	OSID         string `json:"osID,omitempty"`
	Family       string `json:"family,omitempty"` // al2023, al2, bottlerocket, ubuntu …
	Kernel       string `json:"kernel,omitempty"` // release
	Architecture string `json:"architecture,omitempty"`
	BootID       string `json:"bootID,omitempty"`
	Uptime       int64  `json:"uptime,omitempty"`  // seconds
	SELinux      string `json:"selinux,omitempty"` // enforcing, permissive, disabled
	// NodeImage is what the image says of itself, where it is EKS's:
	// /etc/eks is there.
	NodeImage *bool  `json:"nodeImage,omitempty"`
	InPod     bool   `json:"inPod,omitempty"` // the agent sees the machine through a mounted root
	User      string `json:"user,omitempty"`  // uid that the agent ran as
}

// HostNodeadm is AL2023's bootstrap.
type HostNodeadm struct {
	Installed bool `json:"installed"`
	// Phases are nodeadm's units in their order.
	Phases []HostPhase `json:"phases,omitempty"`
	// Initialized: nodeadm has left its mark of a finished run.
	Initialized *bool `json:"initialized,omitempty"`
	// LastFatal is the last line by which it gave up, "" for none.
	LastFatal string `json:"lastFatal,omitempty"`
	// Config is what it resolved its configuration to, nil: none written.
	Config *HostNodeConfig `json:"config,omitempty"`
}

// HostPhase is one phase of nodeadm.
type HostPhase struct {
	Name  string `json:"name"`  // nodeadm-boot-hook, nodeadm-config, nodeadm-run
	State string `json:"state"` // done, failed, running, waiting, absent
}

// HostNodeConfig is the cluster as nodeadm was told of it.
type HostNodeConfig struct {
	Cluster  string   `json:"cluster,omitempty"`
	Endpoint string   `json:"endpoint,omitempty"`
	CA       []string `json:"ca,omitempty"` // sha256 sums
	CIDR     string   `json:"cidr,omitempty"`
	Invalid  string   `json:"invalid,omitempty"`
}

// HostCloudInit is cloud-init's own word of its run.
type HostCloudInit struct {
	Status     string   `json:"status"` // done, running, error, disabled, not-run
	Stage      string   `json:"stage,omitempty"`
	Errors     []string `json:"errors,omitempty"` // redacted, bounded
	InstanceID string   `json:"instanceID,omitempty"`
	Datasource string   `json:"datasource,omitempty"`
}

// HostUnits are the services that a node lives on.
type HostUnits struct {
	Source string     `json:"source"` // dbus, or processes where there is no systemd to ask
	Units  []HostUnit `json:"units,omitempty"`
}

// Unit returns the unit with the name (without .service), or nil.
func (u *HostUnits) Unit(name string) *HostUnit {
	for i := range u.Units {
		if u.Units[i].Name == name {
			return &u.Units[i]
		}
	}
	return nil
}

// HostUnit is a systemd service. Without systemd only Active is known.
type HostUnit struct {
	Name     string    `json:"name"`              // kubelet, containerd …
	Load     string    `json:"load,omitempty"`    // loaded, not-found, masked
	Active   string    `json:"active"`            // active, inactive, failed, activating …
	Sub      string    `json:"sub,omitempty"`     // running, dead, auto-restart …
	Enabled  string    `json:"enabled,omitempty"` // enabled, disabled, masked …
	Result   string    `json:"result,omitempty"`  // success, exit-code, oom-kill …
	ExitCode int       `json:"exitCode,omitempty"`
	Restarts int       `json:"restarts,omitempty"`
	Since    time.Time `json:"since,omitzero"`
}

// HostKubelet is the kubelet as it runs.
type HostKubelet struct {
	Running bool   `json:"running"` // there is a process
	Binary  string `json:"binary,omitempty"`
	Version string `json:"version,omitempty"` // v1.34.4
	// Healthz is the status of 127.0.0.1:10248/healthz, zero: no answer.
	Healthz     int          `json:"healthz,omitempty"`
	HealthzSays string       `json:"healthzSays,omitempty"` // of one that is not 200
	Failure     *HostFailure `json:"failure,omitempty"`
	// Flags are those of the process by name, without those that may hold
	// credentials.
	Flags map[string]string `json:"flags,omitempty"`
}

// HostKubeletConfig is the kubelet's configuration: file, drop-ins and flags
// as the kubelet lays them over each other.
type HostKubeletConfig struct {
	Files            []string `json:"files,omitempty"`
	NodeName         string   `json:"nodeName,omitempty"` // that it would register
	HostnameOverride string   `json:"hostnameOverride,omitempty"`
	ProviderID       string   `json:"providerID,omitempty"`
	CgroupDriver     string   `json:"cgroupDriver,omitempty"` // systemd, cgroupfs
	MaxPods          *int     `json:"maxPods,omitempty"`
	ClusterDNS       []string `json:"clusterDNS,omitempty"`
	FailSwapOn       *bool    `json:"failSwapOn,omitempty"`
	RuntimeEndpoint  string   `json:"runtimeEndpoint,omitempty"`
	ServerTLS        *bool    `json:"serverTLS,omitempty"` // serverTLSBootstrap
	RotateClient     *bool    `json:"rotateClient,omitempty"`
	// Errors are why the kubelet would not take it, one line each.
	Errors []string `json:"errors,omitempty"`
}

// HostCertificates are the node's own certificates.
type HostCertificates struct {
	Certificates []HostCertificate `json:"certificates,omitempty"`
}

// HostCertificate is one certificate file; of several certificates in it, the
// first.
type HostCertificate struct {
	Path      string    `json:"path"`
	Use       string    `json:"use"` // kubelet-server, kubelet-client, cluster-ca
	Subject   string    `json:"subject,omitempty"`
	Issuer    string    `json:"issuer,omitempty"`
	NotBefore time.Time `json:"notBefore,omitzero"`
	NotAfter  time.Time `json:"notAfter,omitzero"`
	SHA256    string    `json:"sha256,omitempty"`
	Invalid   string    `json:"invalid,omitempty"`
}

// HostRuntime is the container runtime as it answers on its socket.
type HostRuntime struct {
	Socket  string `json:"socket"`
	Name    string `json:"name,omitempty"` // containerd
	Version string `json:"version,omitempty"`
	// Ready and NetworkReady are its conditions RuntimeReady, NetworkReady.
	Ready          *bool  `json:"ready,omitempty"`
	NetworkReady   *bool  `json:"networkReady,omitempty"`
	RuntimeMessage string `json:"runtimeMessage,omitempty"`
	NetworkMessage string `json:"networkMessage,omitempty"`
	SandboxImage   string `json:"sandboxImage,omitempty"`
	// SandboxPresent: the sandbox image is on the machine.
	SandboxPresent *bool        `json:"sandboxPresent,omitempty"`
	CgroupDriver   string       `json:"cgroupDriver,omitempty"` // systemd, cgroupfs
	Failure        *HostFailure `json:"failure,omitempty"`
}

// HostRuntimeConfig is containerd's configuration file.
type HostRuntimeConfig struct {
	Path         string `json:"path"`
	Version      int    `json:"version,omitempty"`
	SandboxImage string `json:"sandboxImage,omitempty"`
	CgroupDriver string `json:"cgroupDriver,omitempty"`
	Invalid      string `json:"invalid,omitempty"` // why containerd does not take it
}

// HostWorkloads are the pods and containers that the runtime runs: names only.
type HostWorkloads struct {
	Pods       []HostPod       `json:"pods,omitempty"`
	Containers []HostContainer `json:"containers,omitempty"`
	// More are those that were left out for the report's size.
	More int `json:"more,omitempty"`
}

// HostPod is a pod sandbox.
type HostPod struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Ready     bool   `json:"ready"`
}

// HostContainer is a container.
type HostContainer struct {
	Pod     string `json:"pod"` // namespace/name
	Name    string `json:"name"`
	State   string `json:"state"` // running, exited, created, unknown
	Attempt int    `json:"attempt,omitempty"`
}

// HostCNI is the machine's network configuration for pods.
type HostCNI struct {
	ConfDir string `json:"confDir"`
	// Files are those that the runtime looks at, in its order: it takes the first.
	Files   []HostCNIFile `json:"files,omitempty"`
	BinDir  string        `json:"binDir,omitempty"`
	Missing []string      `json:"missing,omitempty"` // plugins of the first file that are not in BinDir
}

// HostCNIFile is one configuration.
type HostCNIFile struct {
	Name    string   `json:"name"`
	Network string   `json:"network,omitempty"`
	Plugins []string `json:"plugins,omitempty"` // types
	Invalid string   `json:"invalid,omitempty"`
}

// HostIPAMD is the VPC CNI's address manager, asked on 127.0.0.1:61679.
type HostIPAMD struct {
	Answers  bool         `json:"answers"`
	ENIs     int          `json:"enis,omitempty"`
	Total    int          `json:"total,omitempty"`    // addresses for pods
	Assigned int          `json:"assigned,omitempty"` // of them
	Failure  *HostFailure `json:"failure,omitempty"`
}

// HostDisks are the file systems that a node lives on.
type HostDisks struct {
	Filesystems []HostFilesystem `json:"filesystems,omitempty"`
}

// HostFilesystem is a mounted file system.
type HostFilesystem struct {
	Mount      string       `json:"mount"`
	For        []string     `json:"for,omitempty"` // /, /var/lib/kubelet …: paths that lie on it
	Device     string       `json:"device,omitempty"`
	Type       string       `json:"type,omitempty"`
	Size       int64        `json:"size"` // bytes
	Free       int64        `json:"free"` // bytes, for others than root
	Inodes     int64        `json:"inodes,omitempty"`
	InodesFree int64        `json:"inodesFree,omitempty"`
	ReadOnly   bool         `json:"readOnly,omitempty"`
	Failure    *HostFailure `json:"failure,omitempty"`
}

// HostResources are what runs out.
type HostResources struct {
	CPUs            int      `json:"cpus,omitempty"`
	MemoryTotal     int64    `json:"memoryTotal,omitempty"` // bytes
	MemoryAvailable int64    `json:"memoryAvailable,omitempty"`
	Swap            []string `json:"swap,omitempty"` // devices and files in use
	SwapTotal       int64    `json:"swapTotal,omitempty"`
	Threads         int      `json:"threads,omitempty"` // kernel tasks in use
	PIDMax          int      `json:"pidMax,omitempty"`
	ThreadsMax      int      `json:"threadsMax,omitempty"`
	Conntrack       *int     `json:"conntrack,omitempty"` // nil: no table
	ConntrackMax    *int     `json:"conntrackMax,omitempty"`
}

// HostProcesses are the processes with most memory: names only.
type HostProcesses struct {
	Count int           `json:"count"`
	Top   []HostProcess `json:"top,omitempty"`
}

// HostProcess is one process.
type HostProcess struct {
	PID  int    `json:"pid"`
	Name string `json:"name"`
	RSS  int64  `json:"rss"` // bytes
}

// HostKernel is what the kernel logged.
type HostKernel struct {
	Source   string        `json:"source"` // kmsg, journal
	OOMKills []HostOOMKill `json:"oomKills,omitempty"`
	// Events are other lines that mean trouble.
	Events []HostKernelEvent `json:"events,omitempty"`
}

// HostOOMKill is one process that the kernel ended for want of memory.
type HostOOMKill struct {
	At      time.Time `json:"at,omitzero"`
	Process string    `json:"process"`
	// Constraint tells the machine's memory (system) from a cgroup's limit.
	Constraint string `json:"constraint,omitempty"`
}

// HostKernelEvent is trouble that the kernel logged.
type HostKernelEvent struct {
	Kind  string `json:"kind"` // read-only, xfs-shutdown, conntrack-full, io-error, hung-task, fork-failed
	Count int    `json:"count"`
	Line  string `json:"line"` // the last one
}

// HostBottlerocket are those of its settings that joining needs.
type HostBottlerocket struct {
	Cluster          string `json:"cluster,omitempty"`
	Server           string `json:"server,omitempty"`
	HostnameOverride string `json:"hostnameOverride,omitempty"`
	ProviderID       string `json:"providerID,omitempty"`
	CloudProvider    string `json:"cloudProvider,omitempty"`
	ClusterDNS       string `json:"clusterDNS,omitempty"`
	MaxPods          *int   `json:"maxPods,omitempty"`
	HTTPSProxy       string `json:"httpsProxy,omitempty"`
	NoProxy          string `json:"noProxy,omitempty"`
}

// HostLogs are known lines of the machine's journals and log files.
type HostLogs struct {
	// Sources are what was searched: units and files.
	Sources []string `json:"sources,omitempty"`
	Seen    []Seen   `json:"seen,omitempty"`
	// Missed are sources that could not be searched, with the reason.
	Missed []string `json:"missed,omitempty"`
}
