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

// question is what is to be recorded of a ledger at a moment.
type question struct {
	*Ledger
	gateway string
	now     Instant
	Settings
	// wake is after which time the answer may be another without an event; 0 is never.
	wake time.Duration
}

// due is what is to be recorded next, nil if nothing is, and after which time the answer
// may be another without an event; 0 is never. What comes first is what people need first.
func (l *Ledger) due(gateway string, now Instant, s Settings) (d *events.Draft, wake time.Duration) {
	q := question{Ledger: l, gateway: gateway, now: now, Settings: s}
	for _, ask := range []func() *events.Draft{q.ofStop, q.ofBreach, q.ofReminder, q.ofOutage, q.ofChannels, q.ofRoom} {
		if d := ask(); d != nil {
			return d, 0
		}
	}
	return nil, q.wake
}

func (q *question) ofStop() *events.Draft {
	if a := q.stopped; a.stands() && (q.stop.over || q.stop.id != a.Cause) {
		if !q.stop.over { // another stop took its place
			return q.resolved(a, q.stop.id, q.stop.seq)
		}
		return q.resolved(a, q.stop.endID, q.stop.end)
	}
	if !q.stop.goesOn() || q.stopped.stands() {
		return nil
	}
	r := events.AlertRaised{About: events.AboutStop, Incident: q.named(q.stop.seq), Of: q.stop.seq, Programs: int64(len(q.programs)), ReadyMS: q.sinceReady()}
	if q.out.stands() {
		r.Incident = q.out.Incident
	}
	return draft(q.stop.id, r)
}

func (q *question) ofBreach() *events.Draft {
	if len(q.breaches) == 0 {
		return nil
	}
	b := q.breaches[0]
	r := events.AlertRaised{About: events.AboutBreach, Incident: q.named(b.seq), Of: b.seq}
	if t := q.told[b.key]; t != nil {
		r.Again = t.again
	}
	return draft(b.id, r)
}

func (q *question) ofReminder() *events.Draft {
	a := q.stopped
	if !a.stands() || a.Acknowledged.Seq != 0 || a.Reminders >= q.Most || q.wait(q.Remind-q.now.since(a.Last)) {
		return nil
	}
	return draft(a.ID, events.AlertReminded{Incident: a.Incident, Raised: a.Seq, Number: a.Reminders + 1, Most: q.Most,
		Blocked: q.denied, ElapsedMS: q.now.ms(q.stop.since)})
}

func (q *question) ofOutage() *events.Draft {
	switch a := q.out; {
	case a.stands() && q.outage.over:
		return q.resolved(a, q.outage.endID, q.outage.end)
	case a.stands() || !q.outage.goesOn() || q.stop.goesOn() || q.wait(q.patience(q.now, q.outage.since)):
		return nil
	}
	return draft(q.outage.id, events.AlertRaised{About: events.AboutOutage, Incident: q.named(q.outage.seq), Of: q.outage.seq, ReadyMS: q.sinceReady()})
}

func (q *question) ofChannels() *events.Draft {
	for _, c := range q.channels {
		switch {
		case !slices.Contains(q.Channels, c.Name):
			if c.silent.stands() { // it is told nothing any more
				return q.resolved(c.silent, c.failed.id, c.failed.seq)
			}
		case c.silent.stands() && c.failed.over:
			return q.resolved(c.silent, c.failed.endID, c.failed.end)
		case !c.silent.stands() && c.failed.goesOn() && !q.wait(silentAfter-q.now.since(c.failed.since)):
			return draft(c.failed.id, events.AlertRaised{About: events.AboutChannel, Incident: q.named(c.failed.seq), Of: c.failed.seq, Channel: c.Name})
		}
	}
	return nil
}

func (q *question) ofRoom() *events.Draft {
	switch {
	case q.full.seq == 0:
	case q.room.stands() && q.full.over:
		return q.resolved(q.room, q.full.endID, q.full.end)
	case q.full.goesOn() && q.room.Cause != q.full.id: // it is nearly full, or has come to its reserve
		r := events.AlertRaised{About: events.AboutRoom, Incident: q.named(q.full.seq), Of: q.full.seq, UsedPercent: q.used}
		if q.room.stands() {
			r.Incident = q.room.Incident
		}
		return draft(q.full.id, r)
	}
	return nil
}

func draft(cause string, data events.Payload) *events.Draft {
	return &events.Draft{Source: "/recorder", Cause: cause, Data: data}
}

// resolved is the end of an alert.
func (q *question) resolved(a Alert, cause string, of uint64) *events.Draft {
	r := events.AlertResolved{About: a.About, Incident: a.Incident, Raised: a.Seq, Of: of, ElapsedMS: q.now.ms(a.At)}
	if a.About == events.AboutStop {
		r.Blocked, r.ElapsedMS = q.denied, q.now.ms(q.stop.since)
	}
	return draft(cause, r)
}

func (q *question) named(seq uint64) string { return fmt.Sprintf("%s-%d", q.gateway, seq) }

// sinceReady is how long the Gateway has not been ready, 0 if it never was.
func (q *question) sinceReady() int64 {
	if q.ready.Wall.IsZero() {
		return 0
	}
	return q.now.ms(q.ready)
}

// wait says whether something is not due yet, and keeps when it will be.
func (q *question) wait(left time.Duration) bool {
	if left <= 0 {
		return false
	}
	if q.wake == 0 || left < q.wake {
		q.wake = left
	}
	return true
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
