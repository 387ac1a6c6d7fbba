//go:build sandbox

package supervise_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/cgroup"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/control"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/supervise"
)

// rig is a sandbox of the test's own, driven by the real program.
type rig struct {
	layout.Sandbox
	program string
	env     []string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("the sandbox needs root")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "sandbox")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	_, cache, err := layout.Bases(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	name := "life-" + strconv.Itoa(os.Getpid())
	s, err := layout.New(name, dir, cache)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{Sandbox: s, program: program, env: append(os.Environ(), layout.StateDirEnv+"="+dir, layout.NameEnv+"="+name)}
	t.Cleanup(func() {
		if err := supervise.Remove(context.Background(), s); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	return r
}

func (r *rig) command(args ...string) *exec.Cmd {
	cmd := exec.Command(r.program, args...)
	cmd.Env = r.env
	return cmd
}

func (r *rig) run(t *testing.T, wantCode int, args ...string) string {
	t.Helper()
	cmd := r.command(args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", args, err)
	}
	if code := cmd.ProcessState.ExitCode(); code != wantCode {
		t.Fatalf("%v: exit code %d, want %d\n%s%s", args, code, wantCode, out, stderr.String())
	}
	return string(out)
}

func (r *rig) supervisor(t *testing.T) int {
	t.Helper()
	pid, ok := supervise.Find(r.Sandbox)
	if !ok {
		t.Fatal("no supervisor runs")
	}
	return pid
}

// TestLife is the life of one sandbox: up, used, a part lost, killed from outside, up
// again over what is left, and taken down to nothing.
func TestLife(t *testing.T) {
	r := newRig(t)
	sysctls := readSysctls(t)
	r.run(t, 0, "up")
	first := r.supervisor(t)
	namespaces := r.namespaces(t, first)

	t.Run("up again changes nothing", func(t *testing.T) {
		r.run(t, 0, "up")
		if again := r.supervisor(t); again != first {
			t.Errorf("supervisor %d was replaced by %d", first, again)
		}
	})
	t.Run("the user's token takes the true way", func(t *testing.T) {
		if out := r.run(t, 0, "exec", "--", "kubectl", "get", "namespaces", "-o", "name"); !strings.Contains(out, "namespace/kube-system") {
			t.Errorf("namespaces: %s", out)
		}
		want := "arn:" + layout.Partition + ":iam::" + layout.Account + ":user/" + layout.User
		if out := r.run(t, 0, "exec", "--", "kubectl", "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"); out != want {
			t.Errorf("user %q, want %q", out, want)
		}
	})
	t.Run("exec passes exit codes and signals", func(t *testing.T) { r.checkExec(t) })
	t.Run("a part that dies is reported", func(t *testing.T) { r.checkDeadPart(t) })

	if err := cgroup.Create(r.NodeCgroup("i-0123456789abcdef0")); err != nil { // as a killed node leaves it
		t.Fatal(err)
	}
	kill(t, first)
	r.checkGone(t, namespaces)
	r.run(t, 1, "status")

	t.Run("up cleans what SIGKILL left", func(t *testing.T) {
		r.run(t, 0, "up")
		r.run(t, 0, "exec", "--", "kubectl", "get", "--raw", "/readyz")
	})
	namespaces = r.namespaces(t, r.supervisor(t))
	r.run(t, 0, "down")
	r.checkGone(t, namespaces)
	r.checkNothingLeft(t, sysctls)
	r.run(t, 0, "down") // of nothing is fine
}

func (r *rig) checkExec(t *testing.T) {
	r.run(t, 7, "exec", "--", "sh", "-c", "exit 7")
	r.run(t, 143, "exec", "--", "sh", "-c", "kill -TERM $$")
	cmd := r.command("exec", "--", "sh", "-c", `trap "echo caught; exit 3" TERM; echo waiting; while :; do sleep 0.05; done`)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, len("waiting\n"))
	if _, err := out.Read(line); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var rest bytes.Buffer
	if _, err := rest.ReadFrom(out); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 3 || rest.String() != "caught\n" {
		t.Errorf("after SIGTERM: %v, %q; want exit code 3 and the trap's word", err, rest.String())
	}
}

func (r *rig) status(t *testing.T, wantCode int) control.Status {
	t.Helper()
	var s control.Status
	if err := json.Unmarshal([]byte(r.run(t, wantCode, "status", "-o", "json")), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func (r *rig) checkDeadPart(t *testing.T) {
	s := r.status(t, 0)
	victim := s.Parts[len(s.Parts)-1]
	r.run(t, 0, "exec", "--", "kill", "-KILL", strconv.Itoa(victim.PID))
	eventually(t, func() error {
		out, err := r.command("status").Output()
		if err == nil || !bytes.Contains(out, []byte("ENDED: signal: killed")) {
			return fmt.Errorf("status does not tell: %s", out)
		}
		return nil
	})
	log, err := os.ReadFile(r.Log("supervisor"))
	if err != nil || !bytes.Contains(log, []byte(`msg="part ended" part=`+victim.Name)) {
		t.Errorf("the supervisor's log does not tell, %v", err)
	}
}

// TestInterruptedUp sends SIGINT to `up` at several moments. Nothing may stay.
func TestInterruptedUp(t *testing.T) {
	r := newRig(t)
	r.run(t, 0, "up") // builds are done, and its time is known
	r.run(t, 0, "down")
	sysctls := readSysctls(t)
	for _, after := range []time.Duration{30 * time.Millisecond, 300 * time.Millisecond, 2 * time.Second} {
		up := r.command("up")
		if err := up.Start(); err != nil {
			t.Fatal(err)
		}
		<-time.After(after) // the moment is what is tested
		if err := up.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if err := up.Wait(); err == nil {
			t.Errorf("up was interrupted after %s and ended well", after)
		}
		if pid, ok := supervise.Find(r.Sandbox); ok {
			t.Errorf("after %s: supervisor %d stayed", after, pid)
		}
		r.checkNothingLeft(t, sysctls)
	}
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// namespaces gives the identities of all namespaces that the sandbox's processes are
// in and the machine's are not.
func (r *rig) namespaces(t *testing.T, supervisor int) map[string]bool {
	t.Helper()
	own := namespacesOf("self")
	pidns, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", supervisor))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, pid := range processes(t) {
		all := namespacesOf(pid)
		if !all[pidns] {
			continue
		}
		for ns := range all {
			if !own[ns] {
				found[ns] = true
			}
		}
	}
	if len(found) < 6 { // five of the supervisor, one of the control plane
		t.Fatalf("the sandbox has only the namespaces %v", found)
	}
	return found
}

func namespacesOf(pid string) map[string]bool {
	found := map[string]bool{}
	for _, kind := range []string{"pid", "mnt", "net", "uts", "ipc"} {
		if ns, err := os.Readlink(filepath.Join("/proc", pid, "ns", kind)); err == nil { // it may have ended
			found[ns] = true
		}
	}
	return found
}

func processes(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	var pids []string
	for _, d := range dirs {
		pids = append(pids, filepath.Base(d))
	}
	return pids
}

// checkGone waits until no process is in, and no mount holds, any of the namespaces.
func (r *rig) checkGone(t *testing.T, namespaces map[string]bool) {
	t.Helper()
	eventually(t, func() error {
		for _, pid := range processes(t) {
			for ns := range namespacesOf(pid) {
				if namespaces[ns] {
					return fmt.Errorf("process %s is in %s", pid, ns)
				}
			}
			mounts, err := os.ReadFile(filepath.Join("/proc", pid, "mountinfo"))
			if err != nil {
				continue // it ended
			}
			for ns := range namespaces {
				if bytes.Contains(mounts, []byte(ns)) {
					return fmt.Errorf("process %s sees a mount of %s", pid, ns)
				}
			}
		}
		return nil
	})
}

// checkNothingLeft looks for files, mounts, cgroups and changed sysctls.
func (r *rig) checkNothingLeft(t *testing.T, sysctls map[string]string) {
	t.Helper()
	for _, path := range []string{r.Dir, r.Dir + ".lock"} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", path, err)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || bytes.Contains(mounts, []byte(r.Dir)) {
		t.Errorf("mounts of the state directory are left, %v", err)
	}
	hierarchies, err := cgroup.Hierarchies()
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hierarchies {
		if _, err := os.Lstat(filepath.Join(h, r.Cgroup())); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("cgroup %s/%s is still there: %v", h, r.Cgroup(), err)
		}
	}
	for name, now := range readSysctls(t) {
		if was := sysctls[name]; was != now {
			t.Errorf("sysctl %s was %q and is %q", name, was, now)
		}
	}
}

// readSysctls reads what routers, kubelets and systemd are known to set.
func readSysctls(t *testing.T) map[string]string {
	t.Helper()
	values := map[string]string{}
	for _, name := range []string{
		"kernel/hostname", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
		"kernel/core_pattern", "kernel/printk", "vm/overcommit_memory", "vm/panic_on_oom",
		"net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding", "net/ipv4/conf/all/rp_filter",
	} {
		text, err := os.ReadFile(filepath.Join("/proc/sys", name))
		if err != nil {
			t.Fatal(err)
		}
		values[name] = string(text)
	}
	return values
}

func eventually(t *testing.T, condition func() error) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		<-tick.C
	}
}
