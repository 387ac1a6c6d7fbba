package agent

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/hostreport"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// commands are all that must leave a machine as it is.
func commands() map[string]string {
	return map[string]string{
		"report": onNode + " report >/dev/null", "doctor": onNode + " doctor >/dev/null", "whoami": onNode + " whoami >/dev/null",
		"token": onNode + " token >/dev/null", "verify": "echo k8s-aws-v1.x | " + onNode + " verify >/dev/null",
	}
}

// The kernel's own record of every system call of the agent and of the
// programs that it runs: nothing is written but to its own streams, nothing is
// listened on, and systemd is asked for nothing but properties.
func TestChangesNothing(t *testing.T) {
	id, err := node()
	if err != nil {
		t.Fatal(err)
	}
	for name, script := range commands() {
		t.Run(name, func(t *testing.T) {
			trace := filepath.Join(t.TempDir(), "trace")
			cmd := traced(t, id, trace, script)
			if out, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() > 4 {
				t.Fatalf("strace: %v\n%s", err, out)
			}
			calls := agentCalls(t, trace)
			for _, line := range calls {
				if reason := changes(line); reason != "" {
					t.Errorf("%s: %s", reason, line)
				}
			}
			if len(calls) < 100 {
				t.Errorf("only %d calls were seen", len(calls))
			}
			opened, sent := rawSockets(calls)
			if want := map[string]int{"report": 1, "doctor": 1}[name]; opened != want {
				t.Errorf("%d raw sockets, want %d", opened, want)
			}
			for _, line := range sent {
				t.Errorf("sends on a raw socket: %s", line)
			}
		})
	}
}

// traced is a shell command on a node, under the kernel's record of what it does.
func traced(t *testing.T, id, trace, script string) *exec.Cmd {
	t.Helper()
	driver := sandbox.Command(t, "node", id, "--", "sh", "-c", script)
	cmd := exec.Command("strace", append([]string{"-f", "-qq", "-s", "512", "-o", trace, "-e", "trace=file,desc,network,process"}, driver.Args...)...)
	cmd.Env = driver.Env
	return cmd
}

// agentCalls are the lines of the agent and of what it started: those of
// processes that were not there before it.
func agentCalls(t *testing.T, trace string) []string {
	t.Helper()
	file, err := os.Open(trace)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	before := map[string]bool{}
	began := false
	var calls []string
	unfinished := map[string]string{} // by thread: another's call came between its beginning and its end
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		pid, call, _ := strings.Cut(scanner.Text(), " ")
		call = strings.TrimSpace(call)
		if begun, interrupted := strings.CutSuffix(call, " <unfinished ...>"); interrupted {
			unfinished[pid] = begun
			continue
		}
		if rest, resumed := resumedCall(call); resumed {
			call = unfinished[pid] + rest
			delete(unfinished, pid)
		}
		if strings.HasPrefix(call, `execve("`+onNode+`"`) {
			began = true
			delete(before, pid)
		}
		if !began {
			before[pid] = true
		}
		if began && !before[pid] {
			calls = append(calls, call)
		}
	}
	if err := scanner.Err(); err != nil || !began {
		t.Fatalf("the agent was not seen: %v", err)
	}
	return calls
}

// resumedCall is the end of a call that was interrupted: what follows
// "<... openat resumed>".
func resumedCall(call string) (string, bool) {
	if !strings.HasPrefix(call, "<... ") {
		return "", false
	}
	_, rest, found := strings.Cut(call, " resumed>")
	return rest, found
}

var (
	opensRaw = regexp.MustCompile(`^socket\(AF_INET, SOCK_RAW.* = (\d+)`)
	closes   = regexp.MustCompile(`^close\((\d+)\)`)
	sends    = regexp.MustCompile(`^(?:write|writev|pwrite64|send|sendto|sendmsg|sendmmsg|sendfile|splice)\((\d+)`)
)

// rawSockets tells how many raw sockets were opened, and which calls sent
// something on one.
func rawSockets(calls []string) (opened int, sent []string) {
	open := map[string]bool{} // by descriptor
	for _, call := range calls {
		if made := opensRaw.FindStringSubmatch(call); made != nil {
			open[made[1]] = true
			opened++
		}
		if done := closes.FindStringSubmatch(call); done != nil {
			delete(open, done[1])
		}
		if wrote := sends.FindStringSubmatch(call); wrote != nil && open[wrote[1]] {
			sent = append(sent, call)
		}
	}
	return opened, sent
}

var (
	opensToWrite = regexp.MustCompile(`^(?:open|openat|openat2|creat)\(.*(?:O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND)`)
	changesFiles = regexp.MustCompile(`^(?:creat|mkdir|mkdirat|rmdir|unlink|unlinkat|rename|renameat|renameat2|link|linkat|symlink|symlinkat|mknod|mknodat|chmod|fchmod|fchmodat|chown|fchown|lchown|fchownat|truncate|ftruncate|fallocate|utimensat|setxattr|fsetxattr|removexattr|mount|umount2|pivot_root|swapon)\(`)
	listens      = regexp.MustCompile(`^(?:listen|accept|accept4)\(|^bind\(.*AF_INET`)
	startsUnits  = regexp.MustCompile(`StartUnit|StopUnit|RestartUnit|ReloadUnit|KillUnit|EnableUnitFiles|SetUnitProperties|ResetFailed|StartTransientUnit`)
)

// listensSomewhere is what no command but serve does.
const listensSomewhere = "listens"

// changes says what a call changes, "" for nothing.
func changes(call string) string {
	failed := strings.Contains(call, " = -1 ")
	switch {
	case opensToWrite.MatchString(call) && !failed && !strings.Contains(call, `"/dev/null"`) && !strings.Contains(call, `"/dev/tty"`):
		return "opens to write"
	case changesFiles.MatchString(call) && !failed:
		return "changes files"
	case listens.MatchString(call):
		return listensSomewhere
	case startsUnits.MatchString(call):
		return "asks systemd to act"
	}
	return ""
}

// On a machine whose every file system is read-only the agent reads the same
// families of facts.
func TestReadOnlyMachine(t *testing.T) {
	families := func(script string) map[snapshot.Probe]bool {
		out, errOut, _ := onTheNode(t, script)
		document, err := hostreport.Decode(strings.NewReader(out))
		if err != nil {
			t.Fatalf("%v\n%s%s", err, out, errOut)
		}
		read := map[snapshot.Probe]bool{}
		for _, probe := range snapshot.Probes() {
			if _, missing := document.Facts.Gap(probe); !missing {
				read[probe] = true
			}
		}
		return read
	}
	normal := families(onNode + " report")
	frozen := families(`exec unshare -m sh -c '
mount --make-rprivate /
awk "{print \$2}" /proc/mounts | sort -u | while read -r place; do mount -o remount,bind,ro "$place" 2>/dev/null; done
touch /run/x /tmp/x /var/x 2>/dev/null && exit 9
exec ` + onNode + ` report'`)
	for _, probe := range snapshot.Probes() {
		if normal[probe] != frozen[probe] {
			t.Errorf("%s: read %v, on a read-only machine %v", probe, normal[probe], frozen[probe])
		}
	}
	// All families are there but those of things that the node does not have.
	for _, probe := range snapshot.Probes() {
		if !normal[probe] && probe != snapshot.ProbeBottlerocket && probe != snapshot.ProbeIPAMD {
			t.Errorf("%s was not read", probe)
		}
	}
}
