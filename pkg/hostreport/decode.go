package hostreport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	kjson "sigs.k8s.io/json"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
)

// Bounds of what is read.
const (
	maxDepth = 16
	maxText  = 4 << 10 // bytes of one text
	maxItems = 1000    // of one list
	maxNamed = 32      // unknown fields that are named
)

// VersionError says that a document is of a version that this reader does not
// know.
type VersionError struct{ APIVersion string }

// Error names the version and what to do.
func (e *VersionError) Error() string {
	return fmt.Sprintf("the report is %s, this reader knows %s: use a plugin and an agent of one release", e.APIVersion, APIVersion)
}

// Errors of documents.
var (
	// ErrTooLarge: more bytes than a report has.
	ErrTooLarge = fmt.Errorf("longer than a report: more than %d bytes", MaxBytes)
	// ErrNotAReport: something else altogether.
	ErrNotAReport = errors.New("not a report of node-agent")
)

// Decode reads one document and nothing after it. A document of a newer agent
// of the same version may have fields that are not known here: they are
// listed in Unknown, and dropped. An older one may lack families of facts:
// they are gaps of the facts. Foreign text in it is cleaned as where it was
// read, in case it was not.
func Decode(r io.Reader) (*Document, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("read report: %w", ErrTooLarge)
	}
	document, err := decode(bytes.TrimSpace(data))
	if err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	return document, nil
}

func decode(data []byte) (*Document, error) {
	if !bytes.HasPrefix(data, []byte("{")) || !utf8.Valid(data) {
		return nil, ErrNotAReport
	}
	if err := checkDepth(data); err != nil {
		return nil, err
	}
	if err := checkType(data); err != nil {
		return nil, err
	}
	var document Document
	strict, err := kjson.UnmarshalStrict(data, &document)
	if err != nil {
		return nil, err
	}
	for _, fault := range strict {
		field, unknown := strings.CutPrefix(fault.Error(), "unknown field ")
		switch {
		case !unknown:
			return nil, fault // a field that is there twice
		case len(document.Unknown) < maxNamed:
			document.Unknown = append(document.Unknown, redact.Line(clip(strings.Trim(field, `"`), 200)))
		}
	}
	if err := sanitize(&document); err != nil {
		return nil, err
	}
	document.Facts.CameBy("") // by which road it comes is for the reader to say
	return &document, nil
}

// checkType reads what a document says it is, before its content counts.
func checkType(data []byte) error {
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(data, &head); err != nil {
		return fmt.Errorf("%w: %w", ErrNotAReport, err)
	}
	switch {
	case head.Kind != Kind, !strings.HasPrefix(head.APIVersion, product.PluginName+"/"):
		return ErrNotAReport
	case head.APIVersion != APIVersion:
		return &VersionError{APIVersion: redact.Line(clip(head.APIVersion, 80))}
	}
	return nil
}

// checkDepth bounds how deep values are nested.
func checkDepth(data []byte) error {
	depth, inText := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return fmt.Errorf("%w: nested deeper than %d", ErrNotAReport, maxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}
