package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/eksnodes/kubectl-eksnodes/pkg/hostreport"
)

const instanceID = "i-0123456789abcdef0"

// healthy is the script of an agent that reports.
const healthy = `#!/bin/sh
echo '{"apiVersion": "eksnodes/v1alpha1", "kind": "HostReport", "agentVersion": "v1", "collectedAt": "2026-06-01T12:00:00Z",
 "facts": {"collectedAt": "2026-06-01T12:00:00Z", "system": {"instanceID": "` + instanceID + `", "hostname": "'"$1"'"}}}'
`

// pushed lets the road log in as EC2 Instance Connect does.
type pushed struct{ server *sshd }

func (p pushed) PushSSHKey(_ context.Context, _, _, _, key string) error { return p.server.push(key) }

// machineAt is a machine whose console shows the server's key.
func machineAt(s *sshd) Machine {
	return Machine{InstanceID: instanceID, PrivateIP: "127.0.0.1", Console: consoleOf(s.key.PublicKey())}
}

func consoleOf(keys ...ssh.PublicKey) string {
	text := "[    1.0] booting\n<14>Nov 26 cloud-init: " + keysBegin + "\n"
	for _, key := range keys {
		text += "<14>Nov 26 cloud-init: " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + " root@node\n"
	}
	return text + "<14>Nov 26 cloud-init: " + keysEnd + "\nlogin:\n"
}

// roadTo is the road to a server that sends the agent.
func roadTo(s *sshd, agent Binaries) *SSH {
	return &SSH{Login: Login{Pusher: pushed{s}}, HostKeys: &HostKeys{}, Binaries: agent, Args: []string{"report"}, Port: s.port}
}

// bring goes the road to the server's machine.
func bring(t *testing.T, road Road, m Machine) Result {
	t.Helper()
	return Fetch(t.Context(), []Machine{m}, []Road{road}, Options{RoadTimeout: 20 * time.Second})[0]
}

func TestReportBySSH(t *testing.T) {
	server := newServer(t)
	result := bring(t, roadTo(server, program(t, healthy)).Road(), machineAt(server))
	if !result.Whole() || result.Tried() != "" {
		t.Fatalf("no report: %s", result.Tried())
	}
	report := result.Reports[0]
	if report.AgentVersion != "v1" || report.Host.System.Hostname != "report" {
		t.Errorf("report is %+v", report.Host.System)
	}
	if left := server.left(); len(left) > 0 {
		t.Errorf("left on the machine: %q", left)
	}
	for _, command := range server.commands {
		if !strings.HasPrefix(command, "uname") && !strings.Contains(command, "timeout -k 5 60 /bin/sh -c") {
			t.Errorf("a command without an end: %.80s", command)
		}
	}
}

// A machine where nothing may be run from some places has others; where none
// is left, the agent runs out of memory.
func TestPlacesThatWillNotDo(t *testing.T) {
	if _, err := os.Stat("/usr/bin/python3"); err != nil {
		t.Fatal("these tests need python3, as the sandbox does")
	}
	for name, places := range map[string]struct {
		bases []string
		notes int
	}{
		"the first is not there":  {[]string{"/nonexistent", ""}, 0},
		"the first takes no file": {[]string{"/proc", ""}, 0},
		"no place at all":         {[]string{"/nonexistent", "/proc"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t)
			for i, base := range places.bases {
				if base == "" {
					places.bases[i] = server.bases[0]
				}
			}
			server.bases = places.bases
			agent := program(t, healthy)
			if name == "no place at all" { // a script cannot run out of memory: its interpreter has no file to open
				agent = compiled(t)
			}
			result := bring(t, roadTo(server, agent).Road(), machineAt(server))
			if !result.Whole() || len(result.Notes) != places.notes {
				t.Errorf("no report: %s, notes %q", result.Tried(), result.Notes)
			}
		})
	}
}

func TestDamagedOnTheWay(t *testing.T) {
	server := newServer(t)
	agent := program(t, healthy)
	binary, err := agent.For("x86_64")
	if err != nil {
		t.Fatal(err)
	}
	client, err := roadTo(server, agent).login(t.Context(), &Machine{InstanceID: instanceID, PrivateIP: "127.0.0.1", Console: consoleOf(server.key.PublicKey())})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	binary.SHA256 = strings.Repeat("0", 64)
	if _, err := client.runAgent(t.Context(), machineHost{}, binary, nil); err == nil || !strings.Contains(err.Error(), "sent was 0000") {
		t.Errorf("error is %v", err)
	}
	binary.Packed = binary.Packed[:len(binary.Packed)-9]
	if _, err := client.runAgent(t.Context(), machineHost{}, binary, nil); err == nil || !strings.Contains(err.Error(), "did not arrive whole") {
		t.Errorf("error is %v", err)
	}
	if left := server.left(); len(left) > 0 {
		t.Errorf("left on the machine: %q", left)
	}
}

// What a run left that was killed on the machine is taken away by the next
// one, which says so; what a run that goes on has there stays, and so does
// what only looks like it.
func TestLeftoversGo(t *testing.T) {
	server := newServer(t)
	base := server.bases[0]
	for _, name := range []string{agentDirectory + ".999999999.AAAA", "other.1.x"} {
		if err := os.Mkdir(filepath.Join(base, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(t.TempDir(), filepath.Join(base, agentDirectory+".999999999.LINK")); err != nil {
		t.Fatal(err)
	}
	result := bring(t, roadTo(server, program(t, healthy)).Road(), machineAt(server))
	if len(result.Notes) != 1 || !strings.Contains(result.Notes[0], "removed "+base) || !result.Whole() {
		t.Errorf("notes %q, %s", result.Notes, result.Tried())
	}
	if left := server.left(); len(left) != 2 {
		t.Errorf("left on the machine: %q", left)
	}
}

// Without an agent to send, the collector reads what a shell can.
func TestCollectorWhereNoAgentFits(t *testing.T) {
	server := newServer(t)
	result := bring(t, roadTo(server, none()).Road(), machineAt(server))
	if !result.Whole() {
		t.Fatalf("no report: %s", result.Tried())
	}
	host := result.Reports[0].Host
	if gap, missing := host.Gap("token"); !missing || !strings.Contains(gap.Detail, "only units and logs") {
		t.Errorf("gap %+v", gap)
	}
	if host.Logs == nil || len(host.Logs.Sources) < 5 || len(result.Notes) != 1 || !strings.Contains(result.Notes[0], ErrNoBinary.Error()) {
		t.Errorf("logs %+v, notes %q", host.Logs, result.Notes)
	}
}

// hostile are machines that mean harm, or are broken.
func hostile() map[string]struct {
	answer func(channel ssh.Channel, command string)
	says   string
} {
	type row = struct {
		answer func(channel ssh.Channel, command string)
		says   string
	}
	// probed lets the first command pass and does something else with the next.
	probed := func(then func(ssh.Channel, string)) func(ssh.Channel, string) {
		var n atomic.Int32
		return func(channel ssh.Channel, command string) {
			if n.Add(1) == 1 {
				_, _ = fmt.Fprint(channel, "Linux x86_64\n0\n")
				finish(channel, 0)
				return
			}
			then(channel, command)
		}
	}
	return map[string]row{
		"endless output": {probed(func(channel ssh.Channel, _ string) {
			block := []byte(strings.Repeat("A", 32<<10))
			for {
				if _, err := channel.Write(block); err != nil {
					return
				}
			}
		}), "said more than 1024 KiB"},
		"endless errors": {probed(func(channel ssh.Channel, _ string) {
			block := []byte(strings.Repeat("A", 32<<10))
			for {
				if _, err := channel.Stderr().Write(block); err != nil {
					return
				}
			}
		}), "no report within"},
		"slow drip": {probed(func(channel ssh.Channel, _ string) {
			for {
				if _, err := channel.Write([]byte("{")); err != nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		}), "no report within"},
		"silence": {func(channel ssh.Channel, _ string) {
			_, _ = channel.Read(make([]byte, 1))
			select {}
		}, "no report within"},
		"garbage": {probed(func(channel ssh.Channel, command string) {
			_, _ = fmt.Fprintf(channel, "\n%s begin\n\x1b[2J{\"kind\": \"evil\"}\n%[1]s end 0\n", markerIn(command))
			finish(channel, 0)
		}), "not with a report"},
		"another machine's report": {probed(func(channel ssh.Channel, command string) {
			_, _ = fmt.Fprintf(channel, "\n%s begin\n%s\n%[1]s end 0\n", markerIn(command), `{"apiVersion": "`+hostreport.APIVersion+`", "kind": "HostReport", "agentVersion": "v1", "collectedAt": "2026-06-01T12:00:00Z", "facts": {"collectedAt": "2026-06-01T12:00:00Z", "system": {"instanceID": "i-0ffffffffffffffff"}}}`)
			finish(channel, 0)
		}), "another machine answers"},
		"cut off": {probed(func(channel ssh.Channel, command string) {
			_, _ = fmt.Fprintf(channel, "\n%s begin\n{\"kind\": \"Host", markerIn(command))
			finish(channel, 0)
		}), "did not arrive whole"},
		"no shell": {func(channel ssh.Channel, _ string) {
			_, _ = fmt.Fprint(channel, "\x1b[31mWelcome to Bottlerocket's control container!\n")
			finish(channel, 0)
		}, "no shell for commands of ours"},
		"no sudo": {func(channel ssh.Channel, _ string) {
			_, _ = fmt.Fprint(channel, "Linux x86_64\n1000\n")
			_, _ = fmt.Fprint(channel.Stderr(), "sudo: a password is required\n")
			finish(channel, 1)
		}, "may not become root: sudo: a password is required"},
	}
}

// markerIn finds the word that the road marks its output with.
func markerIn(command string) string {
	words := strings.Split(command[strings.LastIndex(command, agentDirectory):], "' '")
	return words[3]
}

func TestHostileMachines(t *testing.T) {
	for name, c := range hostile() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(t)
			server.answer = c.answer
			results := Fetch(t.Context(), []Machine{machineAt(server)}, []Road{roadTo(server, program(t, healthy)).Road()}, Options{RoadTimeout: 8 * time.Second})
			why := results[0].Tried()
			if results[0].Whole() || !strings.Contains(why, c.says) || strings.ContainsAny(why, "\x1b\n") {
				t.Errorf("says %q, want %q", why, c.says)
			}
		})
	}
}

// Many machines, some of which hang: the others' reports are kept, and no more
// than the limit are asked at once.
func TestPartialResultsAreKept(t *testing.T) {
	var now, most atomic.Int32
	road := Road{Name: "test", Fetch: func(ctx context.Context, m *Machine) (Cargo, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for {
			old := most.Load()
			if n <= old || most.CompareAndSwap(old, n) {
				break
			}
		}
		switch m.InstanceID {
		case "i-hangs":
			<-ctx.Done()
			return Cargo{}, ctx.Err()
		case "i-panics":
			panic("oh")
		}
		return Cargo{Files: map[string][]byte{}}, nil
	}}
	var machines []Machine
	for i := range 20 {
		machines = append(machines, Machine{InstanceID: fmt.Sprint("i-", i)})
	}
	machines = append(machines, Machine{InstanceID: "i-hangs"}, Machine{InstanceID: "i-panics"})
	told := 0
	results := Fetch(t.Context(), machines, []Road{road}, Options{Parallel: 3, RoadTimeout: 50 * time.Millisecond, Progress: func(Result) { told++ }})
	for i := range 20 {
		if !results[i].Whole() || results[i].InstanceID != machines[i].InstanceID {
			t.Errorf("%s: %s", machines[i].InstanceID, results[i].Tried())
		}
	}
	if why := results[20].Tried(); !strings.Contains(why, "no report within 50ms") {
		t.Error(why)
	}
	if why := results[21].Tried(); !strings.Contains(why, "the road itself failed: oh") {
		t.Error(why)
	}
	if most.Load() > 3 || told != len(machines) {
		t.Errorf("%d at once, %d told", most.Load(), told)
	}
}

func TestInterruptedFetchSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	results := Fetch(ctx, []Machine{{InstanceID: "i-a"}}, []Road{{Name: "test"}}, Options{})
	if !errors.Is(results[0].Attempts[0].Err, context.Canceled) {
		t.Errorf("attempts %+v", results[0].Attempts)
	}
}

func TestThroughABastion(t *testing.T) {
	server, gate := newServer(t), newServer(t)
	known := filepath.Join(t.TempDir(), "known_hosts")
	line := KnownHostsLine(fmt.Sprintf("[127.0.0.1]:%d", gate.port), gate.key.PublicKey())
	if err := os.WriteFile(known, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bastion, err := ParseBastion(fmt.Sprintf("jump@127.0.0.1:%d", gate.port), "me")
	if err != nil {
		t.Fatal(err)
	}
	bastion.KnownHosts = []string{known}
	road := roadTo(server, program(t, healthy))
	road.Bastion = bastion
	t.Cleanup(func() { _ = bastion.Close() })
	bastion.Login = Login{Pusher: pushed{gate}}
	if result := bring(t, road.Road(), machineAt(server)); !result.Whole() {
		t.Errorf("no report: %s", result.Tried())
	}

	stranger := newServer(t)
	other := &Bastion{User: "jump", Address: fmt.Sprintf("127.0.0.1:%d", stranger.port), KnownHosts: []string{known}, Login: Login{Pusher: pushed{stranger}}}
	road.Bastion = other
	if result := bring(t, road.Road(), machineAt(server)); result.Whole() || !strings.Contains(result.Tried(), "key is unknown") {
		t.Errorf("a bastion that nobody knows: %s", result.Tried())
	}
}
