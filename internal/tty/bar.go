package tty

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"ibrecorder/events"
)

// Bar shows on a terminal how far a long stream was read. A nil one shows
// nothing and costs nothing.
type Bar struct {
	w      io.Writer
	verb   string
	of     Extent
	now    func() time.Time
	begun  time.Time
	drawn  time.Time
	events int
	read   int64
	shown  bool
	done   bool
}

const (
	patience = 500 * time.Millisecond // before anything is shown
	pace     = 100 * time.Millisecond // between two pictures
)

// Extent is how much there is to come.
type Extent struct {
	Bytes int64  // of the whole, 0 if unknown
	Last  uint64 // sequence of the last event, 0 if unknown
	Unit  string // what is counted, events if it is empty
}

// NewBar begins now, and is nil if nobody would see it.
func NewBar(w io.Writer, verb string, of Extent) *Bar {
	if !Is(w) {
		return nil
	}
	return &Bar{w: w, verb: verb, of: of, now: time.Now, begun: time.Now()}
}

// Expect says how many bytes there are to come, where that was not known at once; less than
// 1 is unknown.
func (p *Bar) Expect(bytes int64) {
	if p != nil {
		p.of.Bytes = bytes
	}
}

// Watch passes a stream on and draws how far it came.
func (p *Bar) Watch(in iter.Seq2[events.Record, error]) iter.Seq2[events.Record, error] {
	if p == nil {
		return in
	}
	return func(yield func(events.Record, error) bool) {
		p.begun, p.events, p.read = p.now(), 0, 0
		for rec, err := range in {
			p.events++
			p.read += int64(len(rec.Raw)) + 1
			if p.events%512 == 0 {
				p.draw(rec.Seq)
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

// Reached draws how far some work came that is no stream.
func (p *Bar) Reached(n int, seq uint64) {
	if p != nil {
		p.events = n
		p.draw(seq)
	}
}

// Count passes the bytes of a text on and draws how far it came.
func (p *Bar) Count(in io.Reader) io.Reader {
	if p == nil {
		return in
	}
	return counted{p, in}
}

type counted struct {
	p  *Bar
	in io.Reader
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	c.p.read += int64(n)
	c.p.events += bytes.Count(b[:n], []byte{'\n'})
	c.p.draw(0)
	return n, err
}

// due reports whether a picture may be drawn, and how long it took so far.
func (p *Bar) due() (since time.Duration, due bool) {
	now := p.now()
	since = now.Sub(p.begun)
	if p.done || since < patience || now.Sub(p.drawn) < pace {
		return since, false
	}
	p.drawn, p.shown = now, true
	return since, true
}

// Say draws a text, for work that is no reading of a stream and follows one.
func (p *Bar) Say(format string, args ...any) {
	if p == nil {
		return
	}
	if _, due := p.due(); due {
		fmt.Fprintf(p.w, "\r\x1b[K%s %s", p.verb, fmt.Sprintf(format, args...))
	}
}

func (p *Bar) draw(seq uint64) {
	since, due := p.due()
	if !due {
		return
	}
	part := -1.0
	switch {
	case p.of.Bytes > 0:
		part = float64(p.read) / float64(p.of.Bytes)
	case p.of.Last > 0:
		part = float64(seq) / float64(p.of.Last)
	}
	bar := ""
	if part >= 0 {
		part = min(part, 1)
		full := int(part * 20)
		bar = fmt.Sprintf("▕%s%s▏%3.0f %%  ", strings.Repeat("█", full), strings.Repeat(" ", 20-full), part*100)
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s %s%d %s, %.0f a second", p.verb, bar, p.events, cmp.Or(p.of.Unit, "events"), float64(p.events)/since.Seconds())
}

// Done takes the picture away for good: from here on there is something else to see.
func (p *Bar) Done() {
	if p != nil {
		p.Clear()
		p.done = true
	}
}

// Clear takes the picture away.
func (p *Bar) Clear() {
	if p != nil && p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}
