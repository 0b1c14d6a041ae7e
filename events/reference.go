package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
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
	canonical, err := Encode(e)
	if err != nil {
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

func excerpt(b []byte, at int) string {
	return string(bytes.ToValidUTF8(b[at:min(len(b), at+24)], []byte("\uFFFD")))
}

// member is one key of a JSON object with its undecoded value.
type member struct {
	value  json.RawMessage
	offset int
}

// object is a JSON object without duplicate keys. path is the name before its
// members in errors, "" or "data.".
type object struct {
	members map[string]member
	order   []string
	path    string
}

// parseObject reads the members of one JSON object and nothing behind it.
func parseObject(line []byte) (*object, error) {
	if len(line) > MaxBytes {
		return nil, &DecodeError{Offset: MaxBytes, Err: fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, len(line), MaxBytes)}
	}
	if !utf8.Valid(line) {
		at := 0
		for at < len(line) {
			r, n := utf8.DecodeRune(line[at:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			at += n
		}
		return nil, &DecodeError{Offset: at, Err: fmt.Errorf("%w: not UTF-8", ErrSyntax)}
	}
	return parseMembers(line, 0, "")
}

func parseMembers(raw []byte, base int, path string) (*object, error) {
	o := &object{members: map[string]member{}, path: path}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	fail := func(err error, field string) (*object, error) {
		return nil, &DecodeError{Offset: base + int(dec.InputOffset()), Field: field, Err: err}
	}
	open, err := dec.Token()
	if err != nil || open != json.Delim('{') {
		return fail(syntax(err, "want {"), strings.TrimSuffix(path, "."))
	}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return fail(syntax(err, ""), "")
		}
		key := tok.(string) // encoding/json allows no other token here
		if _, twice := o.members[key]; twice {
			return fail(ErrDuplicateKey, path+key)
		}
		var m member
		if err := dec.Decode(&m.value); err != nil {
			return fail(syntax(err, ""), path+key)
		}
		m.offset = base + int(dec.InputOffset()) - len(m.value)
		o.members[key] = m
		o.order = append(o.order, key)
	}
	if _, err := dec.Token(); err != nil {
		return fail(syntax(err, "the object is not closed"), "")
	}
	if rest := bytes.TrimLeft(raw[dec.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return fail(fmt.Errorf("%w: something follows it", ErrSyntax), "")
	}
	return o, nil
}

func syntax(err error, text string) error {
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it ends too early", ErrSyntax)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	return fmt.Errorf("%w: %s", ErrSyntax, text)
}

// take removes a string attribute; what is left at the end is unknown.
func (o *object) take(key string, required bool) (string, error) {
	m, present := o.members[key]
	if !present {
		if required {
			return "", &DecodeError{Field: o.path + key, Err: ErrMissingField}
		}
		return "", nil
	}
	delete(o.members, key)
	var s string
	if m.value[0] != '"' || json.Unmarshal(m.value, &s) != nil {
		return "", o.wrong(key, m, "a string")
	}
	if s == "" {
		return "", &DecodeError{Offset: m.offset, Field: o.path + key, Err: fmt.Errorf("%w: empty", ErrNotAllowed)}
	}
	return s, nil
}

func (o *object) wrong(key string, m member, want string) error {
	return &DecodeError{Offset: m.offset, Field: o.path + key, Err: fmt.Errorf("%w: %.40s, want %s", ErrWrongType, m.value, want)}
}

// leftover reports the first key that nobody took.
func (o *object) leftover(known map[string]bool) error {
	for _, key := range o.order {
		if m, left := o.members[key]; left {
			return &DecodeError{Offset: m.offset, Field: o.path + key, Err: fmt.Errorf("%w: nearest are %s", ErrUnknownField, nearest(key, known))}
		}
	}
	return nil
}

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
			return fmt.Errorf("%w: %q, want %q", ErrNotAllowed, s, want)
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
		{"seq", true, decimalInto(&e.Seq, math.MaxUint64)},
		{"boot", true, into(&e.Boot)},
		{"mono", false, func(s string) error {
			var n uint64
			if err := decimalInto(&n, math.MaxInt64)(s); err != nil {
				return err
			}
			e.Mono = int64(n)
			return nil
		}},
		{"conn", false, into(&e.Conn)},
		{"attempt", false, into(&e.Attempt)},
		{"epoch", true, decimalInto(&e.Epoch, math.MaxUint64)},
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
	e.Data, err = decodeData(info, data)
	return e, err
}

func lookupType(s string) (*Info, error) {
	info := byType[s]
	if info == nil {
		return nil, fmt.Errorf("%w: type %q, nearest are %s", ErrUnknownKind, s, nearest(s, byType))
	}
	return info, nil
}

func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: %q, want RFC 3339", ErrNotAllowed, s)
	}
	return t.UTC(), nil
}

func decimalInto(dst *uint64, most uint64) func(string) error {
	return func(s string) error {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil || n > most {
			return fmt.Errorf("%w: %q, want decimal digits up to %d", ErrNotAllowed, s, most)
		}
		*dst = n
		return nil
	}
}

// decodeData reads a payload in any order of fields.
func decodeData(info *Info, data member) (Payload, error) {
	o, err := parseMembers(data.value, data.offset, "data.")
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

func (f *field) decode(o *object, m member, v reflect.Value) error {
	want := map[op]string{opString: "a string", opSet: "a string", opBool: "true or false", opInt: "an integer",
		opIntPtr: "an integer", opUint: "an integer from 0", opList: "a list of strings"}[f.op]
	if string(m.value) == "null" {
		return o.wrong(f.name, m, want)
	}
	if f.op == opList {
		var items []*string
		if err := json.Unmarshal(m.value, &items); err != nil {
			return o.wrong(f.name, m, want)
		}
		list := make([]string, len(items))
		for i, s := range items {
			if s == nil {
				return o.wrong(f.name, m, want)
			}
			list[i] = *s
		}
		v.Set(reflect.ValueOf(list))
		return nil
	}
	if err := json.Unmarshal(m.value, v.Addr().Interface()); err != nil {
		return o.wrong(f.name, m, want)
	}
	if f.op == opSet && !contains(f.set, v.String()) {
		return &DecodeError{Offset: m.offset, Field: o.path + f.name, Err: fmt.Errorf("%w: %q, want one of %s", ErrNotAllowed, v.String(), strings.Join(f.set, ", "))}
	}
	return nil
}

// unquote decodes the inside of a JSON string.
func unquote(raw string) (string, error) {
	var s string
	err := json.Unmarshal([]byte(`"`+raw+`"`), &s)
	return s, err
}
