//go:build sandbox

package secgroup_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/netns"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/nstest"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/secgroup"
)

func TestMain(m *testing.M) {
	nothing := func() error { return nil }
	os.Exit(nstest.Main(nothing, m.Run))
}

const (
	instance = "10.20.16.7"
	outside  = "10.20.0.1"
)

// connect dials from one namespace and reports whether it was let through.
func connect(from, address string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 400*time.Millisecond)
	defer cancel()
	c, err := netns.Dialer(from)(ctx, "tcp", address)
	return err == nil && c.Close() == nil
}

func listen(t *testing.T, namespace, address string) net.Listener {
	t.Helper()
	l, err := netns.Listen(t.Context(), namespace, "tcp", address)
	check(t, err)
	t.Cleanup(func() { check(t, l.Close()) })
	return l
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func apply(t *testing.T, p secgroup.Policy) {
	t.Helper()
	check(t, secgroup.Apply(t.Context(), "instance", secgroup.Ruleset(p, netip.MustParseAddr(outside))))
}

// The kernel lets through what the groups allow and nothing else, at once when
// they change, while connections that were open stay open.
func TestGroupsInForce(t *testing.T) {
	for _, name := range []string{"hub", "instance"} {
		check(t, netns.Create(name))
		t.Cleanup(func() { check(t, netns.Delete(name)) })
	}
	check(t, netns.Link{
		Hub: "hub", Name: "v0", HubAddr: outside + "/16",
		Peer: "instance", PeerAddr: instance + "/16", Gateway: outside,
	}.Connect(t.Context()))
	ssh := listen(t, "instance", instance+":22")
	listen(t, "instance", instance+":8080")
	listen(t, "instance", "127.0.0.1:9090")
	listen(t, "hub", outside+":443")
	listen(t, "hub", outside+":53")

	anyone := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	apply(t, secgroup.Policy{Ingress: []secgroup.Rule{{Protocol: "tcp", From: 22, To: 22, Peers: anyone}}})

	for _, c := range []struct {
		from, address string
		want          bool
	}{
		{"hub", instance + ":22", true},
		{"hub", instance + ":8080", false},
		{"instance", "127.0.0.1:9090", true}, // not at the interface
		{"instance", outside + ":443", false},
		{"instance", outside + ":53", true}, // the VPC's resolver
	} {
		if got := connect(c.from, c.address); got != c.want {
			t.Errorf("from %s to %s: connected %v, want %v", c.from, c.address, got, c.want)
		}
	}

	client, err := netns.Dialer("hub")(t.Context(), "tcp", instance+":22")
	check(t, err)
	server, err := ssh.Accept()
	for err == nil && server.RemoteAddr().String() != client.LocalAddr().String() {
		server, err = ssh.Accept() // connections of connect, before
	}
	check(t, err)
	apply(t, secgroup.Policy{Egress: []secgroup.Rule{{Protocol: "-1", From: -1, To: -1, Peers: anyone}}})
	if connect("hub", instance+":22") {
		t.Error("port 22 is reachable after the rule is gone")
	}
	if !connect("instance", outside+":443") {
		t.Error("egress is refused although allowed")
	}
	if _, err := client.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	check(t, server.SetReadDeadline(time.Now().Add(time.Second)))
	if _, err := server.Read(make([]byte, 1)); err != nil {
		t.Errorf("open connection was cut by the change: %v", err)
	}
}

// The kernel takes every ruleset of the golden files.
func TestGoldenFilesLoad(t *testing.T) {
	check(t, netns.Create("instance"))
	t.Cleanup(func() { check(t, netns.Delete("instance")) })
	files, err := filepath.Glob("testdata/*.nft")
	check(t, err)
	if len(files) == 0 {
		t.Fatal("no golden files")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		check(t, err)
		if err := secgroup.Apply(t.Context(), "instance", string(text)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}
