package netns

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMain gives the test a mount namespace with its own tmpfs on /run, so that
// nothing of it is seen or left outside. It needs root, as the sandbox does.
func TestMain(m *testing.M) {
	if os.Getenv("NETNS_TEST_INSIDE") == "" {
		os.Exit(rerunInside())
	}
	if err := privateRun(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func rerunInside() int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), "NETNS_TEST_INSIDE=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET}
	if err := cmd.Run(); err != nil {
		fmt.Fprintf(os.Stderr, "run the test in namespaces of its own (needs root): %v\n", err)
		return 1
	}
	return 0
}

func privateRun() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mount tmpfs on /run: %w", err)
	}
	return os.MkdirAll(Dir, 0o755)
}

func ownNamespace(t *testing.T) string {
	t.Helper()
	ns, err := os.Readlink(self)
	if err != nil {
		t.Fatal(err)
	}
	return ns
}

func TestDoWorksInsideAndComesBack(t *testing.T) {
	if err := Create("inside"); err != nil {
		t.Fatal(err)
	}
	before := ownNamespace(t)
	var inside string
	if err := Do("inside", func() (err error) {
		inside, err = os.Readlink(self)
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
	if err := Delete("inside"); err != nil {
		t.Fatal(err)
	}
	if Exists("inside") {
		t.Error("the name is still there")
	}
	if err := Do("inside", func() error { return nil }); err == nil {
		t.Error("Do in a deleted namespace gave no error")
	}
}

func TestCreateTwice(t *testing.T) {
	if err := Create("twice"); err != nil {
		t.Fatal(err)
	}
	if err := Create("twice"); err == nil {
		t.Error("the second Create of a name gave no error")
	}
	if err := Delete("twice"); err != nil {
		t.Fatal(err)
	}
}

// TestHubAndTwoPeers carries a byte from one namespace to another through the hub
// that routes between a bridge and a plain link, and starts a process there.
func TestHubAndTwoPeers(t *testing.T) {
	ctx := t.Context()
	for _, name := range []string{"hub", "node", "laptop"} {
		if err := Create(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := IP(ctx, "hub",
		[]string{"link", "add", "br0", "type", "bridge"},
		[]string{"addr", "add", "10.20.0.1/16", "dev", "br0"},
		[]string{"link", "set", "br0", "up"}); err != nil {
		t.Fatal(err)
	}
	if err := SetForwarding("hub"); err != nil {
		t.Fatal(err)
	}
	for _, l := range []Link{
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
	if err := Start("node", cmd); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(out)
	if err != nil || cmd.Wait() != nil || !strings.Contains(string(text), "10.20.16.5") {
		t.Errorf("a process started in the node does not have its address: %s", text)
	}
}

func exchange(ctx context.Context, t *testing.T) string {
	t.Helper()
	l, err := Listen(ctx, "node", "tcp", "10.20.16.5:22")
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
	c, err := Dialer("laptop")(ctx, "tcp", "10.20.16.5:22")
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
