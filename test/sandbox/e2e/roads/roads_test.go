package roads

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

// killsEnv says how many runs TestKilledRunsLeaveNothing kills.
const killsEnv = "EKSNODES_ROADS_KILLS"

// TestReportBySSH brings the agent's whole report home through a port that is
// open for as long as that takes.
func TestReportBySSH(t *testing.T) {
	id := settle(t)[0]
	noSSM(t)
	host, result := doctor(t, id, "--open-ssh")
	if !strings.Contains(result.Stderr, "report by ssh") || !strings.Contains(result.Stderr, "ssm: access denied: ssm:DescribeInstanceInformation") {
		t.Fatalf("the road is not named:\n%s", result.Stderr)
	}
	if host == nil || host.System == nil || host.System.InstanceID != id || host.Identity == nil || host.Kubelet == nil {
		t.Fatalf("facts are %+v", host)
	}
	for _, said := range []string{"opening port 22 of sg-", "for 203.0.113.10/32 until", "closed port 22 of sg-"} {
		if !strings.Contains(result.Stderr, said) {
			t.Errorf("stderr does not say %q", said)
		}
	}
	if rules := open(t); len(rules) > 0 {
		t.Errorf("open: %q", rules)
	}
	if files := left(t, id); len(files) > 0 {
		t.Errorf("left on the machine: %q", files)
	}
}

// TestReportBySSM has the collector tell what a shell can read, without a port.
func TestReportBySSM(t *testing.T) {
	id := settle(t)[0]
	host, result := doctor(t, id)
	if !strings.Contains(result.Stderr, "report by ssm") || host == nil || host.Logs == nil {
		t.Fatalf("facts are %+v\n%s", host, result.Stderr)
	}
	if unit := host.Units.Unit("kubelet"); unit == nil || unit.Active != "active" {
		t.Errorf("units are %+v", host.Units)
	}
	if gap, missing := host.Gap(snapshot.ProbeToken); !missing || gap.Reason != snapshot.GapNotAsked {
		t.Errorf("the token's gap is %+v", gap)
	}
}

// TestClosedPortIsNamed: without --open-ssh nothing is opened, and the machine
// that cannot be reached is a gap that says why.
func TestClosedPortIsNamed(t *testing.T) {
	id := settle(t)[0]
	noSSM(t)
	_, result := doctor(t, id)
	if !strings.Contains(result.Stderr, "no report") || !strings.Contains(result.Stderr, ":22 does not answer") {
		t.Errorf("stderr:\n%s", result.Stderr)
	}
	if rules := open(t); len(rules) > 0 {
		t.Errorf("open: %q", rules)
	}
}

// TestSSHCommand logs in with the user's own ssh, on a group's machine.
func TestSSHCommand(t *testing.T) {
	settle(t)
	result := sandbox.Exec(t, "kubectl", "eksnodes", "ssh", group, "--open-ssh", "--", "id -un; exit 7")
	if result.Code != 7 || result.Stdout != "ec2-user\n" {
		t.Errorf("exit %d, stdout %q", result.Code, result.Stdout)
	}
	if rules := open(t); len(rules) > 0 {
		t.Errorf("open: %q", rules)
	}
}

// TestInterruptClosesThePort sends Ctrl-C while the port is open.
func TestInterruptClosesThePort(t *testing.T) {
	id := settle(t)[0]
	noSSM(t)
	process := sandbox.Start(t, "kubectl", "eksnodes", "doctor", id, "--agent", "always", "--open-ssh")
	process.AwaitStderr("opening port 22", time.Minute)
	process.Signal(syscall.SIGINT)
	if result := process.Wait(); result.Code != 130 {
		t.Errorf("exit %d, want 130", result.Code)
	}
	if rules := open(t); len(rules) > 0 {
		t.Errorf("open: %q", rules)
	}
}

// TestKilledRunsLeaveNothing kills runs at random moments. What one leaves,
// the next takes away, and says so.
func TestKilledRunsLeaveNothing(t *testing.T) {
	id := settle(t)[0]
	noSSM(t)
	kills := 3
	if text := os.Getenv(killsEnv); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		kills = n
	}
	args := []string{"kubectl", "eksnodes", "doctor", id, "--agent", "always", "--open-ssh"}
	begun := time.Now()
	first := sandbox.Start(t, args...)
	first.AwaitStderr("opening port 22", time.Minute)
	opened := time.Now()
	first.Wait()
	whole, window := time.Since(begun), time.Since(opened)
	ports, files := 0, 0
	for i := range kills {
		process := sandbox.Start(t, args...)
		after := rand.N(whole) // the moment is what is random here:
		if i%2 == 0 {          // every other time while there is something to leave behind
			process.AwaitStderr("opening port 22", time.Minute)
			after = rand.N(window)
		}
		time.Sleep(after)
		process.Signal(syscall.SIGKILL)
		process.Wait()
		rules, found := open(t), left(t, id)
		t.Logf("kill %d after %s (a run takes %s, %s of it with an open port): open %q, on the machine %q", i+1,
			after.Round(time.Millisecond), whole.Round(time.Millisecond), window.Round(time.Millisecond), rules, found)
		if len(rules) == 0 && len(found) == 0 {
			continue
		}
		result := sandbox.Exec(t, args...)
		if len(rules) > 0 {
			ports++
			if !strings.Contains(result.Stderr, "which an earlier run had left open") {
				t.Errorf("the next run does not say that it closes the port:\n%s", result.Stderr)
			}
		}
		if len(found) > 0 {
			files++
		}
		if rules := open(t); len(rules) > 0 {
			t.Fatalf("the next run left open: %q", rules)
		}
	}
	t.Logf("%d kills: %d left the port open and the next run closed it, %d had files on the machine", kills, ports, files)
	// A machine that was left in the middle of a run ends it by itself.
	harness.Eventually(t, 90*time.Second, func() error {
		if found := left(t, id); len(found) > 0 {
			return fmt.Errorf("on the machine: %q", found)
		}
		return nil
	})
}

// TestWrongHostKey changes a machine's key: what answers is not what its
// console shows, or an earlier login has noted, and is not spoken to.
func TestWrongHostKey(t *testing.T) {
	id := settle(t)[1]
	noSSM(t)
	sandbox.Driver(t, "node", id, "--", "sh", "-c", "rm -f /etc/ssh/ssh_host_* && ssh-keygen -q -A && systemctl restart ssh")
	host, result := doctor(t, id, "--open-ssh")
	if !strings.Contains(result.Stderr, "is not that of "+id+": ") {
		t.Errorf("stderr:\n%s", result.Stderr)
	}
	if host != nil && host.System != nil {
		t.Error("the machine was asked all the same")
	}
	login := sandbox.Exec(t, "kubectl", "eksnodes", "ssh", id, "--open-ssh", "--", "true")
	if login.Code != 1 || !strings.Contains(login.Stderr, "is not that of") {
		t.Errorf("exit %d", login.Code)
	}
	if rules := open(t); len(rules) > 0 {
		t.Errorf("open: %q", rules)
	}
}

// TestToken is the exec plugin, and what the cluster makes of its token.
func TestToken(t *testing.T) {
	settle(t)
	credential := sandbox.SecretExec(t, "kubectl", "eksnodes", "token")
	if !strings.Contains(credential, `"kind":"ExecCredential"`) || !strings.Contains(credential, "k8s-aws-v1.") {
		t.Error("no ExecCredential")
	}
	verdict := sandbox.MustExec(t, "kubectl", "eksnodes", "token", "verify")
	for _, said := range []string{"ok        STS         it is arn:aws:iam::111122223333:user/alice", "ok        mapping ", "username"} {
		if !strings.Contains(verdict, said) {
			t.Errorf("verdict does not say %q:\n%s", said, verdict)
		}
	}
	if strings.Contains(verdict, "k8s-aws-v1.aHR0") {
		t.Error("the token is printed")
	}
}
