package alert

import (
	"slices"
	"strings"
	"time"

	"ibrecorder/events"
)

// Alert is one that was raised. The zero Alert is none.
type Alert struct {
	About    events.About
	Incident string
	ID       string // of its alert.raised
	Seq      uint64 // of its alert.raised
	Cause    string // ID of what it tells of
	At       Instant
	// Reminders were sent, the last one, or the alert itself, at Last.
	Reminders int64
	Last      Instant
	// Acknowledged is the first alert.acknowledged of it, the zero record if there is none.
	Acknowledged events.Record
}

// stands says that it was raised and not resolved.
func (a Alert) stands() bool { return a.Seq != 0 }

// happening is something that goes on until it ends: a stop or an outage.
type happening struct {
	id    string // of the event that it began with
	seq   uint64
	since Instant
	over  bool
	endID string // of the event that ended it
	end   uint64
}

func begun(rec events.Record) happening {
	return happening{id: strings.Clone(rec.ID), seq: rec.Seq, since: instantOf(rec.Event)}
}

func (h *happening) ended(rec events.Record) {
	if h.seq != 0 && !h.over {
		h.over, h.endID, h.end = true, strings.Clone(rec.ID), rec.Seq
	}
}

func (h happening) goesOn() bool { return h.seq != 0 && !h.over }

// absence is why the Gateway is not there.
type absence string

const (
	unseen   absence = "nothing listens, or what does closes at once"
	upstream absence = "it has lost IB"
)

// Ledger is what the log says of alerts, and of what they are about: a fold of it and
// of nothing else. Whoever made one owns it.
type Ledger struct {
	seq  uint64
	last struct{ id, source string } // the last event that is no finding about one, nor about alerts

	stop     happening
	stopped  Alert
	denied   int64           // attempts since the stop began
	ready    Instant         // when a program was last connected
	programs map[string]bool // that have a session, by attempt; true for one that the recorder relays

	outage    happening
	why       absence
	listening events.Listening // as it was read last
	owner     events.Owner     // of what listened then
	degraded  map[string]bool  // sessions that have lost IB, by attempt
	out       Alert

	breaches []breach // that are to be told
	told     map[string]*toldBreach

	channels []ChannelState // by name

	full  happening // the log is nearly full, or has come to its reserve
	used  int64     // how much of its room it took then, in percent
	level events.Level
	room  Alert
}

// breach is a finding that nobody was told of yet.
type breach struct {
	id, key string
	seq     uint64
}

// toldBreach is the last that was told of those by one author against one rule.
type toldBreach struct {
	at    Instant
	again int64 // untold since
}

// ChannelState is one channel as its outcomes in the log have it.
type ChannelState struct {
	Name      string
	Delivered time.Time // when it last took something; zero if it never did
	Failing   string    // why it did not take the last thing; "" if it did
	failed    happening // from the first try that failed on
	silent    Alert
}

// maxAuthors bounds whose breaches are told apart, and maxSessions the sessions that
// are known: IB allows 32 clients for one gateway.
const (
	maxAuthors  = 64
	maxSessions = 256
)

func newLedger() *Ledger {
	return &Ledger{programs: map[string]bool{}, degraded: map[string]bool{}, told: map[string]*toldBreach{}}
}

// take folds the next event of the log.
func (l *Ledger) take(rec events.Record) {
	l.seq = rec.Seq
	if d, found := rec.Data.(events.RuleViolated); found {
		l.breach(rec, d)
		return
	}
	if rec.Kind().Group() == "alert" {
		l.alert(rec)
		return
	}
	l.last.id, l.last.source = rec.ID, rec.Source
	switch d := rec.Data.(type) {
	case events.RecorderStarted:
		clear(l.programs)
		clear(l.degraded)
		if !l.out.stands() { // nobody has looked since
			unlisted := l.outage.goesOn() && l.why == unseen && l.listening == events.ListeningNo
			l.outage = happening{}
			if unlisted { // the watch records what has changed: it would say nothing of a port that is still closed
				l.absent(rec, unseen)
			}
		}
	case events.RecorderRoom:
		l.fills(rec, d)
	case events.RestartRequired:
		l.stop, l.denied = begun(rec), 0
		l.forgetBreaches()
	case events.RestartAcknowledged:
		l.stop.ended(rec)
		l.forgetBreaches()
	case events.GatewayContradicted:
		if d.Ends {
			l.stop.ended(rec)
			l.forgetBreaches()
		}
	case events.AttemptDenied:
		l.denied += d.Count
	case events.AttemptSucceeded:
		if len(l.programs) < maxSessions {
			l.programs[strings.Clone(rec.Attempt)] = own(rec)
		}
		l.isReady(rec)
	case events.HandshakeReady, events.SessionEstablished:
		l.isReady(rec)
	case events.SessionLost, events.SessionClosed:
		delete(l.programs, rec.Attempt)
		delete(l.degraded, rec.Attempt)
	case events.SessionDegraded:
		if len(l.degraded) < maxSessions {
			l.degraded[strings.Clone(rec.Attempt)] = true
		}
		l.absent(rec, upstream)
	case events.SessionRestored:
		clear(l.degraded)
		l.present(rec, upstream)
	case events.AttemptFailed:
		switch d.Reason {
		case events.Refused, events.Unreachable, events.FINBeforeVersion, events.RSTBeforeVersion:
			if own(rec) || !l.knownBetter(d.Reason) {
				l.absent(rec, unseen)
			}
		}
	case events.GatewayObserved:
		l.listening, l.owner = d.Listening, d.Owner
		switch d.Listening {
		case events.ListeningNo:
			l.absent(rec, unseen)
		case events.ListeningYes:
			l.present(rec, unseen)
		}
	}
}

// own says that the recorder has seen it itself, at a connection that it relays.
func own(rec events.Record) bool { return rec.Source == "/tap" || rec.Source == "/session" }

// knownBetter says that somebody's report of such a failure is about something else than the
// Gateway, a wrong port in its configuration say: a program that is relayed has a session,
// or the port was read and somebody listens. A forwarder accepts whatever the Gateway behind
// it does, so that it listens says nothing against an end before the version.
func (l *Ledger) knownBetter(why events.FailReason) bool {
	for _, relayed := range l.programs {
		if relayed {
			return true
		}
	}
	if l.listening != events.ListeningYes {
		return false
	}
	return why == events.Refused || why == events.Unreachable || l.owner == events.OwnerGateway
}

func (l *Ledger) isReady(rec events.Record) {
	l.ready = instantOf(rec.Event)
	l.present(rec, unseen)
	if len(l.degraded) == 0 { // an API that answers says nothing of IB behind it
		l.present(rec, upstream)
	}
}

// absent begins an outage, unless one goes on.
func (l *Ledger) absent(rec events.Record, why absence) {
	if !l.outage.goesOn() {
		l.outage, l.why = begun(rec), why
	}
}

// present ends an outage of that kind.
func (l *Ledger) present(rec events.Record, why absence) {
	if l.why == why {
		l.outage.ended(rec)
	}
}

// fills takes in a level of room. The reserve is news to who was warned: nobody may connect
// any more. That it is left for a warning is none.
func (l *Ledger) fills(rec events.Record, d events.RecorderRoom) {
	switch {
	case d.Level == events.LevelAmple:
		if l.full.seq == 0 { // its beginning was archived
			l.full = begun(rec)
		}
		l.full.ended(rec)
	case !l.full.goesOn(), d.Level == events.LevelReserve && l.level != events.LevelReserve:
		l.full, l.used = begun(rec), d.UsedBytes*100/max(1, d.LimitBytes)
	}
	l.level = d.Level
}

func (l *Ledger) forgetBreaches() { clear(l.told) }

// breach takes in a finding: one is told for each author and rule, and the others are
// counted, until a stop begins or ends or a day has passed.
func (l *Ledger) breach(rec events.Record, d events.RuleViolated) {
	author := ""
	if rec.Cause == l.last.id {
		author = l.last.source
	}
	key := d.Rule + " " + author
	if t := l.told[key]; t != nil && instantOf(rec.Event).since(t.at) < breachAgain {
		t.again++
		return
	} else if t == nil && len(l.told) >= maxAuthors {
		return
	} else if t == nil {
		l.told[key] = &toldBreach{at: instantOf(rec.Event)}
	} else {
		t.at = instantOf(rec.Event)
	}
	l.breaches = append(l.breaches, breach{strings.Clone(rec.ID), key, rec.Seq})
}

// alert takes in what was recorded of alerts.
func (l *Ledger) alert(rec events.Record) {
	now := instantOf(rec.Event)
	switch d := rec.Data.(type) {
	case events.AlertRaised:
		a := Alert{About: d.About, Incident: strings.Clone(d.Incident), ID: strings.Clone(rec.ID), Seq: rec.Seq, Cause: strings.Clone(rec.Cause), At: now, Last: now}
		switch d.About {
		case events.AboutStop:
			l.stopped = a
			if l.out.Incident == a.Incident { // it has become this stop
				l.out = Alert{}
			}
		case events.AboutOutage:
			l.out = a
		case events.AboutBreach:
			l.breaches = slices.DeleteFunc(l.breaches, func(b breach) bool {
				if b.id != rec.Cause {
					return false
				}
				if t := l.told[b.key]; t != nil {
					t.again = 0
				}
				return true
			})
		case events.AboutChannel:
			l.channel(d.Channel).silent = a
		case events.AboutRoom:
			l.room = a
		}
	case events.AlertReminded:
		if d.Raised == l.stopped.Seq {
			l.stopped.Reminders, l.stopped.Last = d.Number, now
		}
	case events.AlertAcknowledged:
		for _, a := range []*Alert{&l.stopped, &l.out} {
			if a.stands() && a.Seq == d.Raised && a.Acknowledged.Seq == 0 {
				a.Acknowledged = rec
			}
		}
	case events.AlertResolved:
		for _, a := range []*Alert{&l.stopped, &l.out, &l.room} {
			if a.Seq == d.Raised {
				*a = Alert{}
			}
		}
		for i := range l.channels {
			if l.channels[i].silent.Seq == d.Raised {
				l.channels[i].silent = Alert{}
			}
		}
	case events.AlertDelivered:
		c := l.channel(d.Channel)
		c.Delivered, c.Failing = rec.Time, ""
		c.failed.ended(rec)
	case events.AlertFailed:
		c := l.channel(d.Channel)
		c.Failing = strings.Clone(d.Text)
		if !c.failed.goesOn() {
			c.failed = begun(rec)
		}
	}
}

// channel finds a channel, and adds it.
func (l *Ledger) channel(name string) *ChannelState {
	i, is := slices.BinarySearchFunc(l.channels, name, func(c ChannelState, n string) int { return strings.Compare(c.Name, n) })
	if !is {
		l.channels = slices.Insert(l.channels, i, ChannelState{Name: strings.Clone(name)})
	}
	return &l.channels[i]
}
