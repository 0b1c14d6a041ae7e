package clitest

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// shape is what a value looks like as JSON.
type shape struct {
	kind   string // as the document calls it
	fields []field
	each   *shape // of a list, or of an object whose names are data
}

type field struct {
	name, doc string
	always    bool // it is never left out
	shape     *shape
}

// elsewhere are types that another document describes.
var elsewhere = map[string]string{
	"ibrecorder/events.Event": "event, [events.md](events.md)",
	"ibrecorder/fsm.State":    "object, [state.md](state.md)",
}

// shapeOf reads a type. The comment of every field is its description, and without one there
// is an error.
func shapeOf(t reflect.Type, docs *comments) (*shape, error) {
	if known, ok := elsewhere[t.PkgPath()+"."+t.Name()]; ok {
		return &shape{kind: known}, nil
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return &shape{kind: "time"}, nil
	case t == reflect.TypeFor[json.RawMessage]():
		return &shape{kind: "any"}, nil
	case t.Kind() == reflect.Pointer:
		return shapeOf(t.Elem(), docs)
	case t.Implements(reflect.TypeFor[json.Marshaler]()), reflect.PointerTo(t).Implements(reflect.TypeFor[json.Marshaler]()):
		return &shape{kind: "any"}, nil
	case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return &shape{kind: "string"}, nil
	}
	switch t.Kind() {
	case reflect.String:
		return &shape{kind: "string"}, nil
	case reflect.Bool:
		return &shape{kind: "boolean"}, nil
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint32, reflect.Uint64:
		return &shape{kind: "integer"}, nil
	case reflect.Float64:
		return &shape{kind: "number"}, nil
	case reflect.Interface:
		return &shape{kind: "any"}, nil
	case reflect.Slice, reflect.Array:
		each, err := shapeOf(t.Elem(), docs)
		return &shape{kind: "list", each: each}, err
	case reflect.Map:
		each, err := shapeOf(t.Elem(), docs)
		return &shape{kind: "object", each: each}, err
	case reflect.Struct:
		fields, err := fieldsOf(t, docs)
		return &shape{kind: "object", fields: fields}, err
	}
	return nil, fmt.Errorf("%s: JSON has no %s", t, t.Kind())
}

func fieldsOf(t reflect.Type, docs *comments) (out []field, err error) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && tag == "" {
			embedded := f.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			inner, wrong := fieldsOf(embedded, docs)
			err = errors.Join(err, wrong)
			out = append(out, inner...)
			continue
		}
		if !f.IsExported() || tag == "-" {
			continue
		}
		doc, missing := docs.of(t, f.Name)
		s, wrong := shapeOf(f.Type, docs)
		err = errors.Join(err, missing, wrong)
		if tag == "" {
			tag = f.Name
		}
		out = append(out, field{name: tag, doc: doc, always: !strings.Contains(options, "omit"), shape: s})
	}
	return out, err
}

// check compares a value with its shape, and says what is wrong with its place.
func (s *shape) check(v any, path string) (problems []string) {
	at := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	switch {
	case v == nil || s.kind == "any" || strings.Contains(s.kind, "["):
	case s.kind == "list":
		all, ok := v.([]any)
		if !ok {
			return []string{fmt.Sprintf("%s is %T, and the contract says a list", path, v)}
		}
		for _, x := range all {
			problems = append(problems, s.each.check(x, path+"[]")...)
		}
	case s.each != nil:
		all, ok := v.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s is %T, and the contract says an object", path, v)}
		}
		for _, x := range all {
			problems = append(problems, s.each.check(x, path+".*")...)
		}
	case s.kind == "object":
		all, ok := v.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s is %T, and the contract says an object", path, v)}
		}
		for _, f := range s.fields {
			x, there := all[f.name]
			switch {
			case there:
				problems = append(problems, f.shape.check(x, at(f.name))...)
			case f.always:
				problems = append(problems, at(f.name)+" is missing, and the contract says that it is always there")
			}
		}
		for name := range all {
			if !slices.ContainsFunc(s.fields, func(f field) bool { return f.name == name }) {
				problems = append(problems, at(name)+" is not in the contract")
			}
		}
	default:
		want := map[string]string{"string": "string", "time": "string", "boolean": "bool", "integer": "float64", "number": "float64"}[s.kind]
		if got := fmt.Sprintf("%T", v); got != want {
			return []string{fmt.Sprintf("%s is %s, and the contract says %s", path, got, s.kind)}
		}
		if text, ok := v.(string); ok && s.kind == "time" {
			if at, err := time.Parse(time.RFC3339Nano, text); err != nil || at.Location() != time.UTC {
				return []string{fmt.Sprintf("%s is %q, and the contract says a time, RFC 3339 in UTC", path, text)}
			}
		}
	}
	slices.Sort(problems)
	return slices.Compact(problems)
}
