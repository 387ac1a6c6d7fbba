package authmap_test

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

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/aws-iam-authenticator/pkg/config"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/test/oracle/generate"
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
				if checkRoundTrip(t, generate.New(seed).AWSAuth()) {
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
		g := generate.New(seed)
		text, _ := g.MapRoles()
		data := map[string]string{authmap.KeyRoles: g.Damage(text)}
		checkParse(t, data)
		edit, err := authmap.AddRole(data, authmap.NodeEntry(ourRole))
		if err != nil {
			continue
		}
		added++
		checkOnlyOurs(t, oracle(data), oracle(edit.Data))
		checkOnlyInserted(t, data[authmap.KeyRoles], edit.Data[authmap.KeyRoles])
		remove, err := authmap.RemoveRole(edit.Data, authmap.NodeEntry(ourRole))
		if err != nil || remove.Data[authmap.KeyRoles] != data[authmap.KeyRoles] {
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
	entry := authmap.NodeEntry(ourRole)
	add, err := authmap.AddRole(data, entry)
	if !reflect.DeepEqual(data, saved) {
		t.Errorf("AddRole changed its argument")
	}
	if err != nil {
		var parse *authmap.ParseError
		if !errors.As(err, &parse) {
			t.Errorf("AddRole(%q): %v", data[authmap.KeyRoles], err)
		} else if len(before.Roles) > 0 || !before.Failed {
			t.Errorf("AddRole(%q) is refused with %q, but the authenticator reads %+v", data[authmap.KeyRoles], err, before.Roles)
		}
		return false
	}
	if add.Action != authmap.ActionAdded {
		t.Errorf("AddRole(%q) gives %q", data[authmap.KeyRoles], add.Action)
	}
	checkOnlyOurs(t, before, oracle(add.Data))
	checkOnlyInserted(t, data[authmap.KeyRoles], add.Data[authmap.KeyRoles])
	remove, err := authmap.RemoveRole(add.Data, entry)
	if err != nil {
		t.Errorf("RemoveRole(%q) after AddRole: %v", add.Data[authmap.KeyRoles], err)
		return true
	}
	if remove.Action != authmap.ActionRemoved || !maps.Equal(remove.Data, data) {
		t.Errorf("add and remove do not give the same bytes\nbefore %q\nafter add %q\nafter remove %q", data, add.Data, remove.Data)
	}
	again, err := authmap.AddRole(add.Data, entry)
	if err != nil || again.Changed() || again.Diff() != "" {
		t.Errorf("a second authmap.AddRole gives %q, %v", again.Action, err)
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
	forms := append(uncommented(after), after)
	if !slices.ContainsFunc(forms, func(s string) bool { return insertedPiece(before, s) }) {
		t.Errorf("taking out what was inserted does not give the same bytes\nbefore %q\n after %q", before, after)
	}
	if isFlow(before) || before == "" || before == byteOrderMark {
		return
	}
	if !slices.ContainsFunc(forms, func(s string) bool { return insertedLines(before, s) }) {
		t.Errorf("a block list got more than whole lines\nbefore %q\n after %q", before, after)
	}
}

const byteOrderMark = "\ufeff"

// uncommented are the texts that come of taking "# was " away, from one place
// or from all.
func uncommented(text string) []string {
	const mark = "# was "
	out := []string{strings.ReplaceAll(text, mark, "")}
	for at := 0; ; {
		i := strings.Index(text[at:], mark)
		if i < 0 {
			return out
		}
		at += i
		out = append(out, text[:at]+text[at+len(mark):])
		at += len(mark)
	}
}

// isFlow tells whether a list is written in brackets. The library cannot parse
// all that the authenticator's can, which stops behind the list.
func isFlow(text string) bool {
	var doc yaml.Node
	err := yaml.NewDecoder(strings.NewReader(text)).Decode(&doc)
	if err != nil || len(doc.Content) == 0 {
		return strings.HasPrefix(strings.TrimLeft(text, byteOrderMark+" \t\r\n"), "[")
	}
	return doc.Content[0].Style&yaml.FlowStyle != 0
}

// insertedLines compares lines without their breaks: the last line of a text
// without a final break gets one.
func insertedLines(before, after string) bool {
	a, b := bareLines(before), bareLines(after)
	return common(a, b)+commonTail(a, b) >= len(a)
}

func bareLines(text string) []string {
	// Line breaks as YAML 1.1 has them.
	return strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(
		strings.TrimPrefix(text, byteOrderMark)), "\n")
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

// FuzzAddRole checks that adding and removing our entry gives the same bytes
// back on any text, and changes nothing else by the authenticator's reading.
func FuzzAddRole(f *testing.F) {
	for _, s := range generate.MapRolesSeeds() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, roles string) {
		data := map[string]string{authmap.KeyRoles: roles}
		edit, err := authmap.AddRole(data, authmap.NodeEntry(ourRole))
		if err != nil {
			return // refused: nothing is written
		}
		if edit.Action == authmap.ActionAdded {
			checkOnlyOurs(t, oracle(data), oracle(edit.Data))
			checkOnlyInserted(t, roles, edit.Data[authmap.KeyRoles])
		}
		again, err := authmap.AddRole(edit.Data, authmap.NodeEntry(ourRole))
		if err != nil || again.Changed() {
			t.Errorf("a second authmap.AddRole gives %q, %v", again.Action, err)
		}
		remove, err := authmap.RemoveRole(edit.Data, authmap.NodeEntry(ourRole))
		if edit.Action == authmap.ActionAdded && (err != nil || remove.Data[authmap.KeyRoles] != roles) {
			t.Errorf("add and remove give %q, %v", remove.Data, err)
		}
	})
}
