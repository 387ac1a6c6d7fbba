package authmap

import (
	"encoding/json"
	"iter"
	"reflect"
	"slices"
	"strings"
)

// state is a text of mapRoles and what it means, in enough detail to tell
// whether an edit changed anything but our entry.
type state struct {
	text string
	doc  lazyDocument
	// items are the list's entries as canonical JSON, unknown keys included.
	items []string
	// raw are the same entries as the authenticator decodes them; an entry that
	// is not valid has its place too.
	raw []Role
	// fault is what it logs about values of the wrong type.
	fault  string
	isJSON bool
	// left is how many bytes this edit may still read.
	left *int
}

// maxEditWork bounds, in bytes, what one edit reads back. It needs a few
// readings of the text; a hostile one has a closing bracket, a comment or an
// entry of ours for every few bytes, each of which would ask for one more.
const maxEditWork = 32 << 20

// read gives the state of a text, or why the authenticator reads nothing.
func read(text string) (state, *ParseError) {
	left := maxEditWork
	return readWithin(text, &left)
}

// again reads a text that the edit has made of the first one; ok is false when
// it cannot be read, or the edit has read enough.
func (s state) again(text string) (next state, ok bool) {
	if s.spent() {
		return state{}, false
	}
	next, err := readWithin(text, s.left)
	return next, err == nil
}

// spent tells whether the edit has read enough.
func (s state) spent() bool { return *s.left <= 0 }

func readWithin(text string, left *int) (state, *ParseError) {
	*left -= len(text) + 1
	s := state{text: text, doc: lazily(text), left: left}
	if skippable(text) {
		return s, nil
	}
	fail := func(p Problem) (state, *ParseError) {
		return state{}, &ParseError{Key: p.Key, Line: p.Line, Reason: p.Reason}
	}
	raw, err := toJSON(text)
	if err != nil {
		return fail(wholeProblem(KeyRoles, text, err))
	}
	s.isJSON = strings.HasPrefix(strings.TrimSpace(text), "[") && json.Valid([]byte(text))
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return fail(typeProblem(KeyRoles, s.doc(), err))
	}
	for _, item := range items {
		s.items = append(s.items, string(item))
	}
	if err := json.Unmarshal(raw, &s.raw); err != nil {
		s.fault = err.Error()
	}
	return s, nil
}

// all gives the indexes of the entries that are valid and match.
func (s state) all(match func(Role) bool) []int {
	var out []int
	for i, r := range s.raw {
		if r.invalid() == "" && match(r) {
			out = append(out, i)
		}
	}
	return out
}

// find gives the index of the entry that counts for a role, the last one, or
// -1.
func (s state) find(match func(Role) bool) int {
	if all := s.all(match); len(all) > 0 {
		return all[len(all)-1]
	}
	return -1
}

// accepts reads an edited text and tells whether it means what is due.
type accepts func(after string) bool

// first is the first of the texts that means what is due.
func (s state) first(texts iter.Seq[string], accept accepts) (state, bool) {
	for text := range texts {
		if accept(text) {
			return s.again(text)
		}
		if s.spent() {
			break
		}
	}
	return state{}, false
}

// inserted is due after adding an entry at a place in the list.
func (s state) inserted(at int, e Entry) accepts {
	raw := slices.Insert(slices.Clone(s.raw), at, e.role())
	return func(after string) bool {
		got, ok := s.again(after)
		if !ok || len(got.items) != len(s.items)+1 || s.isJSON && !got.isJSON {
			return false
		}
		return slices.Equal(slices.Delete(slices.Clone(got.items), at, at+1), s.items) &&
			onlyKeys(got.items[at]) &&
			slices.EqualFunc(got.raw, raw, sameRole) &&
			got.fault == s.fault
	}
}

// without is due after removing entry i, and with it a fault that was its own.
func (s state) without(i int) accepts {
	return func(after string) bool {
		got, ok := s.again(after)
		if !ok || s.isJSON && !got.isJSON && after != "" {
			return false
		}
		return slices.Equal(got.items, slices.Delete(slices.Clone(s.items), i, i+1)) &&
			slices.EqualFunc(got.raw, slices.Delete(slices.Clone(s.raw), i, i+1), sameRole) &&
			(got.fault == s.fault || got.fault == "")
	}
}

// regrouped is due after giving entry i these groups.
func (s state) regrouped(i int, groups []string) accepts {
	want := slices.Clone(s.raw)
	want[i].Groups = groups
	return func(after string) bool {
		got, ok := s.again(after)
		if !ok || len(got.items) != len(s.items) || s.isJSON && !got.isJSON {
			return false
		}
		for n := range got.items {
			if n != i && got.items[n] != s.items[n] {
				return false
			}
		}
		return slices.EqualFunc(got.raw, want, sameRole) &&
			reflect.DeepEqual(otherKeys(got.items[i]), otherKeys(s.items[i])) &&
			got.fault == s.fault
	}
}

func sameRole(a, b Role) bool { return reflect.DeepEqual(a, b) }

// keysOf are the keys of an entry, as far as it is a mapping.
func keysOf(item string) map[string]json.RawMessage {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal([]byte(item), &keys); err != nil {
		return nil
	}
	return keys
}

// onlyKeys tells whether an entry has the three keys of ours and no other.
func onlyKeys(item string) bool {
	keys := keysOf(item)
	for _, k := range []string{"rolearn", "username", "groups"} {
		for have := range keys {
			if equalKey(have, k) {
				delete(keys, have)
			}
		}
	}
	return len(keys) == 0
}

// otherKeys are an entry's keys apart from its groups.
func otherKeys(item string) map[string]json.RawMessage {
	keys := keysOf(item)
	for k := range keys {
		if equalKey(k, "groups") {
			delete(keys, k)
		}
	}
	return keys
}
