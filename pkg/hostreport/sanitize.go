package hostreport

import (
	"fmt"
	"reflect"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
)

// sanitize walks a document and cleans every text in it of control characters
// and credentials, bounded; longer lists than any report has are an error.
func sanitize(document *Document) error {
	return walk(reflect.ValueOf(document).Elem())
}

func walk(v reflect.Value) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(cleaned(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			return walk(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				continue // a time's
			}
			if err := walk(v.Field(i)); err != nil {
				return err
			}
		}
	case reflect.Slice:
		if v.Len() > maxItems {
			return fmt.Errorf("%w: a list of %d", ErrNotAReport, v.Len())
		}
		for i := range v.Len() {
			if err := walk(v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		return walkMap(v)
	}
	return nil
}

// walkMap cleans keys and values: values of a map cannot be set in place.
func walkMap(v reflect.Value) error {
	if v.IsNil() {
		return nil
	}
	if v.Len() > maxItems {
		return fmt.Errorf("%w: a map of %d", ErrNotAReport, v.Len())
	}
	clean := reflect.MakeMapWithSize(v.Type(), v.Len())
	for entries := v.MapRange(); entries.Next(); {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		key.Set(entries.Key())
		value.Set(entries.Value())
		if err := walk(key); err != nil {
			return err
		}
		if err := walk(value); err != nil {
			return err
		}
		clean.SetMapIndex(key, value)
	}
	v.Set(clean)
	return nil
}

func cleaned(text string) string { return redact.Text(clip(text, maxText)) }
