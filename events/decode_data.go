package events

import (
	"encoding/json"
	"unicode/utf8"
)

func (c *cursor) payload(p *plan) Payload {
	into := p.scratch.Get().(*scratch)
	c.fields(p, into)
	data := into.take()
	p.scratch.Put(into)
	if !c.ok {
		return nil
	}
	return data
}

func (c *cursor) fields(p *plan, into *scratch) {
	c.expect(`{`)
	start := c.i
	for i := range p.fields {
		f := &p.fields[i]
		key := f.key
		if c.i == start {
			key = key[1:] // no comma before the first
		}
		switch {
		case c.accept(key):
			filled := c.value(f, &into.slots[i])
			c.ok = c.ok && (filled || !f.optional) // an empty one is never written
		case !f.optional:
			c.ok = false
			return
		}
	}
	c.expect(`}`)
}

// value reads one value and reports whether it is another than zero.
func (c *cursor) value(f *field, to *slot) (filled bool) {
	switch f.op {
	case opString:
		*to.text = c.text()
		return *to.text != ""
	case opSet:
		c.expect(`"`)
		s, ok := f.pick(c.quoted())
		*to.text = s
		c.ok = c.ok && ok
		return true
	case opBool:
		*to.truth = c.accept("true")
		if !*to.truth {
			c.expect("false")
		}
		return *to.truth
	case opInt:
		*to.number = c.integer()
		return *to.number != 0
	case opUint:
		n := c.integer()
		*to.count = uint64(n)
		c.ok = c.ok && n >= 0
		return n != 0
	case opIntPtr:
		n := c.integer()
		*to.maybe = &n
		return true
	default: // opList
		*to.list = c.list()
		return len(*to.list) > 0
	}
}

func (c *cursor) integer() int64 {
	minus := c.accept("-")
	n, digits := c.digits(16)
	if digits == 0 || n > maxInt || minus && n == 0 {
		c.ok = false
	}
	if minus {
		return -int64(n)
	}
	return int64(n)
}

func (c *cursor) list() (list []string) {
	c.expect("[")
	for c.ok && !c.accept("]") {
		if len(list) > 0 {
			c.expect(",")
		}
		c.expect(`"`)
		list = append(list, c.token())
		c.ok = c.ok && len(list) <= maxList
	}
	return list
}

// text reads a free text. One with an escape in it is rare, and is accepted if
// writing it again gives the same bytes.
func (c *cursor) text() string {
	c.expect(`"`)
	rest := c.s[c.i:]
	n, seen, risky := scan(rest, inText)
	if !c.ok || n == len(rest) {
		c.ok = false
		return ""
	}
	if rest[n] != '"' {
		return c.escaped()
	}
	c.i += n + 1
	s := rest[:n]
	c.ok = n <= maxText && !(seen&notASCII != 0 && !utf8.ValidString(s)) && !(risky && hasAccountID(s))
	return s
}

func (c *cursor) escaped() string {
	rest := c.s[c.i:]
	n := 0
	for n < len(rest) && rest[n] != '"' {
		if rest[n] == '\\' {
			n++
		}
		n++
	}
	if n >= len(rest) {
		c.ok = false
		return ""
	}
	var s string
	raw := c.s[c.i-1 : c.i+n+1] // with its quotes
	err := json.Unmarshal([]byte(raw), &s)
	if err == nil {
		var canonical []byte
		canonical, err = appendText(nil, s)
		c.ok = string(canonical) == raw
	}
	c.ok = c.ok && err == nil
	c.i += n + 1
	return s
}
