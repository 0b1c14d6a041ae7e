package dashboard

import (
	"fmt"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/report"
)

// answer is what is known of a layer. Only yes may look healthy.
type answer string

const (
	yes     answer = "yes"
	no      answer = "no"
	unknown answer = "unknown"
	stale   answer = "stale" // it was so, and nobody has looked since
)

// layer is one thing that must work before a program has data, the lowest first. A
// Gateway that accepts and never answers is the one whose picture is always "connected"
// (incidents.md 5, rows 4 and 5), so each is asked by itself.
type layer struct {
	Name   string
	Answer answer
	Since  time.Time // zero if nobody knows
	Text   string
}

const (
	// freshFor is for how long a contact that ended proves that the next would go as well:
	// about the pace at which a program tries again.
	freshFor = 5 * time.Minute
	// firstReading is how long after its start a run may be without a reading of its own:
	// some of the watch's intervals of 10 s. After it silence means that nothing changed.
	firstReading = time.Minute
)

// layersOf is what s and the log say at now.
func layersOf(s httpapi.Status, f facts, now time.Time) []layer {
	live := liveOf(s.Sessions)
	process, listening := seenLayers(s, f, now)
	return []layer{process, listening, acceptingLayer(f, live, now), apiLayer(s, f, live, now), sessionLayer(s, live), dataLayer(f, live)}
}

// live are the sessions that are ready now, by what is wrong with them.
type live struct {
	ready, degraded, mute, unwatched int
	since                            time.Time // of the one that is ready for longest
	worse                            time.Time // of the last that is degraded or mute
	shaking                          int       // handshakes
}

func liveOf(sessions []httpapi.Session) live {
	var l live
	for _, x := range sessions {
		switch fsm.Phase(x.Phase) {
		case fsm.SessionReady:
			l.ready++
			if l.since.IsZero() || x.Since.Before(l.since) {
				l.since = x.Since
			}
		case fsm.SessionDegraded:
			l.degraded++
			l.worse = x.Since
		case fsm.Mute:
			l.mute++
			l.worse = x.Since
		case fsm.Dialing, fsm.Connected, fsm.Versioned:
			l.shaking++
		}
		if x.Unwatched {
			l.unwatched++
		}
	}
	return l
}

func (l live) up() int { return l.ready + l.degraded }

// seenLayers are what was read of the Gateway without a connect.
func seenLayers(s httpapi.Status, f facts, now time.Time) (process, listening layer) {
	process, listening = layer{Name: "process", Answer: unknown}, layer{Name: "listening", Answer: unknown}
	switch {
	case s.Blind != "":
		process.Text, listening.Text = report.Plain(s.Blind), "nothing can be read of its port from here"
		return
	case f.seen.listening == "":
		process.Text, listening.Text = "nothing was read of it yet", "nothing was read of it yet"
		return
	}
	process.Since, listening.Since = f.seen.since, f.seen.since
	old := f.seen.boot != f.boot && now.Sub(f.started) < firstReading
	switch f.seen.listening {
	case events.ListeningYes:
		listening.Answer, listening.Text = yes, "its port is open"
		switch f.seen.owner {
		case events.OwnerGateway:
			process.Answer, process.Text = yes, processName(f.seen)
		case events.OwnerOther:
			process.Text = processName(f.seen) + " listens in its place, and outlives it"
		default:
			process.Text = "whose port it is cannot be read from here"
		}
	case events.ListeningNo:
		listening.Answer, listening.Text = no, "nothing has its port"
		process.Text = "a process without a port cannot be told from none"
	default:
		listening.Text, process.Text = report.Plain(f.seen.text), "whose port it is cannot be read"
	}
	if old {
		for _, l := range []*layer{&process, &listening} {
			if l.Answer != unknown {
				l.Text, l.Answer = fmt.Sprintf("%s, before this run began: %s", l.Answer, l.Text), stale
			}
		}
	}
	return
}

func processName(x sighting) string {
	name := report.Plain(x.process)
	if name == "" {
		name = "a process"
	}
	if x.pid > 0 {
		name += fmt.Sprintf(" (%d)", x.pid)
	}
	return name
}

func acceptingLayer(f facts, l live, now time.Time) layer {
	out := layer{Name: "accepting", Answer: unknown, Since: f.accepted.at}
	switch {
	case f.wedged:
		return layer{out.Name, no, f.seen.since, "connections wait with their hello unread, and nobody takes them"}
	case l.up()+l.mute > 0:
		return layer{out.Name, yes, f.accepted.at, "a connection is open"}
	case f.accepted.at.IsZero():
		out.Text = "nobody has dialled lately"
	case now.Sub(f.accepted.at) > freshFor:
		out.Answer, out.Text = stale, "at the last dial it did"
		if !f.accepted.ok {
			out.Text = "at the last dial it did not: " + f.accepted.why
		}
	case f.accepted.ok:
		out.Answer, out.Text = yes, "TCP, which proves nothing about the API behind it"
	default:
		out.Answer, out.Text = no, f.accepted.why
	}
	return out
}

// apiLayer is about answers. A stop says no for as long as it stands.
func apiLayer(s httpapi.Status, f facts, l live, now time.Time) layer {
	out := layer{Name: "API", Answer: unknown, Since: f.answered.at}
	switch {
	case fsm.Gate(s.Gate) == fsm.Stopped:
		out.Answer, out.Since, out.Text = no, s.Since, "it is down until it was restarted"
		if f.answered.why != "" {
			out.Text = f.answered.why
		}
	case l.up() > 0:
		out.Answer, out.Text = yes, "it answers"
	case f.seen.listening == events.ListeningNo && s.Blind == "":
		out.Answer, out.Text, out.Since = no, "nothing is there that could answer", f.seen.since
	case !f.accepted.ok && f.accepted.at.After(f.answered.at):
		out.Answer, out.Text, out.Since = no, "nothing is there that could answer", f.accepted.at
		if now.Sub(f.accepted.at) > freshFor {
			out.Answer, out.Text = stale, "at the last dial nothing was there that could answer"
		}
	case f.answered.at.IsZero():
		out.Text = "nobody has talked to it lately"
	case now.Sub(f.answered.at) > freshFor:
		out.Answer, out.Text = stale, "the last time it did"
		if !f.answered.ok {
			out.Text = "the last time it did not: " + f.answered.why
		}
	case f.answered.ok:
		out.Answer, out.Text = yes, "it answered the last program"
	default:
		out.Answer, out.Text = no, f.answered.why
	}
	return out
}

func sessionLayer(s httpapi.Status, l live) layer {
	out := layer{Name: "session", Answer: no, Text: "no program is connected"}
	switch {
	case l.up() > 0:
		out.Answer, out.Since, out.Text = yes, l.since, clients(s.Sessions)
		if l.ready == 0 {
			out.Since = l.worse
		}
	case l.mute > 0:
		out.Since, out.Text = l.worse, "the socket is open, and requests are not answered"
	case l.shaking > 0:
		out.Text = "a handshake is under way"
	}
	return out
}

// clients names the programs that are connected.
func clients(sessions []httpapi.Session) string {
	const most = 8
	out, n := "", 0
	for _, x := range sessions {
		if p := fsm.Phase(x.Phase); p != fsm.SessionReady && p != fsm.SessionDegraded {
			continue
		}
		if n++; n > most {
			continue
		}
		name := "one without an id"
		if x.ClientID != nil {
			name = fmt.Sprint(*x.ClientID)
		}
		if out != "" {
			out += ", "
		}
		out += name
	}
	switch {
	case n > most:
		return fmt.Sprintf("clients %s and %d more", out, n-most)
	case n == 1:
		return "client " + out
	}
	return "clients " + out
}

// dataLayer is whether IB is behind the Gateway. It is known from what the Gateway tells
// a program, so without one it is not known.
func dataLayer(f facts, l live) layer {
	out := layer{Name: "data", Answer: unknown, Text: "no program is connected that would be told"}
	if l.up()+l.mute == 0 {
		return out
	}
	said := 0
	for _, x := range f.data {
		if !x.said {
			continue
		}
		if said++; x.at.After(out.Since) {
			out.Since = x.at
		}
	}
	switch {
	case l.degraded > 0:
		return layer{out.Name, no, l.worse, "the Gateway has lost IB"}
	case l.mute > 0:
		return layer{out.Name, no, l.worse, "requests are not answered"}
	case l.unwatched > 0:
		out.Text = "what the Gateway says cannot be read any more"
		return out
	}
	for _, x := range f.data {
		if x.said && !x.ok {
			return layer{out.Name, no, x.at, fmt.Sprintf("a data connection is broken (%d)", x.code)}
		}
	}
	if said == 0 {
		out.Text = "the Gateway has said nothing of its data connections"
		return out
	}
	out.Answer, out.Text = yes, "the last word on each kind of data connection is OK"
	return out
}
