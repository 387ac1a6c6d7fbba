//go:build linux

package userdata_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"

	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

func TestWarmPoolGolden(t *testing.T) {
	config := userdata.Config{Cluster: cluster(), WarmPool: true, PreBootstrap: []string{"true"}, PostBootstrap: []string{"logger joined"},
		BeaconDelay: userdata.DefaultBeaconDelay}
	document := render(t, config)
	golden(t, filepath.Join("testdata", "al2023", "warm-pool.mime"), document)
	if doc := userdata.Parse(document); !doc.Beacon || len(doc.Faults) > 0 {
		t.Errorf("read back: beacon %t, faults %v", doc.Beacon, doc.Faults)
	}
	custom, err := userdata.Custom(config)
	if err != nil || !bytes.Equal(custom, document) {
		t.Errorf("a custom image gets another document (%v)", err)
	}
}

func TestWarmPoolElsewhere(t *testing.T) {
	document, err := userdata.Bottlerocket(userdata.Config{Cluster: cluster(), WarmPool: true})
	var got struct {
		Settings struct {
			Autoscaling struct {
				ShouldWait bool `toml:"should-wait"`
			}
		}
	}
	if err := errors.Join(err, toml.Unmarshal(document, &got)); err != nil || !got.Settings.Autoscaling.ShouldWait {
		t.Errorf("Bottlerocket does not wait (%v):\n%s", err, document)
	}
	_, err = userdata.Custom(userdata.Config{Cluster: cluster(), WarmPool: true, User: [][]byte{[]byte("#!/bin/sh\n")}})
	if err == nil || !strings.Contains(err.Error(), "cannot express that machines of a warm pool stay out of the cluster") {
		t.Errorf("user data that is taken as it stands: %v", err)
	}
}

// imds answers in the place of curl: one line of the file answers for each question, "-" that nothing answers, and the
// last one for ever. It answers only to who has a token.
const stubCurl = `#!/bin/bash
case "$*" in
*" -XPUT "*/latest/api/token) echo the-token;;
*"X-aws-ec2-metadata-token:the-token http://169.254.169.254/latest/meta-data/autoscaling/target-lifecycle-state")
  echo look >>"$NODE/looks"
  answer=$(head -n1 "$NODE/imds")
  [ "$(wc -l <"$NODE/imds")" -gt 1 ] && sed -i 1d "$NODE/imds"
  [ "$answer" = - ] && exit 22
  echo "$answer";;
*) echo "curl was called with $*" >>"$NODE/wrong"; exit 2;;
esac
`

// warmNode is a machine whose boothooks can be run.
type warmNode struct {
	node
	hooks []string
}

func newWarmNode(t *testing.T, config userdata.Config, states ...string) warmNode {
	t.Helper()
	config.Cluster, config.WarmPool = cluster(), true
	n := warmNode{node: newNode(t, nil)}
	at := strings.NewReplacer("/run/", n.dir+"/run/", "/var/lib/", n.dir+"/var/lib/", "/dev/console", n.path("console"))
	for _, part := range strings.Split(string(render(t, config)), "\n--EKSNODES")[1:] {
		head, body, _ := strings.Cut(part, "\n\n")
		if strings.HasSuffix(head, "Content-Type: text/cloud-boothook") {
			n.hooks = append(n.hooks, at.Replace(body))
		}
	}
	n.write(t, "run/x", "")
	n.write(t, "bin/curl", stubCurl)
	n.write(t, "bin/sleep", "#!/bin/bash\necho \"$1\" >>\"$NODE/slept\"\n")
	n.write(t, "bin/systemctl", "#!/bin/bash\necho \"$*\" >>\"$NODE/systemctl\"\n")
	n.write(t, "imds", strings.Join(states, "\n")+"\n")
	return n
}

// start boots the machine: what is in /run is gone, and cloud-init runs all boothooks in their order.
func (n *warmNode) start(t *testing.T) {
	t.Helper()
	if err := os.RemoveAll(n.path("run")); err != nil {
		t.Fatal(err)
	}
	n.write(t, "run/x", "")
	for _, hook := range n.hooks {
		n.script = strings.TrimPrefix(hook, "#cloud-boothook\n") // as cloud-init takes it off
		n.boot(t)
	}
}

// wait runs what nodeadm-run.service runs first.
func (n *warmNode) wait(t *testing.T) {
	t.Helper()
	n.script = ". " + n.path("run/eksnodes-warm")
	n.boot(t)
}

func (n *warmNode) lines(t *testing.T, name string) int {
	t.Helper()
	text, err := os.ReadFile(n.path(name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Count(string(text), "\n")
}

func TestAMachineOfTheWarmPoolWaits(t *testing.T) {
	silence := func(times int) []string {
		return strings.Split(strings.TrimSuffix(strings.Repeat("-\n", times), "\n"), "\n")
	}
	for name, test := range map[string]struct {
		states []string
		looks  int
	}{
		"in service at once":              {[]string{"InService"}, 1},
		"running in the pool, then taken": {[]string{"Warmed:Running", "Warmed:Running", "InService"}, 3},
		"any other state is not the pool": {[]string{"Standby"}, 1},
		"a hiccup":                        {[]string{"-", "Warmed:Stopped", "-", "-", "InService"}, 5},
		"nobody answers":                  {silence(1), 25},
		"silence begins anew":             {append(silence(20), "Warmed:Hibernated", "-"), 46},
	} {
		t.Run(name, func(t *testing.T) {
			n := newWarmNode(t, userdata.Config{}, test.states...)
			n.start(t)
			n.wait(t)
			if looks := n.lines(t, "looks"); looks != test.looks || n.lines(t, "slept") != looks-1 {
				t.Errorf("looked %d times and slept %d times, want %d looks", looks, n.lines(t, "slept"), test.looks)
			}
			n.wait(t) // the kubelet after nodeadm, and each time that it is started again
			if looks := n.lines(t, "looks"); looks != test.looks {
				t.Errorf("%d looks after it was in service", looks-test.looks)
			}
			if n.lines(t, "wrong") > 0 {
				t.Error("curl was called with something else")
			}
		})
	}
}

func TestTheKubeletIsHeldAtEveryBoot(t *testing.T) {
	n := newWarmNode(t, userdata.Config{}, "InService")
	for boot := 1; boot <= 2; boot++ {
		n.start(t)
		for _, unit := range []string{"nodeadm-run", "kubelet"} {
			text, err := os.ReadFile(n.path("run/systemd/system/" + unit + ".service.d/50-eksnodes-warm.conf"))
			want := fmt.Sprintf("[Service]\nTimeoutStartSec=infinity\nExecStartPre=/bin/bash %s\n", n.path("run/eksnodes-warm"))
			if err != nil || string(text) != want {
				t.Errorf("%s at boot %d: %v %s", unit, boot, err, cmp.Diff(want, string(text)))
			}
		}
		if n.lines(t, "systemctl") != boot {
			t.Errorf("systemd was not told at boot %d", boot)
		}
		n.wait(t)
	}
	if looks := n.lines(t, "looks"); looks != 2 {
		t.Errorf("%d looks in two boots: what a machine was before a stop does not count", looks)
	}
}

// TestScriptsThatAStopCutOffRunAgain: only while they have not come to their end.
func TestScriptsThatAStopCutOffRunAgain(t *testing.T) {
	n := newWarmNode(t, userdata.Config{PreBootstrap: []string{"true"}}, "InService")
	noted := "var/lib/cloud/instance/sem/config_scripts_user"
	n.write(t, noted, "")
	n.start(t)
	if _, err := os.Stat(n.path(noted)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("cloud-init takes the scripts for run (%v)", err)
	}
	n.write(t, noted, "")
	n.write(t, "var/lib/cloud/instance/eksnodes-ran", "") // the last shell part; see the golden file
	n.start(t)
	if _, err := os.Stat(n.path(noted)); err != nil {
		t.Errorf("scripts that were run are run again: %v", err)
	}
}

func TestTheBeaconIsSilentInTheWarmPool(t *testing.T) {
	n := newWarmNode(t, userdata.Config{BeaconDelay: 100 * time.Second}, "Warmed:Running", "Warmed:Running", "InService")
	n.write(t, "journal/kubelet", "error: not registered\n")
	n.write(t, "bin/sleep", "#!/bin/bash\necho \"$1\" >>\"$NODE/slept\"\n[ -e \"$NODE/console\" ] && touch \"$NODE/early\"\nexit 0\n")
	n.start(t)
	if report := n.console(t); !strings.Contains(report, "not registered") {
		t.Errorf("no report of a node that does not join: %s", report)
	}
	slept, err := os.ReadFile(n.path("slept"))
	if lines := strings.Fields(string(slept)); err != nil || len(lines) != 3 || lines[2] < "95" && lines[2] != "100" {
		t.Errorf("slept %q, want two looks and then the delay again", slept)
	}
	if _, err := os.Stat(n.path("early")); err == nil {
		t.Error("it reported while the machine was in the pool")
	}
}

func TestPostBootstrapRunsOnceWhateverIsStopped(t *testing.T) {
	n := newWarmNode(t, userdata.Config{PostBootstrap: []string{`echo ran >>"$NODE/commands"`}}, "InService")
	n.write(t, "bin/systemctl", "#!/bin/bash\n[ \"$1\" = daemon-reload ]||[ -e \"$NODE/joined\" ]\n")
	n.write(t, "bin/systemd-run", "#!/bin/bash\nwhile [ \"$1\" != bash ]; do shift; done\necho \"$2\" >\"$NODE/armed\"\n")
	n.write(t, "var/lib/x", "")
	run := func() {
		t.Helper()
		armed, err := os.ReadFile(n.path("armed"))
		if err != nil {
			t.Fatal(err)
		}
		n.script = ". " + strings.TrimSpace(string(armed))
		n.boot(t)
	}
	n.start(t) // and is stopped before the kubelet runs
	n.start(t)
	n.write(t, "joined", "")
	run()
	if n.lines(t, "commands") != 1 {
		t.Errorf("ran %d times", n.lines(t, "commands"))
	}
	if err := os.Remove(n.path("armed")); err != nil {
		t.Fatal(err)
	}
	n.start(t)
	if _, err := os.Stat(n.path("armed")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("armed again after the commands were run")
	}
}

func TestEveryBoothookIsValidBash(t *testing.T) {
	n := newWarmNode(t, userdata.Config{PreBootstrap: []string{"a"}, PostBootstrap: []string{"b"}, BeaconDelay: time.Minute}, "InService")
	if len(n.hooks) != 3 {
		t.Fatalf("%d boothooks", len(n.hooks))
	}
	for _, hook := range n.hooks {
		command := exec.Command("bash", "-n")
		command.Stdin = strings.NewReader(hook)
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s\n%s", err, out, hook)
		}
	}
}
