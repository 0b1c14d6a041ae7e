package streams

import (
	"bytes"
	"fmt"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/rule"
)

// Damaged is a stream that is not as a recorder writes it, for one reason.
type Damaged struct {
	Name string // of its folder under bad/
	Base string // the stream it is made from, "" if it is none
	What string // what was done to it, for a person
	do   func(*damage)
}

// Bytes does to the base, as NDJSON, what Damaged says.
func (d Damaged) Bytes(base []byte) ([]byte, error) {
	var x damage
	for line := range bytes.Lines(base) {
		x.lines = append(x.lines, string(line))
	}
	d.do(&x)
	if x.err != nil {
		return nil, fmt.Errorf("damage %s: %w", d.Name, x.err)
	}
	return []byte(strings.Join(x.lines, "")), nil
}

// damage is a stream while it is being damaged, a line with its newline each.
// Lines count from 1. After the first step that does not fit, err says why.
type damage struct {
	lines []string
	err   error
}

func (x *damage) fail(format string, args ...any) {
	if x.err == nil {
		x.err = fmt.Errorf(format, args...)
	}
}

// whole puts text in place of everything.
func (x *damage) whole(text string) { x.lines = []string{text} }

// cut takes n bytes off the end.
func (x *damage) cut(n int) {
	last := &x.lines[len(x.lines)-1]
	*last = (*last)[:len(*last)-n]
}

// replace puts after in place of before, which the line has exactly once.
func (x *damage) replace(line int, before, after string) {
	if n := strings.Count(x.lines[line-1], before); n != 1 {
		x.fail("line %d has %q %d times, want it once", line, before, n)
		return
	}
	x.lines[line-1] = strings.Replace(x.lines[line-1], before, after, 1)
}

// drop takes a line out.
func (x *damage) drop(line int) {
	x.lines = append(x.lines[:line-1:line-1], x.lines[line:]...)
}

// repeat puts a copy of a line behind it.
func (x *damage) repeat(line int) {
	x.lines = append(x.lines[:line:line], x.lines[line-1:]...)
}

// chain numbers every event anew and links it to the one before, so that what was
// done before is all that is wrong.
func (x *damage) chain() {
	var prev events.Hash
	for i, line := range x.lines {
		e, err := events.Decode([]byte(strings.TrimSuffix(line, "\n")))
		if err != nil {
			x.fail("line %d: %w", i+1, err)
			return
		}
		e.Seq, e.Prev = uint64(i+1), prev
		raw, err := events.Encode(e)
		if err != nil {
			x.fail("line %d: %w", i+1, err)
			return
		}
		prev = events.HashOf(raw)
		x.lines[i] = string(raw) + "\n"
	}
}

// small is what most damage is done to: two runs and 26 events.
const small = "SYN-02-killed-between-permit-and-dial"

// DamagedStreams are all of them, in the order of their folders.
func DamagedStreams() []Damaged {
	return []Damaged{
		{"01-half-a-line-at-the-end", small, "the last 100 bytes are cut off, as a copy of a file that is being written has it",
			func(x *damage) { x.cut(100) }},
		{"02-duplicate-key", small, "line 4 has its epoch twice",
			func(x *damage) { x.replace(4, `"epoch":"0",`, `"epoch":"0","epoch":"0",`) }},
		{"03-unknown-kind", small, "line 5 has a kind that nothing emits",
			func(x *damage) { x.replace(5, "ibrecorder.client.opened.v1", "ibrecorder.client.opend.v1") }},
		{"04-over-64-kib", small, "the text of line 3 is longer than an event may be",
			func(x *damage) { x.replace(3, "A synthetic stream", strings.Repeat("long ", 14_000)) }},
		{"05-broken-link", small, "the version in line 23 was changed afterwards, and the hash in line 24 was not",
			func(x *damage) { x.replace(23, `"server_version":203`, `"server_version":204`) }},
		{"06-hole", small, "line 24 was taken out",
			func(x *damage) { x.drop(24) }},
		{"07-event-of-another-gateway", small, "behind line 4 stands an event of another gateway",
			func(x *damage) { x.repeat(4); x.replace(5, `"subject":"syn-02"`, `"subject":"syn-99"`) }},
		{"08-wrong-type", small, "the sequence of line 6 is a number and not a string",
			func(x *damage) { x.replace(6, `"seq":"6"`, `"seq":6`) }},
		{"09-unredacted-account", small, "the text of line 3 names a made-up account",
			func(x *damage) { x.replace(3, "seen by nobody", "seen by DU0000000") }},
		{"10-clock-goes-back", small, "the monotonic clock of line 15 is behind that of line 14, and the chain is whole",
			func(x *damage) { x.replace(15, `"mono":"2000000000"`, `"mono":"1500000000"`); x.chain() }},
		{"11-gap", small, "line 12 says that facts were lost, and the chain is whole",
			func(x *damage) {
				x.replace(12, "ibrecorder.gateway.observed.v1", "ibrecorder.recorder.gap.v1")
				x.replace(12, `"source":"/watch"`, `"source":"/recorder"`)
				at := strings.Index(x.lines[11], `"data":`)
				x.lines[11] = x.lines[11][:at] + `"data":{"reason":"overflow","lost":3}}` + "\n"
				x.chain()
			}},
		{"12-no-policy", small, "both policy.loaded were taken out, and the chain is whole",
			func(x *damage) { x.drop(10); x.drop(2); x.chain() }},
		{"13-http", "", "a browser came to the wrong port",
			func(x *damage) { x.whole("GET / HTTP/1.1\r\nHost: 127.0.0.1:4002\r\n\r\n") }},
		{"14-gzip", "", "the first bytes of a compressed file",
			func(x *damage) { x.whole("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\n") }},
		{"15-zeroed-page", small, "line 7 is as long as it was, and all of it NUL, as a file system may leave it after a crash",
			func(x *damage) { x.lines[6] = strings.Repeat("\x00", len(x.lines[6])-1) + "\n" }},
		{"16-empty", "", "nothing at all",
			func(x *damage) { x.whole("") }},
		{"17-carriage-returns", small, "an editor ended every line with a carriage return",
			func(x *damage) {
				for i := range x.lines {
					x.lines[i] = strings.TrimSuffix(x.lines[i], "\n") + "\r\n"
				}
			}},
		{"18-no-start-of-a-run", small, "recorder.started of the second run was taken out, and the chain is whole",
			func(x *damage) { x.drop(9); x.chain() }},
		{"19-permit-while-stopped-behind-a-broken-link", "SYN-03-stopped-and-released",
			"the refusal of line 20 was made a permit afterwards, and the hash in line 21 was not",
			func(x *damage) {
				x.replace(20, "ibrecorder.attempt.denied.v1", "ibrecorder.attempt.permitted.v1")
				x.replace(20, `"reason":"stopped","count":1`, `"enforced":true`)
			}},
	}
}

// text is what became of a damaged stream, as its expect.txt has it.
func (d Damaged) text(v rule.Verdict, err error) string {
	var b strings.Builder
	from := ""
	if d.Base != "" {
		from = " (of " + d.Base + ")"
	}
	fmt.Fprintf(&b, "damage: %s%s\n", d.What, from)
	if err != nil {
		fmt.Fprintf(&b, "refused: %v\nread before it: %d events\n", err, v.Events)
		return b.String()
	}
	fmt.Fprintf(&b, "verdict: %s\nread: %d events\n", v.Outcome, v.Events)
	for _, results := range [][]rule.Result{v.Assumptions, v.Rules} {
		for _, r := range results {
			for _, f := range r.Findings {
				fmt.Fprintf(&b, "finding: %s\n", finding(f))
			}
		}
	}
	return b.String()
}
