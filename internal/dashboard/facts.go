package dashboard

import (
	"strings"
	"time"

	"ibrecorder/events"
)

// facts are the last words of the log on each layer between a program and the market.
type facts struct {
	boot    string
	started time.Time // of the run

	seen     sighting // the last reading of the listener
	accepted contact  // TCP
	answered contact  // the API
	wedged   bool     // the reading proves that nobody accepts
	data     [3]farm  // of each kind of data connection
}

// sighting is a reading of the Gateway's listener, and since when it has said the same.
type sighting struct {
	listening events.Listening
	owner     events.Owner
	process   string
	pid       int64
	text      string
	boot      string
	since     time.Time
}

// contact is the last thing that was learned by talking.
type contact struct {
	ok  bool
	at  time.Time // of the last that said so
	why string    // not
}

// farm is what the Gateway said last of one kind of its data connections.
type farm struct {
	said bool
	ok   bool
	at   time.Time // since when
	code int64
}

// farmCodes are what IB says of its market data, historical data and security definition
// connections (docs/explain.md has what each means). 2107 and 2108 are connections that are idle
// and come back on demand.
var farmCodes = map[int64]struct {
	farm int
	ok   bool
}{
	2103: {0, false}, 2104: {0, true}, 2108: {0, true},
	2105: {1, false}, 2106: {1, true}, 2107: {1, true},
	2157: {2, false}, 2158: {2, true},
}

func (f *facts) see(e *events.Event) {
	switch d := e.Data.(type) {
	case events.RecorderStarted:
		f.boot, f.started = strings.Clone(e.Boot), e.Time
		f.data = [3]farm{} // whoever heard it is gone
	case events.GatewayObserved:
		f.observed(e, d)
	case events.DialConnected:
		f.accepted = contact{ok: true, at: e.Time}
	case events.DialFailed:
		why := string(d.Reason)
		switch d.Reason {
		case events.Refused:
			why = "a dial was refused: nothing listens"
		case events.DialTimeout:
			why = "a dial timed out"
		case events.Unreachable:
			why = "the network says that there is no way to it"
		}
		f.accepted = contact{at: e.Time, why: why}
	case events.HandshakeVersion, events.HandshakeReady, events.AttemptSucceeded:
		f.answered = contact{ok: true, at: e.Time}
	case events.AttemptFailed:
		f.failed(e.Time, d)
	case events.GatewayNotice:
		f.notice(e.Time, d)
	}
}

func (f *facts) observed(e *events.Event, d events.GatewayObserved) {
	now := sighting{
		listening: d.Listening, owner: d.Owner, process: strings.Clone(d.Process), pid: d.PID, text: strings.Clone(d.Text),
		boot: strings.Clone(e.Boot), since: e.Time,
	}
	if old := f.seen; old.listening == now.listening && old.owner == now.owner && old.pid == now.pid {
		now.since = old.since
	}
	f.seen, f.wedged = now, d.WedgedSamples > 0
}

// failed is what an end says of the API: only silence and a wrong answer speak against it.
func (f *facts) failed(at time.Time, d events.AttemptFailed) {
	switch d.Reason {
	case events.AcceptedNoBytes:
		f.answered = contact{at: at, why: "it accepted a connection and sent no byte"}
	case events.VersionNoReady:
		f.answered = contact{at: at, why: "it answered the hello and then not the program"}
	case events.FINBeforeVersion, events.RSTBeforeVersion:
		f.answered = contact{at: at, why: "it closed the connection before it said its version"}
	case events.BadVersion:
		f.answered = contact{at: at, why: "what it said is not the protocol"}
	case events.ReportedTimeout:
		f.answered = contact{at: at, why: "a program reports that it waited in vain"}
	}
}

func (f *facts) notice(at time.Time, d events.GatewayNotice) {
	c, known := farmCodes[d.Code]
	if !known || d.Origin != events.OriginWire {
		return
	}
	x := &f.data[c.farm]
	if !x.said || x.ok != c.ok {
		x.at = at
	}
	x.said, x.ok, x.code = true, c.ok, d.Code
}
