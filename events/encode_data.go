package events

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"unicode/utf8"
)

// The bounds of a payload. They keep the longest event of every kind below
// MaxBytes (TestTheLongestEventOfEveryKindFits), so that what a Redactor made of
// a draft can always be encoded.
const (
	// maxInt is the largest integer that every JSON reader keeps exactly (RFC 7493).
	maxInt = 1<<53 - 1
	// maxText is the longest free text in bytes. A Redactor cuts longer ones.
	maxText = 1 << 10
	// maxList is how many identifiers a list may have.
	maxList = 64
)

func (p *plan) append(b []byte, data Payload) ([]byte, error) {
	v := reflect.ValueOf(data)
	b = append(b, '{')
	empty := len(b)
	for i := range p.fields {
		f := &p.fields[i]
		fv := f.in(v)
		if f.optional && isZero(f, fv) {
			continue
		}
		if len(b) == empty {
			b = append(b, f.key[1:]...)
		} else {
			b = append(b, f.key...)
		}
		var err error
		if b, err = f.append(b, fv); err != nil {
			return nil, fieldError{"data." + f.name, err}
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
		return appendText(b, v.String())
	case opSet:
		s, ok := f.pick(v.String())
		if !ok {
			return nil, f.notInSet(v.String())
		}
		return append(append(append(b, '"'), s...), '"'), nil
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
			if err := checkToken(s); err != nil {
				return nil, fmt.Errorf("entry %d: %w", i+1, err)
			}
			b = append(append(append(b, '"'), s...), '"')
		}
		return append(b, ']'), nil
	}
}

func appendInt(b []byte, n int64) ([]byte, error) {
	if err := checkInt(n); err != nil {
		return nil, err
	}
	return strconv.AppendInt(b, n, 10), nil
}

func checkInt(n int64) error {
	if n < -maxInt || n > maxInt {
		return fmt.Errorf("%w: %d, integers go to 2^53-1", ErrNotAllowed, n)
	}
	return nil
}

// appendText writes a text as a JSON string, if it may stand in an event.
func appendText(b []byte, s string) ([]byte, error) {
	if len(s) > maxText {
		return nil, fmt.Errorf("%w: %d bytes of text, at most %d", ErrTooLong, len(s), maxText)
	}
	n, seen, risky := scan(s, inText)
	if n < len(s) || seen&notASCII != 0 || risky {
		switch {
		case !utf8.ValidString(s):
			return nil, fmt.Errorf("%w: text is not UTF-8", ErrNotAllowed)
		case hasAccountID(s):
			return nil, ErrUnredacted
		case n < len(s):
			return appendEscaped(b, s), nil
		}
	}
	return append(append(append(b, '"'), s...), '"'), nil
}

const hexDigits = "0123456789abcdef"

// appendEscaped writes a JSON string as RFC 8785 has it: only what must be
// escaped is, and in the shortest way.
func appendEscaped(b []byte, s string) []byte {
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
