package groupconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	yamlnode "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// Fault is something wrong with a file.
type Fault struct {
	Line int // from 1
	Text string
}

// Error gives the line and what is wrong with it.
func (f *Fault) Error() string { return fmt.Sprintf("line %d: %s", f.Line, f.Text) }

// Decode reads a file. The error joins a *[Fault] for everything that is wrong
// with it: unknown and repeated keys, values of another kind, what is missing.
//
// Values of texts are taken as they are written: 1.10 and yes need no quotes
// where a text is meant, unlike in Kubernetes. Anchors are refused: nothing
// here repeats, and a file that refers to itself can grow without bounds.
func Decode(text []byte) (*Config, error) {
	root, err := parse(text)
	if err != nil {
		return nil, err
	}
	var out Config
	d := decoder{}
	d.value(root, reflect.ValueOf(&out).Elem(), "")
	d.head(root, &out)
	if len(d.faults) > 0 {
		return nil, errors.Join(d.faults...)
	}
	return &out, nil
}

// parse returns the one document of a file.
func parse(text []byte) (*yamlnode.Node, error) {
	decoder := yamlnode.NewDecoder(bytes.NewReader(text))
	var document yamlnode.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, &Fault{1, "the file is empty"}
	case err != nil:
		return nil, fmt.Errorf("it is not YAML: %w", err)
	}
	var second yamlnode.Node
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, &Fault{max(second.Line, 1), "a second document: one file holds one node group"}
	}
	return document.Content[0], nil
}

// decoder gathers what is wrong.
type decoder struct{ faults []error }

func (d *decoder) fault(node *yamlnode.Node, format string, args ...any) {
	d.faults = append(d.faults, &Fault{node.Line, fmt.Sprintf(format, args...)})
}

// head checks what the file says of itself.
func (d *decoder) head(root *yamlnode.Node, config *Config) {
	switch {
	case root.Kind != yamlnode.MappingNode: // said already
	case config.APIVersion == "" && !has(root, "apiVersion"):
		d.fault(root, "apiVersion: %s is missing", APIVersion)
	case config.APIVersion != APIVersion:
		d.fault(child(root, "apiVersion"), "apiVersion %q: this version reads %s", config.APIVersion, APIVersion)
	case config.Kind == "" && !has(root, "kind"):
		d.fault(root, "kind: %s is missing", Kind)
	case config.Kind != Kind:
		d.fault(child(root, "kind"), "kind %q: this is read of %s only", config.Kind, Kind)
	}
}

func has(mapping *yamlnode.Node, key string) bool { return child(mapping, key) != mapping }

// child is the value of a key, or the mapping itself.
func child(mapping *yamlnode.Node, key string) *yamlnode.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return mapping
}

// value reads a node into a value of the types that a Config is made of.
func (d *decoder) value(node *yamlnode.Node, into reflect.Value, path string) {
	if node.Kind == yamlnode.AliasNode || node.Anchor != "" {
		d.fault(node, "%s: anchors and aliases are not read: write the value out", named(path))
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		fresh := reflect.New(into.Type().Elem())
		before := len(d.faults)
		d.value(node, fresh.Elem(), path)
		if len(d.faults) == before {
			into.Set(fresh)
		}
	case reflect.Struct:
		d.object(node, into, path)
	case reflect.Slice:
		d.list(node, into, path)
	case reflect.Map:
		if into.Type().Elem().Kind() == reflect.Interface {
			d.free(node, into, path)
			return
		}
		d.texts(node, into, path)
	default:
		d.scalar(node, into, path)
	}
}

func named(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}

// object reads the fields of a struct. Unknown keys are told with the nearest
// one that is known.
func (d *decoder) object(node *yamlnode.Node, into reflect.Value, path string) {
	if !d.isMapping(node, path) {
		return
	}
	fields := map[string]reflect.Value{}
	var names []string
	for i := range into.NumField() {
		name := jsonName(into.Type().Field(i))
		names = append(names, name)
		fields[name] = into.Field(i)
	}
	d.pairs(node, path, func(key, value *yamlnode.Node) {
		field, known := fields[key.Value]
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		if !known {
			hint := "; there are " + strings.Join(names, ", ")
			if near := nearest(key.Value, names); near != "" {
				hint = ": did you mean " + near + "?"
			}
			d.fault(key, "unknown key %s%s", at, hint)
			return
		}
		d.value(value, field, at)
	})
}

// pairs visits a mapping's keys and values, and tells of keys that stand twice.
func (d *decoder) pairs(node *yamlnode.Node, path string, visit func(key, value *yamlnode.Node)) {
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		switch line, twice := seen[key.Value]; {
		case key.Kind != yamlnode.ScalarNode:
			d.fault(key, "%s: a key must be a text", named(path))
		case twice:
			d.fault(key, "%s stands on line %d already", at, line)
		default:
			seen[key.Value] = key.Line
			visit(key, value)
		}
	}
}

func (d *decoder) isMapping(node *yamlnode.Node, path string) bool {
	if node.Kind != yamlnode.MappingNode {
		d.fault(node, "%s: keys with values are needed, not %s", named(path), described(node))
		return false
	}
	return true
}

func (d *decoder) list(node *yamlnode.Node, into reflect.Value, path string) {
	if into.Type() == reflect.TypeFor[Texts]() && node.Kind == yamlnode.ScalarNode {
		out := reflect.MakeSlice(into.Type(), 1, 1)
		d.value(node, out.Index(0), path)
		into.Set(out)
		return
	}
	if node.Kind != yamlnode.SequenceNode {
		d.fault(node, "%s: a list is needed, not %s", path, described(node))
		return
	}
	out := reflect.MakeSlice(into.Type(), len(node.Content), len(node.Content))
	for i, item := range node.Content {
		d.value(item, out.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
	into.Set(out)
}

func (d *decoder) texts(node *yamlnode.Node, into reflect.Value, path string) {
	if !d.isMapping(node, path) {
		return
	}
	out := reflect.MakeMap(into.Type())
	d.pairs(node, path, func(key, value *yamlnode.Node) {
		text := reflect.New(into.Type().Elem()).Elem()
		d.value(value, text, path+"."+key.Value)
		out.SetMapIndex(reflect.ValueOf(key.Value), text)
	})
	into.Set(out)
}

// free reads what another program defines, by the same reader as the flag's
// file.
func (d *decoder) free(node *yamlnode.Node, into reflect.Value, path string) {
	if !d.isMapping(node, path) {
		return
	}
	if anchored := anchorIn(node); anchored != nil {
		d.fault(anchored, "%s: anchors and aliases are not read: write the value out", path)
		return
	}
	text, err := yamlnode.Marshal(node)
	if err == nil {
		err = yaml.UnmarshalStrict(text, into.Addr().Interface())
	}
	if err != nil {
		d.fault(node, "%s: %v", path, err)
	}
}

// anchorIn finds an anchor or an alias below a node.
func anchorIn(node *yamlnode.Node) *yamlnode.Node {
	if node.Kind == yamlnode.AliasNode || node.Anchor != "" {
		return node
	}
	for _, below := range node.Content {
		if found := anchorIn(below); found != nil {
			return found
		}
	}
	return nil
}

func (d *decoder) scalar(node *yamlnode.Node, into reflect.Value, path string) {
	if node.Kind != yamlnode.ScalarNode || node.Tag == "!!null" {
		d.fault(node, "%s: %s is needed, not %s", path, wanted(into.Kind()), described(node))
		return
	}
	switch into.Kind() {
	case reflect.Int:
		n, err := strconv.Atoi(node.Value)
		if err != nil || node.Tag != "!!int" {
			d.fault(node, "%s: a whole number is needed, not %s", path, described(node))
			return
		}
		into.SetInt(int64(n))
	case reflect.Bool:
		if node.Tag != "!!bool" {
			d.fault(node, "%s: true or false is needed, not %s", path, described(node))
			return
		}
		into.SetBool(strings.EqualFold(node.Value, "true"))
	default:
		into.SetString(node.Value)
	}
}

func wanted(kind reflect.Kind) string {
	switch kind {
	case reflect.Int:
		return "a whole number"
	case reflect.Bool:
		return "true or false"
	}
	return "a text"
}

// maxShown bounds how much of a value a fault repeats.
const maxShown = 40

// described says what a node is.
func described(node *yamlnode.Node) string {
	switch {
	case node.Kind == yamlnode.MappingNode:
		return "keys with values"
	case node.Kind == yamlnode.SequenceNode:
		return "a list"
	case node.Tag == "!!null":
		return "nothing"
	case len(node.Value) > maxShown:
		return strconv.Quote(node.Value[:maxShown]) + "..."
	}
	return strconv.Quote(node.Value)
}
