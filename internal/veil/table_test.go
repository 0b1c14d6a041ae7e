package veil

import (
	"reflect"
	"strings"
	"testing"

	"ibrecorder/events"
)

func TestEveryFieldIsClassified(t *testing.T) {
	used := map[string]bool{}
	for _, info := range events.Kinds() {
		zero, err := events.New(info.Kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range reflect.VisibleFields(reflect.TypeOf(zero)) {
			if f.Anonymous {
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			c, known := classOf[name]
			open := f.Type == reflect.TypeFor[string]() || f.Type == reflect.TypeFor[[]string]()
			used[name] = used[name] || c == shown || fits(c, f.Type)
			switch {
			case open && !known:
				t.Errorf("%s.%s is a text or a list of names and in no row of classOf: say whether it is shown, or what it hides", info.Kind, name)
			case open && c != shown && !fits(c, f.Type):
				t.Errorf("%s.%s has type %s, and its class is not about that", info.Kind, name, f.Type)
			case strings.HasSuffix(name, "pid") && !fits(c, f.Type):
				t.Errorf("%s.%s is a process id and not hidden", info.Kind, name)
			}
		}
	}
	for name := range classOf {
		if !used[name] {
			t.Errorf("classOf has %q, and no kind has such a field", name)
		}
	}
}
