package events

import (
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Decode reads one canonical event, without a newline. It accepts exactly what
// Encode produces; anything else is a *DecodeError that names the byte, the field
// and the reason. The event shares no memory with line.
//
// It runs once over the bytes: a stream is verified at about the cost of hashing
// it. Only for bytes that it does not accept does the slower decodeReference run,
// to say what is wrong.
func Decode(line []byte) (Event, error) {
	if len(line) <= MaxBytes {
		c := cursor{s: string(line), ok: true}
		if e := c.event(); c.ok && c.i == len(c.s) {
			return e, nil
		}
	}
	return decodeReference(line)
}

// cursor reads canonical bytes from left to right. After the first deviation ok
// is false, and nothing that was read counts.
type cursor struct {
	s  string
	i  int
	ok bool
}

func (c *cursor) event() (e Event) {
	c.expect(`{"specversion":"1.0","id":"`)
	e.ID = c.token()
	c.expect(`,"source":"`)
	e.Source = c.token()
	c.expect(`,"type":"`)
	info := byType[c.token()]
	c.expect(`,"subject":"`)
	e.Gateway = c.token()
	if c.accept(`,"time":"`) {
		e.Time = c.time()
	}
	c.expect(`,"datacontenttype":"application/json","seq":"`)
	e.Seq = c.decimal()
	c.expect(`,"boot":"`)
	e.Boot = c.token()
	e.Mono = NoMono
	if c.accept(`,"mono":"`) {
		e.Mono = int64(c.decimal())
		c.ok = c.ok && e.Mono >= 0
	}
	if c.accept(`,"conn":"`) {
		e.Conn = c.token()
	}
	if c.accept(`,"attempt":"`) {
		e.Attempt = c.token()
	}
	c.expect(`,"epoch":"`)
	e.Epoch = c.decimal()
	if c.accept(`,"cause":"`) {
		e.Cause = c.token()
	}
	if c.accept(`,"sourcetime":"`) {
		e.SourceTime = c.quoted()
		c.ok = c.ok && isPrintable(e.SourceTime)
	}
	c.expect(`,"prev":"`)
	prev, err := ParseHash(c.quoted())
	e.Prev = prev
	c.ok = c.ok && err == nil && info != nil
	c.expect(`,"data":`)
	if !c.ok {
		return e
	}
	e.Data = c.payload(info.plan)
	c.expect(`}`)
	c.ok = c.ok && e.valid()
	return e
}

// valid repeats the checks of Encode that the cursor has not made already.
func (e *Event) valid() bool {
	field, _ := e.check()
	return field == ""
}

func (c *cursor) expect(lit string) {
	if c.ok && strings.HasPrefix(c.s[c.i:], lit) {
		c.i += len(lit)
		return
	}
	c.ok = false
}

func (c *cursor) accept(lit string) bool {
	if c.ok && strings.HasPrefix(c.s[c.i:], lit) {
		c.i += len(lit)
		return true
	}
	return false
}

// quoted reads to the closing quote of a string that needs no escapes.
func (c *cursor) quoted() string {
	if !c.ok {
		return ""
	}
	n := strings.IndexByte(c.s[c.i:], '"')
	if n < 0 {
		c.ok = false
		return ""
	}
	s := c.s[c.i : c.i+n]
	c.i += n + 1
	return s
}

// token reads an identifier; what it may contain is checked with the whole event.
func (c *cursor) token() string {
	s := c.quoted()
	c.ok = c.ok && s != ""
	return s
}

func (c *cursor) decimal() uint64 {
	s := c.quoted()
	if !c.ok || len(s) == 0 || len(s) > 20 || len(s) > 1 && s[0] == '0' {
		c.ok = false
		return 0
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || s[0] == '+' {
		c.ok = false
	}
	return n
}

func (c *cursor) time() time.Time {
	s := c.quoted()
	if !c.ok {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || !canonicalTime(s) || t.IsZero() {
		c.ok = false
		return time.Time{}
	}
	return t
}

// canonicalTime reports whether s, which parses as RFC 3339, is how Encode would
// write it: UTC as Z, and no more digits than needed.
func canonicalTime(s string) bool {
	n := len(s)
	if n < len("2006-01-02T15:04:05Z") || s[n-1] != 'Z' {
		return false
	}
	if n == len("2006-01-02T15:04:05Z") {
		return true
	}
	return s[19] == '.' && n >= 22 && n <= 30 && s[n-2] != '0'
}

func (c *cursor) payload(p *plan) Payload {
	v := reflect.New(p.typ).Elem()
	c.expect(`{`)
	first := true
	for i := range p.fields {
		f := &p.fields[i]
		if !c.key(f.name, first) {
			c.ok = c.ok && f.optional
			continue
		}
		first = false
		fv := f.in(v)
		c.value(f, fv)
		if f.optional && isZero(f, fv) {
			c.ok = false // would not have been written
		}
	}
	c.expect(`}`)
	if !c.ok {
		return nil
	}
	return v.Interface().(Payload)
}

// key accepts `"name":`, with a comma before it unless it is the first.
func (c *cursor) key(name string, first bool) bool {
	if !c.ok {
		return false
	}
	rest := c.s[c.i:]
	n := len(name) + 3
	if !first {
		if rest == "" || rest[0] != ',' {
			return false
		}
		rest = rest[1:]
	}
	if len(rest) < n || rest[0] != '"' || rest[1:1+len(name)] != name || rest[n-2:n] != `":` {
		return false
	}
	c.i = len(c.s) - len(rest) + n
	return true
}

func (c *cursor) value(f *field, v reflect.Value) {
	switch f.op {
	case opString:
		v.SetString(c.text())
	case opSet:
		c.expect(`"`)
		s := c.quoted()
		c.ok = c.ok && contains(f.set, s)
		v.SetString(s)
	case opBool:
		switch {
		case c.accept("true"):
			v.SetBool(true)
		default:
			c.expect("false")
		}
	case opInt:
		v.SetInt(c.integer())
	case opUint:
		n := c.integer()
		c.ok = c.ok && n >= 0
		v.SetUint(uint64(n))
	case opIntPtr:
		n := c.integer()
		v.Set(reflect.ValueOf(&n))
	case opList:
		var list []string
		c.expect("[")
		for c.ok && !c.accept("]") {
			if len(list) > 0 {
				c.expect(",")
			}
			list = append(list, c.text())
		}
		c.ok = c.ok && len(list) <= maxList
		if c.ok {
			v.Set(reflect.ValueOf(list))
		}
	}
}

func (c *cursor) integer() int64 {
	if !c.ok {
		return 0
	}
	start := c.i
	if c.i < len(c.s) && c.s[c.i] == '-' {
		c.i++
	}
	digits := c.i
	for c.i < len(c.s) && '0' <= c.s[c.i] && c.s[c.i] <= '9' {
		c.i++
	}
	s := c.s[digits:c.i]
	n, err := strconv.ParseInt(c.s[start:c.i], 10, 64)
	if err != nil || len(s) > 1 && s[0] == '0' || n == 0 && start != digits || n < -maxInt || n > maxInt {
		c.ok = false
	}
	return n
}

// text reads a free text. One with an escape in it is rare, and is accepted if
// writing it again gives the same bytes.
func (c *cursor) text() string {
	c.expect(`"`)
	if !c.ok {
		return ""
	}
	start, escaped := c.i, false
	for ; c.i < len(c.s); c.i++ {
		switch ch := c.s[c.i]; {
		case ch == '"':
			raw := c.s[start:c.i]
			c.i++
			s := raw
			if escaped {
				var err error
				s, err = unquote(raw)
				if err != nil || string(appendString(nil, s)) != c.s[start-1:c.i] {
					c.ok = false
				}
			}
			c.ok = c.ok && len(s) <= maxText && utf8.ValidString(s) && !hasAccountID(s)
			return s
		case ch == '\\':
			escaped = true
			c.i++
		case ch < ' ':
			c.ok = false
			return ""
		}
	}
	c.ok = false
	return ""
}
