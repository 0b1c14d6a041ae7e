package logfile

import (
	"slices"

	"ibrecorder/events"
)

// teller is who tells of an attempt: several layers of one program may tell of the same.
type teller uint8

const (
	byLibrary teller = 1 << iota
	byWorker
	byManager
	byRecovery
	byWatchdog
)

// attempt is one connect that a log tells of, from its first line to the end of its
// session.
type attempt struct {
	id        string
	processes []string // that told of it
	tellers   teller
	client    *int64
	limitMS   int64 // its program's timeout, 0 if nobody said
	begins    bool  // the log has its beginning
	begun     when
	accepted  when
	stage     events.Stage
	version   int64
	code      int64             // of an error that explains why it does not become ready
	dropped   events.FailReason // the Gateway closed it before its version
	over      bool              // its end is told; the library has a word to say yet
	session   bool
	unsure    bool // which of several its lines are about was told by their order alone
}

// of reports whether a line of a process may be about it.
func (a *attempt) of(l line) bool {
	return l.process == "" || len(a.processes) == 0 || slices.Contains(a.processes, l.process)
}

func (a *attempt) shaking() bool { return !a.over && !a.session }

// open bounds the attempts and sessions that are followed at once. IB allows 32 clients
// for one gateway; the oldest is let go, and its end is unknown.
const open = 64

// pick finds the attempt that a line is about: the first test that any attempt passes
// decides, and among several it is the oldest, which is then unsure.
func (j *joiner) pick(l line, tests ...func(*attempt) bool) *attempt {
	for _, test := range tests {
		var found *attempt
		for _, a := range j.open {
			switch {
			case !a.of(l) || !test(a):
			case found == nil:
				found = a
			default:
				found.unsure = true
				j.sum.ByOrder++
				return found
			}
		}
		if found != nil {
			return found
		}
	}
	return nil
}

func (j *joiner) forget(a *attempt) {
	j.open = slices.DeleteFunc(j.open, func(o *attempt) bool { return o == a })
}

// about is the source of what is said of an attempt, marked if it is not what the log
// says but what follows from it.
func (j *joiner) about(a *attempt, inferred bool) string {
	who := ""
	if a.tellers == byWatchdog {
		who = watchdog
	}
	return j.source(who, inferred || a.unsure)
}

// begin takes in that somebody wants to connect. A layer that tells of an attempt which
// another layer has told of already tells of the same one.
func (j *joiner) begin(l line, by teller, client *int64, seconds string) {
	limit := milliseconds(seconds)
	for _, a := range j.open {
		same := a.client == nil || client == nil || *a.client == *client
		if a.shaking() && a.stage == events.StageDial && a.tellers&by == 0 && same && (by != byWatchdog) {
			a.tellers |= by
			if a.client == nil {
				a.client = client
			}
			if a.limitMS == 0 {
				a.limitMS = limit
			}
			if by == byLibrary {
				a.begun = l.when
			}
			if l.process != "" {
				a.processes = append(a.processes, l.process)
			}
			return
		}
	}
	// Whoever begins anew with the same client id has given up what was before.
	for _, a := range slices.Clone(j.open) {
		same := a.client == nil && client == nil || a.client != nil && client != nil && *a.client == *client
		switch {
		case a.tellers&by == 0 || !same || !a.of(l):
		case a.shaking():
			j.unknown(a)
		case a.over:
			j.forget(a)
		}
	}
	if len(j.open) == open {
		if oldest := j.open[0]; oldest.shaking() {
			j.unknown(oldest)
		} else {
			j.forget(oldest)
		}
	}
	j.attempts++
	a := &attempt{id: j.name(), tellers: by, client: client, limitMS: limit, begins: true, begun: l.when, stage: events.StageDial}
	if l.process != "" {
		a.processes = []string{l.process}
	}
	j.open = append(j.open, a)
	j.sayOf(a, false, events.AttemptRequested{ClientID: client, TimeoutMS: limit})
}

// unknown ends an attempt of whose end the log says nothing.
func (j *joiner) unknown(a *attempt) {
	j.sayOf(a, false, events.AttemptUnknown{Reason: events.UnknownReported})
	j.forget(a)
}

// accepted: TCP is up. With ib_async that is all that "Connected" means.
func (j *joiner) accepted(l line) {
	if a := j.pick(l, func(a *attempt) bool { return a.shaking() && a.stage == events.StageDial && a.tellers&byLibrary != 0 }); a != nil {
		a.stage, a.accepted = events.StageConnected, l.when
	}
}

// versioned: the library has sent its startAPI when it says so.
func (j *joiner) versioned(l line, version string) {
	if a := j.pick(l, func(a *attempt) bool { return a.shaking() && a.stage == events.StageConnected }, (*attempt).shaking); a != nil {
		a.stage, a.version = events.StageStarted, atoi(version)
	}
}

func (j *joiner) ready(l line, by teller) {
	a := j.pick(l,
		func(a *attempt) bool { return a.shaking() && a.tellers&by != 0 && a.stage == events.StageStarted },
		func(a *attempt) bool { return a.shaking() && a.tellers&by != 0 },
		func(a *attempt) bool { return a.shaking() && by != byLibrary })
	if a == nil {
		return // the library has told it, or the log begins behind its begin
	}
	done := events.AttemptSucceeded{ClientID: a.client, ServerVersion: a.version}
	if d, ok := l.when.since(a.begun); ok {
		done.ElapsedUS = d.Microseconds()
	}
	j.sayOf(a, false, done)
	j.sayOf(a, false, events.SessionEstablished{ClientID: a.client, ServerVersion: a.version})
	a.session, a.stage = true, events.StageReady
	j.isDown = false
}
