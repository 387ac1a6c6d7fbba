package authmap

import (
	"errors"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/aws-iam-authenticator/pkg/config"
)

const ourRole = "arn:aws:iam::111122223333:role/eksnodes/OurOwnNodeRole"

// TestAddAndRemoveOnGeneratedMaps shows that adding our entry changes nothing
// else by the authenticator's own reading, adds only, and that removing it
// gives the same bytes back.
func TestAddAndRemoveOnGeneratedMaps(t *testing.T) {
	var next, added atomic.Uint64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := next.Add(1); seed <= generatedMaps && !t.Failed(); seed = next.Add(1) {
				if checkRoundTrip(t, newGen(seed).data()) {
					added.Add(1)
				}
				if t.Failed() {
					t.Errorf("seed %d, or one that ran beside it", seed)
				}
			}
		})
	}
	workers.Wait()
	t.Logf("%d maps: entry added to %d, the others refused as unreadable by the authenticator", generatedMaps, added.Load())
	if added.Load() < generatedMaps*9/10 {
		t.Errorf("only %d of %d generated maps could be edited", added.Load(), generatedMaps)
	}
}

// TestAddAndRemoveOnBrokenMaps does the same with damaged texts, of which some
// still read somehow: an edit is right or refused, never wrong.
func TestAddAndRemoveOnBrokenMaps(t *testing.T) {
	added := 0
	for seed := range uint64(3000) {
		g := newGen(seed)
		text, _ := g.mapRoles()
		data := map[string]string{KeyRoles: g.damage(text)}
		checkParse(t, data)
		edit, err := AddRole(data, NodeEntry(ourRole))
		if err != nil {
			continue
		}
		added++
		checkOnlyOurs(t, oracle(data), oracle(edit.Data))
		checkOnlyInserted(t, data[KeyRoles], edit.Data[KeyRoles])
		remove, err := RemoveRole(edit.Data, NodeEntry(ourRole))
		if err != nil || remove.Data[KeyRoles] != data[KeyRoles] {
			t.Errorf("add and remove do not give the same bytes: %v\nbefore %q\nafter add %q\nafter remove %q", err, data, edit.Data, remove.Data)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if added < 500 {
		t.Errorf("only %d damaged maps could be edited: the test shows little", added)
	}
}

// checkRoundTrip adds and removes our entry; false means that the map was
// refused, which must then be one of which the authenticator reads nothing.
func checkRoundTrip(t *testing.T, data map[string]string) bool {
	t.Helper()
	saved := maps.Clone(data)
	before := oracle(data)
	entry := NodeEntry(ourRole)
	add, err := AddRole(data, entry)
	if !reflect.DeepEqual(data, saved) {
		t.Errorf("AddRole changed its argument")
	}
	if err != nil {
		var parse *ParseError
		if !errors.As(err, &parse) {
			t.Errorf("AddRole(%q): %v", data[KeyRoles], err)
		} else if len(before.Roles) > 0 || !before.Failed {
			t.Errorf("AddRole(%q) is refused with %q, but the authenticator reads %+v", data[KeyRoles], err, before.Roles)
		}
		return false
	}
	if add.Action != ActionAdded {
		t.Errorf("AddRole(%q) gives %q", data[KeyRoles], add.Action)
	}
	checkOnlyOurs(t, before, oracle(add.Data))
	checkOnlyInserted(t, data[KeyRoles], add.Data[KeyRoles])
	remove, err := RemoveRole(add.Data, entry)
	if err != nil {
		t.Errorf("RemoveRole(%q) after AddRole: %v", add.Data[KeyRoles], err)
		return true
	}
	if remove.Action != ActionRemoved || !maps.Equal(remove.Data, data) {
		t.Errorf("add and remove do not give the same bytes\nbefore %q\nafter add %q\nafter remove %q", data, add.Data, remove.Data)
	}
	again, err := AddRole(add.Data, entry)
	if err != nil || again.Changed() || again.Diff() != "" {
		t.Errorf("a second AddRole gives %q, %v", again.Action, err)
	}
	return true
}

func checkOnlyOurs(t *testing.T, before, after oracleMap) {
	t.Helper()
	ours := config.RoleMapping{
		RoleARN:  "arn:aws:iam::111122223333:role/OurOwnNodeRole",
		Username: "system:node:{{EC2PrivateDNSName}}",
		Groups:   []string{"system:bootstrappers", "system:nodes"},
	}
	at := slices.IndexFunc(after.Roles, func(r config.RoleMapping) bool { return reflect.DeepEqual(r, ours) })
	if at < 0 {
		t.Errorf("the authenticator does not read our entry: %+v", after.Roles)
		return
	}
	before.Roles = slices.Insert(slices.Clone(before.Roles), at, ours)
	if !reflect.DeepEqual(before, after) {
		t.Errorf("the authenticator reads more than our entry changed\nwant %+v\n got %+v", before, after)
	}
}

// checkOnlyInserted shows that taking out what was inserted gives the same
// bytes, and that in a block list it is whole lines. A placeholder such as null
// is turned into a comment first.
func checkOnlyInserted(t *testing.T, before, after string) {
	t.Helper()
	forms := append(revived(after), after)
	if !slices.ContainsFunc(forms, func(s string) bool { return insertedPiece(before, s) }) {
		t.Errorf("taking out what was inserted does not give the same bytes\nbefore %q\n after %q", before, after)
	}
	root := newDocument(before).root
	flow := root != nil && root.Style&yamlv3.FlowStyle != 0
	if !flow && before != "" && before != byteOrderMark && !slices.ContainsFunc(forms, func(s string) bool { return insertedLines(before, s) }) {
		t.Errorf("a block list got more than whole lines\nbefore %q\n after %q", before, after)
	}
}

// insertedLines compares lines without their breaks: the last line of a text
// without a final break gets one.
func insertedLines(before, after string) bool {
	a, b := bareLines(before), bareLines(after)
	return common(a, b)+commonTail(a, b) >= len(a)
}

func bareLines(text string) []string {
	d := newDocument(text)
	var lines []string
	for i := range d.starts {
		line := d.line(i)
		for n := range line {
			if breakLen(line[n:]) > 0 {
				line = line[:n]
				break
			}
		}
		lines = append(lines, line)
	}
	return lines
}

func insertedPiece(before, after string) bool {
	a, b := strings.Split(before, ""), strings.Split(after, "")
	return common(a, b)+commonTail(a, b) >= len(a)
}

func common(a, b []string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func commonTail(a, b []string) int {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Reverse(a)
	slices.Reverse(b)
	return common(a, b)
}
