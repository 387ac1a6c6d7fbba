package evidence

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"path"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/hostreport"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// printed is what the collector prints of a text.
func printed(t testing.TB, text string) []byte {
	t.Helper()
	var packed bytes.Buffer
	out := gzip.NewWriter(&packed)
	if _, err := out.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return []byte("node-collector v1 i-0123456789abcdef0 2026-06-01T12:00:00Z\n" + base64.StdEncoding.EncodeToString(packed.Bytes()) + "\nnode-collector end\n")
}

const collectedText = "# journal-kubelet.log\n|E1127 \"Unable to register node with API server\" err=\"Unauthorized\"\n# units.txt\n" +
	"|Id=kubelet.service\n|ActiveState=failed\n|Result=exit-code\n|\n|Id=containerd.service\n|ActiveState=active\n"

// TestOneMachineAlone judges what one machine said of itself, with nothing else
// collected: as the collector printed it, or as the agent's report.
func TestOneMachineAlone(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/collected.txt", "[root@node ~]# echo ...\n"+string(printed(t, collectedText))+"[root@node ~]# ")
	var document bytes.Buffer
	host := snapshot.Host{System: &snapshot.HostSystem{InstanceID: "i-0123456789abcdef0"}, Units: &snapshot.HostUnits{Units: []snapshot.HostUnit{{Name: "kubelet", Active: "failed"}}}}
	if err := hostreport.New("v1", host, nil).Encode(&document); err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/report.json", document.String())
	for _, name := range []string{"collected.txt", "report.json"} {
		snap := snapshot.Snapshot{Gaps: []snapshot.Gap{
			{Section: snapshot.SectionInstances, Reason: snapshot.GapNoFile}, {Section: snapshot.SectionHost, Reason: snapshot.GapNotAsked},
		}}
		open(t, dir+"/"+name).AddLogs(&snap)
		if len(snap.Nodes) != 1 || snap.Nodes[0].InstanceID != "i-0123456789abcdef0" {
			t.Fatalf("%s: machines %+v", name, snap.Nodes)
		}
		node := &snap.Nodes[0]
		if unit := node.Host.Units.Unit("kubelet"); unit == nil || unit.Active != "failed" {
			t.Errorf("%s: units %+v", name, node.Host.Units)
		}
		if _, gap := snap.Gap(snapshot.SectionHost, node.InstanceID); gap {
			t.Errorf("%s: the report is missed where it is", name)
		}
		if seen := node.Saw("kubelet-401"); (seen != nil) != (name == "collected.txt") {
			t.Errorf("%s: lines %+v", name, node.Logs)
		}
	}
}

func TestBrokenReportIsAGap(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/node/i-0123456789abcdef0/report.json", `{"kind": "HostReport"}`)
	snap := snapshot.Snapshot{Nodes: []snapshot.Node{{InstanceID: "i-0123456789abcdef0"}}}
	open(t, dir).AddLogs(&snap)
	if gap, missing := snap.Gap(snapshot.SectionHost, "i-0123456789abcdef0"); !missing || gap.Reason != snapshot.GapInvalid {
		t.Errorf("gaps %+v", snap.Gaps)
	}
}

func TestCollectedCutOffOrDamaged(t *testing.T) {
	whole := printed(t, collectedText)
	for name, text := range map[string][]byte{
		"cut off":      whole[:len(whole)-8],
		"damaged":      bytes.Replace(whole, []byte("H4sI"), []byte("H4sJ"), 1),
		"too large":    printed(t, "# a.log\n"+strings.Repeat("|\n", maxCollected)),
		"no file":      printed(t, "|line\n"),
		"leads out":    printed(t, "# ../x\n|line\n"),
		"another text": []byte("hello"),
	} {
		if got, err := ParseCollected(text); err == nil {
			t.Errorf("%s is taken: %+v", name, got)
		}
	}
}

func FuzzParseCollected(f *testing.F) {
	f.Add(printed(f, collectedText))
	f.Add([]byte("node-collector v1 x y\n\nnode-collector end\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		collected, err := ParseCollected(text)
		if err != nil {
			return
		}
		for name := range collected.Files {
			if name != path.Base(name) || strings.Contains(name, "/") {
				t.Errorf("name %q", name)
			}
		}
		collected.AsFiles().AddLogs(&snapshot.Snapshot{Gaps: []snapshot.Gap{{Section: snapshot.SectionInstances, Reason: snapshot.GapNoFile}}})
	})
}

func FuzzUnits(f *testing.F) {
	f.Add([]byte("Id=kubelet.service\nActiveState=active\nNRestarts=x\n\nId=\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if units := Units(text); len(units.Units) > maxUnits {
			t.Errorf("%d units", len(units.Units))
		}
	})
}
