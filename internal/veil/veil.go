package veil

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"ibrecorder/events"
)

// Veil turns the stored lines of one log into veiled ones, from the first on. One
// goroutine uses it at a time.
type Veil struct {
	salts Salts       // nil: the lines are veiled already
	prev  events.Hash // of the veiled line before
}

// New veils the lines after the one that hashes to prev when it is veiled; the zero
// Hash is the beginning of a log.
func New(salts Salts, prev events.Hash) *Veil { return &Veil{salts: salts, prev: prev} }

// Veiled takes lines that are veiled already, and refuses others.
func Veiled() *Veil { return &Veil{} }

// Line returns the veiled line of an event, without a newline. The error is *ShowsError,
// ErrSalts, or that of events.Encode. After an error the veil is unchanged.
func (v *Veil) Line(rec events.Record) (events.Record, error) {
	if v.salts == nil {
		if err := shows(rec.Event); err != nil {
			return events.Record{}, err
		}
		v.prev = rec.Hash()
		return rec, nil
	}
	e, err := v.event(rec.Event)
	if err != nil {
		return events.Record{}, fmt.Errorf("redact event #%d: %w", rec.Seq, err)
	}
	out, err := events.NewRecord(e)
	if err != nil {
		return events.Record{}, fmt.Errorf("redact event #%d: %w", rec.Seq, err)
	}
	v.prev = out.Hash()
	return out, nil
}

// Prev is the hash of the last veiled line.
func (v *Veil) Prev() events.Hash { return v.prev }

// HeadSalt is the salt under which the stored line that hashes to head is committed to.
func HeadSalt(salts Salts, head events.Hash) (Salt, error) { return salts.Of(aHead + head.String()) }

// Head commits to the stored line that hashes to head.
func Head(salt Salt, head events.Hash) events.Hash { return commitment(salt, aHead+head.String()) }

func (v *Veil) event(e events.Event) (events.Event, error) {
	var err error
	text := func(s string) string {
		if s == "" || err != nil {
			return s
		}
		var out string
		out, err = textOf(v.salts, s)
		return out
	}
	id := func(s string) string {
		if own(s, e.Gateway) {
			return s
		}
		return text(s)
	}
	e.ID, e.Conn, e.Attempt, e.Cause = id(e.ID), id(e.Conn), id(e.Attempt), id(e.Cause)
	e.SourceTime, e.Prev = text(e.SourceTime), v.prev
	said, who := source(e.Source)
	e.Source = said + text(who)

	plan := plans[reflect.TypeOf(e.Data)]
	if len(plan) == 0 || err != nil {
		return e, err
	}
	data := reflect.New(reflect.TypeOf(e.Data)).Elem()
	data.Set(reflect.ValueOf(e.Data))
	for _, h := range plan {
		switch f := data.FieldByIndex(h.index); h.class {
		case words:
			f.SetString(text(f.String()))
		case person:
			if f.String() != itself {
				f.SetString(text(f.String()))
			}
		case address:
			host, port := split(f.String())
			f.SetString(text(host) + port)
		case name:
			list := make([]string, f.Len())
			for i := range list {
				list[i] = id(f.Index(i).String())
			}
			if len(list) > 0 {
				f.Set(reflect.ValueOf(list))
			}
		case process:
			if pid := f.Int(); pid != 0 && err == nil {
				pid, err = processOf(v.salts, pid)
				f.SetInt(pid)
			}
		}
	}
	e.Data = data.Interface().(events.Payload)
	return e, err
}

// shows says what of an event is not hidden.
func shows(e events.Event) error {
	hides := func(s string) bool { return s == "" || isPlaceholder(s) }
	id := func(s string) bool { return hides(s) || own(s, e.Gateway) }
	_, who := source(e.Source)
	for _, a := range [...]struct {
		field string
		ok    bool
	}{
		{"id", id(e.ID)}, {"conn", id(e.Conn)}, {"attempt", id(e.Attempt)}, {"cause", id(e.Cause)},
		{"sourcetime", hides(e.SourceTime)}, {"source", hides(who)},
	} {
		if !a.ok {
			return &ShowsError{e.Seq, a.field}
		}
	}
	data := reflect.ValueOf(e.Data)
	for _, h := range plans[data.Type()] {
		ok := true
		switch f := data.FieldByIndex(h.index); h.class {
		case words:
			ok = hides(f.String())
		case person:
			ok = hides(f.String()) || f.String() == itself
		case address:
			host, _ := split(f.String())
			ok = hides(host)
		case name:
			for i := range f.Len() {
				ok = ok && id(f.Index(i).String())
			}
		case process:
			ok = f.Int() == 0 || f.Int() >= noProcess
		}
		if !ok {
			return &ShowsError{e.Seq, "data." + h.name}
		}
	}
	return nil
}

// source splits who saw an event into what is said of it and what is hidden: the
// recorder's own parts are shown, and whether it was an operator, a runner or an import.
func source(s string) (said, who string) {
	switch s {
	case "/recorder", "/tap", "/session", "/watch", "/":
		return s, ""
	}
	for _, group := range [...]string{"/operator/", "/runner/", "/import/"} {
		if rest, ok := strings.CutPrefix(s, group); ok {
			return group, rest
		}
	}
	return "/", s[1:]
}

// split parts an address before the last colon. The port stays with its colon.
func split(address string) (host, port string) {
	at := strings.LastIndexByte(address, ':')
	if at < 0 || isPlaceholder(address) {
		return address, ""
	}
	for _, c := range address[at+1:] {
		if c < '0' || c > '9' {
			return address, ""
		}
	}
	return address[:at], address[at:]
}

// bootLen is how many of events.SafeLetters the id of a run has; see internal/daemon.
const bootLen = 10

// own reports whether an identifier is one that the recorder makes: the id of a run, and
// behind it the gateway and a number, or a connection or an attempt of the tap. It says
// nothing of anybody. It is judged by its form alone, so that one that is named in
// several events is hidden in all of them or in none.
func own(id, gateway string) bool {
	boot, rest, ok := strings.Cut(id, "-")
	if !ok || len(boot) != bootLen || strings.Trim(boot, events.SafeLetters) != "" {
		return false
	}
	if n, ok := strings.CutPrefix(rest, gateway+"-"); ok {
		return isNumber(n)
	}
	rest = strings.TrimPrefix(rest, "s")
	return rest != "" && slices.Contains([]byte("ac"), rest[0]) && isNumber(rest[1:])
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
