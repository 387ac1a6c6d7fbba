package agent

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/evidence"
)

// canaries are what must never leave a node; the last ones are harmless.
const canaries = `level=error token k8s-aws-v1.aHR0cHM6Ly9zdHMuY2FuYXJ5 refused
error: https://user:canary-password@proxy.example refused
error: AKIACANARYCANARY0001 denied
error Authorization: Bearer canary-bearer-token
error password=canary-password
failed: X-Amz-Signature=canary-signature
-----BEGIN PRIVATE KEY----- error
canary-private-key error
-----END PRIVATE KEY----- error
E1127 kubelet_node_status.go "Unable to register node with API server" err="Unauthorized"
`

// stubs is a directory with programs that stand for a node's.
func stubs(t *testing.T, journal string) (path string) {
	t.Helper()
	dir := t.TempDir()
	for name, script := range map[string]string{
		"journalctl": "#!/bin/sh\nfor a; do u=$a; done\n[ \"$u\" = kubelet ] && cat '" + filepath.Join(dir, "journal") + "'\nexit 0\n",
		"dmesg":      "#!/bin/sh\necho '[1.0] Out of memory: Killed process 1 (kubelet)'\n",
		"systemctl":  "#!/bin/sh\nprintf 'Id=kubelet.service\\nLoadState=loaded\\nActiveState=failed\\nSubState=failed\\nResult=exit-code\\nNRestarts=3\\n\\nId=containerd.service\\nActiveState=active\\n'\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "journal"), []byte(journal), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// onNode runs a script as a node's shell would.
func onNode(t *testing.T, dir, script string) string {
	t.Helper()
	script = strings.ReplaceAll(script, "PATH=/usr/sbin", "PATH="+dir+":/usr/sbin")
	cmd := exec.Command("sh", "-c", script)
	cmd.Env = []string{"PATH=" + dir + ":/usr/sbin:/usr/bin:/sbin:/bin"}
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil || errOut.Len() > 0 {
		t.Fatalf("%v\n%s", err, errOut.String())
	}
	return string(out)
}

func TestCollectorTellsAndKeepsSecrets(t *testing.T) {
	out := onNode(t, stubs(t, canaries), Collector())
	collected, err := evidence.ParseCollected([]byte("$ sudo sh\n" + out + "$ "))
	if err != nil {
		t.Fatal(err)
	}
	kubelet := string(collected.Files["journal-kubelet.log"])
	for _, secret := range []string{"aHR0cHM6", "canary", "CANARY"} {
		if strings.Contains(kubelet, secret) {
			t.Errorf("%q leaves the node:\n%s", secret, kubelet)
		}
	}
	report, err := open("test", &Machine{InstanceID: instanceID}, Cargo{Files: collected.Files})
	if err != nil {
		t.Fatal(err)
	}
	host := report.Host
	if unit := host.Units.Unit("kubelet"); unit == nil || unit.Active != "failed" || unit.Result != "exit-code" || unit.Restarts != 3 {
		t.Errorf("units %+v", host.Units)
	}
	if seen := host.Saw("kubelet-401"); seen == nil || seen.Where != "kubelet" {
		t.Errorf("logs %+v", host.Logs)
	}
}

// However much a node has logged, what is printed fits into what SSM keeps,
// and the last lines are in it.
func TestCollectorFits(t *testing.T) {
	var journal strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&journal, "E1127 failed %x %x %x\n", i*7919, i*104729, i*1299709)
	}
	journal.WriteString("E1127 failed at last\n")
	out := onNode(t, stubs(t, journal.String()), Collector())
	if len(out) > 24000 {
		t.Errorf("%d characters", len(out))
	}
	files, err := ParseCollected([]byte(out))
	if err != nil || !bytes.HasSuffix(files["journal-kubelet.log"], []byte("failed at last\n")) {
		t.Errorf("error %v", err)
	}
	t.Logf("%d characters, %d lines of the kubelet", len(out), bytes.Count(files["journal-kubelet.log"], []byte("\n")))
	for _, cut := range []int{len(out) - 10, len(out) / 2, 60} {
		if _, err := ParseCollected([]byte(out[:cut])); err == nil {
			t.Errorf("cut off after %d, and taken as whole", cut)
		}
	}
}

func TestOneLinerIsTheCollector(t *testing.T) {
	line, err := OneLiner()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(line, "\n") || len(line) > 4000 { // what a terminal takes as one line
		t.Errorf("%d characters", len(line))
	}
	line = strings.Replace(line, "sudo sh", "cat", 1)
	out, err := exec.Command("sh", "-c", line).Output()
	if err != nil || string(out) != Collector() {
		t.Errorf("%v: it unpacks to\n%s", err, out)
	}
}

// TestScriptsAreClean has shellcheck look at every script that runs on nodes.
func TestScriptsAreClean(t *testing.T) {
	for _, name := range []string{"run.sh", "collector.sh"} {
		if out, err := exec.Command("shellcheck", "--severity=style", name).CombinedOutput(); err != nil {
			t.Errorf("shellcheck %s: %v\n%s", name, err, out)
		}
	}
	road := SSM{AgentURL: "https://example.com/node-agent", AgentSHA256: strings.Repeat("a", 64)}
	check := exec.Command("shellcheck", "--shell=sh", "-")
	check.Stdin = strings.NewReader(road.script())
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("shellcheck of SSM's script: %v\n%s", err, out)
	}
}

// systemsManager runs commands on a node's stubs.
type systemsManager struct {
	t   *testing.T
	dir string
	say func(string) string
}

func (s systemsManager) Online(_ context.Context, ids []string) (map[string]bool, error) {
	online := map[string]bool{}
	for _, id := range ids {
		online[id] = id != "i-offline"
	}
	return online, nil
}

func (s systemsManager) RunCommand(_ context.Context, _, script string, _ time.Duration) (out, errOut string, err error) {
	if s.say != nil {
		return s.say(script), "", nil
	}
	return onNode(s.t, s.dir, strings.ReplaceAll(script, "/usr/local/bin/node-agent", s.dir+"/node-agent")), "", nil
}

func TestReportBySSM(t *testing.T) {
	dir := stubs(t, canaries)
	ids := []string{instanceID, "i-offline"}
	road := SSM{Runner: systemsManager{t: t, dir: dir}, Machines: ids}.Road()
	result := bring(t, road, Machine{InstanceID: instanceID})
	if !result.Whole() || result.Reports[0].AgentVersion != "" || result.Reports[0].Host.Saw("kubelet-401") == nil {
		t.Errorf("the collector: %s, %+v", result.Tried(), result.Reports)
	}
	if host := result.Reports[0].Host; host.Road != RoadSSM || host.Saw("kubelet-401").Road != RoadSSM {
		t.Errorf("the facts came by %q, a line by %q", host.Road, host.Saw("kubelet-401").Road)
	}
	if result := bring(t, road, Machine{InstanceID: "i-offline"}); !strings.Contains(result.Tried(), "not online") {
		t.Error(result.Tried())
	}
	if err := os.WriteFile(filepath.Join(dir, "node-agent"), []byte(healthy), 0o700); err != nil {
		t.Fatal(err)
	}
	result = bring(t, road, Machine{InstanceID: instanceID})
	if !result.Whole() || result.Reports[0].AgentVersion != "v1" {
		t.Errorf("the agent that is there: %s", result.Tried())
	}
}

func TestSSMSaysNonsense(t *testing.T) {
	cut := func(script string) string { return "node-agent v1\nH4sI\n--output truncated--" }
	bomb := func(string) string {
		var packed bytes.Buffer
		out := gzip.NewWriter(&packed)
		_, _ = out.Write(make([]byte, 8<<20))
		_ = out.Close()
		return "node-agent v1\n" + base64.StdEncoding.EncodeToString(packed.Bytes()) + "\nnode-agent end\n"
	}
	for name, c := range map[string]struct {
		say  func(string) string
		says string
	}{
		"nothing":   {func(string) string { return "" }, "said nothing of use"},
		"cut off":   {cut, "did not arrive whole"},
		"bomb":      {bomb, "did not arrive whole"},
		"collector": {func(string) string { return "node-collector v1 i-1 now\nAAAA\n--output truncated--" }, "cut off"},
	} {
		result := bring(t, SSM{Runner: systemsManager{t: t, say: c.say}, Machines: []string{instanceID}}.Road(), Machine{InstanceID: instanceID})
		if result.Whole() || !strings.Contains(result.Tried(), c.says) {
			t.Errorf("%s: %s, want %q", name, result.Tried(), c.says)
		}
	}
}

func TestAgentURLIsChecked(t *testing.T) {
	sum := strings.Repeat("a", 64)
	for url, ok := range map[string]bool{
		"https://example.com/node-agent": true, "http://example.com/node-agent": false, "https://user:pass@example.com/x": false,
		"https://bucket.example.com/x?X-Amz-Signature=abc": false, "file:///etc/passwd": false,
	} {
		if err := (SSM{AgentURL: url, AgentSHA256: sum}).Validate(); (err == nil) != ok {
			t.Errorf("%s: %v", url, err)
		}
	}
	if err := (SSM{AgentURL: "https://example.com/x"}).Validate(); err == nil {
		t.Error("an agent without a checksum is taken")
	}
}

func TestConsoleRoad(t *testing.T) {
	console := "boot\n-----BEGIN EKSNODES BEACON v1-----\n# kubelet: failed\n|E1127 failed\n# containerd: active\n# chronyd: unknown\n-----END EKSNODES BEACON v1-----\n"
	result := bring(t, Console{}.Road(), Machine{InstanceID: instanceID, Console: console})
	if result.Whole() || len(result.Reports) != 1 {
		t.Fatalf("%+v", result)
	}
	units := result.Reports[0].Host.Units
	if units.Source != sourceConsole || len(units.Units) != 2 || units.Unit("kubelet").Active != "failed" {
		t.Errorf("units %+v", units)
	}
	if result := bring(t, Console{}.Road(), Machine{Console: "boot"}); !strings.Contains(result.Tried(), "no boot beacon") {
		t.Error(result.Tried())
	}
}

func TestEmbeddedAgentsAreChecked(t *testing.T) {
	good := program(t, healthy)
	if binary, err := good.For("aarch64"); err != nil || binary.Size != len(healthy) {
		t.Errorf("%+v, %v", binary, err)
	}
	if _, err := good.For("riscv64"); err == nil {
		t.Error("an agent for riscv64")
	}
	if _, err := none().For("x86_64"); !errors.Is(err, ErrNoBinary) {
		t.Error(err)
	}
	files := good.files.(fstest.MapFS)
	files["binaries/node-agent-linux-amd64.gz"] = program(t, "another").files.(fstest.MapFS)["binaries/node-agent-linux-amd64.gz"]
	if _, err := good.For("x86_64"); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("error is %v", err)
	}
	if _, err := Embedded(filepath.Join("testdata", "nonexistent")).For("x86_64"); err == nil {
		t.Error("a file that is not there")
	}
	if _, err := Embedded("run.sh").For("x86_64"); err == nil || !strings.Contains(err.Error(), "no program for Linux") {
		t.Error(err)
	}
}
