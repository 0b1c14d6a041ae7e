package explore

import (
	"fmt"
	"slices"

	"ibrecorder/events"
	"ibrecorder/fsm"
)

// move is one thing that may happen. Which ones may is a function of what the key
// tells, and so is their order: a move is known by its place.
type move struct {
	what verb
	at   int   // of Sessions, or of Waiting
	id   int64 // client id
}

type verb uint8

const (
	none verb = iota
	arrives
	leavesQueue
	unused
	dials
	connects
	refused
	dialTimesOut
	unreachable
	answers
	silent
	closes
	resets
	garbles
	starts
	neverStarts
	closesLate
	readies
	readyNotCome
	idInUse
	disclaimer
	explains
	noAccounts
	leaves
	gone
	goneAnswered
	degrades
	restores
	mutes
	loses
	ends
	leases
	tellsReady
	tellsTimeout
	tellsShortTimeout
	tellsRefused
	tellsUnknown
	tellsLate
	bypassReady
	bypassTimeout
	bypassRefused
	bypassLost
	bypassDown
	claims
	overrides
	reads
	readsWedged
	exits
	comesBack
	disconnects
	disconnectsOne
	forces
	runnerDisconnects
	waits
	restarts
	stops
)

// moves are what may happen in p.
func (p *product) moves(out []move) []move {
	c := &p.m.cast
	add := func(at int, what ...verb) {
		for _, v := range what {
			out = append(out, move{what: v, at: at})
		}
	}
	programs, leased := len(p.s.Waiting), false
	for _, x := range p.s.Sessions {
		if x.By != "" {
			leased = true
		} else {
			programs++
		}
	}
	leased = leased || slices.ContainsFunc(p.s.Waiting, func(r fsm.Request) bool { return r.By != "" })
	if programs < c.Programs {
		add(0, arrives)
	}
	for i, r := range p.s.Waiting {
		if r.By == "" {
			add(i, leavesQueue)
		}
	}
	for i, x := range p.s.Sessions {
		switch {
		case x.By != "":
			add(i, tellsReady, tellsTimeout, tellsShortTimeout, tellsRefused, tellsUnknown)
		case x.Ended:
			add(i, session(x)...)
		case x.Boot == p.s.Boot:
			add(i, p.handshake(x)...)
			if !c.Steps && c.IDs > 0 {
				out = append(out, move{readies, i, 1}, move{readies, i, 2}, move{idInUse, i, 1}, move{goneAnswered, i, 1})
			}
		}
	}
	if c.Leases && !leased {
		add(0, leases)
	}
	if p.late != "" {
		add(0, tellsLate)
	}
	if c.Reports {
		add(0, bypassReady, bypassTimeout, bypassRefused, bypassLost, bypassDown)
	}
	switch {
	case c.Claims:
		add(0, claims, overrides)
	case p.s.Gate == fsm.Stopped:
		add(0, overrides)
	}
	if c.Watch {
		if p.news() {
			add(0, reads)
		}
		switch p.gw.kind {
		case nothing:
			add(0, comesBack)
		case itself:
			add(0, exits, readsWedged)
		case forwarder:
			add(0, exits)
		}
	}
	if c.Disconnects {
		add(0, disconnects, disconnectsOne, forces, runnerDisconnects)
	}
	if p.next() != 0 {
		add(0, waits)
	}
	add(0, restarts)
	if c.Steps || c.Sessions > 0 {
		add(0, stops)
	}
	return out
}

// handshake is what may happen to a permitted attempt that we relay.
func (p *product) handshake(x *fsm.Session) []verb {
	switch c := &p.m.cast; {
	case c.IDs > 0:
		return []verb{silent, closes}
	case c.Claims, c.Leases, c.Reports:
		return []verb{unused, refused, silent, readies}
	case c.Sessions > 0 && !c.Steps:
		return []verb{unused, refused, silent, closes, readies, goneAnswered}
	case !c.Steps:
		return []verb{unused, refused, dialTimesOut, silent, closes, readies, gone, goneAnswered}
	}
	left := x.Phase == fsm.Closing
	switch {
	case x.Stage == events.StageNone && left:
		return []verb{unused, gone}
	case x.Stage == events.StageNone:
		return []verb{dials, unused}
	case x.Stage == events.StageDial && left:
		return []verb{connects, refused, gone}
	case x.Stage == events.StageDial:
		return []verb{connects, refused, unreachable, leaves, gone}
	case x.Stage == events.StageConnected && left:
		return []verb{silent, closes, gone, goneAnswered}
	case x.Stage == events.StageConnected:
		return []verb{answers, silent, closes, resets, garbles, leaves}
	case x.Stage == events.StageVersioned && left:
		return []verb{goneAnswered, gone}
	case x.Stage == events.StageVersioned:
		return []verb{starts, neverStarts, closesLate, goneAnswered}
	case left:
		return []verb{readyNotCome, idInUse, goneAnswered, gone}
	}
	return []verb{readies, readyNotCome, idInUse, disclaimer, explains, noAccounts, closesLate, leaves}
}

// session is what may happen to one that was ready.
func session(x *fsm.Session) []verb {
	switch x.Phase {
	case fsm.SessionReady:
		return []verb{degrades, mutes, loses, ends}
	case fsm.SessionDegraded:
		return []verb{restores, mutes, loses, ends}
	case fsm.Mute:
		return []verb{restores, loses, ends}
	}
	return []verb{ends, loses}
}

// next is when the first span that anybody waits for is over, 0 if none runs.
func (p *product) next() (first int64) {
	params := &p.m.params
	until := func(ns int64) {
		if ns > p.now && (first == 0 || ns < first) {
			first = ns
		}
	}
	if p.s.Gate != fsm.Stopped {
		until(p.s.Delay.Until())
		if n := int64(len(p.s.Failures)); n >= params.WindowFailures {
			until(fsm.After(p.s.Failures[n-params.WindowFailures], params.WindowMS))
		}
	}
	if p.s.Trial.On {
		until(fsm.After(p.s.Trial.Released, params.SettleMS))
		if p.s.Trial.Tried {
			until(fsm.After(p.s.Trial.LastEnd, params.ProbationSpacingMS))
		}
	}
	for _, c := range p.s.Clients {
		until(c.Delay.Until())
	}
	for _, x := range p.s.Sessions {
		if !x.Ended {
			until(x.Lease.Until())
		}
	}
	return first
}

// news says whether a reading of the listener would prove another thing than the last.
func (p *product) news() bool {
	d, o := p.reading("").Data.(events.GatewayObserved), p.s.Observed
	return d.PID != o.PID || (d.Listening == events.ListeningNo) != (o.Listening == events.ListeningNo)
}

// String is what happened, for people.
func (m move) String() string {
	if m.id != 0 {
		return fmt.Sprintf("client %d: %s", m.id, sentences[m.what])
	}
	return sentences[m.what]
}

var sentences = [...]string{
	none: "nothing",

	arrives:      "a program connects to the port and asks",
	leavesQueue:  "a program that waits leaves",
	unused:       "the permit is not used, its program has left",
	dials:        "the recorder dials",
	connects:     "TCP is accepted",
	refused:      "the dial is refused",
	dialTimesOut: "the dial times out",
	unreachable:  "the network is unreachable",
	answers:      "the Gateway answers the hello",
	silent:       "the Gateway accepts and is silent for the whole version budget",
	closes:       "the Gateway closes before its version",
	resets:       "the Gateway resets before its version",
	garbles:      "the Gateway answers what is no version",
	starts:       "the program sends startAPI",
	neverStarts:  "the program never sends startAPI",
	closesLate:   "the Gateway closes before ready",
	readies:      "the handshake is complete: ready",
	readyNotCome: "the Gateway is silent after startAPI for the whole ready budget",
	idInUse:      "the client id is in use (326)",
	disclaimer:   "the disclaimer is not accepted (10141)",
	explains:     "an error explains why ready does not come",
	noAccounts:   "ready comes without accounts",
	leaves:       "the program leaves in mid-handshake, the Gateway's side stays",
	gone:         "the attempt ends unanswered, its program has left",
	goneAnswered: "the Gateway answers, its program has left",
	degrades:     "the session loses IB (1100)",
	restores:     "the session works again",
	mutes:        "the session is mute",
	loses:        "the Gateway closes the session",
	ends:         "the program closes its session",

	leases:            "a runner asks for a lease",
	tellsReady:        "the runner tells that it is ready",
	tellsTimeout:      "the runner tells of a timeout",
	tellsShortTimeout: "the runner tells of a timeout too short to prove anything",
	tellsRefused:      "the runner tells that it was refused",
	tellsUnknown:      "the runner does not know how it ended",
	tellsLate:         "the runner tells of a timeout after its lease has expired",
	bypassReady:       "a runner that asked nobody tells that it is ready",
	bypassTimeout:     "a runner that asked nobody tells of a timeout",
	bypassRefused:     "a runner that asked nobody tells that it was refused",
	bypassLost:        "a runner that asked nobody tells that it lost its session",
	bypassDown:        "a runner reports the Gateway down",

	claims:      "an operator says that the Gateway was restarted",
	overrides:   "an operator overrides",
	reads:       "the listener is read",
	readsWedged: "the listener is read: it leaves a connection unaccepted for the whole version budget",
	exits:       "the Gateway exits",
	comesBack:   "the Gateway comes back",

	disconnects:       "an operator asks to disconnect all",
	disconnectsOne:    "an operator asks to disconnect client 1",
	forces:            "an operator forces a disconnect",
	runnerDisconnects: "a runner asks whether it may disconnect",

	waits:    "time passes until the next wait is over",
	restarts: "the recorder dies and starts again",
	stops:    "the recorder is stopped in order and starts again",
}
