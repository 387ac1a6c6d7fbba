//go:build linux

package userdata_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

// runPost renders the part for commands after the kubelet and runs it in real bash. The kubelet becomes active at the
// third look; time passes without waiting.
func runPost(t *testing.T, n node, commands ...string) {
	t.Helper()
	document := string(render(t, userdata.Config{Cluster: cluster(), PostBootstrap: commands}))
	_, script, found := strings.Cut(document, "Content-Type: text/x-shellscript\n\n")
	if !found {
		t.Fatalf("no shell part in\n%s", document)
	}
	script, _, _ = strings.Cut(script, "\n--EKSNODES")
	n.script = strings.ReplaceAll(script, "/run/", n.dir+"/")
	n.write(t, "bin/sleep", "#!/bin/bash\n")
	n.write(t, "bin/systemd-run", "#!/bin/bash\necho \"$*\" >\"$NODE/systemd-run\"\nwhile [ \"$1\" != bash ]; do shift; done\n"+
		"( \"$@\"; touch \"$NODE/ran\" ) >/dev/null 2>&1 &\n")
	n.boot(t)
}

func TestPostBootstrapWaitsForTheKubelet(t *testing.T) {
	n := newNode(t, nil)
	n.write(t, "bin/systemctl", "#!/bin/bash\n[ \"$*\" = 'is-active -q kubelet' ] || exit 9\necho look >>\"$NODE/looks\"\n[ $(wc -l <\"$NODE/looks\") -ge 3 ]\n")
	runPost(t, n, `echo "$((1+1)) $NODE" >"$NODE/out"`, `false`, `touch "$NODE/not-reached"`)
	waitForFile(t, n.path("ran"))
	out, err := os.ReadFile(n.path("out"))
	if err != nil || string(out) != "2 "+n.dir+"\n" {
		t.Errorf("the command's output is %q (%v)", out, err)
	}
	if looks, err := os.ReadFile(n.path("looks")); err != nil || strings.Count(string(looks), "look") != 3 {
		t.Errorf("looked %q (%v), want three times", looks, err)
	}
	if _, err := os.Stat(n.path("not-reached")); err == nil {
		t.Error("went on after a command had failed")
	}
	asked, err := os.ReadFile(n.path("systemd-run"))
	if err != nil || !strings.HasPrefix(string(asked), "--no-block -u eksnodes-post-bootstrap bash ") {
		t.Errorf("systemd-run was asked %q (%v)", asked, err)
	}
}

// TestEveryScriptIsValidBash has bash read every shell part without running it.
func TestEveryScriptIsValidBash(t *testing.T) {
	document := string(render(t, full()))
	for i, part := range strings.Split(document, "Content-Type: text/x-shellscript\n\n")[1:] {
		script, _, _ := strings.Cut(part, "\n--EKSNODES")
		command := exec.Command("bash", "-n")
		command.Stdin = strings.NewReader(script)
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("shell part %d: %v\n%s\n%s", i+1, err, out, script)
		}
	}
}
