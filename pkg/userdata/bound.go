package userdata

import (
	"bytes"

	yamlv2 "go.yaml.in/yaml/v2"
)

// affordable refuses YAML whose aliases, written out, make it longer than any user data: an alias costs four bytes and
// is as long as what it stands for, so that the 16 KiB of EC2 may mean gigabytes. The YAML library bounds the number
// of values, not their size.
func affordable(text []byte) error {
	if !bytes.Contains(text, []byte("*")) {
		return nil // no alias
	}
	var tree any
	if err := yamlv2.Unmarshal(text, &tree); err != nil {
		return err
	}
	if left := maxDecoded; !within(tree, &left) {
		return errBomb
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
