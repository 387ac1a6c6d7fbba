package snapshottest

import (
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// CASum is the sha256 sum of CA(Cluster).
const CASum = "a38a091141f2496b80d0ed938638ad43c3a0389aed3679f3c0bacb491360b831"

// Reported brings home a report of each machine, in which everything is
// right.
func Reported(s *snapshot.Snapshot) {
	for i := range s.Nodes {
		s.Nodes[i].Host = Host(s.Nodes[i].InstanceID)
	}
}

// Host is the report of a healthy machine. Every call makes it anew.
func Host(id string) *snapshot.Host {
	name := "ip-" + id + ".us-west-2.compute.internal"
	yes := true
	pods, count, most := 29, 300, 262144
	estimated := int64(1)
	session := "arn:aws:sts::111122223333:assumed-role/workers-role/" + id
	claims := snapshot.TokenClaims{Host: "sts.us-west-2.amazonaws.com", Region: Region, Cluster: Cluster, ClusterSigned: true, SignedAt: Now(), ExpiresIn: 60, KeyEnd: "BXAG", Temporary: true, Length: 1015}
	h := &snapshot.Host{
		CollectedAt: Now(),
		System: &snapshot.HostSystem{
			InstanceID: id, Hostname: name, OS: "Amazon Linux 2023", OSID: "amzn", Family: "al2023", Kernel: "6.12.20-23.97.amzn2023.x86_64", Architecture: "x86_64",
			Uptime: 86400, SELinux: "permissive", NodeImage: &yes, User: "0",
		},
		IMDS: &snapshot.HostIMDS{
			Reachable: true, TokenStatus: 200, DataStatus: 200, Region: Region, Zone: "us-west-2a", AccountID: AccountID, InstanceID: id, InstanceType: Type, ImageID: Image, PrivateDNS: name,
			HasProfile: &yes, InfoCode: "Success", ProfileARN: "arn:aws:iam::111122223333:instance-profile/workers", RoleName: "workers-role", CredentialsCode: "Success", CredentialsExpires: Now().Add(6 * time.Hour),
		},
		HopLimit: &snapshot.HostHopLimit{Hops: 2},
		Identity: &snapshot.HostIdentity{ARN: session, CanonicalARN: "arn:aws:iam::111122223333:role/workers-role", AccountID: AccountID, UserID: "AROAEXAMPLEEXAMPLE000", Session: id, Endpoint: claims.Host},
		Token:    &snapshot.HostToken{Claims: claims, Rules: []snapshot.TokenRule{{Name: "prefix", OK: true}, {Name: "age", OK: true}}, Accepted: &yes, ARN: session},
		Kubeconfig: &snapshot.HostKubeconfig{
			Path: "/var/lib/kubelet/kubeconfig", Server: Endpoint, CAFile: "/etc/kubernetes/pki/ca.crt", CA: []string{CASum}, Auth: "exec",
			Exec: &snapshot.HostExec{Command: "aws", APIVersion: "client.authentication.k8s.io/v1beta1", Found: &yes, Path: "/usr/bin/aws", Cluster: Cluster, Region: Region},
		},
		SelfReview: &snapshot.HostSelfReview{Status: 201, Username: "system:node:" + name, Groups: []string{"system:bootstrappers", "system:nodes", "system:authenticated"}},
		Exec:       &snapshot.HostExecRun{APIVersion: "client.authentication.k8s.io/v1beta1", Claims: &claims},
		Proxy:      &snapshot.HostProxy{Checked: []string{"kubelet", "containerd"}},
		Clock:      &snapshot.HostClock{Source: "chronyd", Synchronized: &yes, EstimatedErrorMS: &estimated, Dates: []snapshot.HostDate{{Server: "sts", OffsetMS: 120}}},
		Nodeadm: &snapshot.HostNodeadm{
			Installed: true, Initialized: &yes, Phases: []snapshot.HostPhase{{Name: "nodeadm-config", State: "done"}, {Name: "nodeadm-run", State: "done"}},
			Config: &snapshot.HostNodeConfig{Cluster: Cluster, Endpoint: Endpoint, CA: []string{CASum}, CIDR: "10.100.0.0/16"},
		},
		CloudInit: &snapshot.HostCloudInit{Status: "done", InstanceID: id, Datasource: "DataSourceEc2Local"},
		Units: &snapshot.HostUnits{Source: "dbus", Units: []snapshot.HostUnit{
			{Name: "containerd", Load: "loaded", Active: "active", Sub: "running", Enabled: "enabled", Result: "success"},
			{Name: "kubelet", Load: "loaded", Active: "active", Sub: "running", Enabled: "enabled", Result: "success"},
		}},
		Kubelet: &snapshot.HostKubelet{Running: true, Binary: "/usr/bin/kubelet", Version: "v1.34.2", Healthz: 200},
		KubeletConfig: &snapshot.HostKubeletConfig{
			Files: []string{"/etc/kubernetes/kubelet/config.json"}, NodeName: name, HostnameOverride: name, ProviderID: "aws:///us-west-2a/" + id, CgroupDriver: "systemd", MaxPods: &pods, ClusterDNS: []string{"10.100.0.10"},
		},
		Certificates: &snapshot.HostCertificates{Certificates: []snapshot.HostCertificate{{
			Path: "/var/lib/kubelet/pki/kubelet-server-current.pem", Use: "kubelet-server", Subject: "CN=system:node:" + name + ",O=system:nodes", Issuer: "CN=kubernetes",
			NotBefore: Now().AddDate(0, -1, 0), NotAfter: Now().AddDate(0, 6, 0),
		}}},
		Runtime: &snapshot.HostRuntime{
			Socket: "/run/containerd/containerd.sock", Name: "containerd", Version: "2.1.4", Ready: &yes, NetworkReady: &yes, SandboxImage: "localhost/kubernetes/pause", SandboxPresent: &yes, CgroupDriver: "systemd",
		},
		RuntimeConfig: &snapshot.HostRuntimeConfig{Path: "/etc/containerd/config.toml", Version: 3, SandboxImage: "localhost/kubernetes/pause", CgroupDriver: "systemd"},
		Workloads:     &snapshot.HostWorkloads{Pods: []snapshot.HostPod{{Namespace: "kube-system", Name: "aws-node-x", Ready: true}}},
		CNI: &snapshot.HostCNI{ConfDir: "/etc/cni/net.d", BinDir: "/opt/cni/bin", Files: []snapshot.HostCNIFile{
			{Name: "10-aws.conflist", Network: "aws-cni", Plugins: []string{"aws-cni", "egress-cni", "portmap"}},
		}},
		IPAMD: &snapshot.HostIPAMD{Answers: true, ENIs: 1, Total: 9, Assigned: 3},
		Disks: &snapshot.HostDisks{Filesystems: []snapshot.HostFilesystem{
			{Mount: "/", For: []string{"/", "/var", "/var/lib/kubelet"}, Device: "/dev/nvme0n1p1", Type: "xfs", Size: 80 << 30, Free: 60 << 30, Inodes: 40_000_000, InodesFree: 39_000_000},
			{Mount: "/run", For: []string{"/run"}, Device: "tmpfs", Type: "tmpfs", Size: 1 << 30, Free: 1 << 30, Inodes: 800_000, InodesFree: 799_000},
		}},
		Resources: &snapshot.HostResources{
			CPUs: 2, MemoryTotal: 8 << 30, MemoryAvailable: 5 << 30, Threads: 600, PIDMax: 4194304, ThreadsMax: 62000, Conntrack: &count, ConntrackMax: &most,
		},
		Processes: &snapshot.HostProcesses{Count: 120, Top: []snapshot.HostProcess{{PID: 900, Name: "kubelet", RSS: 90 << 20}}},
		Kernel:    &snapshot.HostKernel{Source: "kmsg"},
		Logs:      &snapshot.HostLogs{Sources: []string{"journal kubelet"}},
		Gaps:      []snapshot.HostGap{{Probe: snapshot.ProbeBottlerocket, Reason: snapshot.GapAbsent, Detail: "this is not Bottlerocket"}},
	}
	h.API = &snapshot.HostAPI{
		Host: Endpoint[len("https://"):], Port: "443", Livez: 200,
		Resolvers: []snapshot.HostResolver{{Server: "10.0.0.2", HostLookup: snapshot.HostLookup{Addresses: []string{"10.0.1.7", "10.0.2.7"}, TookMS: 2}}},
		System:    snapshot.HostLookup{Addresses: []string{"10.0.1.7", "10.0.2.7"}, TookMS: 2},
		Dials:     []snapshot.HostDial{{Address: "10.0.1.7", TookMS: 1}, {Address: "10.0.2.7", TookMS: 1}},
		TLS:       &snapshot.HostTLS{Subject: "CN=kube-apiserver", Issuer: "CN=kubernetes", NotAfter: Now().AddDate(1, 0, 0), Trusted: &yes, NameMatches: &yes, TookMS: 8},
	}
	return h
}
