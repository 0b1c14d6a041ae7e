package events

import (
	"strings"
	"time"
)

// Decode reads one canonical event, without a newline. It accepts exactly what
// Encode produces; anything else is a *DecodeError that names the byte, the field
// and the reason. The event shares no memory with line.
//
// It runs once over the bytes: a stream is verified at about the cost of hashing
// it. Only for bytes that it does not accept does the slower decodeReference run,
// to say what is wrong.
func Decode(line []byte) (e Event, err error) {
	if len(line) <= MaxBytes && decodeFast(string(line), &e) {
		return e, nil
	}
	return decodeReference(line)
}

// decodeFast decodes into e, which shares the memory of line, and reports whether
// line is canonical. If it is not, e holds what could be read.
func decodeFast(line string, e *Event) bool {
	c := cursor{s: line, ok: true}
	c.event(e)
	return c.ok && c.i == len(c.s)
}

// cursor reads canonical bytes from left to right. After the first deviation ok
// is false, and nothing that was read counts.
type cursor struct {
	s  string
	i  int
	ok bool
}

// event repeats every check of Encode on the way.
func (c *cursor) event(e *Event) {
	c.expect(`{"specversion":"1.0","id":"`)
	e.ID = c.token()
	c.expect(`,"source":"`)
	e.Source = c.token()
	c.expect(`,"type":"`)
	info := byType[c.quoted()]
	c.expect(`,"subject":"`)
	e.Gateway = c.quoted()
	if !c.ok || info == nil || !isSource(e.Source) || !isGatewayName(e.Gateway) {
		c.ok = false
		return
	}
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
		c.ok = c.ok && isPrintable(e.SourceTime) && !hasAccountID(e.SourceTime)
	}
	c.expect(`,"prev":"`)
	c.hash(&e.Prev)
	c.ok = c.ok && e.Seq > 0
	c.expect(`,"data":`)
	if c.ok {
		e.Data = c.payload(info.plan)
	}
	c.expect(`}`)
}

func (c *cursor) expect(lit string) { c.ok = c.accept(lit) }

func (c *cursor) accept(lit string) bool {
	if c.ok && strings.HasPrefix(c.s[c.i:], lit) {
		c.i += len(lit)
		return true
	}
	return false
}

// quoted reads to the closing quote of a string that needs no escapes.
func (c *cursor) quoted() string {
	n := strings.IndexByte(c.s[c.i:], '"')
	if !c.ok || n < 0 {
		c.ok = false
		return ""
	}
	s := c.s[c.i : c.i+n]
	c.i += n + 1
	return s
}

// token reads an identifier and its closing quote.
func (c *cursor) token() string {
	rest := c.s[c.i:]
	n, _, risky := scan(rest, inToken)
	if !c.ok || n == 0 || n > maxToken || n == len(rest) || rest[n] != '"' || risky && hasAccountID(rest[:n]) {
		c.ok = false
		return ""
	}
	c.i += n + 1
	return rest[:n]
}

// hash reads 64 hexadecimal digits and their closing quote.
func (c *cursor) hash(h *Hash) {
	const n = 2 * len(Hash{})
	rest := c.s[c.i:]
	c.ok = c.ok && len(rest) > n && rest[n] == '"' && h.setHex(rest[:n])
	c.i = min(c.i+n+1, len(c.s))
}

// decimal reads digits and their closing quote.
func (c *cursor) decimal() uint64 {
	n, digits := c.digits(18)
	c.ok = c.ok && digits > 0
	c.expect(`"`)
	return n
}

// digits reads up to most digits, not more than 18, without a leading zero.
func (c *cursor) digits(most int) (n uint64, digits int) {
	rest := c.s[c.i:]
	for digits < len(rest) && digits < most && classes[rest[digits]]&isDigit != 0 {
		n = n*10 + uint64(rest[digits]-'0')
		digits++
	}
	c.ok = c.ok && (digits < 2 || rest[0] != '0')
	c.i += digits
	return n, digits
}

// time reads RFC 3339 as Encode writes it: UTC as Z, no more digits than needed.
func (c *cursor) time() time.Time {
	s := c.quoted()
	n := len(s)
	if n < len("2006-01-02T15:04:05Z") || n > len("2006-01-02T15:04:05.000000000Z") ||
		s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[n-1] != 'Z' {
		c.ok = false
		return time.Time{}
	}
	nanos := 0
	if n > len("2006-01-02T15:04:05Z") {
		nanos = number(s[20 : n-1])
		for range len("2006-01-02T15:04:05.000000000Z") - n {
			nanos *= 10
		}
		if s[19] != '.' || n == len("2006-01-02T15:04:05.Z") || s[n-2] == '0' {
			c.ok = false
		}
	}
	year, month, day := number(s[:4]), number(s[5:7]), number(s[8:10])
	hour, minute, second := number(s[11:13]), number(s[14:16]), number(s[17:19])
	if !c.ok || year|month|day|hour|minute|second|nanos < 0 ||
		month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		c.ok = false
		return time.Time{}
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	// February 30 comes out as a day in March; the zero time is never written.
	c.ok = (day <= 28 || t.Day() == day) && !t.IsZero()
	return t
}

// number returns the value of at most 9 digits, or -1.
func number(s string) int {
	n := 0
	for i := range len(s) {
		if classes[s[i]]&isDigit == 0 {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}
