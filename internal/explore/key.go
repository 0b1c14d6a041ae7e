package explore

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
)

// key is what of a product tells it apart, while it is written. Names become the order
// in which they are met, sequences are dropped or compared with the few that matter,
// and a time is whether a span is over.
type key struct {
	p       *product
	b       []byte
	names   []string // attempts that something may still be said of
	pids    []int64  // of the Gateway's listener
	stopped bool

	// What sequences and times of the judge are held against.
	run, now                    int64
	released, loaded, stop, due uint64
	sighted, probation          bool // probation: and nothing doubts it
}

// of returns the key of p. Two products with one key do the same, whatever comes,
// as far as the plan says; TestPathsThroughTheAbstraction takes samples of that.
func (k *key) of(p *product) string {
	k.p, k.b, k.names, k.pids = p, k.b[:0], k.names[:0], k.pids[:0]
	k.stopped, k.now = p.s.Gate == fsm.Stopped, p.now
	k.b = append(k.b, byte(p.gw.kind))
	k.pid(firstPID + p.gw.pid)
	if k.flag(p.late != ""); p.late != "" {
		k.names = append(k.names, p.late)
	}
	tellers().state(k, reflect.ValueOf(&p.s).Elem())
	j := reflect.ValueOf(p.j).Elem()
	past := j.FieldByIndex(pastAt)
	k.run = past.FieldByIndex(runAt).Int()
	k.released, k.loaded = past.FieldByIndex(releasedAt).Uint(), past.FieldByIndex(loadedAt).Uint()
	k.stop, k.due = past.FieldByIndex(stopAt).Uint(), past.FieldByIndex(dueAt).Uint()
	k.probation = past.FieldByIndex(probationAt).Bool() && !past.FieldByIndex(doubtedAt).Bool()
	k.sighted = j.FieldByIndex(sightedAt).Bool()
	tellers().judge(k, j)
	return string(k.b)
}

// Where in the judge the fields are that others are held against.
var pastAt, runAt, releasedAt, loadedAt, stopAt, dueAt, sightedAt, probationAt, doubtedAt []int

// at is the index of a field, by its path.
func at(t reflect.Type, path ...string) (index []int) {
	for _, name := range path {
		f, ok := t.FieldByName(name)
		if !ok {
			panic(fmt.Sprintf("explore: %s has no field %s", t, name))
		}
		index, t = append(index, f.Index...), f.Type
	}
	return index
}

func locate(judge reflect.Type) {
	pastAt, sightedAt = at(judge, "Past"), at(judge, "RS3", "Sighted")
	past := judge.FieldByIndex(pastAt).Type
	runAt, releasedAt, loadedAt = at(past, "Run"), at(past, "ReleasedAt"), at(past, "PolicyAt")
	stopAt, dueAt = at(past, "Stop", "Seq"), at(past, "Due", "Seq")
	probationAt, doubtedAt = at(past, "Evidence", "Probation"), at(past, "Evidence", "Doubted")
}

func (k *key) number(n int64) { k.b = binary.AppendVarint(k.b, n) }

func (k *key) flag(is bool) {
	if is {
		k.b = append(k.b, 1)
	} else {
		k.b = append(k.b, 0)
	}
}

// until writes whether a span that ends then is over. How much is left of it no decision
// can tell, only which of two ends first; TestPathsThroughTheAbstraction looks at that.
func (k *key) until(ns int64) { k.flag(ns > k.now) }

func (k *key) pid(pid int64) {
	i := slices.Index(k.pids, pid)
	if i < 0 {
		i = len(k.pids)
		k.pids = append(k.pids, pid)
	}
	k.b = append(k.b, byte(i)+2)
}

// tally writes a count of the fold up to its limit; one without a limit counts for nothing.
func (k *key) tally(v reflect.Value, limit int64) {
	if limit > 0 {
		k.number(min(v.Field(0).Int(), limit))
	}
}

// count writes one of the judge's likewise, by both of its readings.
func (k *key) count(v reflect.Value, limit int64) {
	k.number(min(v.Field(0).Int(), limit))
	k.number(min(v.Field(1).Int(), limit))
}

// recent writes whether a moment is so short a while ago that a report, which took the
// timeout of the runners here, began before it.
func (k *key) recent(v reflect.Value, matters bool) {
	if matters { // of another run nobody knows, and then it is taken to have
		k.flag(v.Field(0).Int() == k.run && k.now-v.Field(1).Int() < reportMS*int64(time.Millisecond))
	}
}

func with(do op) treat { return func(reflect.Type) op { return do } }

func skip(reflect.Type) op  { return nil }
func value(reflect.Type) op { return plain }

func into(t reflect.Type) op { return compile(t) }

// inForce is for what a release begins anew and nobody looks at before it.
func inForce(t reflect.Type) op {
	of := compile(t)
	return func(k *key, v reflect.Value) {
		if !k.stopped {
			of(k, v)
		}
	}
}

// whileStopped is for what the next stop begins anew.
func whileStopped(t reflect.Type) op {
	of := compile(t)
	return func(k *key, v reflect.Value) {
		if k.stopped {
			of(k, v)
		}
	}
}

func plain(k *key, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		k.b = append(append(k.b, byte(v.Len())), v.String()...)
	case reflect.Bool:
		k.flag(v.Bool())
	case reflect.Uint64:
		k.number(int64(v.Uint()))
	default:
		k.number(v.Int())
	}
}

var (
	present = with(func(k *key, v reflect.Value) { k.flag(!v.IsZero()) })
	few     = with(func(k *key, v reflect.Value) { k.number(min(v.Int(), 2)) })
	ofRun   = with(func(k *key, v reflect.Value) { k.flag(v.Int() == k.run) })
	// process is what a reading of the listener proves: which process is the Gateway,
	// that nothing listens, or nothing.
	process = func(t reflect.Type) op {
		listening, pid := at(t, "Listening"), at(t, "PID")
		return func(k *key, v reflect.Value) {
			switch id := v.FieldByIndex(pid).Int(); {
			case v.FieldByIndex(listening).String() == string(events.ListeningNo):
				k.b = append(k.b, 1)
			case id != 0:
				k.pid(id)
			default:
				k.b = append(k.b, 0)
			}
		}
	}
	// living is the name of what waits or is connected.
	living = with(func(k *key, v reflect.Value) { k.names = append(k.names, v.String()) })
	name   = with(func(k *key, v reflect.Value) { k.number(int64(slices.Index(k.names, v.String()))) })
	known  = with(func(k *key, v reflect.Value) {
		for i := range v.Len() {
			if at := slices.Index(k.names, v.Index(i).String()); at >= 0 {
				k.number(int64(at))
			}
		}
		k.number(-1)
	})
	left = with(func(k *key, v reflect.Value) {
		w := v.Interface().(fsm.Wait)
		k.flag(w.MS > 0)
		k.until(w.Until())
	})
	settle = with(func(k *key, v reflect.Value) {
		if k.p.s.Trial.On {
			k.until(fsm.After(v.Int(), k.p.m.params.SettleMS))
		}
	})
	spacing = with(func(k *key, v reflect.Value) {
		if k.p.s.Trial.Tried {
			k.until(fsm.After(v.Int(), k.p.m.params.ProbationSpacingMS))
		}
	})
	// failures are told apart once they fill the window: then the oldest of them keeps
	// everybody waiting. A small window is counted exactly.
	failures = with(func(k *key, v reflect.Value) {
		n, limit := int64(v.Len()), k.p.m.params.WindowFailures
		switch {
		case n >= limit:
			k.number(limit)
			k.until(fsm.After(v.Index(int(n-limit)).Int(), k.p.m.params.WindowMS))
		case limit <= fewFailures:
			k.number(n)
		default:
			k.number(0)
		}
	})
	// wait is one of the judge's.
	wait = with(func(k *key, v reflect.Value) {
		seq, from, ms := v.Field(0), v.Field(1), v.Field(2)
		switch {
		case seq.IsZero():
			k.number(0)
		case from.Field(0).Int() != k.run:
			k.number(-1)
		default:
			k.until(fsm.After(from.Field(1).Int(), ms.Int()))
		}
	})
	alones = func(t reflect.Type) op {
		of := compile(t.Field(0).Type.Elem())
		return func(k *key, v reflect.Value) {
			for i := range int(v.Field(1).Int()) {
				of(k, v.Field(0).Index(i))
			}
			k.number(-1)
		}
	}
	// requests leaves out what nobody can be permitted on any more.
	requests = func(t reflect.Type) op {
		of := compile(t.Elem())
		return func(k *key, v reflect.Value) {
			for i := range v.Len() {
				if one := v.Index(i); slices.Contains(k.names, one.Field(0).String()) {
					of(k, one)
				}
			}
			k.number(-1)
		}
	}
	// rings leaves out the names that nobody will say again.
	rings = func(t reflect.Type) op {
		of := compile(t.Field(0).Type.Elem())
		return func(k *key, v reflect.Value) {
			if len(k.names) == 0 {
				return
			}
			all, newest := v.Field(0), int(v.Field(1).Uint())
			for i := range all.Len() {
				one := all.Index((newest + i) % all.Len())
				attempt := one
				if one.Kind() == reflect.Struct {
					attempt = one.Field(0)
				}
				at := slices.Index(k.names, attempt.String())
				if at < 0 {
					continue
				}
				if k.number(int64(at)); one.Kind() == reflect.Struct {
					of(k, one)
				}
			}
			k.number(-1)
		}
	}
)

// fewFailures is up to which limit the failures of the window are counted one by one.
const fewFailures = 3
