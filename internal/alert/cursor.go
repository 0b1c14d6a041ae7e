package alert

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
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
// event stands behind it. Run's handler owns it.
type cursor struct {
	log     reader
	channel string
	head    uint64                    // how far it has read
	done    map[string]bool           // told, or given up; by the ID of what was to be told
	tries   map[string]int64          // that failed
	failed  map[string]time.Time      // when the first did
	raised  map[uint64]*progress      // by the sequence of the alert.raised
	about   map[string]uint64         // that sequence, by the ID of what tells of the alert
	taken   map[string]events.Payload // the channel took it, and the log does not say so yet
	stops   []telling                 // what tells of a stop, in the order of the log
}

// telling is an event that tells of an alert.
type telling struct {
	seq uint64
	id  string
}

// progress is what became of an alert.
type progress struct {
	incident string
	toldAt   uint64 // sequence of the last alert.delivered of anything about the incident, 0 if there is none
	reminder uint64 // sequence of its last alert.reminded
	quiet    bool   // acknowledged: nobody is reminded any more
	over     bool   // a breach is from the first: it goes on no longer; another alert of the incident takes its place
}

func newCursor(log reader, channel string) *cursor {
	return &cursor{log: log, channel: channel, done: map[string]bool{}, tries: map[string]int64{}, failed: map[string]time.Time{},
		raised: map[uint64]*progress{}, about: map[string]uint64{}, taken: map[string]events.Payload{}}
}

// of is the alert that an event is about.
func of(rec events.Record) (raised uint64) {
	switch d := rec.Data.(type) {
	case events.AlertRaised:
		return rec.Seq
	case events.AlertReminded:
		return d.Raised
	case events.AlertResolved:
		return d.Raised
	}
	return 0
}

// ofStop reports whether an event tells of a stop.
func ofStop(rec events.Record) bool {
	switch d := rec.Data.(type) {
	case events.AlertRaised:
		return d.About == events.AboutStop
	case events.AlertReminded:
		return true
	case events.AlertResolved:
		return d.About == events.AboutStop
	}
	return false
}

// stopsBehind yields the sequences of what tells of a stop behind seq and is not done.
func (c *cursor) stopsBehind(seq uint64) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		c.stops = slices.DeleteFunc(c.stops, func(t telling) bool { return t.seq <= seq || c.done[t.id] })
		for _, t := range slices.Clone(c.stops) {
			if !yield(t.seq) {
				return
			}
		}
	}
}

// news reports whether the channel is to be told of rec: what is over before somebody
// could be told is not news, and neither is a reminder of what they have just been told.
func (c *cursor) news(ctx context.Context, rec events.Record) (bool, error) {
	c.turnTo(of(rec))
	err := c.read(ctx)
	if gone, ok := errors.AsType[*store.ArchivedError](err); ok { // whoever was told then has not forgotten
		c.raised[of(rec)] = &progress{toldAt: of(rec)}
		c.head = gone.First - 1
		err = c.read(ctx)
	}
	if err != nil {
		return false, fmt.Errorf("read who was told: %w", err)
	}
	p := c.raised[of(rec)]
	if p == nil || c.done[rec.ID] {
		return false, nil
	}
	switch d := rec.Data.(type) {
	case events.AlertRaised:
		return (!p.over || d.About == events.AboutBreach && c.fresh(rec)) && d.Channel != c.channel, nil
	case events.AlertReminded:
		return !p.over && !p.quiet && p.reminder == rec.Seq && p.toldAt < rec.Seq, nil
	case events.AlertResolved:
		return p.toldAt != 0, nil
	}
	return false, nil
}

// fresh says that a breach is still worth telling: it is tried already, or is no older than
// that for which anything is tried. A channel that is new has all of the log before it.
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

// turnTo has the cursor read on so that it knows what became of an alert.
func (c *cursor) turnTo(raised uint64) {
	if c.raised[raised] != nil {
		return
	}
	if raised > c.head { // what lies before it says nothing of it, but may of those that are not over
		for _, p := range c.raised {
			if !p.over {
				return
			}
		}
		clear(c.raised)
		clear(c.about)
		clear(c.done)
		clear(c.tries)
		clear(c.failed)
		c.stops = nil
	}
	c.head = raised - 1
}

// tells notes that an event tells of an alert.
func (c *cursor) tells(rec events.Record, raised uint64) *progress {
	c.about[strings.Clone(rec.ID)] = raised
	return c.raised[raised]
}

func (c *cursor) take(rec events.Record) {
	c.head = rec.Seq
	if n := len(c.stops); ofStop(rec) && (n == 0 || c.stops[n-1].seq < rec.Seq) { // some is read twice
		c.stops = append(c.stops, telling{rec.Seq, strings.Clone(rec.ID)})
	}
	switch d := rec.Data.(type) {
	case events.AlertRaised:
		if c.raised[rec.Seq] == nil {
			p := &progress{incident: strings.Clone(d.Incident), over: d.About == events.AboutBreach}
			for _, before := range c.raised {
				if before.incident == p.incident { // an outage has become a stop, or a log has come to its reserve
					p.toldAt, before.over = max(p.toldAt, before.toldAt), true
				}
			}
			c.raised[rec.Seq] = p
		}
		c.tells(rec, rec.Seq)
	case events.AlertReminded:
		if p := c.tells(rec, d.Raised); p != nil {
			p.reminder = rec.Seq
		}
	case events.AlertAcknowledged:
		if p := c.raised[d.Raised]; p != nil {
			p.quiet = true
		}
	case events.AlertResolved:
		if p := c.raised[d.Raised]; p != nil {
			p.over = true
		}
	case events.AlertDelivered:
		if d.Channel == c.channel {
			c.done[strings.Clone(rec.Cause)] = true
			if p := c.raised[c.about[rec.Cause]]; p != nil {
				p.toldAt = rec.Seq
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
