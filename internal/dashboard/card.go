package dashboard

import (
	"fmt"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/report"
)

// mood is how a card looks. A word and a sign say the same as any colour.
type mood string

const (
	good  mood = "ok"
	quiet mood = "none" // nothing is wrong, and nothing is known to work
	busy  mood = "try"
	doubt mood = "wait"
	bad   mood = "bad"
)

func rank(m mood) int {
	return map[mood]int{good: 0, quiet: 1, busy: 2, doubt: 3, bad: 4}[m]
}

// signs are what stands before a word, for whoever sees no colour.
var signs = map[mood]string{good: "●", quiet: "○", busy: "◐", doubt: "▲", bad: "✖"}

// card is one gateway.
type card struct {
	Name, Address, Tap string
	Mood               mood
	Symbol, Word       string
	For                string
	Why                string
	Notes              []string // that need an eye
	Connects           string   // who may
	Layers             []layerRow
	Attempts           string // of the last hour
	Turned             string // turned away since the stop
	Told               string
	ToldBad            bool
	Alert              string // in force
	Ack, Resume        string // where that can be done here
	Steps              []step
	Command            string // what to type, without a stop
	Waiting            []string
	Facts              string
}

type layerRow struct {
	Name, Answer, Sign, For, Text string
	Mood                          mood
}

var answers = map[answer]struct {
	sign string
	mood mood
}{yes: {"✔", good}, no: {"✖", bad}, unknown: {"?", quiet}, stale: {"◌", doubt}}

func (p *page) card(b *Board, s sight) card {
	st := s.status
	c := card{Name: st.Gateway, Address: st.Address, Tap: st.Tap}
	if s.err != nil {
		c.Mood, c.Word, c.Why = bad, "NO STATUS", "The recorder could not say how it is: "+report.Plain(s.err.Error())
		c.Symbol = signs[bad]
		return c
	}
	l := liveOf(st.Sessions)
	var since time.Time
	c.Mood, c.Word, since = headline(st, l)
	c.Symbol, c.For, c.Why = signs[c.Mood], p.ago(since), report.Plain(st.Why)
	c.Connects = connects(st)
	for _, x := range layersOf(st, s.window.facts, p.now) {
		a := answers[x.Answer]
		c.Layers = append(c.Layers, layerRow{Name: x.Name, Answer: string(x.Answer), Sign: a.sign, For: p.ago(x.Since), Text: x.Text, Mood: a.mood})
	}
	c.Attempts = lastHour(s.window.attempts, p.now)
	c.notes(st, s.broken)
	p.told(&c, st)
	p.alert(b, &c, st.Alert)
	p.steps(b, &c, s)
	for _, w := range st.Clients {
		c.Waiting = append(c.Waiting, fmt.Sprintf("client %d waits until %s, after %s", w.ID, p.when(w.Until), count(w.Failures, "failure")))
	}
	c.Facts = fmt.Sprintf("epoch %d · policy %s · %s mode", st.Epoch, report.Plain(st.Policy.Preset), st.Mode)
	return c
}

// headline is the one word on a gateway, the worst that is so.
func headline(s httpapi.Status, l live) (mood, string, time.Time) {
	gate := fsm.Gate(s.Gate)
	switch {
	case s.LogError != "":
		return bad, "THE LOG TAKES NOTHING", time.Time{}
	case gate == fsm.Stopped && s.Mode == events.Observe:
		return bad, "RESTART REQUIRED, NOBODY HELD", s.Since
	case gate == fsm.Stopped:
		return bad, "RESTART REQUIRED", s.Since
	case s.TapError != "":
		return bad, "PORT TAKEN BY ANOTHER", time.Time{}
	case s.LogLevel == events.LevelReserve && s.Mode == events.Observe:
		return bad, "THE LOG IS NEARLY FULL", time.Time{}
	case s.LogLevel == events.LevelReserve:
		return bad, "NO ROOM: NOBODY DIALS", time.Time{}
	case l.mute > 0 && l.up() == 0:
		return bad, "SESSION MUTE", l.worse
	case l.degraded > 0, l.mute > 0:
		return doubt, "DEGRADED", l.worse
	case gate == fsm.Probation:
		return doubt, "PROBATION", s.Since
	case l.ready > 0 && l.unwatched > 0:
		return doubt, "CONNECTED, NOT WATCHED", l.since
	case l.ready > 0:
		return good, "CONNECTED", l.since
	case gate == fsm.Backoff && s.Rested:
		return doubt, "NOT CONNECTED", s.Since
	case gate == fsm.Backoff:
		return doubt, "WAITING", s.Since
	case gate == fsm.Attempting:
		return busy, "CONNECTING", s.Since
	}
	return quiet, "NOT CONNECTED", time.Time{}
}

// connects is what a program meets now.
func connects(s httpapi.Status) string {
	switch {
	case s.Mode == events.Observe:
		return "let through, whatever the rule says (observe mode)"
	case s.LogError != "", s.TapError != "":
		return "refused"
	case fsm.Gate(s.Gate) == fsm.Stopped && s.Held == "explain":
		return "refused, and told why"
	case fsm.Gate(s.Gate) == fsm.Stopped, s.Closed, s.LogLevel == events.LevelReserve:
		return "refused"
	case fsm.Gate(s.Gate) == fsm.Backoff && !s.Rested:
		return "wait"
	case fsm.Gate(s.Gate) == fsm.Probation:
		return "one at a time, on trial"
	}
	if s.Waiting > 0 {
		return "one at a time; " + count(s.Waiting, "program") + " in line"
	}
	return "allowed, one at a time"
}

func (c *card) notes(s httpapi.Status, broken string) {
	note := func(text string) { c.Notes = append(c.Notes, text) }
	if s.LogError != "" {
		note("The log takes nothing: " + report.Plain(s.LogError))
	}
	if s.TapError != "" {
		note("The tap has no port: " + report.Plain(s.TapError))
	}
	if r := s.Refused; r != nil {
		note(fmt.Sprintf("At #%d the policy would have let somebody dial against %s: this recorder is not in order.", r.Seq, report.Plain(r.Rule)))
	}
	switch s.LogLevel {
	case events.LevelReserve:
		note("The log has only its reserve left: make room on the disk of its data folder, or archive it.")
	case events.LevelWarning:
		note("The log or its disk is nearly full.")
	}
	if s.LogLimit > 0 && s.LogBytes > s.LogLimit/5*4 {
		note(fmt.Sprintf("The log is %d %% full.", s.LogBytes*100/s.LogLimit))
	}
	if broken != "" {
		note("This page cannot read the log, so what is below the cards is old: " + report.Plain(broken))
	}
}

// told is whether anybody hears of a stop.
func (p *page) told(c *card, s httpapi.Status) {
	if len(s.Alerts) == 0 {
		c.Told, c.ToldBad = "nobody: no alert is configured", true
		return
	}
	var fail, work []string
	for _, a := range s.Alerts {
		name := report.Plain(a.Name)
		switch {
		case a.Failing != "":
			fail = append(fail, name+" fails")
		case a.Delivered.IsZero():
			work = append(work, name)
		default:
			work = append(work, name+" at "+p.when(a.Delivered))
		}
	}
	c.Told, c.ToldBad = strings.Join(append(fail, work...), " · "), len(fail) > 0
}

// step is one thing to do; a command is to be typed.
type step struct {
	Text  string
	Typed bool
}

// alert is what stands, and what to do about it.
func (p *page) alert(b *Board, c *card, a *httpapi.Alert) {
	if a == nil {
		return
	}
	c.Alert = fmt.Sprintf("of %s, raised %s ago", report.Plain(a.Incident), p.ago(a.Since))
	if a.Most > 0 {
		c.Alert += fmt.Sprintf(", %d of %d reminders", a.Reminders, a.Most)
	}
	if a.By != "" {
		c.Alert += ", acknowledged by " + report.Plain(a.By) + " at " + p.when(a.Acknowledged)
		return
	}
	c.Alert += ", not acknowledged"
	if b.open() {
		c.Ack = "/gateways/" + c.Name + "/ack"
	}
}

// steps are what to do, and what it has cost so far.
func (p *page) steps(b *Board, c *card, s sight) {
	c.Command = report.Plain(s.status.Next)
	if s.status.Stop == nil {
		return
	}
	c.Turned = count(s.window.denied, "connect") + " turned away since the stop"
	if first := s.window.first; first.Seq > s.status.Stop.Seq {
		c.Turned = "at least " + c.Turned
	}
	if s.status.Held != "explain" && s.status.Mode != events.Observe {
		c.Turned += "; what a closed port refuses nobody can count"
	}
	for _, s := range b.cfg.Steps(c.Name) {
		c.Steps = append(c.Steps, step{report.Plain(s), strings.HasPrefix(s, "recorder ")})
	}
	if b.open() {
		c.Resume = "/gateways/" + c.Name + "/resume"
	}
}

// lastHour counts attempts.
func lastHour(attempts []attempt, now time.Time) string {
	var n [4]int64
	for i := len(attempts) - 1; i >= 0 && now.Sub(attempts[i].at) <= time.Hour; i-- {
		n[attempts[i].outcome] += attempts[i].n
	}
	text := fmt.Sprintf("%s ready, %s failed, %s turned away", group(n[succeeded]), group(n[failed]), group(n[denied]))
	if n[unclear] > 0 {
		text += fmt.Sprintf(", %s of unknown end", group(n[unclear]))
	}
	return text
}

func count[N int | int64](n N, what string) string {
	if n != 1 {
		what += "s"
	}
	return group(n) + " " + what
}
