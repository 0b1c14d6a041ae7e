package logfile

import (
	"fmt"
	"strconv"

	"ibrecorder/events"
)

// joiner makes facts of lines: it remembers what was begun and not ended. One import
// has one, and its goroutine alone uses it.
type joiner struct {
	options  Options
	out      *stream
	sum      *Summary
	now      when // of the line that is read
	open     []*attempt
	attempts int
	lanes    []*lane
	library  bool // the log has lines of the library, which tells of every end
	isDown   bool // the log has said so, and nothing since that speaks against it
	starts   bool // IBC has started a Gateway that has not logged in yet
}

// lane is what is remembered of the lines of one process, or of those that name none.
type lane struct {
	process string
	left    *line // a Disconnecting of which it is not known yet what it ended
	echoes  int   // how many Disconnected are still to come for closes of its own
	asked   *wish // a disconnect that the library tells of, of which the guard has a word to say
}

// lane finds that of a line. When there are too many the oldest is let go: a program
// that is restarted leaves its own behind.
func (j *joiner) lane(l line) *lane {
	for _, n := range j.lanes {
		if n.process == l.process {
			return n
		}
	}
	if len(j.lanes) == open {
		j.settle(j.lanes[0])
		j.lanes = j.lanes[1:]
	}
	n := &lane{process: l.process}
	j.lanes = append(j.lanes, n)
	return n
}

// take understands a line, or reports that it cannot.
func (j *joiner) take(l line) bool {
	p, m := find(l.text)
	if p == nil {
		return false
	}
	j.now = l.when
	if p.begin != libraryFailed {
		j.settle(j.lane(l))
	}
	p.do(j, l, m)
	return true
}

func (j *joiner) name() string { return "try-" + strconv.Itoa(j.attempts) }

// source is who says it: the program that wrote the log, or who.
func (j *joiner) source(who string, inferred bool) string {
	if who == "" {
		who = j.options.Runner
	}
	if inferred {
		return "/runner/" + who + "/inferred"
	}
	return "/runner/" + who
}

func (j *joiner) say(who, attempt string, d events.Payload) {
	j.out.write(j.source(who, false), attempt, j.now, d)
}

func (j *joiner) sayOf(a *attempt, inferred bool, d events.Payload) {
	j.out.write(j.about(a, inferred), a.id, j.now, d)
}

// note writes a remark: a fixed sentence, with numbers of the line at the most.
func (j *joiner) note(who, text string, numbers []string) {
	args := make([]any, len(numbers))
	for i, n := range numbers {
		args[i] = n
	}
	by := who
	if by == "" {
		by = j.options.Runner
	}
	j.say(who, "", events.OperatorNoted{By: by, Text: fmt.Sprintf(text, args...)})
}

// down: the program says that the Gateway needs a restart. Its layers say it one after
// the other, and again for each request that they refuse; that is one report.
func (j *joiner) down() {
	if !j.isDown {
		j.say("", "", events.GatewayDown{Reason: events.DownReported, Text: "The program says that the Gateway must be restarted."})
	}
	j.isDown = true
}

// restartClaimed: whoever restarts a Gateway by a script has only the script's word.
func (j *joiner) restartClaimed() {
	j.say("", "", events.RestartClaimed{By: j.options.Runner, Reason: "An automatic restart of the Gateway, said to have succeeded."})
	j.isDown = false
}

// restarted: IBC has started a Gateway, and it has logged in.
func (j *joiner) restarted() {
	if j.starts {
		j.say(ibc, "", events.RestartObserved{})
		j.isDown = false
	}
	j.starts = false
}

// Codes that explain why a handshake does not become ready.
const (
	codeInUse      = 326
	codeDisclaimer = 10141
)

// code takes in an error or a warning of the Gateway.
func (j *joiner) code(l line, code, request string) {
	n := atoi(code)
	switch {
	case n == 1100 || n == 2110 || n == 1101 || n == 1102:
		j.notice(n)
		if a := j.only(l, func(a *attempt) bool { return a.session }); a != nil {
			if n == 1100 || n == 2110 {
				j.sayOf(a, false, events.SessionDegraded{Code: n})
			} else {
				j.sayOf(a, false, events.SessionRestored{Code: n})
			}
		}
	case n == 1300:
		j.notice(n)
		j.lost(l, events.LostPortReset)
	case request != "-1" || n >= 2100 && n < 2200: // of a request, or of a data farm
	default:
		j.notice(n)
		if a := j.pick(l, func(a *attempt) bool { return a.shaking() && a.stage != events.StageDial }); a != nil {
			a.code = n
		}
	}
}

func (j *joiner) notice(code int64) {
	j.say("", "", events.GatewayNotice{Code: code, Origin: events.OriginWire, Count: 1})
}

// only is the one that passes, nil if there are several or none.
func (j *joiner) only(l line, test func(*attempt) bool) (one *attempt) {
	for _, a := range j.open {
		switch {
		case !a.of(l) || !test(a):
		case one != nil:
			return nil
		default:
			one = a
		}
	}
	return one
}

// What somebody asks the guard over disconnects, and what it answers.
type guard int

const (
	asks guard = iota
	isBlocked
	isForced
)

// wish is a disconnect that somebody asked for: of which attempt, and how far it was.
type wish struct {
	attempt string
	stage   events.Stage
}

// asked: somebody wants to disconnect.
func (j *joiner) asked(l line, answer guard) {
	n := j.lane(l)
	w := wish{stage: events.StageNone}
	if a := j.only(l, (*attempt).shaking); a != nil {
		w = wish{a.id, a.stage}
	} else if a := j.only(l, func(a *attempt) bool { return a.session }); a != nil {
		w = wish{a.id, events.StageReady}
	}
	told := answer == isForced && n.asked != nil // the library was first
	if told {
		w = *n.asked
	}
	n.asked = nil
	say := func(d events.Payload) { j.out.write(j.source("", false), w.attempt, j.now, d) }
	if !told {
		say(events.DisconnectRequested{By: j.options.Runner, Reason: "The program calls disconnect.", Force: answer == isForced})
	}
	switch answer {
	case asks:
		n.asked = &w
	case isBlocked:
		say(events.DisconnectBlocked{Stage: w.stage})
	case isForced:
		say(events.DisconnectForced{Stage: w.stage})
	}
}
