// Package yamlsize tells whether YAML from others is affordable to read.
//
// An alias costs four bytes to write and is as long as what it stands for, so
// that a text of a few kilobytes may mean gigabytes. The YAML library bounds
// the number of values, not their size.
package yamlsize

import (
	"bytes"
	"errors"

	yamlv2 "go.yaml.in/yaml/v2"
)

// ErrTooLarge is what Check answers for a text that means more than it may.
var ErrTooLarge = errors.New("its aliases, written out, make it too large")

// valueSize is what a value counts for besides its text, in bytes.
const valueSize = 8

// Check is ErrTooLarge if text with its aliases written out is longer than
// most, in bytes, and the library's error if it has aliases and is no YAML.
func Check(text []byte, most int) error {
	if !bytes.Contains(text, []byte("*")) {
		return nil // no alias
	}
	var tree any
	if err := yamlv2.Unmarshal(text, &tree); err != nil {
		return err
	}
	if left := most; !within(tree, &left) {
		return ErrTooLarge
	}
	return nil
}

// within takes the size of a tree off what is left, and stops when nothing is.
func within(tree any, left *int) bool {
	*left -= valueSize
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
