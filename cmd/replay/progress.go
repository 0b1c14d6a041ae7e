package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/source"
)

// progress shows on a terminal how far a long stream was read. A nil one shows
// nothing and costs nothing.
type progress struct {
	w      io.Writer
	verb   string
	unit   string // what is counted, "" for events
	bytes  int64  // of the whole, 0 if unknown
	last   uint64 // sequence of the last event, 0 if unknown
	now    func() time.Time
	begun  time.Time
	drawn  time.Time
	events int
	read   int64
	shown  bool
}

const (
	patience = 500 * time.Millisecond // before anything is shown
	pace     = 100 * time.Millisecond // between two pictures
)

// progress is nil if nobody would see it.
func (t *terminal) progress(verb string, src *source.Source) *progress {
	if !isTerminal(t.err) {
		return nil
	}
	return &progress{w: t.err, verb: verb, bytes: src.Bytes, last: src.Last, now: time.Now}
}

// watch passes a stream on and draws how far it came.
func (p *progress) watch(in iter.Seq2[events.Record, error]) iter.Seq2[events.Record, error] {
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

// count passes the bytes of a text on and draws how far it came.
func (p *progress) count(in io.Reader) io.Reader {
	if p == nil {
		return in
	}
	return counted{p, in}
}

type counted struct {
	p  *progress
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
func (p *progress) due() (since time.Duration, due bool) {
	now := p.now()
	since = now.Sub(p.begun)
	if since < patience || now.Sub(p.drawn) < pace {
		return since, false
	}
	p.drawn, p.shown = now, true
	return since, true
}

// say draws a text, for work that is no reading of a stream and follows one.
func (p *progress) say(format string, args ...any) {
	if p == nil {
		return
	}
	if _, due := p.due(); due {
		fmt.Fprintf(p.w, "\r\x1b[K%s %s", p.verb, fmt.Sprintf(format, args...))
	}
}

func (p *progress) draw(seq uint64) {
	since, due := p.due()
	if !due {
		return
	}
	part := -1.0
	switch {
	case p.bytes > 0:
		part = float64(p.read) / float64(p.bytes)
	case p.last > 0:
		part = float64(seq) / float64(p.last)
	}
	bar := ""
	if part >= 0 {
		part = min(part, 1)
		full := int(part * 20)
		bar = fmt.Sprintf("▕%s%s▏%3.0f %%  ", strings.Repeat("█", full), strings.Repeat(" ", 20-full), part*100)
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s %s%d %s, %.0f a second", p.verb, bar, p.events, cmp.Or(p.unit, "events"), float64(p.events)/since.Seconds())
}

// clear takes the picture away.
func (p *progress) clear() {
	if p != nil && p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}
