package hostfile

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// canary stands wherever a file of a node may hold a secret.
const canary = "CANARYsw0rdfishCANARY"

// certificatePEM is a self-signed certificate of CN=kubernetes, good until
// 2036.
const certificatePEM = `-----BEGIN CERTIFICATE-----
MIIBfjCCASWgAwIBAgIUfHadaXPywHx/ONQR7sMyY2C/2N4wCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKa3ViZXJuZXRlczAeFw0yNjExMjcwMjA1MjBaFw0zNjExMjQw
MjA1MjBaMBUxEzARBgNVBAMMCmt1YmVybmV0ZXMwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARcMesJFU5+tWcgcEZD5o8b9D6hMbPYGfeWKV+VXtO/R/bPzQ9xxkUe
SuSG3XylYLlSS2qpSkRwUh9O1RnxS1Ueo1MwUTAdBgNVHQ4EFgQU65x4oo/bna4Y
P0SV6DQmEfYz8owwHwYDVR0jBBgwFoAU65x4oo/bna4YP0SV6DQmEfYz8owwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiAz7txrq5zaqJ+Ycp7xcdIP
uwCgl376IrtxGaRZ1r84pgIgPzVB31ikKyH/EX+JwAiwGTgizdXtrz5dFelVDRwZ
Obk=
-----END CERTIFICATE-----
`

const kubeconfigText = `apiVersion: v1
kind: Config
clusters:
  - name: kubernetes
    cluster:
      certificate-authority: /etc/kubernetes/pki/ca.crt
      server: https://0123.gr7.us-west-2.eks.amazonaws.com
current-context: kubelet
contexts:
  - name: kubelet
    context: {cluster: kubernetes, user: kubelet}
users:
  - name: kubelet
    user:
      exec:
        apiVersion: client.authentication.k8s.io/v1beta1
        command: aws
        args: ["eks", "get-token", "--cluster-name", "demo", "--region=us-west-2"]
        env: [{name: AWS_SECRET_ACCESS_KEY, value: ` + canary + `}]
`

func TestKubeconfig(t *testing.T) {
	before := func(part string) string {
		text, _, _ := strings.Cut(kubeconfigText, part)
		return text
	}
	const path = "/var/lib/kubelet/kubeconfig"
	server := "https://0123.gr7.us-west-2.eks.amazonaws.com"
	for name, test := range map[string]struct {
		text string
		want snapshot.HostKubeconfig
	}{
		"as nodeadm writes it": {kubeconfigText, snapshot.HostKubeconfig{
			Path: path, Server: server, CAFile: "/etc/kubernetes/pki/ca.crt", Auth: "exec",
			Exec: &snapshot.HostExec{Command: "aws", APIVersion: "client.authentication.k8s.io/v1beta1", Cluster: "demo", Region: "us-west-2"},
		}},
		"authenticator": {strings.Replace(kubeconfigText, `["eks", "get-token", "--cluster-name", "demo", "--region=us-west-2"]`, `["token", "-i", "demo"]`, 1), snapshot.HostKubeconfig{
			Path: path, Server: server, CAFile: "/etc/kubernetes/pki/ca.crt", Auth: "exec",
			Exec: &snapshot.HostExec{Command: "aws", APIVersion: "client.authentication.k8s.io/v1beta1", Cluster: "demo"},
		}},
		"no such context": {strings.Replace(kubeconfigText, "current-context: kubelet", "current-context: other", 1), snapshot.HostKubeconfig{Path: path, Invalid: `there is no context "other"`}},
		"no such user":    {strings.Replace(kubeconfigText, "user: kubelet}", "user: other}", 1), snapshot.HostKubeconfig{Path: path, Server: server, CAFile: "/etc/kubernetes/pki/ca.crt", Invalid: `there is no user "other"`}},
		"not YAML":        {"{" + canary, snapshot.HostKubeconfig{Path: path, Invalid: "it is not YAML"}},
		"a cut authority": {strings.Replace(kubeconfigText, "certificate-authority: /etc/kubernetes/pki/ca.crt", "certificate-authority-data: LS0tLS1CRU", 1), snapshot.HostKubeconfig{
			Path: path, Server: server, CAFile: "", Invalid: "the certificate authority is not base64: it may be cut off",
		}},
		"a token": {before("      exec:") + "      token: " + canary + "\n", snapshot.HostKubeconfig{Path: path, Server: server, CAFile: "/etc/kubernetes/pki/ca.crt", Auth: "token"}},
		"nothing": {before("    user:\n      exec:"), snapshot.HostKubeconfig{Path: path, Server: server, CAFile: "/etc/kubernetes/pki/ca.crt", Auth: "none"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := ParseKubeconfig(path, []byte(test.text))
			if diff := cmp.Diff(test.want, got.Facts); diff != "" {
				t.Error(diff)
			}
			noCanary(t, got.Facts)
		})
	}
}

// noCanary holds facts to having no secret.
func noCanary(t *testing.T, facts any) {
	t.Helper()
	text, err := json.Marshal(facts)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), canary) {
		t.Errorf("a secret is in %s", text)
	}
}

func TestKubeletConfig(t *testing.T) {
	seventeen, nine := 17, 9
	no := false
	main := KubeletFile{"config.json", []byte(`{"kind":"KubeletConfiguration","apiVersion":"kubelet.config.k8s.io/v1beta1","maxPods":17,"cgroupDriver":"systemd","providerID":"aws:///a/i-1"}`)}
	dropIn := KubeletFile{"40.conf", []byte("kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\nfailSwapOn: false\n")}
	for name, test := range map[string]struct {
		files []KubeletFile
		flags map[string]string
		want  snapshot.HostKubeletConfig
	}{
		"file": {[]KubeletFile{main}, nil, snapshot.HostKubeletConfig{Files: []string{"config.json"}, MaxPods: &seventeen, CgroupDriver: "systemd", ProviderID: "aws:///a/i-1"}},
		"drop-in over file": {[]KubeletFile{main, dropIn}, nil, snapshot.HostKubeletConfig{
			Files: []string{"config.json", "40.conf"}, MaxPods: &seventeen, CgroupDriver: "systemd", ProviderID: "aws:///a/i-1", FailSwapOn: &no,
		}},
		"flags over files": {[]KubeletFile{main}, map[string]string{"max-pods": "9", "hostname-override": "a", "fail-swap-on": "false"}, snapshot.HostKubeletConfig{
			Files: []string{"config.json"}, MaxPods: &nine, CgroupDriver: "systemd", ProviderID: "aws:///a/i-1", HostnameOverride: "a", FailSwapOn: &no,
		}},
		"another kind": {[]KubeletFile{{"x", []byte(`{"kind":"NodeConfig","apiVersion":"v1"}`)}}, nil, snapshot.HostKubeletConfig{
			Files: []string{"x"}, Errors: []string{`x: it is a "NodeConfig" of "v1", not a KubeletConfiguration of kubelet.config.k8s.io`},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, KubeletConfig(test.files, test.flags)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for name, text := range map[string]string{"cut off": `{"kind":`, "a word for a number": `{"kind":"KubeletConfiguration","apiVersion":"kubelet.config.k8s.io/v1beta1","maxPods":"many"}`} {
		if got := KubeletConfig([]KubeletFile{{"x", []byte(text)}}, nil); len(got.Errors) == 0 {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestCertificate(t *testing.T) {
	key := "-----BEGIN PRIVATE KEY-----\n" + canary + "\n-----END PRIVATE KEY-----\n"
	got := Certificate("x", "kubelet-server", []byte(key+certificatePEM))
	if got.Subject != "CN=kubernetes" || got.NotAfter.Year() < 2030 || got.SHA256 != Sums([]byte(certificatePEM))[0] || got.Invalid != "" {
		t.Errorf("got %+v", got)
	}
	noCanary(t, got)
	for name, text := range map[string]string{"no certificate": key, "broken": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
		if got := Certificate("x", "y", []byte(text)); got.Invalid == "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestNodeadm(t *testing.T) {
	ca := base64.StdEncoding.EncodeToString([]byte(certificatePEM))
	got := NodeConfig([]byte(`{"spec":{"cluster":{"name":"demo","apiServerEndpoint":"https://x","certificateAuthority":"` + ca + `","cidr":"10.100.0.0/16"},"instance":{"secret":"` + canary + `"}}}`))
	want := snapshot.HostNodeConfig{Cluster: "demo", Endpoint: "https://x", CA: Sums([]byte(certificatePEM)), CIDR: "10.100.0.0/16"}
	if diff := cmp.Diff(want, got); diff != "" || len(got.CA) != 1 {
		t.Error(diff, got.CA)
	}
	if got := NodeConfig([]byte("{")); got.Invalid == "" {
		t.Errorf("got %+v", got)
	}
	log := `{"level":"info","msg":"hello"}
{"level":"fatal","msg":"Command failed","error":"no config in chain"}
SDK 2026/01/01 DEBUG something
{"level":"fatal","msg":"Command failed","error":"password=` + canary + `"}
`
	if got := LastFatal([]byte(log)); got != "Command failed: password=[redacted]" {
		t.Errorf("last fatal is %q", got)
	}
}

func TestCloudInit(t *testing.T) {
	status := `{"v1":{"datasource":"DataSourceEc2Local","init":{"errors":[]},"modules-final":{"errors":["('scripts_user', RuntimeError('curl -u me:` + canary + ` failed'))"]},"stage":null}}`
	got, err := CloudInit([]byte(status), true)
	if err != nil || got.Status != "error" || len(got.Errors) != 1 || got.Datasource != "DataSourceEc2Local" {
		t.Errorf("got %+v, %v", got, err)
	}
	noCanary(t, got)
	for name, test := range map[string]struct {
		status   string
		finished bool
		want     string
	}{"done": {`{"v1":{"stage":null}}`, true, "done"}, "running": {`{"v1":{"stage":"modules-final"}}`, false, "running"}} {
		if got, err := CloudInit([]byte(test.status), test.finished); err != nil || got.Status != test.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := CloudInit([]byte("{}"), true); err == nil {
		t.Error("no error for a file without v1")
	}
}

func TestContainerd(t *testing.T) {
	const one = "version = 2\n[plugins.'io.containerd.grpc.v1.cri']\nsandbox_image = 'localhost/kubernetes/pause'\n[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.runc.options]\nSystemdCgroup = true\n" +
		"[plugins.'io.containerd.grpc.v1.cri'.registry.configs.x.auth]\npassword = '" + canary + "'\n"
	const two = "version = 3\nimports = ['/etc/containerd/config.d/*.toml']\n[plugins.'io.containerd.cri.v1.images'.pinned_images]\nsandbox = 'localhost/kubernetes/pause'\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]\nSystemdCgroup = false\n"
	for name, test := range map[string]struct {
		text    string
		want    snapshot.HostRuntimeConfig
		imports []string
	}{
		"containerd 1":       {one, snapshot.HostRuntimeConfig{Path: "x", Version: 2, SandboxImage: "localhost/kubernetes/pause", CgroupDriver: "systemd"}, nil},
		"containerd 2":       {two, snapshot.HostRuntimeConfig{Path: "x", Version: 3, SandboxImage: "localhost/kubernetes/pause", CgroupDriver: "cgroupfs"}, []string{"/etc/containerd/config.d/*.toml"}},
		"of another version": {"version = 9\n", snapshot.HostRuntimeConfig{Path: "x", Version: 9, Invalid: "version 9 is not one that containerd knows"}, nil},
		"no TOML":            {"password = '" + canary + "'\nversion = [", snapshot.HostRuntimeConfig{Path: "x", Invalid: "line 2, column 11: it is not the TOML that containerd reads"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, imports := Containerd("x", []byte(test.text))
			noCanary(t, got)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.imports, imports); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCNI(t *testing.T) {
	for text, want := range map[string]snapshot.HostCNIFile{
		`{"name":"aws-cni","plugins":[{"type":"aws-cni"},{"type":"portmap"}]}`: {Name: "x", Network: "aws-cni", Plugins: []string{"aws-cni", "portmap"}},
		`{"name":"n","type":"ptp","ipam":{"type":"host-local"}}`:               {Name: "x", Network: "n", Plugins: []string{"ptp", "host-local"}},
		`{"name":"n"}`: {Name: "x", Network: "n", Invalid: "it names no plugin"},
		`{`:            {Name: "x", Invalid: "it is not JSON"},
	} {
		if diff := cmp.Diff(want, CNI("x", []byte(text))); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	if got, ok := IPAMD([]byte(`{"TotalIPs":9,"AssignedIPs":3,"ENIs":{"eni-1":{}}}`)); !ok || got != (snapshot.HostIPAMD{Answers: true, ENIs: 1, Total: 9, Assigned: 3}) {
		t.Errorf("got %+v", got)
	}
}

func TestProc(t *testing.T) {
	sizes := Meminfo([]byte("MemTotal:       8000 kB\nMemAvailable:   5000 kB\nHugePages_Total:       3\n"))
	if sizes["MemTotal"] != 8000<<10 || sizes["HugePages_Total"] != 3 {
		t.Errorf("got %v", sizes)
	}
	names, size := Swaps([]byte("Filename\tType\tSize\tUsed\tPriority\n/dev/my\\040disk partition 1024 0 -2\n"))
	if len(names) != 1 || names[0] != "/dev/my disk" || size != 1<<20 {
		t.Errorf("got %q, %d", names, size)
	}
	mounts := Mounts([]byte("overlay / overlay rw 0 0\n/dev/a /var xfs rw 0 0\n/dev/b /var/lib/kubelet xfs rw 0 0\ntmpfs /variable tmpfs rw 0 0\n"))
	for path, want := range map[string]string{"/": "overlay", "/etc": "overlay", "/var/log": "/dev/a", "/var/lib/kubelet": "/dev/b", "/var/lib/kubelets": "/dev/a"} {
		if got, found := MountOf(mounts, path); !found || got.Device != want {
			t.Errorf("%s lies on %+v, want %s", path, got, want)
		}
	}
}

// A mount may be read-only of a file system that is not, and a file system turn
// read-only below a mount that is not.
func TestMountInfo(t *testing.T) {
	const text = `28 1 259:1 / / rw,noatime shared:1 - xfs /dev/nvme0n1p1 rw,attr2
60 28 259:1 /etc /host/my\040files ro,noatime shared:1 master:2 - xfs /dev/nvme0n1p1 rw,attr2
61 28 259:2 / /data rw - ext4 /dev/nvme1n1 ro,errors=remount-ro
62 28 0:21 / /without rw
not a mount
`
	want := []Mount{
		{Device: "/dev/nvme0n1p1", Path: "/", Type: "xfs"},
		{Device: "/dev/nvme0n1p1", Path: "/host/my files", Type: "xfs"},
		{Device: "/dev/nvme1n1", Path: "/data", Type: "ext4", ReadOnly: true},
	}
	if got := MountInfo([]byte(text)); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestSystem(t *testing.T) {
	for text, want := range map[string][3]string{
		"NAME=\"Amazon Linux\"\nVERSION_ID=\"2023\"\nID=\"amzn\"\nPRETTY_NAME=\"Amazon Linux 2023.8\"\n": {"Amazon Linux 2023.8", "amzn", "al2023"},
		"ID=bottlerocket\nPRETTY_NAME='Bottlerocket OS 1.50'\n":                                          {"Bottlerocket OS 1.50", "bottlerocket", "bottlerocket"},
		"": {"", "", ""},
	} {
		name, id, family := OSRelease([]byte(text))
		if got := [3]string{name, id, family}; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if diff := cmp.Diff([]string{"10.0.0.2", "fd00::2"}, NameServers([]byte("# x\nnameserver 10.0.0.2\nsearch a b\nnameserver fd00::2\nnameserver bad\n"))); diff != "" {
		t.Error(diff)
	}
	proxy := Proxy("kubelet", []string{"HTTPS_PROXY=http://me:" + canary + "@proxy:3128", "https_proxy=", "NO_PROXY=a,b", "http_proxy=me:" + canary + "@proxy:3128", "SECRET=" + canary})
	noCanary(t, proxy)
	if diff := cmp.Diff(snapshot.HostProxyUnit{Unit: "kubelet", HTTP: "proxy:3128", No: "a,b"}, proxy); diff != "" {
		t.Error(diff)
	}
	flags := Flags([]string{"--config", "/a", "--max-pods=9", "-v", "--hostname-override=x", "--token=k8s-aws-v1." + canary})
	noCanary(t, flags)
	if flags["config"] != "/a" || flags["max-pods"] != "9" || flags["v"] != "" || flags["hostname-override"] != "x" {
		t.Errorf("got %v", flags)
	}
	if got := Environ([]byte("a\x00b\x00")); len(got) != 2 {
		t.Errorf("got %q", got)
	}
}

func TestKernel(t *testing.T) {
	k := NewKernel()
	at := time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)
	for _, line := range []string{
		"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/runtime.slice/kubelet.service,task=kubelet,pid=900,uid=0",
		"Out of memory: Killed process 900 (kubelet) total-vm:1kB, anon-rss:1kB",
		"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),task=java,pid=901",
		"Memory cgroup out of memory: Killed process 901 (java) total-vm:1kB",
		"EXT4-fs (nvme0n1p1): Remounting filesystem read-only",
		"nf_conntrack: nf_conntrack: table full, dropping packet",
		"nf_conntrack: nf_conntrack: table full, dropping packet",
		"cgroup: fork rejected by pids controller in /kubepods.slice/x",
		"eth0: link becomes ready",
	} {
		k.Add(at, line)
	}
	got := k.Facts("kmsg")
	want := []snapshot.HostOOMKill{{At: at, Process: "kubelet", Constraint: "system"}, {At: at, Process: "java", Constraint: "cgroup"}}
	if diff := cmp.Diff(want, got.OOMKills); diff != "" {
		t.Error(diff)
	}
	kinds := map[string]int{}
	for _, event := range got.Events {
		kinds[event.Kind] = event.Count
	}
	if diff := cmp.Diff(map[string]int{"read-only": 1, "conntrack-full": 2, "fork-failed": 1}, kinds); diff != "" {
		t.Error(diff)
	}
}

// FuzzFiles holds every converter to taking anything.
func FuzzFiles(f *testing.F) {
	f.Add([]byte(kubeconfigText))
	f.Add([]byte(certificatePEM))
	f.Add([]byte(`{"v1":{"init":{"errors":["x"]}}}`))
	f.Add([]byte("version = 2\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ParseKubeconfig("x", data)
		KubeletConfig([]KubeletFile{{"x", data}}, Flags(strings.Fields(string(data))))
		NodeConfig(data)
		LastFatal(data)
		_, _ = CloudInit(data, true) // either is right, a panic is not
		Containerd("x", data)
		CNI("x", data)
		IPAMD(data)
		Meminfo(data)
		Swaps(data)
		MountOf(Mounts(data), "/var")
		MountOf(MountInfo(data), "/var")
		OSRelease(data)
		NameServers(data)
		Proxy("x", Environ(data))
		Certificate("x", "y", data)
		NewKernel().Add(time.Time{}, string(data))
	})
}
