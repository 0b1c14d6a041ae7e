package report

import (
	"fmt"
	"slices"
	"strings"

	"ibrecorder/events"
	"ibrecorder/fsm"
)

// story tells a span in sentences: what a reader has to know, and no more.
type story struct {
	all       []Sentence
	listening events.Listening // as last read
	recorded  map[string]bool  // the rules that a rule.violated names
	minors    int              // in all
	over      []Sentence       // minor ones beyond maxMinors, counted
	cut       bool             // the last sentence is one of those
}

// failed says what a failure looked like from outside.
var failed = map[events.FailReason]string{
	events.Refused:           "nothing listened at the Gateway",
	events.DialTimeout:       "TCP was not accepted in time",
	events.Unreachable:       "the network could not reach the Gateway",
	events.AcceptedNoBytes:   "TCP was accepted, and then no byte came",
	events.FINBeforeVersion:  "the connection was closed before the version",
	events.RSTBeforeVersion:  "the connection was reset before the version",
	events.BadVersion:        "the answer was no version that the program offered",
	events.VersionNoReady:    "the version came, and then nothing made it ready",
	events.NoStartAPI:        "the program never sent its startAPI",
	events.ClientIDInUse:     "the client id was in use (326)",
	events.DisclaimerPending: "the paper trading disclaimer was not accepted (10141)",
	events.ErrorBeforeReady:  "an error came instead of ready",
	events.ClosedBeforeReady: "the connection was closed before it was ready",
	events.ReportedTimeout:   "the program reported a timeout",
	events.NoAccounts:        "ready came without an account",
	events.ClientWaits:       "its client id had to wait, and the program did not",
}

// see takes in the next event of the span. stops and tracks have seen it already.
func (s *story) see(e *events.Event, stops *stops, t *tracks) {
	who := t.who()
	switch d := e.Data.(type) {
	case events.RecorderStarted:
		text := "The recorder started."
		switch d.Previous {
		case events.PreviousNone:
			text = "The recorder began this log."
		case events.PreviousCrashed:
			text = "The recorder started again; the run before had ended without a word."
		case events.PreviousQuarantined:
			text = "The recorder began a new log; the one before was set aside."
		}
		s.add(e, "started "+string(d.Previous), 1, "%s", text)
	case events.RecorderStopped:
		s.add(e, "stopped", 1, "The recorder stopped.")
	case events.RecorderGap:
		s.add(e, "gap "+string(d.Reason), 1, "Facts are missing here: %s.", d.Reason)
	case events.RecorderRoom:
		if text := levels[d.Level]; text != "" {
			s.add(e, "room "+string(d.Level), 1, "%s.", strings.ToUpper(text[:1])+text[1:])
		}
	case events.SessionLost:
		s.minor(e, "lost "+string(d.Reason), "%s lost its session (%s).", who, d.Reason)
	case events.SessionMute:
		s.minor(e, "mute", "The session of %s was no longer answered.", strings.ToLower(who[:1])+who[1:])
	case events.SessionDegraded:
		s.minor(e, "degraded", "The Gateway lost its connection to Interactive Brokers (code %d).", d.Code)
	case events.SessionRestored:
		s.minor(e, "restored", "The Gateway had Interactive Brokers again (code %d).", d.Code)
	case events.AttemptSucceeded:
		s.ready(e, d, stops, who)
	case events.AttemptFailed:
		s.minor(e, "failed "+string(d.Reason), "%s tried to connect: %s%s.", who, failed[d.Reason], waited(d))
	case events.AttemptUnknown:
		s.minor(e, "unknown "+string(d.Reason), "How an attempt ended is not known (%s).", d.Reason)
	case events.AttemptAbandoned:
		s.minor(e, "abandoned", "%s left in the middle of its handshake.", who)
	case events.AttemptDenied:
		s.add(e, "denied "+string(d.Reason), d.Count, "An attempt was refused (%s).", d.Reason)
	default:
		s.rest(e, stops)
	}
}

// rest is see for the Gateway, its stops and people.
func (s *story) rest(e *events.Event, stops *stops) {
	switch d := e.Data.(type) {
	case events.GatewayObserved:
		was := s.listening
		if d.Listening != events.ListeningUnknown {
			s.listening = d.Listening
		}
		switch {
		case d.Listening == events.ListeningNo && was == events.ListeningYes:
			s.minor(e, "absent", "Nothing listened at the Gateway any more.")
		case d.Listening == events.ListeningYes && was == events.ListeningNo:
			s.minor(e, "listens", "The Gateway listened again.")
		}
	case events.GatewayDown:
		if strings.HasPrefix(e.Source, "/runner/") {
			s.add(e, "down", 1, "%s reported that the Gateway is down.", strings.TrimPrefix(e.Source, "/"))
		}
	case events.GatewayContradicted:
		s.add(e, "contradicted", 1, "An attempt succeeded although the Gateway counted as down.")
	case events.RestartRequired:
		text := "The gate stopped"
		if d.Carried {
			text = "The stop of the log before was taken over"
		}
		what := "nobody dials until a release"
		if !d.Enforced {
			what = "in observe mode, so nobody was held"
		}
		s.add(e, "", 1, "%s: %s; %s.", text, downs[d.Reason], what)
	case events.RestartClaimed:
		s.add(e, "", 1, "%s said that the Gateway was restarted%s", person(d.By), quoted(d.Reason))
	case events.RestartRejected:
		s.add(e, "", 1, "The claim of %s was rejected: %s.", d.By, rejected[d.Why])
	case events.RestartObserved:
		s.add(e, "", 1, "The recorder saw another Gateway process: %d took the place of %d.", d.PID, d.OldPID)
	case events.RestartAcknowledged:
		after := ""
		if n := len(stops.all); n > 0 && stops.all[n-1].Released == e.Seq && stops.all[n-1].ReleaseNS != nil {
			after = " after " + span(*stops.all[n-1].ReleaseNS)
		}
		s.add(e, "", 1, "The stop was released%s, %s.", after, bases[d.Basis])
	case events.AlertDelivered:
		if e.Cause != "" && (e.Cause == stops.released.ID || e.Cause == stops.resolved) {
			s.add(e, "told "+d.Channel, 1, "The end of the stop was told (%s).", d.Channel)
			break
		}
		after := ""
		if n := len(stops.all); n > 0 && stops.all[n-1].Alerted == e.Seq && stops.all[n-1].AlertNS != nil {
			after = ", " + span(*stops.all[n-1].AlertNS) + " after the stop"
		}
		s.add(e, "alert "+d.Channel, 1, "An alert was delivered (%s)%s.", d.Channel, after)
	case events.AlertReminded:
		s.add(e, "reminded", 1, "Nobody had acknowledged, and people were reminded.")
	case events.AlertAcknowledged:
		s.add(e, "", 1, "%s acknowledged the alert%s", person(d.By), quoted(d.Text))
	case events.AlertFailed:
		s.add(e, "alert failed "+d.Channel, 1, "An alert could not be delivered (%s).", d.Channel)
	case events.RuleViolated:
		if s.recorded == nil {
			s.recorded = map[string]bool{}
		}
		s.recorded[strings.Clone(d.Rule)] = true
		s.add(e, "violated "+d.Rule, 1, "%s was violated: %s.", d.Rule, strings.TrimSuffix(d.Text, "."))
	case events.OperatorNoted:
		s.minor(e, "noted "+d.By+d.Text, "%s noted%s", person(d.By), quoted(d.Text))
	}
}

var downs = map[events.DownReason]string{
	events.DownSilent: "the Gateway accepted and did not answer", events.DownDialTimeouts: "the Gateway did not accept in time",
	events.DownClosed: "the Gateway closed before it answered", events.DownProbation: "no attempt after the release became ready",
	events.DownWedged: "the Gateway left a connection waiting for a whole budget", events.DownReported: "a program reported the Gateway down",
}

var rejected = map[events.Rejection]string{
	events.RejectedUnchanged: "the process of before the stop still listened", events.RejectedNotListening: "nothing listened yet",
	events.RejectedNotStopped: "there was no stop to release",
}

var bases = map[events.Basis]string{
	events.BasisObserved: "because the recorder saw the restart", events.BasisWord: "on the operator's word",
	events.BasisOverride: "by the operator, without a restart",
}

func (s *story) ready(e *events.Event, d events.AttemptSucceeded, stops *stops, who string) {
	took := ""
	if d.ElapsedUS > 0 {
		took = " after " + span(d.ElapsedUS*1e3)
	}
	if n := len(stops.all); n > 0 && stops.all[n-1].Recovered == e.Seq {
		s.add(e, "", 1, "%s was connected again, ready%s.", who, took)
		return
	}
	s.minor(e, "ready", "%s connected, ready%s.", who, took)
}

// waited is how long nothing came, where nothing came.
func waited(d events.AttemptFailed) string {
	switch d.Reason {
	case events.AcceptedNoBytes, events.VersionNoReady, events.DialTimeout:
		if d.WaitedMS > 0 {
			return ", for " + span(d.WaitedMS*1e6)
		}
	}
	return ""
}

func person(name string) string {
	if name == "" {
		return "An operator"
	}
	return name
}

// quoted ends a sentence with somebody's own words, if there are any.
func quoted(text string) string {
	if text == "" {
		return "."
	}
	return fmt.Sprintf(": %q", text)
}

// add tells something, or counts it if the sentence before says the same.
func (s *story) add(e *events.Event, key string, n int64, format string, args ...any) {
	if i := len(s.all) - 1; i >= 0 && !s.cut && key != "" && s.all[i].key == key {
		s.all[i].Times, s.all[i].To = max(1, s.all[i].Times)+n, e.Seq
		return
	}
	one := Sentence{Seq: e.Seq, Time: utc(e.Time), Text: plain(fmt.Sprintf(format, args...)), key: strings.Clone(key), sort: e.Kind()}
	if n > 1 {
		one.Times, one.To = n, e.Seq
	}
	s.all, s.cut = append(s.all, one), false
}

// insert tells something where it belongs in the order of the log.
func (s *story) insert(e *events.Event, text string) {
	i := 0
	for i < len(s.all) && s.all[i].Seq <= e.Seq {
		i++
	}
	s.all = slices.Insert(s.all, i, Sentence{Seq: e.Seq, Time: utc(e.Time), Text: plain(text), sort: violated})
}

const violated events.Kind = "rule.violated"

// maxMinors is how many of the less important sentences are kept until it is known
// whether there is room for them: a year has a million.
const maxMinors = 1024

func (s *story) minor(e *events.Event, key, format string, args ...any) {
	n := len(s.all)
	s.add(e, key, 1, format, args...)
	if len(s.all) == n {
		return
	}
	s.all[n].minor = true
	if s.minors++; s.minors > maxMinors {
		s.over, s.all, s.cut = counted(s.over, s.all[n]), s.all[:n], true
	}
}

// told leaves out what matters less, and then what is in the middle, until the
// rest is a story and no list. What it leaves out it counts; the first breaches of a
// rule it tells in any case, because they are what the verdict says.
func (s *story) told(e *events.Event, gate fsm.Gate) (out, untold []Sentence) {
	keep := make([]bool, len(s.all))
	kept := 0
	for i, x := range s.all {
		keep[i] = len(s.all) <= maxStory || i == 0 || i == len(s.all)-1 && !s.cut || !x.minor
		if keep[i] {
			kept++
		}
	}
	out = []Sentence{}
	n, broken := 0, 0
	for i, x := range s.all {
		if keep[i] {
			n++
		}
		edge := keep[i] && (n <= maxStory/2 || n > kept-maxStory/2)
		if !edge && x.sort == violated && broken < maxBroken {
			broken++
			edge = true
		}
		if edge {
			out = append(out, x)
			continue
		}
		untold = counted(untold, x)
	}
	for _, x := range s.over {
		untold = counted(untold, x)
	}
	if e != nil && gate == fsm.Stopped {
		out = append(out, Sentence{Seq: e.Seq, Time: utc(e.Time), Text: "Here this report ends, and the gate is still stopped."})
	}
	return out, untold
}

// counted adds a sentence to the one that says the same, if there is one.
func counted(all []Sentence, x Sentence) []Sentence {
	for i := range all {
		if all[i].sort == x.sort && all[i].key == x.key {
			all[i].Times, all[i].To = max(1, all[i].Times)+max(1, x.Times), max(x.Seq, x.To)
			return all
		}
	}
	return append(all, x)
}
