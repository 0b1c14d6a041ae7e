package fsm

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ibrecorder/events"
)

// sets holds the values of each field that is a closed set, by kind and field, as
// the schemas of the vocabulary publish them.
func sets(tb testing.TB) map[string][]string {
	out := map[string][]string{}
	for _, info := range events.Kinds() {
		raw, err := events.Schema(info.Kind)
		if err != nil {
			tb.Fatal(err)
		}
		var schema any
		if err := json.Unmarshal(raw, &schema); err != nil {
			tb.Fatal(err)
		}
		enums(schema, string(info.Kind), "", out)
	}
	return out
}

func enums(node any, kind, field string, out map[string][]string) {
	switch node := node.(type) {
	case []any:
		for _, n := range node {
			enums(n, kind, field, out)
		}
	case map[string]any:
		if list, ok := node["enum"].([]any); ok {
			for _, v := range list {
				out[kind+"/"+field] = append(out[kind+"/"+field], fmt.Sprint(v))
			}
		}
		for name, n := range node {
			enums(n, kind, name, out)
		}
	}
}

// anything makes streams of any kinds in any order, that a log could hold: about
// a few attempts, in a few runs, so that they get in each other's way.
type anything struct{ sets map[string][]string }

// moving are the kinds that move gates; every other event is one of them, because
// among all kinds they would hardly ever meet.
var moving = []events.Kind{"attempt.requested", "attempt.permitted", "attempt.permitted", "attempt.succeeded", "attempt.failed", "attempt.failed",
	"attempt.abandoned", "attempt.unknown", "restart.required", "restart.acknowledged"}

func (a anything) stream(t *rapid.T, n int) []events.Event {
	var out []events.Event
	boot, epoch := "b1", uint64(0)
	var mono int64
	for i := range n {
		if rarely(t, "another boot") {
			boot, mono = rapid.SampledFrom([]string{"b1", "b2", "b3", events.BootImport}).Draw(t, "boot"), 0
		}
		if rarely(t, "another epoch") {
			epoch = rapid.Uint64Range(0, 5).Draw(t, "epoch")
		}
		mono += rapid.Int64Range(0, 40e9).Draw(t, "passes")
		e := events.Event{ID: fmt.Sprintf("e%d", i+1), Gateway: "live", Seq: uint64(i + 1), Boot: boot, Mono: mono, Epoch: epoch}
		if boot == events.BootImport {
			e.Mono = events.NoMono
		}
		e.Source = rapid.SampledFrom([]string{"/tap", "/recorder", "/tap", "/recorder", "/runner/robo-1", "/operator/cli"}).Draw(t, "source")
		if e.Attempt = rapid.SampledFrom([]string{"", "a1", "a2", "a3", "a4"}).Draw(t, "attempt"); e.Attempt != "" && rapid.Bool().Draw(t, "relayed") {
			e.Conn = "c" + e.Attempt
		}
		e.Cause = rapid.SampledFrom([]string{"", fmt.Sprintf("e%d", i), "e1"}).Draw(t, "cause")
		if e.Cause == "e0" {
			e.Cause = ""
		}
		e.Data = a.payload(t)
		out = append(out, e)
	}
	return out
}

func (a anything) payload(t *rapid.T) events.Payload {
	kinds := moving
	if rapid.Bool().Draw(t, "any kind") {
		kinds = nil
		for _, info := range events.Kinds() {
			kinds = append(kinds, info.Kind)
		}
	}
	kind := rapid.SampledFrom(kinds).Draw(t, "kind")
	zero, err := events.New(kind)
	if err != nil {
		t.Fatal(err)
	}
	v := reflect.New(reflect.TypeOf(zero)).Elem()
	a.fill(t, kind, v)
	return v.Interface().(events.Payload)
}

func (a anything) fill(t *rapid.T, kind events.Kind, v reflect.Value) {
	for i := range v.NumField() {
		f, sf := v.Field(i), v.Type().Field(i)
		if sf.Anonymous {
			a.fill(t, kind, f)
			continue
		}
		name, rest, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if rest == "omitempty" && rapid.Bool().Draw(t, name+" left out") {
			continue
		}
		switch f.Kind() {
		case reflect.String:
			if set := a.sets[string(kind)+"/"+name]; set != nil {
				f.SetString(rapid.SampledFrom(set).Draw(t, name))
			} else {
				f.SetString(rapid.SampledFrom([]string{"x", "1", "kim"}).Draw(t, name))
			}
		case reflect.Bool:
			f.SetBool(rapid.Bool().Draw(t, name))
		case reflect.Int64:
			f.SetInt(number(t, name))
		case reflect.Uint64:
			f.SetUint(rapid.Uint64Range(0, 9).Draw(t, name))
		case reflect.Pointer:
			n := rapid.Int64Range(0, 3).Draw(t, name)
			f.Set(reflect.ValueOf(&n))
		case reflect.Slice:
			f.Set(reflect.ValueOf(rapid.SliceOfN(rapid.SampledFrom([]string{"e1", "e2"}), 0, 3).Draw(t, name)))
		default:
			t.Fatalf("%s.%s has kind %s, which is not generated", kind, name, f.Kind())
		}
	}
}

// rarely avoids the small numbers, which rapid draws far more often than others.
func rarely(t *rapid.T, what string) bool { return rapid.IntRange(0, 40).Draw(t, what) == 37 }

// number is mostly small, and now and then anything that an event may carry.
func number(t *rapid.T, name string) int64 {
	if !rarely(t, name+" odd") {
		return rapid.Int64Range(0, 3).Draw(t, name)
	}
	return rapid.Int64Range(-(1<<53-1), 1<<53-1).Draw(t, name)
}

func TestEveryClosedSetIsGenerated(t *testing.T) {
	all := sets(t)
	for field, want := range map[string]events.FailReason{"attempt.failed/reason": events.ReportedTimeout} {
		if got := all[field]; len(got) == 0 || !strings.Contains(strings.Join(got, " "), string(want)) {
			t.Errorf("the schema of %s has %v, want %q among it", field, got, want)
		}
	}
	for _, field := range []string{"attempt.permitted/against", "policy.loaded/mode", "gateway.observed/owner", "restart.rejected/why"} {
		if len(all[field]) < 2 {
			t.Errorf("the schema of %s has %v, want its values", field, all[field])
		}
	}
}
