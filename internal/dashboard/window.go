package dashboard

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/report"
)

// What is kept of a gateway, whatever its log holds: about 2 MB
// (TestTheWindowIsBounded).
const (
	keptFor      = 30 * 24 * time.Hour // of incidents; pictures go back for a week
	drawnFor     = 7 * 24 * time.Hour
	maxRows      = 100 // of each group of kinds
	maxBands     = 4096
	maxAttempts  = 10_000
	maxIncidents = 100
	maxChannels  = 32
	maxLive      = 256 // sessions whose end has not come
)

// window is what the page knows of one gateway's log: a fold with a short memory. It is
// a value behind one goroutine; whoever draws has a copy.
type window struct {
	fold  *fsm.Folder
	state fsm.State

	first, last events.Event // that were seen
	gateKnown   bool         // an event in the window has moved the gate

	rows      [len(groups)][]row // newest last
	gate, api []band
	sessions  []session
	attempts  []attempt
	begun     map[string]attempt // attempts without an end
	incidents []incident
	channels  []channel
	facts     facts
	denied    int64 // since the last restart.required
}

// row is an event of the tail as it is stored: it is put into words only if it is shown,
// which most never are.
type row struct {
	seq uint64
	at  time.Time
	raw []byte
}

// band is a state from a moment on, until the next one begins.
type band struct {
	state string
	from  time.Time
	seq   uint64
}

// session is one client connection that became ready.
type session struct {
	attempt string
	client  *int64
	bands   []band // at most maxBands together with those of the others
	to      time.Time
	over    bool
}

// attempt is one that has ended, or a number of denied ones.
type attempt struct {
	at                   time.Time
	outcome              outcome
	n                    int64
	dial, version, ready int64 // microseconds, 0 if it did not come so far
}

// outcome is how an attempt ended, in the order in which they are stacked.
type outcome uint8

const (
	succeeded outcome = iota
	failed
	denied
	unclear // abandoned, or nobody knows
)

// incident is a stop until a program is connected again.
type incident struct {
	stop     uint64
	from, to time.Time
	over     bool
	reason   events.DownReason
	released bool
	by       string // whose release it was
}

// channel is what the log says of one way to tell somebody.
type channel struct {
	name               string
	delivered, failed  int64
	lastOK, lastFailed time.Time
	why                string // it failed
}

// groups are the kinds that can be asked for together, by the first part of their names.
var groups = [...]kindGroup{
	{"attempt", []string{"attempt"}},
	{"wire", []string{"client", "dial", "handshake"}},
	{"session", []string{"session", "disconnect"}},
	{"gateway", []string{"gateway"}},
	{"restart", []string{"restart", "retry", "rule", "operator"}},
	{"alert", []string{"alert"}},
	{"recorder", nil}, // all others
}

type kindGroup struct {
	name string
	has  []string
}

func groupOf(k events.Kind) int {
	for i, g := range groups {
		if slices.Contains(g.has, k.Group()) {
			return i
		}
	}
	return len(groups) - 1
}

func newWindow() *window {
	return &window{fold: fsm.NewFolder(), state: fsm.Initial(), begun: map[string]attempt{}}
}

// see takes in the next event. What it keeps of it shares no memory with the record,
// because a long read yields events of one large block.
func (w *window) see(rec events.Record) {
	e := &rec.Event
	gate, api := w.state.Gate, w.state.API
	w.state = w.fold.Apply(w.state, *e)
	if w.first.Seq == 0 {
		w.first = brief(e)
		w.gateKnown = e.Seq == 1
	}
	w.last = brief(e)
	w.gateKnown = w.gateKnown || w.state.Gate != gate
	if w.state.Gate != gate || len(w.gate) == 0 {
		state := string(w.state.Gate)
		if !w.gateKnown {
			state = unseen
		}
		w.gate = bounded(append(w.gate, band{state, e.Time, e.Seq}), maxBands)
	}
	if w.state.API != api || len(w.api) == 0 {
		w.api = bounded(append(w.api, band{string(w.state.API), e.Time, e.Seq}), maxBands)
	}
	g := groupOf(e.Kind())
	w.rows[g] = bounded(append(w.rows[g], row{e.Seq, e.Time, bytes.Clone(rec.Raw)}), maxRows)
	w.facts.see(e)
	w.attempt(e)
	w.session(e)
	w.incident(e)
	w.alert(e)
}

// brief is an event without what it says.
func brief(e *events.Event) events.Event {
	return events.Event{Seq: e.Seq, Time: e.Time, Boot: strings.Clone(e.Boot)}
}

// unseen is the state before the first event that tells it.
const unseen = "not known"

// bounded drops the oldest above most. It copies when the slice is twice as long, so that
// what was dropped is given back.
func bounded[T any](s []T, most int) []T {
	if len(s) < 2*most {
		return s
	}
	return slices.Clone(s[len(s)-most:])
}

func (w *window) attempt(e *events.Event) {
	over := func(o outcome, n int64) {
		a := w.begun[e.Attempt]
		delete(w.begun, e.Attempt)
		a.at, a.outcome, a.n = e.Time, o, n
		w.attempts = bounded(append(w.attempts, a), maxAttempts)
	}
	step := func(set func(*attempt)) {
		if len(w.begun) >= maxLive {
			clear(w.begun) // a storm of attempts that never end: their steps are not measured
		}
		a := w.begun[e.Attempt]
		set(&a)
		w.begun[strings.Clone(e.Attempt)] = a
	}
	switch d := e.Data.(type) {
	case events.DialConnected:
		step(func(a *attempt) { a.dial = d.ElapsedUS })
	case events.HandshakeVersion:
		step(func(a *attempt) { a.version = d.ElapsedUS })
	case events.HandshakeReady:
		step(func(a *attempt) { a.ready = d.ElapsedUS })
	case events.AttemptSucceeded:
		over(succeeded, 1)
	case events.AttemptFailed:
		over(failed, 1)
	case events.AttemptDenied:
		over(denied, d.Count)
		w.denied += d.Count
	case events.AttemptAbandoned, events.AttemptUnknown:
		over(unclear, 1)
	}
}

func (w *window) session(e *events.Event) {
	switch d := e.Data.(type) {
	case events.SessionEstablished:
		w.sessions = append(w.sessions, session{attempt: strings.Clone(e.Attempt), client: idOf(d.ClientID), bands: []band{{"session", e.Time, e.Seq}}})
		w.forget(e.Time)
	case events.SessionDegraded:
		w.turn(e, "degraded")
	case events.SessionMute:
		w.turn(e, "mute")
	case events.SessionRestored:
		w.turn(e, "session")
	case events.SessionLost, events.SessionClosed:
		w.end(e.Attempt, e.Time)
	case events.RecorderStarted: // sessions that we relayed ended with the run
		for i := range w.sessions {
			if x := &w.sessions[i]; !x.over {
				x.over, x.to = true, e.Time
			}
		}
	}
}

// turn is a session that is in another state from here on.
func (w *window) turn(e *events.Event, state string) {
	for i := len(w.sessions) - 1; i >= 0; i-- {
		if x := &w.sessions[i]; x.attempt == e.Attempt && !x.over {
			x.bands = bounded(append(x.bands, band{state, e.Time, e.Seq}), maxLive)
			return
		}
	}
}

func (w *window) end(attempt string, at time.Time) {
	for i := len(w.sessions) - 1; i >= 0; i-- {
		if x := &w.sessions[i]; x.attempt == attempt && !x.over {
			x.over, x.to = true, at
			return
		}
	}
}

// forget drops the sessions that no picture shows, and the oldest of too many.
func (w *window) forget(now time.Time) {
	if len(w.sessions) < 2*maxLive && (w.sessions[0].to.IsZero() || now.Sub(w.sessions[0].to) < 2*drawnFor) {
		return
	}
	w.sessions = slices.DeleteFunc(w.sessions, func(x session) bool { return x.over && now.Sub(x.to) > drawnFor })
	w.sessions = bounded(w.sessions, maxLive)
}

func idOf(id *int64) *int64 {
	if id == nil {
		return nil
	}
	n := *id
	return &n
}

func (w *window) incident(e *events.Event) {
	var last *incident
	if n := len(w.incidents); n > 0 {
		last = &w.incidents[n-1]
	}
	switch d := e.Data.(type) {
	case events.RestartRequired:
		w.denied = 0
		if last != nil && !last.over {
			last.released = false
			return // a probation that failed
		}
		w.incidents = bounded(append(w.incidents, incident{stop: e.Seq, from: e.Time, reason: d.Reason}), maxIncidents)
	case events.RestartAcknowledged:
		if last != nil && !last.over {
			last.released, last.by = true, report.Plain(d.By)
		}
	case events.AttemptSucceeded:
		if last != nil && !last.over && last.released {
			last.over, last.to = true, e.Time
		}
	case events.GatewayContradicted:
		if last != nil && !last.over && d.Ends {
			last.over, last.to = true, e.Time
		}
	}
}

func (w *window) alert(e *events.Event) {
	switch d := e.Data.(type) {
	case events.AlertDelivered:
		c := w.channel(d.Channel)
		c.delivered, c.lastOK, c.why = c.delivered+1, e.Time, ""
	case events.AlertFailed:
		c := w.channel(d.Channel)
		c.failed, c.lastFailed, c.why = c.failed+1, e.Time, report.Plain(d.Text)
	}
}

// channel finds a channel by its name. Beyond the bound the last one stands for all.
func (w *window) channel(name string) *channel {
	name = report.Plain(name)
	i := slices.IndexFunc(w.channels, func(c channel) bool { return c.name == name })
	if i < 0 && len(w.channels) < maxChannels {
		w.channels = append(w.channels, channel{name: strings.Clone(name)})
	}
	if i < 0 {
		i = len(w.channels) - 1
	}
	return &w.channels[i]
}

// copy shares nothing with w that changes.
func (w *window) copy() *window {
	c := *w
	for i := range c.rows {
		c.rows[i] = slices.Clone(c.rows[i])
	}
	c.gate, c.api, c.attempts = slices.Clone(c.gate), slices.Clone(c.api), slices.Clone(c.attempts)
	c.sessions = slices.Clone(c.sessions)
	for i := range c.sessions {
		c.sessions[i].bands = slices.Clone(c.sessions[i].bands)
	}
	c.incidents, c.channels = slices.Clone(c.incidents), slices.Clone(c.channels)
	c.begun = nil
	return &c
}
