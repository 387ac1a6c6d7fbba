package authmap

import (
	"errors"

	"github.com/eksnodes/kubectl-eksnodes/pkg/yamlsize"
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

// affordable tells why a text is not read. A text that is no YAML passes: the
// caller reads it again, and words the error.
func affordable(text string) error {
	if len(text) > maxText {
		return errTooLong
	}
	if errors.Is(yamlsize.Check([]byte(text), maxExpanded), yamlsize.ErrTooLarge) {
		return errTooLarge
	}
	return nil
}
