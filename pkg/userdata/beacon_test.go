//go:build linux

package userdata_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

// node is a folder that stands for a machine: the beacon runs in real bash with real sed, grep and cut, but finds
// stand-ins for systemd's commands first in PATH, and its two fixed paths lead into the folder.
type node struct {
	dir    string
	script string
}

const (
	stubJournalctl = `#!/bin/bash
[ "$#" = 3 ] && [ "$1 $2" = "-b -qocat" ] || { echo "journalctl was called with $*" >&2; exit 1; }
cat "$NODE/journal/${3#-u}" 2>/dev/null
`
	stubSystemctl = `#!/bin/bash
[ "$1" = is-active ] || exit 1
[ -e "$NODE/journal/$2" ] && echo active || { echo inactive; exit 3; }
`
	// Runs the command at once instead of after a time, and keeps what it was asked.
	stubSystemdRun = `#!/bin/bash
echo "$*" >"$NODE/systemd-run"
while [ "$1" != bash ]; do shift; done
exec "$@"
`
)

func newNode(t *testing.T, journal map[string]string) node {
	t.Helper()
	n := node{dir: t.TempDir()}
	script, err := userdata.Beacon(time.Second)
	if err != nil {
		t.Fatal(err)
	}
	n.script = strings.NewReplacer("/run/eksnodes-beacon", n.path("beacon"), "/dev/console", n.path("console")).Replace(script)
	n.write(t, "bin/journalctl", stubJournalctl)
	n.write(t, "bin/systemctl", stubSystemctl)
	n.write(t, "bin/systemd-run", stubSystemdRun)
	for unit, lines := range journal {
		n.write(t, "journal/"+unit, lines)
	}
	return n
}

func (n node) path(name string) string { return filepath.Join(n.dir, name) }

func (n node) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(n.path(name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(n.path(name), []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

// boot runs the shell part as cloud-init does, and returns once the part is done; the beacon may still run.
func (n node) boot(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, "bash", "-c", n.script)
	command.Env = []string{"PATH=" + n.path("bin") + ":/usr/bin:/bin", "NODE=" + n.dir, "LANG=C.UTF-8"}
	if out, err := command.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("the part failed or spoke: %v\n%s", err, out)
	}
}

// console waits for the beacon's last line.
func (n node) console(t *testing.T) string {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		text, err := os.ReadFile(n.path("console"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if strings.HasSuffix(string(text), "-----END EKSNODES BEACON v1-----\n") {
			return string(text)
		}
		if time.Now().After(deadline) {
			t.Fatalf("no report within the deadline; console:\n%s", text)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestBeaconReportsErrors(t *testing.T) {
	n := newNode(t, map[string]string{
		"kubelet": "I1122 10:00:00.1 server.go:1] \"Starting\"\n" +
			"E1122 10:00:01.1 kubelet_node_status.go:107] \"Unable to register node with API server\" err=\"Unauthorized\"\n" +
			"F1122 10:00:02.1 run.go:72] oh dear\n" +
			"I1122 10:00:03.1 server.go:1] all good\n",
		"containerd":     "time=\"2026-11-22T10:00:00Z\" level=info msg=starting\n",
		"nodeadm-config": strings.Repeat("error: number\n", 9) + "error: " + strings.Repeat("long ", 100) + "\n",
	})
	n.boot(t)
	report, found := userdata.ParseBeacon(n.console(t))
	want := userdata.BeaconReport{Complete: true, Units: []userdata.BeaconUnit{
		{Name: "kubelet", State: "active", Lines: []string{
			`E1122 10:00:01.1 kubelet_node_status.go:107] "Unable to register node with API server" err="Unauthorized"`,
			"F1122 10:00:02.1 run.go:72] oh dear"}},
		{Name: "containerd", State: "active"},
		{Name: "nodeadm-config", State: "active", Lines: []string{"error: number", "error: number", "error: number",
			("error: " + strings.Repeat("long ", 100))[:399]}},
		{Name: "nodeadm-run", State: "inactive"},
		{Name: "cloud-final", State: "inactive"},
	}}
	if diff := cmp.Diff(want, report); !found || diff != "" {
		t.Errorf("found %v, report (-want +got):\n%s", found, diff)
	}
	asked, err := os.ReadFile(n.path("systemd-run"))
	if err != nil {
		t.Fatal(err)
	}
	for _, argument := range []string{"--no-block ", "--on-active=1 ", "-u eksnodes-beacon "} {
		if !strings.Contains(string(asked), argument) {
			t.Errorf("systemd-run was not given %q: %s", argument, asked)
		}
	}
}

func TestBeaconIsSilentOnceRegistered(t *testing.T) {
	n := newNode(t, map[string]string{"kubelet": "E1122 10:00:00.1 x.go:1] \"error\"\n" +
		"I1122 10:00:01.1 kubelet_node_status.go:78] \"Successfully registered node\" node=\"ip-10-0-0-1.ec2.internal\"\n"})
	// The stand-in for systemd-run says when the beacon has run.
	n.write(t, "bin/systemd-run", "#!/bin/bash\nwhile [ \"$1\" != bash ]; do shift; done\n\"$@\"\ntouch \"$NODE/ran\"\n")
	n.boot(t)
	waitForFile(t, n.path("ran"))
	if text, err := os.ReadFile(n.path("console")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a registered node wrote to the console (%v):\n%s", err, text)
	}
}

// TestBeaconKeepsSecretsBack plants one credential after the other in an error line. What stands before it must be
// on the console, so that the line is known to have been chosen, and the credential must not.
func TestBeaconKeepsSecretsBack(t *testing.T) {
	for name, line := range map[string]string{
		"EKS token":                "error: token k8s-aws-v1.aHR0cHMCANARY",
		"presigned URL":            "error: GET https://sts.amazonaws.com/?Action=GetCallerIdentity&X-Amz-Algorithm=AWS4&X-Amz-Credential=CANARY%2F20261122&X-Amz-Signature=CANARY",
		"security token header":    "error: X-Amz-Security-Token: CANARY",
		"lower-case header":        "error: x-amz-security-token: CANARY",
		"access key":               "error: key AKIAIOSFODNNCANARY00",
		"temporary key":            "error: key ASIAIOSFODNNCANARY00",
		"authorization":            "error: Authorization: Basic CANARY",
		"bearer":                   "error: header [bearer CANARY]",
		"URL":                      "error: pull https://user:CANARY@registry.example.com/x",
		"URL, at sign inside":      "error: pull https://user:CAN@CANARY@registry.example.com/x",
		"URL, slash inside":        "error: proxy http://user:a/CANARY@proxy.example.com:3128",
		"password flag":            "error: run --password CANARY",
		"password setting":         "error: passwd=CANARY",
		"quoted password":          `error: {"Password" : "CANARY"}`,
		"secret key":               "error: aws_secret_access_key = CANARY",
		"client secret":            "error: client_secret: CANARY",
		"escaped secret":           `error: "{\"secret\" : \"CANARY\"}"`,
		"secret in JSON":           `error: {"SecretAccessKey" : "CANARY"}`,
		"secret in escaped JSON":   `error: msg="{\"SecretAccessKey\":\"CANARY\"}"`,
		"session token in JSON":    `error: {"Token" : "CANARY"}`,
		"token, escaped":           `error: msg="{\"token\": \"CANARY\"}"`,
		"token flag":               "error: run --token=CANARY",
		"session token in config":  "error: aws_session_token = CANARY",
		"JWT":                      "error: jwt eyJhbGciOiJSUzI1NiJ9.CANARY.CANARY",
		"bare long token":          "error: got IQoJb3JpZ2luX2VjEAAaCXVzLWVhc3QtMSJHMCANARY0123456789",
		"long base64 with slashes": "error: got " + strings.Repeat("abc/def+", 12) + "CANARY",
		"after a broken rune":      "error: \xff\xfe Authorization: CANARY",
		"coloured":                 "error: \x1b[31mAuthor\x1b[0mization: CANARY",
		"beyond the cut":           "error: " + strings.Repeat("x ", 90) + "Authorization: CANARY",
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, map[string]string{"kubelet": line + "\n", "cloud-final": line + "\n"})
			n.boot(t)
			console := n.console(t)
			if strings.Contains(console, "CANARY") {
				t.Errorf("the credential is on the console:\n%s", console)
			}
			if strings.Count(console, "\n|error: ") != 2 {
				t.Errorf("the line was not chosen in both units:\n%s", console)
			}
		})
	}
}

func TestBeaconDropsLinesWithoutSpaces(t *testing.T) {
	n := newNode(t, map[string]string{"kubelet": "MIIEpAIBAAKCAQEAerrCANARY\nerror: fine\n"})
	n.boot(t)
	if console := n.console(t); strings.Contains(console, "CANARY") || !strings.Contains(console, "|error: fine\n") {
		t.Errorf("console:\n%s", console)
	}
}

func TestBeaconKeepsWhatHelps(t *testing.T) {
	for _, line := range []string{
		`E1122 10:00:00.000000    1234 kubelet_node_status.go:107] "Unable to register node with API server" err="Unauthorized" node="ip-10-0-0-1"`,
		`E1122 10:00:00.000000    1234 run.go:72] "command failed" err="failed to load kubelet config file, path: /etc/kubernetes/kubelet/config.json"`,
		"could not get token: AccessDenied: access was refused, request id 0123abcd",
		`time="2026-11-22T10:00:00Z" level=error msg="dial tcp: lookup api.ecr.us-east-1.amazonaws.com: no such host"`,
		`failed to read "/var/lib/kubelet/pods/0123abcd-0123-0123-0123-0123456789ab/volumes": denied`,
		`Unable to locate credentials. You can configure credentials by running aws configure`,
		`Failed to list *v1.Secret: secrets is forbidden: User "system:anonymous" cannot list`,
	} {
		n := newNode(t, map[string]string{"kubelet": line + "\n"})
		n.boot(t)
		if console := n.console(t); !strings.Contains(console, "|"+line[:min(len(line), 199)]+"\n") {
			t.Errorf("want %q on the console:\n%s", line, console)
		}
	}
}

// TestBeaconDoesNotDelayTheBoot has systemd-run hang for as long as the test likes.
func TestBeaconDoesNotDelayTheBoot(t *testing.T) {
	n := newNode(t, map[string]string{"kubelet": "error: x\n"})
	if err := syscall.Mkfifo(n.path("gate"), 0o600); err != nil {
		t.Fatal(err)
	}
	n.write(t, "bin/systemd-run", "#!/bin/bash\nread -r <\"$NODE/gate\"\nwhile [ \"$1\" != bash ]; do shift; done\nexec \"$@\"\n")
	n.boot(t) // returns although systemd-run has not
	if _, err := os.Stat(n.path("console")); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the beacon ran before its timer: %v", err)
	}
	if err := os.WriteFile(n.path("gate"), []byte("go\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	n.console(t)
}

func TestBeaconWithoutSystemdRun(t *testing.T) {
	n := newNode(t, map[string]string{"kubelet": "error: no systemd-run here\n"})
	n.write(t, "bin/systemd-run", "#!/bin/bash\nexit 1\n")
	n.boot(t)
	if console := n.console(t); !strings.Contains(console, "|error: no systemd-run here\n") {
		t.Errorf("console:\n%s", console)
	}
}

func TestBeaconIsSmall(t *testing.T) {
	with, without := userdata.Config{Cluster: cluster(), BeaconDelay: time.Hour}, userdata.Config{Cluster: cluster()}
	size := len(render(t, with)) - len(render(t, without))
	t.Logf("the beacon adds %d bytes to the user data", size)
	if size >= userdata.MaxBeaconSize {
		t.Errorf("the beacon adds %d bytes, want under %d", size, userdata.MaxBeaconSize)
	}
}

func TestBeaconReportIsBounded(t *testing.T) {
	flood := strings.Repeat("error: "+strings.Repeat("word ", 1000)+"\n", 1000)
	n := newNode(t, map[string]string{"kubelet": flood, "containerd": flood, "nodeadm-config": flood, "nodeadm-run": flood, "cloud-final": flood})
	n.boot(t)
	if console := n.console(t); len(console) > 8500 {
		t.Errorf("a report of %d bytes", len(console))
	}
}

func waitForFile(t *testing.T, path string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s did not appear within the deadline", path)
		}
	}
}
