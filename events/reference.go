package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// decodeReference is the decoder that explains. It stands on encoding/json, walks
// the whole object, and compares with what Encode makes of the result; so it is
// also an independent check of the fast one (FuzzDecodeAgrees).
func decodeReference(line []byte) (Event, error) {
	top, err := parseObject(line)
	if err != nil {
		return Event{}, err
	}
	e, err := top.event()
	if err != nil {
		return Event{}, err
	}
	canonical, err := encode(e)
	if err != nil {
		var f fieldError
		if errors.As(err, &f) {
			return Event{}, &DecodeError{Offset: top.offsets[f.field], Field: f.field, Err: f.err}
		}
		return Event{}, &DecodeError{Err: err}
	}
	if !bytes.Equal(canonical, line) {
		at := 0
		for at < len(canonical) && at < len(line) && canonical[at] == line[at] {
			at++
		}
		return Event{}, &DecodeError{Offset: at, Err: fmt.Errorf("%w: here stands %q, want %q", ErrNotCanonical, excerpt(line, at), excerpt(canonical, at))}
	}
	return e, nil
}

func excerpt(b []byte, at int) string { return shown(string(b[at:min(len(b), at+24)])) }

var attributes = map[string]bool{
	"specversion": true, "id": true, "source": true, "type": true, "subject": true, "time": true, "datacontenttype": true,
	"seq": true, "boot": true, "mono": true, "conn": true, "attempt": true, "epoch": true, "cause": true, "sourcetime": true,
	"prev": true, "data": true,
}

// attribute is where one string attribute goes.
type attribute struct {
	key      string
	required bool
	set      func(string) error
}

func into(dst *string) func(string) error {
	return func(s string) error { *dst = s; return nil }
}

func exactly(want string) func(string) error {
	return func(s string) error {
		if s != want {
			return fmt.Errorf("%w: %q, want %q", ErrNotAllowed, shown(s), want)
		}
		return nil
	}
}

func (o *object) takeAll(attrs []attribute) error {
	for _, a := range attrs {
		offset := o.members[a.key].offset
		s, err := o.take(a.key, a.required)
		if err != nil {
			return err
		}
		if s == "" {
			continue
		}
		if err := a.set(s); err != nil {
			return &DecodeError{Offset: offset, Field: a.key, Err: err}
		}
	}
	return nil
}

func (o *object) event() (Event, error) {
	e := Event{Mono: NoMono}
	var info *Info
	data, hasData := o.members["data"]
	delete(o.members, "data")
	err := o.takeAll([]attribute{
		{"specversion", true, exactly("1.0")},
		{"id", true, into(&e.ID)},
		{"source", true, into(&e.Source)},
		{"type", true, func(s string) (err error) { info, err = lookupType(s); return err }},
		{"subject", true, into(&e.Gateway)},
		{"time", false, func(s string) (err error) { e.Time, err = parseTime(s); return err }},
		{"datacontenttype", true, exactly("application/json")},
		{"seq", true, decimalInto(&e.Seq)},
		{"boot", true, into(&e.Boot)},
		{"mono", false, func(s string) error {
			var n uint64
			if err := decimalInto(&n)(s); err != nil {
				return err
			}
			e.Mono = int64(n)
			return nil
		}},
		{"conn", false, into(&e.Conn)},
		{"attempt", false, into(&e.Attempt)},
		{"epoch", true, decimalInto(&e.Epoch)},
		{"cause", false, into(&e.Cause)},
		{"sourcetime", false, into(&e.SourceTime)},
		{"prev", true, func(s string) (err error) { e.Prev, err = ParseHash(s); return err }},
	})
	if err == nil {
		err = o.leftover(attributes)
	}
	if err == nil && !hasData {
		err = &DecodeError{Field: "data", Err: ErrMissingField}
	}
	if err != nil {
		return Event{}, err
	}
	e.Data, err = o.decodeData(info, data)
	return e, err
}

func lookupType(s string) (*Info, error) {
	info := byType[s]
	if info == nil {
		return nil, fmt.Errorf("%w: type %q, nearest are %s", ErrUnknownKind, shown(s), nearest(s, byType))
	}
	return info, nil
}

func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: %q, want RFC 3339 such as 2006-01-02T15:04:05Z", ErrNotAllowed, shown(s))
	}
	return t.UTC(), nil
}

func decimalInto(dst *uint64) func(string) error {
	return func(s string) error {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil || n > maxDecimal {
			return fmt.Errorf("%w: %q, want up to 18 decimal digits", ErrNotAllowed, shown(s))
		}
		*dst = n
		return nil
	}
}

// decodeData reads a payload in any order of fields.
func (top *object) decodeData(info *Info, data member) (Payload, error) {
	o, err := parseMembers(data.value, data.offset, "data.", top.offsets)
	if err != nil {
		return nil, err
	}
	v := reflect.New(info.plan.typ).Elem()
	known := map[string]bool{}
	for i := range info.plan.fields {
		f := &info.plan.fields[i]
		known[f.name] = true
		m, present := o.members[f.name]
		delete(o.members, f.name)
		if !present {
			if !f.optional {
				return nil, &DecodeError{Offset: data.offset, Field: "data." + f.name, Err: ErrMissingField}
			}
			continue
		}
		if err := f.decode(o, m, f.in(v)); err != nil {
			return nil, err
		}
	}
	if err := o.leftover(known); err != nil {
		return nil, err
	}
	return v.Interface().(Payload), nil
}

// decode reads one value of a payload. What a Redactor puts right in a draft, the
// length of a text and an account id in it, is left to Encode.
func (f *field) decode(o *object, m member, v reflect.Value) error {
	want := map[op]string{opString: "a string", opSet: "a string", opBool: "true or false", opInt: "an integer",
		opIntPtr: "an integer", opUint: "an integer from 0", opList: "a list of identifiers"}[f.op]
	dst := v.Addr().Interface()
	var items []*string // of pointers, because null is no string
	if f.op == opList {
		dst = &items
	}
	if string(m.value) == "null" || json.Unmarshal(m.value, dst) != nil || slices.Contains(items, nil) {
		return o.wrong(f.name, m, want)
	}
	var err error
	switch f.op {
	case opSet:
		if _, ok := f.pick(v.String()); !ok {
			err = f.notInSet(v.String())
		}
	case opInt:
		err = checkInt(v.Int())
	case opIntPtr:
		err = checkInt(v.Elem().Int())
	case opUint:
		err = checkInt(int64(min(v.Uint(), math.MaxInt64)))
	case opList:
		var list []string
		list, err = identifiers(items)
		v.Set(reflect.ValueOf(list))
	}
	if err != nil {
		return &DecodeError{Offset: m.offset, Field: o.path + f.name, Err: err}
	}
	return nil
}

func identifiers(items []*string) ([]string, error) {
	if len(items) > maxList {
		return nil, fmt.Errorf("%w: %d entries, at most %d", ErrTooLong, len(items), maxList)
	}
	var list []string
	for i, s := range items {
		if err := checkToken(*s); err != nil && !errors.Is(err, ErrUnredacted) {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
		list = append(list, *s)
	}
	return list, nil
}
