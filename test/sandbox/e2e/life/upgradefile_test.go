package life

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// label is that of a group's only node, as the API server has it.
func (w *world) label(group, key string) string {
	w.t.Helper()
	name := w.nodes()[w.requireSize(group, 1)[0]]
	node, err := sandbox.Kube(w.t).CoreV1().Nodes().Get(w.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return node.Labels[key]
}

// TestUpgradeToAFile changes what no parameter of the stack holds, and goes
// back by what the stack keeps.
func TestUpgradeToAFile(t *testing.T) {
	w := look(t)
	remove(t, "team")
	sandbox.MustExec(t, "kubectl", "eksnodes", "add", "team", "--desired", "1", "--labels", "team=a", "--yes")
	if team := w.label("team", "team"); team != "a" {
		t.Errorf("made with the label %q", team)
	}
	first := w.instances("team")[0]
	before := sandbox.MustExec(t, "kubectl", "eksnodes", "describe", "team", "-o", "config")
	file := filepath.Join(t.TempDir(), "team.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(before, "team: a", "team: b", 1)), 0o600); err != nil {
		t.Fatal(err)
	}

	upgrade := []string{"kubectl", "eksnodes", "upgrade", "team", "--yes"}
	sandbox.MustExec(t, append(upgrade, "-f", file)...)
	if team := w.label("team", "team"); team != "b" {
		t.Errorf("changed, the label is %q", team)
	}
	second := w.instances("team")[0]
	if again := sandbox.Exec(t, append(upgrade, "-f", file)...); again.Code != 0 || !strings.Contains(again.Stderr, "nothing to do") || w.instances("team")[0] != second {
		t.Errorf("again: exit %d\n%s", again.Code, again.Stderr)
	}
	if second == first {
		t.Error("the machine was not replaced")
	}

	sandbox.MustExec(t, append(upgrade, "--rollback")...)
	if team := w.label("team", "team"); team != "a" {
		t.Errorf("rolled back, the label is %q", team)
	}
	if now := sandbox.MustExec(t, "kubectl", "eksnodes", "describe", "team", "-o", "config"); now != before {
		t.Errorf("rolled back, its settings are\n%s\nand were\n%s", now, before)
	}
	w.requireUpgraded("team")
}
