package kube

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
)

func TestBackupsAreFoundAndPutBack(t *testing.T) {
	before := map[string]string{authmap.KeyRoles: adminItem, "other": "x\n"}
	c := newCluster(t, awsAuth(before))
	w := c.writer(t)
	if _, err := w.AddRole(t.Context(), authmap.NodeEntry(nodesRole)); err != nil {
		t.Fatal(err)
	}
	after := c.stored(t).Data
	found, err := Backups(w.BackupDir, w.Cluster)
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	if others, err := Backups(w.BackupDir, "another"); err != nil || len(others) != 0 {
		t.Errorf("another cluster's: %v, %v", others, err)
	}
	data, err := ReadBackup(found[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Restore(t.Context(), before, data); !errors.Is(err, errMoved) {
		t.Errorf("the map is not what was shown, error %v", err)
	}
	result, err := w.Restore(t.Context(), after, data)
	if err != nil || result.Action != ActionRestored || result.Backup == "" {
		t.Fatalf("%+v, %v", result, err)
	}
	if diff := cmp.Diff(before, c.stored(t).Data); diff != "" {
		t.Error(diff)
	}
	if result, err := w.Restore(t.Context(), before, data); err != nil || result.Changed() || result.Backup != "" {
		t.Errorf("nothing is to change: %+v, %v", result, err)
	}
}

// TestSomebodyElseIsFaster: a write that loses is not tried again on a map
// that nobody was shown.
func TestSomebodyElseIsFaster(t *testing.T) {
	shown := map[string]string{authmap.KeyRoles: adminItem}
	c := newCluster(t, awsAuth(shown))
	c.interfere = func(writes int) error {
		if writes == 0 {
			c.replace(t, map[string]string{authmap.KeyRoles: "[]"}, "9")
		}
		return nil
	}
	w := c.writer(t)
	if _, err := w.Restore(t.Context(), shown, map[string]string{authmap.KeyRoles: ""}); !errors.Is(err, errMoved) {
		t.Errorf("error %v", err)
	}
	if have := c.stored(t).Data[authmap.KeyRoles]; have != "[]" {
		t.Errorf("the other's map is overwritten: %q", have)
	}
}

func TestWhatIsNoBackup(t *testing.T) {
	for name, text := range map[string]string{
		"":                 "",
		"another kind":     "kind: Secret\nmetadata: {name: aws-auth, namespace: kube-system}\n",
		"another map":      "kind: ConfigMap\nmetadata: {name: other, namespace: kube-system}\n",
		"not YAML":         "\t- x",
		"the wrong syntax": "kind: ConfigMap\nmetadata: {name: aws-auth, namespace: kube-system}\ndata: {mapRoles: \"- a: b: c\"}\n",
		"too large":        strings.Repeat("# a comment\n", maxBackup/12+1),
	} {
		path := filepath.Join(t.TempDir(), "f.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if data, err := ReadBackup(path); err == nil {
			t.Errorf("%s: read as %v", name, data)
		}
	}
}

func FuzzParseBackup(f *testing.F) {
	f.Add([]byte("kind: ConfigMap\nmetadata: {name: aws-auth, namespace: kube-system}\ndata: {mapRoles: '[]'}\n"))
	f.Add([]byte("{"))
	f.Fuzz(func(t *testing.T, text []byte) {
		data, err := parseBackup(text)
		if err != nil {
			return
		}
		for _, problem := range authmap.Parse(data).Problems {
			if problem.Dropped && problem.Entry < 0 {
				t.Errorf("accepted, but %s", problem)
			}
		}
	})
}
