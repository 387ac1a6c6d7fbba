// Package clijson reads what the AWS CLI prints (--output json, version 1 or
// 2) into the output types of the AWS SDK. The two come from the same models:
// names differ in case only, and a few values in form.
package clijson

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// maxDepth bounds the nesting of a document.
const maxDepth = 64

// Error is what is wrong with a document.
type Error struct {
	Line int // 1-based
	Err  error
}

// Error says what is wrong and where.
func (e *Error) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

// Decode reads one document into the struct that out points to. Fields that
// the SDK does not know are skipped, as are those of union types. Times may
// be ISO 8601 (version 2, and version 1 for XML services) or seconds since
// the epoch (version 1 for JSON services). Where the SDK has a string and the
// CLI an object (policy documents of IAM), the object's JSON becomes the
// string. An error is an *Error.
func Decode(data []byte, out any) error {
	tokens := json.NewDecoder(bytes.NewReader(data))
	tokens.UseNumber()
	d := &decoder{data: data, tokens: tokens}
	err := d.value(reflect.ValueOf(out).Elem(), 0)
	if err == nil {
		if _, more := tokens.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more follows the document")
		}
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("the document ends too early")
	}
	return &Error{Line: d.line(err), Err: err}
}

type decoder struct {
	data   []byte
	tokens *json.Decoder
}

// line is where the decoder stands, or where the JSON itself is broken.
func (d *decoder) line(err error) int {
	at := d.tokens.InputOffset()
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = max(syntax.Offset, at)
	}
	return 1 + bytes.Count(d.data[:min(at, int64(len(d.data)))], []byte("\n"))
}

// value reads the next value into v.
func (d *decoder) value(v reflect.Value, depth int) error {
	token, err := d.tokens.Token()
	if err != nil {
		return err
	}
	return d.put(token, v, depth)
}

// put stores a value whose first token was read.
func (d *decoder) put(token json.Token, v reflect.Value, depth int) error {
	if depth > maxDepth {
		return errors.New("nested too deeply")
	}
	if token == nil {
		return nil
	}
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	delim, composite := token.(json.Delim)
	switch {
	case v.Kind() == reflect.Interface:
		return d.skip(token)
	case !composite:
		return scalar(token, v)
	case v.Kind() == reflect.String:
		text, err := d.raw(delim)
		v.SetString(text)
		return err
	case delim == '{':
		return d.object(v, depth)
	default:
		return d.array(v, depth)
	}
}

func (d *decoder) object(v reflect.Value, depth int) error {
	switch {
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		return d.members(func(name string) error {
			if v.IsNil() {
				v.Set(reflect.MakeMap(v.Type()))
			}
			item := reflect.New(v.Type().Elem()).Elem()
			err := d.value(item, depth+1)
			v.SetMapIndex(reflect.ValueOf(name).Convert(v.Type().Key()), item)
			return err
		})
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		return d.members(func(name string) error {
			field := field(v, name)
			if !field.IsValid() {
				token, err := d.tokens.Token()
				if err != nil {
					return err
				}
				return d.skip(token)
			}
			if err := d.value(field, depth+1); err != nil {
				return inside(name, err)
			}
			return nil
		})
	}
	return fmt.Errorf("an object where %s is due", noun(v))
}

// members reads an object's names and lets each value be read.
func (d *decoder) members(read func(name string) error) error {
	for d.tokens.More() {
		token, err := d.tokens.Token()
		if err != nil {
			return err
		}
		name, ok := token.(string)
		if !ok {
			return fmt.Errorf("%v where a name is due", token)
		}
		if err := read(name); err != nil {
			return err
		}
	}
	_, err := d.tokens.Token()
	return err
}

func (d *decoder) array(v reflect.Value, depth int) error {
	if v.Kind() != reflect.Slice {
		return fmt.Errorf("a list where %s is due", noun(v))
	}
	for d.tokens.More() {
		item := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(item, depth+1); err != nil {
			return err
		}
		v.Set(reflect.Append(v, item))
	}
	_, err := d.tokens.Token()
	return err
}

// skip passes over a value whose first token was read.
func (d *decoder) skip(token json.Token) error {
	depth := 0
	for {
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
		var err error
		if token, err = d.tokens.Token(); err != nil {
			return err
		}
	}
}

// raw is the JSON of an object or list whose first token was read.
func (d *decoder) raw(open json.Delim) (string, error) {
	from := d.tokens.InputOffset() - 1
	if err := d.skip(open); err != nil {
		return "", err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, d.data[from:d.tokens.InputOffset()]); err != nil {
		return "", err
	}
	return compact.String(), nil
}

// field finds a field of the SDK's struct by the CLI's name.
func field(v reflect.Value, name string) reflect.Value {
	of, ok := v.Type().FieldByNameFunc(func(candidate string) bool { return strings.EqualFold(candidate, name) })
	if !ok || !of.IsExported() || name == "ResultMetadata" || len(of.Index) != 1 {
		return reflect.Value{}
	}
	return v.Field(of.Index[0])
}

func scalar(token json.Token, v reflect.Value) error {
	if v.Type() == reflect.TypeFor[time.Time]() {
		at, err := parseTime(token)
		v.Set(reflect.ValueOf(at))
		return err
	}
	switch kind := v.Kind(); {
	case kind == reflect.String:
		switch value := token.(type) {
		case string:
			v.SetString(value)
		case json.Number:
			v.SetString(value.String())
		case bool:
			v.SetString(strconv.FormatBool(value))
		}
		return nil
	case kind == reflect.Bool:
		value, ok := token.(bool)
		if !ok {
			return fmt.Errorf("%v where true or false is due", token)
		}
		v.SetBool(value)
		return nil
	case v.CanInt():
		number, _ := token.(json.Number)
		value, err := strconv.ParseInt(number.String(), 10, v.Type().Bits())
		if err != nil {
			return fmt.Errorf("%v where a whole number is due", token)
		}
		v.SetInt(value)
		return nil
	case v.CanFloat():
		number, _ := token.(json.Number)
		value, err := number.Float64()
		if err != nil {
			return fmt.Errorf("%v where a number is due", token)
		}
		v.SetFloat(value)
		return nil
	case kind == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		text, ok := token.(string)
		raw, err := base64.StdEncoding.DecodeString(text)
		if !ok || err != nil {
			return errors.New("not base64")
		}
		v.SetBytes(raw)
		return nil
	}
	return fmt.Errorf("%v where %s is due", token, noun(v))
}

// parseTime reads the forms in which the CLI prints times.
func parseTime(token json.Token) (time.Time, error) {
	switch value := token.(type) {
	case json.Number:
		seconds, err := value.Float64()
		if err != nil || math.Abs(seconds) > 1e12 {
			return time.Time{}, fmt.Errorf("%v where a time is due", token)
		}
		return time.UnixMilli(int64(math.Round(seconds * 1000))).UTC(), nil
	case string:
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z07:00"} {
			if at, err := time.Parse(layout, value); err == nil {
				return at.UTC(), nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("%v where a time is due", token)
}

func noun(v reflect.Value) string {
	switch kind := v.Kind(); {
	case v.Type() == reflect.TypeFor[time.Time]():
		return "a time"
	case kind == reflect.Struct, kind == reflect.Map:
		return "an object"
	case kind == reflect.Slice:
		return "a list"
	}
	return "a " + v.Kind().String()
}

// inside names the field that an error is in, the outermost first.
func inside(name string, err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) || errors.Is(err, io.EOF) {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}
