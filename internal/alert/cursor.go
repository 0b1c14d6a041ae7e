package alert

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"
)

// reader reads a log.
type reader interface {
	Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error]
}

// cursor is what the log says of what one channel was told. It reads on with each event
// that it is asked about, and only from where that could be spoken of: what is said of an
// incident stands behind its beginning. Run's handler owns it.
type cursor struct {
	log     reader
	channel string
	from    uint64                    // from where on it has read
	head    uint64                    // how far it has read
	done    map[string]bool           // told, or given up; by the ID of what was to be told
	tries   map[string]int64          // that failed
	failed  map[string]time.Time      // when the first did
	of      map[string]*progress      // by the incident
	about   map[string]*progress      // by the ID of what tells of it
	taken   map[string]events.Payload // the channel took it, and the log does not say so yet
	stops   []telling                 // what tells of a stop, in the order of the log
}

// telling is an event that tells of an alert.
type telling struct {
	seq      uint64
	id       string
	incident string
}

// progress is what became of an incident. All of it grows only, so that what is read
// twice does no harm.
type progress struct {
	raised   uint64 // its last alert.raised: an outage becomes a stop, and a log comes to its reserve
	toldAt   uint64 // sequence of the last alert.delivered of anything about it, 0 if there is none
	reminder uint64 // its last alert.reminded
	ended    uint64 // its last alert.resolved
	quiet    uint64 // the last alert.raised that somebody has acknowledged: nobody is reminded of it
}

// over says that it goes on no longer.
func (p *progress) over() bool { return p.ended > p.raised }

func newCursor(log reader, channel string) *cursor {
	return &cursor{log: log, channel: channel, done: map[string]bool{}, tries: map[string]int64{}, failed: map[string]time.Time{},
		of: map[string]*progress{}, about: map[string]*progress{}, taken: map[string]events.Payload{}}
}

// subject is what an event tells of: the incident, what it is about, and the alert.raised.
type subject struct {
	incident string
	about    events.About
	raised   uint64
}

// subjectOf is of an event of one of the kinds that are told, the zero subject for another.
func subjectOf(rec events.Record) subject {
	switch d := rec.Data.(type) {
	case events.AlertRaised:
		return subject{d.Incident, d.About, rec.Seq}
	case events.AlertReminded:
		return subject{d.Incident, events.AboutStop, d.Raised}
	case events.AlertResolved:
		return subject{d.Incident, d.About, d.Raised}
	}
	return subject{}
}

// begin is the sequence of what the incident began with, which its name ends in.
func (s subject) begin() uint64 {
	n, err := strconv.ParseUint(s.incident[strings.LastIndexByte(s.incident, '-')+1:], 10, 64)
	if err != nil || n == 0 || n > s.raised {
		return s.raised
	}
	return n
}

// stopsBehind yields the sequences of what tells of a stop behind rec, of another incident,
// and is not done.
func (c *cursor) stopsBehind(rec events.Record) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		c.stops = slices.DeleteFunc(c.stops, func(t telling) bool { return t.seq <= rec.Seq || c.done[t.id] })
		for _, t := range slices.Clone(c.stops) {
			if t.incident != subjectOf(rec).incident && !yield(t.seq) {
				return
			}
		}
	}
}

// news reports whether the channel is to be told of rec: what is over before somebody
// could be told is not news, and neither is a reminder of what they have just been told.
func (c *cursor) news(ctx context.Context, rec events.Record) (bool, error) {
	about := subjectOf(rec)
	c.turnTo(about.begin())
	err := c.read(ctx)
	if gone, ok := errors.AsType[*store.ArchivedError](err); ok {
		if about.raised < gone.First { // whoever was told then has not forgotten
			p := c.progress(about.incident)
			p.raised, p.toldAt = max(p.raised, about.raised), max(p.toldAt, about.raised)
		}
		c.head = gone.First - 1
		err = c.read(ctx)
	}
	if err != nil {
		return false, fmt.Errorf("read who was told: %w", err)
	}
	p := c.of[about.incident]
	if p == nil || c.done[rec.ID] {
		return false, nil
	}
	switch d := rec.Data.(type) {
	case events.AlertRaised:
		if d.About == events.AboutBreach {
			return c.fresh(rec), nil
		}
		return !p.over() && p.raised == rec.Seq && d.Channel != c.channel, nil
	case events.AlertReminded:
		return !p.over() && p.quiet != p.raised && p.reminder == rec.Seq && p.toldAt < rec.Seq, nil
	case events.AlertResolved:
		return p.toldAt != 0 && (d.About == events.AboutStop || d.About == events.AboutOutage || c.fresh(rec)), nil
	}
	return false, nil
}

// fresh says that what nobody waits for is still worth telling: it is tried already, or is
// no older than that for which anything is tried. A channel that is new has all of the log
// before it.
func (c *cursor) fresh(rec events.Record) bool {
	return c.tries[rec.ID] > 0 || time.Since(rec.Time) < giveUpAfter
}

// read goes on to the head.
func (c *cursor) read(ctx context.Context) error {
	for rec, err := range c.log.Read(ctx, c.head+1, 0) {
		if err != nil {
			return err
		}
		c.take(rec)
	}
	return nil
}

// turnTo has the cursor read from a sequence on at the latest.
func (c *cursor) turnTo(begin uint64) {
	switch {
	case begin > c.head && !c.open(): // what lies between says nothing of what is known, nor of this
		clear(c.of)
		clear(c.about)
		clear(c.done)
		clear(c.tries)
		clear(c.failed)
		c.stops = nil
	case c.from <= begin:
		return
	}
	c.from, c.head = begin, begin-1
}

// open says that something goes on of which more may be said.
func (c *cursor) open() bool {
	for _, p := range c.of {
		if !p.over() {
			return true
		}
	}
	return false
}

// progress finds that of an incident, and adds it.
func (c *cursor) progress(incident string) *progress {
	p := c.of[incident]
	if p == nil {
		p = new(progress)
		c.of[strings.Clone(incident)] = p
	}
	return p
}

func (c *cursor) take(rec events.Record) {
	c.head = rec.Seq
	var p *progress
	if about := subjectOf(rec); about.incident != "" {
		p = c.progress(about.incident)
		c.about[strings.Clone(rec.ID)] = p
		if n := len(c.stops); about.about == events.AboutStop && (n == 0 || c.stops[n-1].seq < rec.Seq) {
			c.stops = append(c.stops, telling{rec.Seq, strings.Clone(rec.ID), strings.Clone(about.incident)})
		}
	}
	switch d := rec.Data.(type) {
	case events.AlertRaised:
		p.raised = max(p.raised, rec.Seq)
		if d.About == events.AboutBreach { // it is over as it is told
			p.ended = rec.Seq + 1
		}
	case events.AlertReminded:
		p.reminder = max(p.reminder, rec.Seq)
	case events.AlertResolved:
		p.ended = max(p.ended, rec.Seq)
	case events.AlertAcknowledged:
		if p := c.of[d.Incident]; p != nil {
			p.quiet = max(p.quiet, d.Raised)
		}
	case events.AlertDelivered:
		if d.Channel == c.channel {
			c.done[strings.Clone(rec.Cause)] = true
			if p := c.about[rec.Cause]; p != nil {
				p.toldAt = max(p.toldAt, rec.Seq)
			}
		}
	case events.AlertFailed:
		if d.Channel == c.channel {
			id := strings.Clone(rec.Cause)
			c.tries[id] = max(c.tries[id], d.Try)
			c.done[id] = c.done[id] || d.Final
			if c.failed[id].IsZero() {
				c.failed[id] = rec.Time
			}
		}
	}
}
