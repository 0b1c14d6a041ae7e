package alert

import (
	"fmt"
	"slices"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/window"
)

// Settings are what people chose.
type Settings struct {
	// Remind is the time between two reminders of a stop, and Most how many there are at
	// most; 0 is none.
	Remind time.Duration
	Most   int64
	// Outage is how long the Gateway may be away before somebody is told.
	Outage time.Duration
	// Windows are when it is expected to be away.
	Windows []window.Window
	// Channels are the names of those that are told.
	Channels []string
}

const (
	// silentAfter is how long a channel may fail before the others are told. A router
	// that restarts takes less.
	silentAfter = 5 * time.Minute
	// breachAgain is when a breach that goes on is told once more.
	breachAgain = 24 * time.Hour
)

// due is what is to be recorded next, nil if nothing is, and after which time the answer
// may be another without an event; 0 is never.
func (l *Ledger) due(gateway string, now Instant, s Settings) (d *events.Draft, wake time.Duration) {
	later := func(after time.Duration) {
		if wake == 0 || after < wake {
			wake = after
		}
	}
	draft := func(cause string, data events.Payload) *events.Draft {
		return &events.Draft{Source: "/recorder", Cause: cause, Data: data}
	}
	named := func(seq uint64) string { return fmt.Sprintf("%s-%d", gateway, seq) }
	over := func(a Alert, cause string, of uint64) *events.Draft {
		r := events.AlertResolved{About: a.About, Incident: a.Incident, Raised: a.Seq, Of: of, ElapsedMS: now.ms(a.At)}
		if a.About == events.AboutStop {
			r.Blocked, r.ElapsedMS = l.denied, now.ms(l.stop.since)
		}
		return draft(cause, r)
	}

	if a := l.stopped; a.stands() && (l.stop.over || l.stop.id != a.Cause) {
		if !l.stop.over { // another stop took its place
			return over(a, l.stop.id, l.stop.seq), 0
		}
		return over(a, l.stop.endID, l.stop.end), 0
	}
	if l.stop.goesOn() && !l.stopped.stands() {
		r := events.AlertRaised{About: events.AboutStop, Incident: named(l.stop.seq), Of: l.stop.seq, Programs: int64(len(l.programs))}
		if l.out.stands() {
			r.Incident = l.out.Incident
		}
		if !l.ready.Wall.IsZero() {
			r.ReadyMS = now.ms(l.ready)
		}
		return draft(l.stop.id, r), 0
	}
	if len(l.breaches) > 0 {
		b := l.breaches[0]
		r := events.AlertRaised{About: events.AboutBreach, Incident: named(b.seq), Of: b.seq}
		if t := l.told[b.key]; t != nil {
			r.Again = t.again
		}
		return draft(b.id, r), 0
	}
	if a := l.stopped; a.stands() && a.Acknowledged.Seq == 0 && a.Reminders < s.Most {
		if left := s.Remind - now.since(a.Last); left > 0 {
			later(left)
		} else {
			return draft(a.ID, events.AlertReminded{Incident: a.Incident, Raised: a.Seq, Number: a.Reminders + 1, Most: s.Most,
				Blocked: l.denied, ElapsedMS: now.ms(l.stop.since)}), 0
		}
	}
	switch a := l.out; {
	case a.stands() && l.outage.over:
		return over(a, l.outage.endID, l.outage.end), 0
	case !a.stands() && l.outage.goesOn() && !l.stop.goesOn():
		if left := s.patience(now, l.outage.since); left > 0 {
			later(left)
		} else {
			r := events.AlertRaised{About: events.AboutOutage, Incident: named(l.outage.seq), Of: l.outage.seq}
			if !l.ready.Wall.IsZero() {
				r.ReadyMS = now.ms(l.ready)
			}
			return draft(l.outage.id, r), 0
		}
	}
	for _, c := range l.channels {
		switch {
		case !slices.Contains(s.Channels, c.Name):
		case c.silent.stands() && c.failed.over:
			return over(c.silent, c.failed.endID, c.failed.end), 0
		case !c.silent.stands() && c.failed.goesOn():
			if left := silentAfter - now.since(c.failed.since); left > 0 {
				later(left)
			} else {
				return draft(c.failed.id, events.AlertRaised{About: events.AboutChannel, Incident: named(c.failed.seq), Of: c.failed.seq, Channel: c.Name}), 0
			}
		}
	}
	switch {
	case l.full.seq == 0:
	case l.room.stands() && l.full.over:
		return over(l.room, l.full.endID, l.full.end), 0
	case l.room.stands() && l.room.Cause != l.full.id: // it has come to its reserve
		return over(l.room, l.full.id, l.full.seq), 0
	case !l.room.stands() && l.full.goesOn():
		return draft(l.full.id, events.AlertRaised{About: events.AboutRoom, Incident: named(l.full.seq), Of: l.full.seq, UsedPercent: l.used}), 0
	}
	return nil, wake
}

// patience is how much longer an outage may last before somebody is told: until it is
// longer than usual, and no window is open in which it is expected.
func (s Settings) patience(now Instant, since Instant) time.Duration {
	if left := s.Outage - now.since(since); left > 0 {
		return left
	}
	until := now.Wall
	for range len(s.Windows) + 1 { // one may begin before another ends
		for _, w := range s.Windows {
			if end, open := w.Open(until); open {
				until = end
			}
		}
	}
	return until.Sub(now.Wall)
}
