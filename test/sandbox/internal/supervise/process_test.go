package supervise

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

func TestParseMounts(t *testing.T) {
	const mountinfo = `22 1 0:20 / /proc rw - proc proc rw
30 1 254:0 / /state/drv/nodes/i-1/root rw - overlay overlay rw
31 1 254:0 / /state/drv2 rw - ext4 /dev/x rw
32 1 254:0 / /state/with\040space/x rw - ext4 /dev/x rw
short line
`
	for dir, want := range map[string]string{
		"/state/drv":        "/state/drv/nodes/i-1/root",
		"/state/drv2":       "/state/drv2",
		"/state/with space": "/state/with space/x",
		"/state/d":          "",
	} {
		if got := strings.Join(parseMounts(mountinfo, dir), " "); got != want {
			t.Errorf("%s: %q, want %q", dir, got, want)
		}
	}
}

func testSandbox(t *testing.T) layout.Sandbox {
	t.Helper()
	s, err := layout.New("t", t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLock(t *testing.T) {
	s := testSandbox(t)
	unlock, err := Lock(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 120*time.Millisecond)
	defer cancel()
	if _, err := Lock(ctx, s); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("second lock = %v", err)
	}
	waiting := make(chan error, 1)
	go func() {
		unlock, err := Lock(t.Context(), s)
		if err == nil {
			err = unlock()
		}
		waiting <- err
	}()
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if err := <-waiting; err != nil {
		t.Errorf("the waiting one: %v", err)
	}
	if _, err := os.Stat(s.Dir + ".lock"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lock file stayed: %v", err)
	}
}

func TestFindKnowsOnlyTheSandboxesOwn(t *testing.T) {
	s := testSandbox(t)
	if pid, ok := Find(s); ok {
		t.Errorf("found process %d of a sandbox that never was", pid)
	}
	if err := Kill(t.Context(), s); err != nil {
		t.Errorf("killing nothing: %v", err)
	}
}

func TestInitRefusesToRunOutside(t *testing.T) {
	if err := Init(Config{Sandbox: testSandbox(t)}); err == nil {
		t.Error("init ran as an ordinary process")
	}
}

func TestLoadConfig(t *testing.T) {
	if _, err := LoadConfig(t.TempDir() + "/none.json"); err == nil {
		t.Error("a missing file gave no error")
	}
}
