//go:build sandbox

package netns_test

import (
	"context"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/netns"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/nstest"
)

func TestMain(m *testing.M) {
	os.Exit(nstest.Main(func() error { return nil }, m.Run))
}

func ownNamespace(t *testing.T) string {
	t.Helper()
	ns, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	return ns
}

func TestDoWorksInsideAndComesBack(t *testing.T) {
	if err := netns.Create("inside"); err != nil {
		t.Fatal(err)
	}
	before := ownNamespace(t)
	var inside string
	if err := netns.Do("inside", func() (err error) {
		inside, err = os.Readlink("/proc/thread-self/ns/net")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if inside == before || inside == "" {
		t.Errorf("Do ran in %q, outside is %q", inside, before)
	}
	for range 10 * runtime.NumCPU() { // whatever thread the next goroutines get
		done := make(chan string)
		go func() { done <- ownNamespace(t) }()
		if got := <-done; got != before {
			t.Fatalf("a thread stayed in %s, want %s", got, before)
		}
	}
	if err := netns.Delete("inside"); err != nil {
		t.Fatal(err)
	}
	if netns.Exists("inside") {
		t.Error("the name is still there")
	}
	if err := netns.Do("inside", func() error { return nil }); err == nil {
		t.Error("Do in a deleted namespace gave no error")
	}
}

func TestCreateTwice(t *testing.T) {
	if err := netns.Create("twice"); err != nil {
		t.Fatal(err)
	}
	if err := netns.Create("twice"); err == nil {
		t.Error("the second Create of a name gave no error")
	}
	if err := netns.Delete("twice"); err != nil {
		t.Fatal(err)
	}
}

// TestHubAndTwoPeers carries a byte from one namespace to another through the hub
// that routes between a bridge and a plain link, and starts a process there.
func TestHubAndTwoPeers(t *testing.T) {
	ctx := t.Context()
	for _, name := range []string{"hub", "node", "laptop"} {
		if err := netns.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := netns.IP(ctx, "hub",
		[]string{"link", "add", "br0", "type", "bridge"},
		[]string{"addr", "add", "10.20.0.1/16", "dev", "br0"},
		[]string{"link", "set", "br0", "up"}); err != nil {
		t.Fatal(err)
	}
	if err := netns.SetForwarding("hub"); err != nil {
		t.Fatal(err)
	}
	for _, l := range []netns.Link{
		{Hub: "hub", Name: "v-node", Bridge: "br0", Peer: "node", PeerAddr: "10.20.16.5/16", PeerMAC: "02:00:00:00:00:01", Gateway: "10.20.0.1"},
		{Hub: "hub", Name: "v-laptop", HubAddr: "203.0.113.1/24", Peer: "laptop", PeerAddr: "203.0.113.10/24", Gateway: "203.0.113.1"},
	} {
		if err := l.Connect(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if got := exchange(ctx, t); got != "hello" {
		t.Errorf("got %q through the hub", got)
	}
	cmd := exec.Command("cat", "/proc/self/net/fib_trie")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := netns.Start("node", cmd); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(out)
	if err != nil || cmd.Wait() != nil || !strings.Contains(string(text), "10.20.16.5") {
		t.Errorf("a process started in the node does not have its address: %s", text)
	}
}

func exchange(ctx context.Context, t *testing.T) string {
	t.Helper()
	l, err := netns.Listen(ctx, "node", "tcp", "10.20.16.5:22")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if c, err := l.Accept(); err == nil {
			_, err = io.WriteString(c, "hello")
			if cerr := c.Close(); err != nil || cerr != nil {
				t.Errorf("serve: %v, %v", err, cerr)
			}
		}
	}()
	c, err := netns.Dialer("laptop")(ctx, "tcp", "10.20.16.5:22")
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return string(got)
}
