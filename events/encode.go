package events

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxInt is the largest integer that every JSON reader keeps exactly (RFC 7493).
const maxInt = 1<<53 - 1

// maxText is the longest free text in bytes. A Redactor cuts longer ones.
const maxText = 1 << 10

// maxList is the longest list in a payload.
const maxList = 64

// Encode returns the canonical bytes of e, without a newline: the CloudEvents
// attributes in a fixed order, then the payload with its fields in the order of
// its Go type, no white space, strings escaped as in RFC 8785. It fails for an
// event that Decode would refuse.
func Encode(e Event) ([]byte, error) {
	if e.Data == nil {
		return nil, fmt.Errorf("encode event %s: %w: data", e.ID, ErrMissingField)
	}
	info := byKind[string(e.Data.Kind())]
	if info == nil || info.plan.typ != reflect.TypeOf(e.Data) {
		return nil, fmt.Errorf("encode event %s: %w %q", e.ID, ErrUnknownKind, e.Data.Kind())
	}
	if field, err := e.check(); err != nil {
		return nil, fmt.Errorf("encode event %s (%s): %s: %w", e.ID, info.Kind, field, err)
	}
	b := make([]byte, 0, 512)
	b = append(b, `{"specversion":"1.0","id":"`...)
	b = append(b, e.ID...)
	b = append(b, `","source":"`...)
	b = append(b, e.Source...)
	b = append(b, `","type":"`...)
	b = append(b, info.Type()...)
	b = append(b, `","subject":"`...)
	b = append(b, e.Gateway...)
	if !e.Time.IsZero() {
		b = append(b, `","time":"`...)
		b = e.Time.AppendFormat(b, time.RFC3339Nano)
	}
	b = append(b, `","datacontenttype":"application/json","seq":"`...)
	b = strconv.AppendUint(b, e.Seq, 10)
	b = append(b, `","boot":"`...)
	b = append(b, e.Boot...)
	if e.Mono != NoMono {
		b = append(b, `","mono":"`...)
		b = strconv.AppendInt(b, e.Mono, 10)
	}
	b = appendOptional(b, `","conn":"`, e.Conn)
	b = appendOptional(b, `","attempt":"`, e.Attempt)
	b = append(b, `","epoch":"`...)
	b = strconv.AppendUint(b, e.Epoch, 10)
	b = appendOptional(b, `","cause":"`, e.Cause)
	b = appendOptional(b, `","sourcetime":"`, e.SourceTime)
	b = append(b, `","prev":"`...)
	b = append(b, e.Prev.String()...)
	b = append(b, `","data":`...)
	b, err := info.plan.append(b, e.Data)
	if err != nil {
		return nil, fmt.Errorf("encode event %s (%s): %w", e.ID, info.Kind, err)
	}
	b = append(b, '}')
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("encode event %s (%s): %w: %d bytes, at most %d", e.ID, info.Kind, ErrTooLong, len(b), MaxBytes)
	}
	return b, nil
}

func appendOptional(b []byte, key, value string) []byte {
	if value == "" {
		return b
	}
	return append(append(b, key...), value...)
}

// check validates the attributes and names the first that is wrong.
func (e *Event) check() (field string, err error) {
	switch {
	case !isToken(e.ID):
		return "id", fmt.Errorf("%w: %q", ErrNotAllowed, e.ID)
	case !isToken(e.Source) || e.Source[0] != '/':
		return "source", fmt.Errorf("%w: %q, want a path such as /tap", ErrNotAllowed, e.Source)
	case CheckGatewayName(e.Gateway) != nil:
		return "subject", CheckGatewayName(e.Gateway)
	case e.Seq == 0:
		return "seq", fmt.Errorf("%w: 0, sequences start at 1", ErrNotAllowed)
	case !isToken(e.Boot):
		return "boot", fmt.Errorf("%w: %q", ErrNotAllowed, e.Boot)
	case e.Mono < NoMono:
		return "mono", fmt.Errorf("%w: %d, want nanoseconds since the boot", ErrNotAllowed, e.Mono)
	case e.Time.Location() != time.UTC || e.Time.Year() < 0 || e.Time.Year() > 9999:
		return "time", fmt.Errorf("%w: %v, want UTC between the years 0 and 9999", ErrNotAllowed, e.Time)
	case e.Conn != "" && !isToken(e.Conn):
		return "conn", fmt.Errorf("%w: %q", ErrNotAllowed, e.Conn)
	case e.Attempt != "" && !isToken(e.Attempt):
		return "attempt", fmt.Errorf("%w: %q", ErrNotAllowed, e.Attempt)
	case e.Cause != "" && !isToken(e.Cause):
		return "cause", fmt.Errorf("%w: %q", ErrNotAllowed, e.Cause)
	case e.SourceTime != "" && !isPrintable(e.SourceTime):
		return "sourcetime", fmt.Errorf("%w: %q", ErrNotAllowed, e.SourceTime)
	}
	for _, a := range [...]struct{ name, value string }{
		{"id", e.ID}, {"source", e.Source}, {"boot", e.Boot}, {"conn", e.Conn},
		{"attempt", e.Attempt}, {"cause", e.Cause}, {"sourcetime", e.SourceTime},
	} {
		if hasAccountID(a.value) {
			return a.name, ErrUnredacted
		}
	}
	return "", nil
}

// maxToken is the longest identifier in bytes.
const maxToken = 128

// isToken reports whether s is an identifier: 1 to 128 characters that need no
// escape in JSON, in a URI reference or in a shell.
func isToken(s string) bool {
	if s == "" || len(s) > maxToken {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-' || c == '_' || c == '.' || c == '/' || c == ':':
		default:
			return false
		}
	}
	return true
}

// isPrintable reports whether s is 1 to 128 printable ASCII characters without
// a quote or a backslash.
func isPrintable(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return s != "" && len(s) <= maxToken
}

func (p *plan) append(b []byte, data Payload) ([]byte, error) {
	v := reflect.ValueOf(data)
	b = append(b, '{')
	first := true
	for i := range p.fields {
		f := &p.fields[i]
		fv := f.in(v)
		if f.optional && isZero(f, fv) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, '"')
		b = append(b, f.name...)
		b = append(b, `":`...)
		var err error
		if b, err = f.append(b, fv); err != nil {
			return nil, fmt.Errorf("data.%s: %w", f.name, err)
		}
	}
	return append(b, '}'), nil
}

func isZero(f *field, v reflect.Value) bool {
	if f.op == opList {
		return v.Len() == 0
	}
	return v.IsZero()
}

func (f *field) append(b []byte, v reflect.Value) ([]byte, error) {
	switch f.op {
	case opString:
		if err := checkText(v.String()); err != nil {
			return nil, err
		}
		return appendString(b, v.String()), nil
	case opSet:
		if !contains(f.set, v.String()) {
			return nil, fmt.Errorf("%w: %q, want one of %s", ErrNotAllowed, v.String(), strings.Join(f.set, ", "))
		}
		return appendString(b, v.String()), nil
	case opBool:
		return strconv.AppendBool(b, v.Bool()), nil
	case opInt:
		return appendInt(b, v.Int())
	case opIntPtr:
		return appendInt(b, v.Elem().Int())
	case opUint:
		return appendInt(b, int64(min(v.Uint(), math.MaxInt64)))
	default: // opList
		if v.Len() > maxList {
			return nil, fmt.Errorf("%w: %d entries, at most %d", ErrTooLong, v.Len(), maxList)
		}
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			s := v.Index(i).String()
			if err := checkText(s); err != nil {
				return nil, err
			}
			b = appendString(b, s)
		}
		return append(b, ']'), nil
	}
}

func appendInt(b []byte, n int64) ([]byte, error) {
	if n < -maxInt || n > maxInt {
		return nil, fmt.Errorf("%w: %d, integers go to 2^53-1", ErrNotAllowed, n)
	}
	return strconv.AppendInt(b, n, 10), nil
}

func checkText(s string) error {
	switch {
	case len(s) > maxText:
		return fmt.Errorf("%w: %d bytes of text, at most %d", ErrTooLong, len(s), maxText)
	case !utf8.ValidString(s):
		return fmt.Errorf("%w: text is not UTF-8", ErrNotAllowed)
	case hasAccountID(s):
		return ErrUnredacted
	}
	return nil
}

func contains(set []string, s string) bool {
	for _, v := range set {
		if v == s {
			return true
		}
	}
	return false
}

const hexDigits = "0123456789abcdef"

// appendString writes a JSON string as RFC 8785 has it: only what must be
// escaped is, and in the shortest way.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, `\b`...)
		case '\t':
			b = append(b, `\t`...)
		case '\n':
			b = append(b, `\n`...)
		case '\f':
			b = append(b, `\f`...)
		case '\r':
			b = append(b, `\r`...)
		default:
			if c < ' ' {
				b = append(b, `\u00`...)
				b = append(b, hexDigits[c>>4], hexDigits[c&15])
				continue
			}
			b = append(b, c)
		}
	}
	return append(b, '"')
}
