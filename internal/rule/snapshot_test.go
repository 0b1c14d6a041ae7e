package rule

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestAJudgeGoesOnFromASnapshot(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := build(rt, t, rapid.OneOf(rapid.Custom(chaos), rapid.Custom(orderly)).Draw(rt, "stream"))
		at := rapid.IntRange(0, len(b.recs)).Draw(rt, "snapshot at")
		j := New()
		for _, r := range b.recs[:at] {
			j.Step(r)
		}
		text, err := json.Marshal(j)
		if err != nil {
			rt.Fatal(err)
		}
		resumed := new(Judge)
		if err := json.Unmarshal(text, resumed); err != nil {
			rt.Fatal(err)
		}
		for _, r := range b.recs[at:] {
			if diff := cmp.Diff(j.Step(r), resumed.Step(r)); diff != "" {
				rt.Fatalf("#%d is judged otherwise after a snapshot of #%d (-without +with):\n%s", r.Seq, at, diff)
			}
		}
		if diff := cmp.Diff(j.Verdict(), resumed.Verdict()); diff != "" {
			rt.Fatalf("another verdict after a snapshot of #%d (-without +with):\n%s", at, diff)
		}
	})
}

// A field that encoding/json cannot see would be forgotten by a snapshot, and a
// monitor with it.
func TestASnapshotHasEveryFieldOfTheJudge(t *testing.T) {
	done := map[reflect.Type]bool{}
	var visible func(typ reflect.Type, path string)
	visible = func(typ reflect.Type, path string) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array:
			visible(typ.Elem(), path)
			return
		case reflect.Struct:
		case reflect.Map, reflect.Interface, reflect.Chan, reflect.Func:
			t.Errorf("%s is a %s, which does not come back from a snapshot as it was", path, typ.Kind())
			return
		default:
			return
		}
		if done[typ] {
			return
		}
		done[typ] = true
		if _, own := reflect.New(typ).Interface().(json.Unmarshaler); own {
			return
		}
		names := map[string]bool{} // of two promoted fields with one name encoding/json takes neither
		for _, f := range reflect.VisibleFields(typ) {
			at := path + "." + f.Name
			if f.Tag.Get("json") == "-" || !f.IsExported() && !f.Anonymous {
				t.Errorf("a snapshot forgets %s", at)
			}
			if !f.Anonymous && names[f.Name] {
				t.Errorf("a snapshot confuses two fields that are called %s", at)
			}
			names[f.Name] = true
			visible(f.Type, at)
		}
	}
	visible(reflect.TypeFor[seen](), "Judge")
}
