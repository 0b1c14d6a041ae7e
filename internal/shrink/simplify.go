package shrink

import (
	"reflect"
	"strings"
	"time"

	"ibrecorder/events"
)

// simplify changes the events of a trial, all of which are kept: waits become as short as
// they can be, and what proves nothing goes.
func (t *trial) simplify() {
	kept := t.everything()
	for i := range t.all {
		t.strip(kept, i)
	}
	for i := range t.all {
		t.shorten(kept, i)
	}
	t.clock()
}

// try keeps a change of the events if the breach is still the same.
func (t *trial) try(kept []int, change func()) bool {
	if t.met {
		return false
	}
	before := append([]events.Event(nil), t.all...)
	change()
	if t.same(kept) {
		return true
	}
	t.all = before
	return false
}

// strip takes from a fact what no rule is about, all at once or else one by one.
func (t *trial) strip(kept []int, i int) {
	info, known := events.Lookup(t.all[i].Kind())
	if !known || info.Class != events.Fact {
		return
	}
	v := reflect.ValueOf(t.all[i].Data)
	var fields []int
	for f := range v.NumField() {
		if !v.Field(f).IsZero() && idle(v.Type().Field(f)) {
			fields = append(fields, f)
		}
	}
	if len(fields) == 0 || t.try(kept, func() { t.clear(i, fields...) }) {
		return
	}
	for _, f := range fields {
		t.try(kept, func() { t.clear(i, f) })
	}
}

// idle reports whether a field is a number or a text that proves nothing.
func idle(f reflect.StructField) bool {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	switch f.Type.Kind() {
	case reflect.Int64:
		return strings.HasSuffix(name, "_us") || strings.HasSuffix(name, "_bytes")
	case reflect.String:
		return name == "text" || name == "options"
	}
	return false
}

func (t *trial) clear(i int, fields ...int) {
	v := reflect.New(reflect.TypeOf(t.all[i].Data)).Elem()
	v.Set(reflect.ValueOf(t.all[i].Data))
	for _, f := range fields {
		v.Field(f).SetZero()
	}
	t.all[i].Data = v.Interface().(events.Payload)
}

// shorten makes the wait before an event as short as it can be, in whole milliseconds.
func (t *trial) shorten(kept []int, i int) {
	was, known := t.wait(i)
	if !known {
		return
	}
	least := min(t.floor(i), was)
	if was == least || t.try(kept, func() { t.setWait(i, least) }) {
		return
	}
	fails, does := least/int64(time.Millisecond), (was+int64(time.Millisecond)-1)/int64(time.Millisecond)
	for does-fails > 1 {
		ms := fails + (does-fails)/2
		if t.try(kept, func() { t.setWait(i, ms*int64(time.Millisecond)) }) {
			does = ms
		} else {
			fails = ms
		}
	}
}

// wait is the time between an event and the one before it, or the start of its run, in
// nanoseconds, if it is known.
func (t *trial) wait(i int) (ns int64, known bool) {
	e := t.all[i]
	switch {
	case e.Mono == events.NoMono || e.Boot == events.BootImport:
		return 0, false
	case i == 0 || t.all[i-1].Boot != e.Boot:
		return e.Mono, true
	}
	return events.Elapsed(t.all[i-1], e)
}

// setWait moves an event, and those of its run behind it.
func (t *trial) setWait(i int, ns int64) {
	was, _ := t.wait(i)
	boot := t.all[i].Boot
	for j := i; j < len(t.all) && t.all[j].Boot == boot; j++ {
		t.all[j].Mono -= was - ns
	}
}

// floor is the shortest wait before an event that says itself how long was waited:
// what is left should not tell of thirty seconds that did not pass.
func (t *trial) floor(i int) int64 {
	var ms int64
	switch d := t.all[i].Data.(type) {
	case events.AttemptFailed:
		ms = d.WaitedMS
	case events.HandshakeTimedOut:
		ms = d.WaitedMS
	}
	if ms == 0 || i == 0 {
		return 0
	}
	for j := i - 1; j >= 0 && t.all[j].Boot == t.all[i].Boot; j-- {
		if t.all[j].Attempt == t.all[i].Attempt && begins(t.all[j].Kind()) {
			passed, _ := events.Elapsed(t.all[j], t.all[i-1])
			return max(0, ms*int64(time.Millisecond)-passed)
		}
	}
	return 0
}

// begins reports whether a budget begins with an event.
func begins(k events.Kind) bool {
	switch k {
	case "attempt.permitted", "dial.started", "dial.connected", "handshake.version", "handshake.api_started":
		return true
	}
	return false
}

// apart is the time that a recorder is away between two runs.
const apart = time.Second

// clock makes the wall clock follow the monotonic one, from a full second on.
func (t *trial) clock() {
	at := t.all[0].Time.Truncate(time.Second)
	if at.IsZero() {
		return
	}
	for i := range t.all {
		ns, known := t.wait(i)
		switch {
		case !known:
			return // an account that nobody timed keeps what times it has
		case i > 0 && t.all[i].Boot != t.all[i-1].Boot:
			ns += int64(apart)
		case i == 0:
			ns = 0
		}
		at = at.Add(time.Duration(ns))
		t.all[i].Time = at
	}
}
