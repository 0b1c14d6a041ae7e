package diff

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"ibrecorder/events"
)

// meaning says in a few words what an event is beside its names and numbers: its kind,
// who tells of it if that is somebody outside, and its reasons.
func meaning(e events.Event) string {
	var b strings.Builder
	b.WriteString(string(e.Kind()))
	if by := teller(e.Source); by != "" {
		b.WriteString(" by " + by)
	}
	switch d := e.Data.(type) {
	case events.PolicyLoaded: // another rule is another meaning
		fmt.Fprintf(&b, " %s %.8s", d.Preset, d.Hash)
	case events.RetryScheduled:
		if d.ClientID != nil {
			b.WriteString(" of one client")
		}
	}
	v := reflect.ValueOf(e.Data)
	for _, i := range telling(v.Type()) {
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			if f.Len() > 0 {
				b.WriteString(" " + f.String())
			}
		case reflect.Bool:
			if f.Bool() {
				b.WriteString(" " + v.Type().Field(i).Tag.Get("json"))
			}
		case reflect.Int64:
			if f.Int() != 0 {
				fmt.Fprintf(&b, " %d", f.Int())
			}
		}
	}
	return strings.ReplaceAll(b.String(), ",omitempty", "")
}

// teller is the first part of a source that is outside the recorder, without the name.
func teller(source string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(source, "/"), "/")
	switch first {
	case "recorder", "tap", "session", "watch":
		return ""
	}
	return first
}

var fields sync.Map // reflect.Type -> []int

// telling are the fields of a payload that say what happened: closed sets, truth values,
// the code of an error and the rule of a finding.
func telling(t reflect.Type) []int {
	if known, ok := fields.Load(t); ok {
		return known.([]int)
	}
	var out []int
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		set := f.Type.Kind() == reflect.String && f.Type != reflect.TypeFor[string]()
		if set || f.Type.Kind() == reflect.Bool || name == "code" || name == "rule" {
			out = append(out, i)
		}
	}
	fields.Store(t, out)
	return out
}
