//go:build sandbox

package node_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/cgroup"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/dns"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/netns"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node/imds"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/pki"
)

const (
	testID     = "i-0123456789abcdef0"
	testCgroup = "eksnodes-nodetest"
	testIP     = "10.20.16.7"
	testMAC    = "02:0a:14:10:07:01"
	testName   = "ip-10-20-16-7.us-west-2.compute.internal"
)

// testRig is one node with just enough of AWS around it to boot: a resolver,
// an EC2 endpoint that knows the instance, the metadata service.
type testRig struct {
	node *node.Node
	imds *imds.Server
	spec node.Spec
}

func newRig(t *testing.T, userData string, cloudInit bool) *testRig {
	t.Helper()
	return newRigOf(t, userData, cloudInit, func(i node.Images) []string { return i.EKS })
}

func newRigOf(t *testing.T, userData string, cloudInit bool, image func(node.Images) []string) *testRig {
	t.Helper()
	dir := workDir(t)
	authority, err := pki.NewAuthority("test AWS")
	check(t, err)

	check(t, os.WriteFile(filepath.Join(dir, "ca.crt"), authority.Pair.Cert, 0o600))
	built := artefacts(t)
	images, err := node.BuildImages(filepath.Join(dir, "image"), node.Parts{
		Base: built.Base, Kubelet: filepath.Join(built.Kubernetes, "kubelet"), KubeProxy: filepath.Join(built.Kubernetes, "kube-proxy"), Nodeadm: filepath.Join(built.Nodeadm, "nodeadm"),
		Authenticator: filepath.Join(built.IAMAuth, "aws-iam-authenticator"),
		AWSCA:         filepath.Join(dir, "ca.crt"), KubernetesVersion: layout.KubernetesRelease,
	})
	check(t, err)

	check(t, netns.Create(testID))
	t.Cleanup(func() { check(t, netns.Delete(testID)) })
	check(t, netns.Create(layout.NetHub))
	t.Cleanup(func() { check(t, netns.Delete(layout.NetHub)) })
	check(t, netns.IP(t.Context(), testID,
		[]string{"addr", "add", layout.IMDSIP + "/32", "dev", "lo"},
		[]string{"addr", "add", layout.VPCResolver + "/32", "dev", "lo"},
		[]string{"addr", "add", layout.AWSIP + "/32", "dev", "lo"},
	))
	check(t, netns.Link{
		Hub: layout.NetHub, Name: "v0", HubAddr: layout.VPCGateway + "/16",
		Peer: testID, PeerAddr: testIP + "/16", PeerMAC: testMAC, Gateway: layout.VPCGateway,
	}.Connect(t.Context()))
	serveDNS(t)
	serveEC2(t, authority)
	metadata := imds.New(testInstance(userData), testCredentials, logFile(t, dir))
	serve(t, layout.IMDSIP+":80", metadata, nil)

	self, err := os.Executable()
	check(t, err)
	spec := node.Spec{
		InstanceID: testID, Hostname: testName, Netns: testID, Layers: image(images),
		Dir: filepath.Join(dir, "node"), Cgroup: testCgroup + "/" + testID, Program: self,
		Nameserver: layout.VPCResolver, Search: layout.Region + ".compute.internal", CloudInit: cloudInit,
	}
	n, err := node.New(spec)
	check(t, err)
	t.Cleanup(func() { check(t, errors.Join(n.Close(), cgroup.Remove(testCgroup, time.Second))) })
	return &testRig{node: n, imds: metadata, spec: spec}
}

// start runs the node until the test is over, and tells how it ended.
func (r *testRig) start(t *testing.T) <-chan node.Ending {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended, done := make(chan node.Ending, 1), make(chan error, 1)
	go func() {
		end, err := r.node.Run(ctx)
		ended <- end
		done <- err
	}()
	t.Cleanup(func() {
		cancel()
		check(t, <-done)
		if t.Failed() {
			text, _, err := r.node.ConsoleOutput()
			t.Logf("console (%v):\n%s", err, text)
		}
	})
	return ended
}

// eventually polls a script in the node until it succeeds.
func (r *testRig) eventually(t *testing.T, script string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		result, err := r.node.RunCommand(t.Context(), script, patience)
		if err == nil && result.ExitCode == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %v still not true: %s\n%v %s%s", patience, script, err, result.Stdout, result.Stderr)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// patience is how long a node may take for anything, on a machine that may have
// more to do.
const patience = 3 * time.Minute

// consoleUntil waits for a text on the console.
func (r *testRig) consoleUntil(t *testing.T, want string) (string, time.Time) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		text, at, err := r.node.ConsoleOutput()
		check(t, err)
		if strings.Contains(string(text), want) {
			return string(text), at
		}
		if time.Now().After(deadline) {
			t.Fatalf("console does not show %q", want)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (r *testRig) run(t *testing.T, script string) string {
	t.Helper()
	result, err := r.node.RunCommand(t.Context(), script, patience)
	check(t, err)
	if result.ExitCode != 0 {
		t.Errorf("%s: exit code %d: %s", script, result.ExitCode, result.Stderr)
	}
	return strings.TrimSpace(string(result.Stdout))
}

func testInstance(userData string) imds.Instance {
	return imds.Instance{
		ID: testID, ImageID: "ami-0123456789abcdef0", Type: "m5.large", Architecture: "x86_64",
		Account: layout.Account, Partition: layout.Partition, Region: layout.Region, Zone: layout.Region + "a",
		DNSSuffix: "amazonaws.com", ReservationID: "r-1", LaunchTime: time.Now(), Lifecycle: "on-demand",
		PrivateIP: testIP, PrivateDNS: testName, MAC: testMAC, InterfaceID: "eni-1",
		SubnetID: "subnet-1", SubnetCIDR: "10.20.16.0/20", VPCID: "vpc-1", VPCCIDR: layout.VPCCIDR,
		Groups: []imds.Group{{ID: "sg-1", Name: "nodes"}}, UserData: []byte(userData),
		KeyName: "alice", PublicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3pVxP9lGzZ1i9XgRrvLkJ0vQv3bW6tYk1p1p1p1p1p alice",
		Profile: &imds.Profile{ARN: "arn:aws:iam::111122223333:instance-profile/nodes", ID: "AIPA1",
			RoleARN: "arn:aws:iam::111122223333:role/nodes", RoleName: "nodes"},
		Options: imds.Options{TokensRequired: true, HopLimit: 2},
	}
}

func testCredentials(context.Context, string, string) (imds.Credentials, error) {
	return imds.Credentials{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "secret", SessionToken: "session",
		Expiration: time.Now().Add(time.Hour)}, nil
}

func nodeConfig(t *testing.T) string {
	t.Helper()
	authority, err := pki.NewAuthority("kubernetes")
	check(t, err)
	ca := base64.StdEncoding.EncodeToString(authority.Pair.Cert)
	return "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"//\"\n\n" +
		"--//\nContent-Type: application/node.eks.aws\n\n---\napiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\n" +
		"spec:\n  cluster:\n    name: demo\n    apiServerEndpoint: " + layout.Endpoint + "\n    certificateAuthority: " + ca +
		"\n    cidr: " + layout.ServiceCIDR + "\n" +
		"--//\nContent-Type: text/x-shellscript; charset=\"us-ascii\"\n\n#!/bin/bash\n" +
		"echo \"hello from user data on $(hostname)\" | tee /var/log/ran\n--//--\n"
}

func serveDNS(t *testing.T) {
	t.Helper()
	zone := dns.NewZone(netip.MustParseAddr(layout.AWSIP))
	zone.Set(layout.EndpointHost, netip.MustParseAddr(layout.ControlPlaneIP))
	packets, err := netns.ListenPacket(t.Context(), testID, "udp", layout.VPCResolver+":53")
	check(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { _ = zone.Serve(ctx, []net.PacketConn{packets}, nil) }() // ends with the test
	t.Cleanup(func() { cancel(); check(t, packets.Close()) })
}

// serveEC2 answers DescribeInstances with the one instance.
func serveEC2(t *testing.T, authority *pki.Authority) {
	t.Helper()
	pair, err := authority.Issue(pki.Request{Name: "ec2", Hosts: []string{"ec2.us-west-2.amazonaws.com"}})
	check(t, err)
	certificate, err := pair.TLS()
	check(t, err)
	serve(t, layout.AWSIP+":443", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><reservationSet><item><instancesSet>`+
			`<item><instanceId>%s</instanceId><privateDnsName>%s</privateDnsName></item>`+
			`</instancesSet></item></reservationSet></DescribeInstancesResponse>`, testID, testName)
	}), &tls.Config{Certificates: []tls.Certificate{certificate}})
}

func serve(t *testing.T, address string, handler http.Handler, config *tls.Config) {
	t.Helper()
	l, err := netns.Listen(t.Context(), testID, "tcp", address)
	check(t, err)
	if config != nil {
		l = tls.NewListener(l, config)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }() // ends when the server is closed
	t.Cleanup(func() { check(t, server.Close()) })
}

// workDir is a folder on a disk: overlayfs wants no overlay and no tmpfs below
// containerd's folder.
func workDir(t *testing.T) string {
	t.Helper()
	state, _, err := layout.Bases(os.Getenv)
	check(t, err)
	check(t, os.MkdirAll(state, 0o755))
	dir, err := os.MkdirTemp(state, "nod-")
	check(t, err)
	t.Cleanup(func() { check(t, os.RemoveAll(dir)) })
	return dir
}

func logFile(t *testing.T, dir string) io.Writer {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "imds.log"))
	check(t, err)
	t.Cleanup(func() { check(t, f.Close()) })
	return f
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
