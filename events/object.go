package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// member is one key of a JSON object with its undecoded value.
type member struct {
	value  json.RawMessage
	offset int
}

// object is a JSON object without duplicate keys. path is the name before its
// members in errors, "" or "data."; offsets says where a value begins, by path and
// key, also after it was taken, and is shared with the object in data.
type object struct {
	members map[string]member
	order   []string
	path    string
	offsets map[string]int
}

// parseObject reads the members of one JSON object and nothing behind it.
func parseObject(line []byte) (*object, error) {
	if len(line) > MaxBytes {
		return nil, &DecodeError{Offset: MaxBytes, Err: fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, len(line), MaxBytes)}
	}
	if valid := bytes.ToValidUTF8(line, nil); len(valid) < len(line) {
		at := 0
		for at < len(valid) && valid[at] == line[at] {
			at++
		}
		return nil, &DecodeError{Offset: at, Err: fmt.Errorf("%w: not UTF-8", ErrSyntax)}
	}
	var whole json.RawMessage
	if err := json.Unmarshal(line, &whole); err != nil {
		at := len(line)
		if s, ok := errors.AsType[*json.SyntaxError](err); ok && s.Offset > 0 {
			at = int(s.Offset) - 1
		}
		return nil, &DecodeError{Offset: at, Err: fmt.Errorf("%w: %w", ErrSyntax, err)}
	}
	start := bytes.IndexByte(line, whole[0])
	return parseMembers(whole, start, "", map[string]int{})
}

// parseMembers reads what is known to be valid JSON and stands at byte base.
func parseMembers(raw []byte, base int, path string, offsets map[string]int) (*object, error) {
	o := &object{members: map[string]member{}, path: path, offsets: offsets}
	if raw[0] != '{' {
		return nil, &DecodeError{Offset: base, Field: strings.TrimSuffix(path, "."), Err: fmt.Errorf("%w: want {", ErrSyntax)}
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	fail := func(err error, key string) (*object, error) {
		return nil, &DecodeError{Offset: base + int(dec.InputOffset()), Field: path + shown(key), Err: err}
	}
	if _, err := dec.Token(); err != nil {
		return fail(err, "")
	}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return fail(err, "")
		}
		key := tok.(string) // a member of an object begins with its key
		if _, twice := o.members[key]; twice {
			return fail(ErrDuplicateKey, key)
		}
		var m member
		if err := dec.Decode(&m.value); err != nil {
			return fail(err, key)
		}
		m.offset = base + int(dec.InputOffset()) - len(m.value)
		o.members[key] = m
		offsets[path+key] = m.offset
		o.order = append(o.order, key)
	}
	return o, nil
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
	return &DecodeError{Offset: m.offset, Field: o.path + key, Err: fmt.Errorf("%w: %s, want %s", ErrWrongType, shown(string(m.value)), want)}
}

// leftover reports the first key that nobody took.
func (o *object) leftover(known map[string]bool) error {
	for _, key := range o.order {
		if m, left := o.members[key]; left {
			return &DecodeError{Offset: m.offset, Field: o.path + shown(key), Err: fmt.Errorf("%w: nearest are %s", ErrUnknownField, nearest(key, known))}
		}
	}
	return nil
}
