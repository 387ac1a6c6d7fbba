package authmap

import (
	"errors"
	"strings"

	yamlv2 "go.yaml.in/yaml/v2"
)

// maxText bounds a key's text in bytes. The API server takes no ConfigMap
// whose data is longer (core validation: MaxSecretSize).
const maxText = 1 << 20

var (
	errTooLong  = errors.New("longer than 1 MiB, which no ConfigMap can be: not read")
	errTooLarge = errors.New("aliases make it larger than 4 MiB: not read")
)

// maxExpanded bounds a text whose aliases are written out, in bytes.
const maxExpanded = 4 * maxText

// affordable tells why a text is not read: an alias costs four bytes to write
// and is as long as what it stands for, so that a text of a few kilobytes may
// mean gigabytes. The YAML library bounds the number of values, not their size.
func affordable(text string) error {
	if len(text) > maxText {
		return errTooLong
	}
	if !strings.Contains(text, "*") {
		return nil // no alias
	}
	var tree any
	if err := yamlv2.Unmarshal([]byte(text), &tree); err != nil {
		return nil //nolint:nilerr // the caller reads it again, and words the error
	}
	if left := maxExpanded; !within(tree, &left) {
		return errTooLarge
	}
	return nil
}

// within takes the size of a tree off what is left, and stops when nothing is.
func within(tree any, left *int) bool {
	*left -= 8
	switch v := tree.(type) {
	case string:
		*left -= len(v)
	case []any:
		for _, item := range v {
			if !within(item, left) {
				return false
			}
		}
	case map[any]any:
		for key, value := range v {
			if !within(key, left) || !within(value, left) {
				return false
			}
		}
	}
	return *left > 0
}
