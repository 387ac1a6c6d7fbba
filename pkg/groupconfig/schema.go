package groupconfig

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// object is one of a JSON Schema; encoding/json writes its keys in order.
type object = map[string]any

// Schema is the JSON Schema of a file, for editors and for checks without this
// program. describe gives the words on a setting, by the name of its flag.
func Schema(describe func(flag string) string) ([]byte, error) {
	settings := object{}
	var spec Spec
	kind := reflect.TypeOf(spec)
	for i, field := range spec.Fields() {
		property := schemaOf(kind.Field(i).Type)
		property["description"] = describe(field.Flag)
		if field.Inline != "" {
			property["description"] = field.Inline
		}
		if words := kind.Field(i).Tag.Get("enum"); words != "" {
			property["enum"] = strings.Fields(words)
		}
		settings[field.Name] = property
	}
	schema := object{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       Kind,
		"description": "A node group, as `" + product.Command + " add -f` reads it and `describe -o config` writes it",
		"type":        "object", "additionalProperties": false,
		"required": []string{"apiVersion", "kind", "metadata"},
		"properties": object{
			"apiVersion": object{"const": APIVersion},
			"kind":       object{"const": Kind},
			"metadata": object{
				"type": "object", "additionalProperties": false, "required": []string{"name"},
				"properties": object{"name": object{"type": "string", "description": "name of the node group"}},
			},
			"spec": object{"type": "object", "additionalProperties": false, "properties": settings},
		},
	}
	text, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema: %w", err)
	}
	return append(text, '\n'), nil
}

// schemaOf is the schema of a type that settings have.
func schemaOf(kind reflect.Type) object {
	switch kind.Kind() {
	case reflect.Pointer:
		return schemaOf(kind.Elem())
	case reflect.Int:
		return object{"type": "integer"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Slice:
		if kind == reflect.TypeFor[Texts]() {
			return object{"anyOf": []object{{"type": "string"}, {"type": "array", "items": object{"type": "string"}}}}
		}
		return object{"type": "array", "items": schemaOf(kind.Elem())}
	case reflect.Map:
		if kind.Elem().Kind() == reflect.Interface {
			return object{"type": "object"}
		}
		return object{"type": "object", "additionalProperties": schemaOf(kind.Elem())}
	}
	return object{"type": "string"}
}
