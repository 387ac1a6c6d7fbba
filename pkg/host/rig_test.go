//go:build linux

package host

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// canary stands wherever a machine has a secret.
const canary = "CANARYsw0rdfishCANARY"

const (
	instance = "i-0123456789abcdef0"
	session  = "arn:aws:sts::111122223333:assumed-role/workers-role/" + instance
	stsName  = "sts.us-west-2.amazonaws.com"
)

// rig is a machine made of files and of servers on the loopback address:
// real TLS, real HTTP/2, and what AWS and the API server would answer.
type rig struct {
	*Machine
	dir     string
	ca      string // PEM
	pair    tls.Certificate
	api     *httptest.Server
	mutex   sync.Mutex
	bearers []string
	ports   []uint16 // of connections to the metadata service
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{}
	r.certificates(t)
	r.api = r.serve(t, http.HandlerFunc(r.apiServer))
	sts := r.serve(t, http.HandlerFunc(answerSTS))
	imds := httptest.NewServer(http.HandlerFunc(answerIMDS))
	t.Cleanup(imds.Close)
	local := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/v1/enis" {
			_, _ = io.WriteString(w, `{"TotalIPs":9,"AssignedIPs":3,"ENIs":{"eni-1":{}}}`)
			return
		}
		_, _ = io.WriteString(w, "ok")
	}))
	t.Cleanup(local.Close)
	r.dir = plant(t, r.files())
	if err := os.Symlink("kubelet-server.pem", filepath.Join(r.dir, "var/lib/kubelet/pki/kubelet-server-current.pem")); err != nil {
		t.Fatal(err)
	}
	m := Local(r.dir)
	m.inPod, m.run, m.proc = false, fakePrograms{}, tree{root: r.dir}
	m.imds, m.healthz, m.ipamd, m.resolver = imds.URL, local.URL+"/healthz", local.URL, "9"
	m.cri = []string{"/run/c.sock"}
	serveCRI(t, filepath.Join(r.dir, "run/c.sock"))
	m.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == stsName+":443" {
			address = sts.Listener.Addr().String()
		}
		if host, _, _ := net.SplitHostPort(address); host != "127.0.0.1" {
			return nil, fmt.Errorf("the test reaches out to %s", address)
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil && address == imds.Listener.Addr().String() {
			r.mutex.Lock()
			r.ports = append(r.ports, uint16(portOf(conn.LocalAddr())))
			r.mutex.Unlock()
		}
		return conn, err
	}
	// Packets of the test's own making: the real ones are for root to see.
	m.tap = func(netip.Addr) (tap, error) {
		return &fakeTap{rig: r, from: uint16(portOf(imds.Listener.Addr()))}, nil
	}
	// The authenticator's verifier knows the process's transport only; it is
	// kept from leaving the machine, and the agent's own client asks instead.
	before := http.DefaultTransport
	http.DefaultTransport = &http.Transport{DialContext: func(_ context.Context, _, address string) (net.Conn, error) {
		return nil, fmt.Errorf("dial %s: refused by the test", address)
	}}
	t.Cleanup(func() { http.DefaultTransport = before })
	r.Machine = m
	return r
}

// certificates makes an authority and one certificate for all names.
func (r *rig) certificates(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kubernetes"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		DNSNames: []string{stsName}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	r.ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	r.pair = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (r *rig) serve(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{r.pair}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes are broken off on purpose
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func (r *rig) apiServer(w http.ResponseWriter, req *http.Request) {
	if strings.HasSuffix(req.URL.Path, "selfsubjectreviews") {
		r.mutex.Lock()
		r.bearers = append(r.bearers, strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer "))
		r.mutex.Unlock()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprintf(w, `{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"system:node:n","groups":["system:nodes"],"extra":{"arn":["%s"],"accessKeyId":["%s"]}}}}`, session, canary)
		return
	}
	_, _ = io.WriteString(w, "ok")
}

// answerSTS answers the SDK in XML, and who shows a token in JSON.
func answerSTS(w http.ResponseWriter, req *http.Request) {
	if req.Method == http.MethodGet && req.URL.Query().Get("Action") == "GetCallerIdentity" {
		_, _ = fmt.Fprintf(w, `{"GetCallerIdentityResponse":{"GetCallerIdentityResult":{"Account":"111122223333","Arn":"%s","UserId":"AROAEXAMPLE:%s"}}}`, session, instance)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = fmt.Fprintf(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>%s</Arn><Account>111122223333</Account><UserId>AROAEXAMPLE:%s</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>`, session, instance)
}

func answerIMDS(w http.ResponseWriter, req *http.Request) {
	answers := map[string]string{
		"/latest/dynamic/instance-identity/document":              `{"region":"us-west-2","availabilityZone":"us-west-2a","instanceId":"` + instance + `","accountId":"111122223333","instanceType":"m5.large"}`,
		"/latest/meta-data/local-hostname":                        "ip-10-0-1-5.us-west-2.compute.internal",
		"/latest/meta-data/iam/info":                              `{"Code":"Success","InstanceProfileArn":"arn:aws:iam::111122223333:instance-profile/workers"}`,
		"/latest/meta-data/iam/security-credentials/":             "workers-role",
		"/latest/meta-data/iam/security-credentials/workers-role": `{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIAIOSFODNN7EXAMPLE","SecretAccessKey":"` + canary + `","Token":"` + canary + `","Expiration":"2046-01-01T00:00:00Z"}`,
		"/latest/user-data":                                       "password=" + canary,
	}
	if req.Method == http.MethodPut {
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
		_, _ = io.WriteString(w, canary)
		return
	}
	text, ok := answers[req.URL.Path]
	if req.Header.Get("X-Aws-Ec2-Metadata-Token") != canary {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = io.WriteString(w, text)
}

// files are the machine's, with a secret in each that may hold one.
func (r *rig) files() map[string]string {
	key := "-----BEGIN PRIVATE KEY-----\n" + canary + "\n-----END PRIVATE KEY-----\n"
	env := "PATH=/bin\x00AWS_SECRET_ACCESS_KEY=" + canary + "\x00NO_PROXY=127.0.0.1\x00"
	return map[string]string{
		"etc/os-release": "ID=amzn\nVERSION_ID=2023\nPRETTY_NAME=\"Amazon Linux 2023\"\n", "etc/resolv.conf": "nameserver 127.0.0.1\n", "etc/hostname": "n\n",
		"etc/eks/kubelet-version.txt": "Kubernetes v1.34.2\n", "etc/ssl/certs/ca-certificates.crt": r.ca, "etc/kubernetes/pki/ca.crt": r.ca,
		"etc/kubernetes/kubelet/config.json": `{"kind":"KubeletConfiguration","apiVersion":"kubelet.config.k8s.io/v1beta1","maxPods":29,"cgroupDriver":"systemd","staticPodURLHeader":{"Authorization":["Bearer ` + canary + `"]}}`,
		"etc/containerd/config.toml":         "version = 2\n[plugins.'io.containerd.grpc.v1.cri'.registry.configs.x.auth]\npassword = '" + canary + "'\n",
		"etc/cni/net.d/10-aws.conflist":      `{"name":"aws-cni","plugins":[{"type":"aws-cni","secret":"` + canary + `"}]}`,
		"opt/cni/bin/aws-cni":                "x", "usr/bin/aws": "x", "usr/bin/kubelet": "x", "usr/bin/nodeadm": "x", "usr/bin/cloud-init": "x",
		"var/lib/kubelet/pki/kubelet-server.pem": key + r.ca,
		"var/lib/kubelet/kubeconfig":             kubeconfigFor(r.api.URL),
		"run/eks/nodeadm/config.json":            `{"spec":{"cluster":{"name":"demo","apiServerEndpoint":"https://x","certificateAuthority":"` + base64.StdEncoding.EncodeToString([]byte(r.ca)) + `"},"containerd":{"config":"password = '` + canary + `'"}}}`,
		"run/nodeadm/init":                       "",
		"run/cloud-init/status.json":             `{"v1":{"datasource":"DataSourceEc2Local","init":{"errors":["curl -u me:` + canary + ` failed"]},"stage":null}}`,
		"run/cloud-init/result.json":             "{}",
		"var/lib/cloud/data/instance-id":         instance + "\n",
		"var/lib/cloud/instance/user-data.txt":   "password=" + canary,
		"var/log/cloud-init-output.log":          "Authorization: Bearer " + canary + "\n/etc/eks/bootstrap.sh: No such file or directory password=" + canary + "\n",
		"var/log/aws-routed-eni/ipamd.log":       "token=" + canary + "\n",
		"proc/sys/kernel/hostname":               "n\n", "proc/sys/kernel/random/boot_id": "b\n", "proc/uptime": "3600.0 1.0\n", "proc/loadavg": "0.1 0.1 0.1 1/321 99\n",
		"proc/meminfo": "MemTotal: 8000000 kB\nMemAvailable: 5000000 kB\n", "proc/swaps": "Filename Type Size Used Priority\n", "proc/mounts": "/dev/a / xfs rw 0 0\n",
		"proc/sys/kernel/pid_max": "4194304\n", "proc/sys/kernel/threads-max": "60000\n", "proc/self/stat": "",
		"proc/900/stat":    "900 (kubelet) S 1 " + strings.Repeat("0 ", 18) + "1 1000 22000 0\n",
		"proc/900/cmdline": "/usr/bin/kubelet\x00--config\x00/etc/kubernetes/kubelet/config.json\x00--bearer-token=k8s-aws-v1." + canary + "\x00",
		"proc/900/environ": env + "HTTPS_PROXY=http://me:" + canary + "@127.0.0.1:3128\x00NO_PROXY=127.0.0.1,amazonaws.com\x00",
		"proc/901/stat":    "901 (chronyd) S 1 " + strings.Repeat("0 ", 18) + "1 1000 700 0\n",
		"run/c":            "",
		"sys/devices/virtual/dmi/id/board_asset_tag": instance + "\n",
	}
}

func kubeconfigFor(server string) string {
	return `apiVersion: v1
kind: Config
clusters:
- {name: kubernetes, cluster: {certificate-authority: /etc/kubernetes/pki/ca.crt, server: "` + server + `"}}
current-context: kubelet
contexts:
- {name: kubelet, context: {cluster: kubernetes, user: kubelet}}
users:
- name: kubelet
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: aws
      args: [eks, get-token, --cluster-name, demo, --region, us-west-2]
      env: [{name: AWS_SECRET_ACCESS_KEY, value: "` + canary + `"}]
`
}

// fakePrograms print what the machine's own would, secrets among it.
type fakePrograms struct{}

func (fakePrograms) run(_ context.Context, _ []string, out io.Writer, name string, args ...string) (ended, error) {
	switch {
	case name == "journalctl" && strings.Contains(strings.Join(args, " "), "--unit kubelet.service"):
		_, _ = io.WriteString(out, `{"MESSAGE":"getting credentials: exec: executable aws failed with exit code 255 token=`+canary+`","__REALTIME_TIMESTAMP":"1780000000000000"}`+"\n")
	case name == "journalctl" && strings.Contains(strings.Join(args, " "), "nodeadm-run"):
		_, _ = io.WriteString(out, `{"level":"fatal","msg":"Command failed","error":"password=`+canary+`"}`+"\n")
	case name == "/usr/bin/aws":
		_, _ = io.WriteString(out, `{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"k8s-aws-v1.`+canary+`"}}`)
		return ended{err: []byte("warning: password=" + canary)}, nil
	}
	return ended{}, nil
}

// serveCRI answers on a socket as a container runtime does, over HTTP/2
// without TLS.
func serveCRI(t *testing.T, socket string) {
	t.Helper()
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Protocols: &protocols, Handler: http.HandlerFunc(answerCRI), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // ends with Close
	t.Cleanup(func() { _ = server.Close() })
}

// message builds a protobuf message of texts, numbers and messages.
func message(fields ...any) []byte {
	var out []byte
	for i := 0; i < len(fields); i += 2 {
		number := protowire.Number(fields[i].(int))
		switch value := fields[i+1].(type) {
		case string:
			out = protowire.AppendString(protowire.AppendTag(out, number, protowire.BytesType), value)
		case []byte:
			out = protowire.AppendBytes(protowire.AppendTag(out, number, protowire.BytesType), value)
		case int:
			out = protowire.AppendVarint(protowire.AppendTag(out, number, protowire.VarintType), uint64(value))
		}
	}
	return out
}

func answerCRI(w http.ResponseWriter, req *http.Request) {
	config := `{"sandboxImage":"pause:1","containerd":{"defaultRuntimeName":"runc","runtimes":{"runc":{"options":{"SystemdCgroup":true}}}},"registry":{"auth":"` + canary + `"}}`
	answers := map[string][]byte{
		"RuntimeService/Version": message(1, "0.1.0", 2, "containerd", 3, "2.1.4"),
		"RuntimeService/Status": message(1, message(1, message(1, "RuntimeReady", 2, 1), 1, message(1, "NetworkReady", 2, 0, 3, "NetworkPluginNotReady", 4, "cni plugin not initialized")),
			2, message(1, "config", 2, config)),
		"RuntimeService/ListPodSandbox": message(1, message(1, "p1", 2, message(1, "aws-node-x", 3, "kube-system"), 5, message(1, "secret", 2, canary))),
		"RuntimeService/ListContainers": message(1, message(1, "c1", 2, "p1", 3, message(1, "aws-node", 2, 3), 6, 1)),
		"ImageService/ImageStatus":      message(1, message(1, "sha256:1")),
	}
	body, _ := io.ReadAll(req.Body) // what was asked decides nothing here
	answer, ok := answers[strings.TrimPrefix(req.URL.Path, "/runtime.v1.")]
	w.Header().Set("Content-Type", "application/grpc")
	if !ok || len(body) < 5 || req.ProtoMajor != 2 {
		w.Header().Set("Grpc-Status", "12")
		w.Header().Set("Grpc-Message", "unknown method")
		return
	}
	w.Header().Set("Trailer", "Grpc-Status, Grpc-Message")
	var frame bytes.Buffer
	frame.WriteByte(0)
	_ = binary.Write(&frame, binary.BigEndian, uint32(len(answer))) // to memory
	frame.Write(answer)
	_, _ = w.Write(frame.Bytes())
	w.Header().Set("Grpc-Status", "0")
}

// plain serves HTTP on the loopback address and returns its URL.
func (r *rig) plain(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}
