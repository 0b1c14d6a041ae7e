package report

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/audit"
	"ibrecorder/internal/rule"
)

// Scene is an event of a finding's story: as it is recorded, and what the fold of
// everything up to it says of the gate and of the counts.
type Scene struct {
	events.Event
	Gate    fsm.Gate
	Counter string // if this event changed one, for example "silent 1/1"
}

// Wrong is the first event after which things stood wrong already, before the event
// that breaks a rule.
type Wrong struct {
	Seq uint64
	Why string // a few words
}

// Trail is what led to a finding.
type Trail struct {
	Scenes []Scene // in their order, the breach last
	Wrong  Wrong   // zero if the breach itself is the first thing that is wrong
	Stop   uint64  // the stop that was broken; 0 if it is about none
}

// Cite reads the stream a second time, from where it was judged, and takes from it
// what the text shows of the findings: the events that they name, how the gate stood,
// and the first that was wrong. What cannot be read again is left out.
func (v *Verification) Cite(stream iter.Seq2[events.Record, error]) {
	named, traces := v.named(), v.traces()
	v.Cited = map[uint64]events.Event{}
	scenes := map[uint64]Scene{}
	var recent proofs
	fold, s := fsm.NewFolder(), fsm.Initial()
	for rec, err := range stream {
		if err != nil {
			break
		}
		e, before := rec.Event, s
		s = fold.Apply(s, e)
		scene := Scene{Event: e, Gate: s.Gate}
		if proves(e) || named[e.Seq] {
			scene.Counter = counter(&before, &s)
		}
		if _, twice := v.Cited[e.Seq]; named[e.Seq] && !twice {
			v.Cited[e.Seq], scenes[e.Seq] = e, scene
		}
		for _, t := range traces {
			t.see(scene, &recent, scenes)
		}
		if proves(e) {
			recent.add(scene)
		}
	}
	v.Trails = make([]Trail, len(traces))
	for i, t := range traces {
		v.Trails[i] = t.trail(scenes)
	}
}

// proofs are the latest events that a stop may rest on.
type proofs struct{ of []Scene }

// mostProofs is enough for the evidence that a gateway.down may list, with what comes
// in between.
const mostProofs = 64

func (p *proofs) add(s Scene) {
	if len(p.of) == mostProofs {
		p.of = slices.Delete(p.of, 0, 1)
	}
	p.of = append(p.of, s)
}

func (p *proofs) find(id string) (Scene, bool) {
	i := slices.IndexFunc(p.of, func(s Scene) bool { return s.ID == id })
	if i < 0 {
		return Scene{}, false
	}
	return p.of[i], true
}

func proves(e events.Event) bool {
	switch d := e.Data.(type) {
	case events.AttemptFailed, events.AttemptUnknown, events.GatewayDown:
		return true
	case events.GatewayObserved:
		return d.WedgedSamples > 0
	}
	return false
}

// trace follows one finding through the stream.
type trace struct {
	f     rule.Finding
	wrong Wrong
	stop  uint64
	seqs  []uint64 // beside those that the finding names
	down  Scene    // the last gateway.down of the recorder's own
}

func (v *Verification) traces() []*trace {
	var all []*trace
	for _, f := range v.shown() {
		all = append(all, &trace{f: f})
	}
	return all
}

// see takes in the next event up to the breach.
func (t *trace) see(s Scene, recent *proofs, scenes map[uint64]Scene) {
	if s.Seq > t.f.Seq {
		return
	}
	keep := func(s Scene) {
		scenes[s.Seq] = s
		t.seqs = append(t.seqs, s.Seq)
	}
	switch s.Data.(type) {
	case events.GatewayDown:
		if s.Source == "/recorder" {
			t.down = s
		}
	case events.RestartRequired:
		switch {
		case t.f.Rule == "RS9" && s.Seq == t.f.Seq && t.down.Seq != 0 && t.down.ID == s.Cause:
			keep(t.down)
			t.wrong = Wrong{t.down.Seq, "down, and the events before do not add up to that"}
		case t.about(s.Seq):
			t.stop, t.wrong = s.Seq, Wrong{}
			if down, ok := recent.find(s.Cause); ok {
				for _, id := range down.Data.(events.GatewayDown).Evidence {
					if proof, ok := recent.find(id); ok {
						keep(proof)
					}
				}
			}
		}
	}
	if t.f.Rule == "RS2" && len(t.f.Because) > 0 && s.Seq == t.f.Because[len(t.f.Because)-1] {
		t.wrong = Wrong{s.Seq, "a stop is due, and nobody decides it"}
	}
	if wrong := t.lost(s); wrong != "" && t.wrong.Seq == 0 {
		t.wrong, scenes[s.Seq] = Wrong{s.Seq, wrong}, s
	}
}

// about reports whether the finding names seq as a reason, and is one about a stop.
func (t *trace) about(seq uint64) bool {
	return (t.f.Rule == "RS1" || t.f.Rule == "RS7") && slices.Contains(t.f.Because, seq)
}

// lost says how an event between a stop and the breach shows that the recorder does
// not know of the stop any more: the first event of a run, or a change of policy,
// after which it was never mentioned again.
func (t *trace) lost(s Scene) string {
	if t.stop == 0 || s.Seq <= t.stop || s.Seq >= t.f.Seq || t.f.Bypassed || s.Source != "/recorder" {
		return ""
	}
	switch d := s.Data.(type) {
	case events.RecorderStarted:
		return "the stop is lost at this start"
	case events.PolicyLoaded:
		return "the stop is lost with this policy"
	case events.AttemptPermitted:
		return "a permit already"
	case events.RestartRejected:
		if d.Why == events.RejectedNotStopped {
			return "the stop is not known any more"
		}
	case events.AttemptDenied:
		if d.Reason == events.HoldStopped {
			t.wrong = Wrong{} // it still knew
		}
	}
	return ""
}

func (t *trace) trail(scenes map[uint64]Scene) Trail {
	st := Trail{Wrong: t.wrong, Stop: t.stop}
	seqs := slices.Concat(t.f.Because, t.seqs, []uint64{t.wrong.Seq, t.f.Seq})
	slices.Sort(seqs)
	for _, seq := range slices.Compact(seqs) {
		if s, ok := scenes[seq]; ok {
			st.Scenes = append(st.Scenes, s)
		}
	}
	return st
}

// counter says which count an event changed, and to what.
func counter(before, after *fsm.State) string {
	p := after.Policy.Params
	row := func(name string, was, is, limit int64) string {
		switch {
		case was == is || limit == 0:
			return ""
		case is == 0:
			return name + " from 0 again"
		}
		return fmt.Sprintf("%s %d/%d", name, is, limit)
	}
	var parts []string
	for _, part := range []string{
		row("silent", before.Row.Silent.N, after.Row.Silent.N, p.SilentLimit),
		row("dial timeouts", before.Row.DialTimeouts.N, after.Row.DialTimeouts.N, p.DialTimeoutLimit),
		row("closed", before.Row.Closed.N, after.Row.Closed.N, p.ClosedLimit),
		row("probation", before.Trial.Used, after.Trial.Used, p.ProbationAttempts),
	} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

// who says who did what breaks a rule.
func who(f rule.Finding, e events.Event) string {
	switch {
	case e.Seq == 0:
		return ""
	case f.Bypassed && e.Boot == events.BootImport:
		return e.Source + "; no recorder was there to hold it"
	case f.Bypassed:
		return e.Source + ", around the recorder, which did not break the rule itself"
	case f.Rule == audit.Rule.ID:
		return "the recorder, which did not decide as its policy does"
	case f.Rule == "RS2" && e.Kind() != "attempt.permitted" && e.Kind() != "dial.started":
		return "the recorder, which went on without deciding"
	case e.Source == "/recorder":
		return "the recorder, by its own " + string(e.Kind())
	case !fsm.Reported(e):
		return "the recorder, as its own " + e.Source[1:] + " tells"
	}
	return e.Source
}

// mark says what an event is in a story.
func (st *Trail) mark(f rule.Finding, seq uint64) string {
	kind, _ := Lookup(f.Rule)
	switch {
	case seq == f.Seq && kind.Kind == rule.Assumption:
		return f.Rule
	case seq == f.Seq && f.Rule == audit.Rule.ID:
		return f.Rule + ": here the log and the policy part"
	case seq == f.Seq && f.Observed:
		return f.Rule + ": would be forbidden"
	case seq == f.Seq:
		return f.Rule + ": forbidden"
	case seq == st.Wrong.Seq:
		return "first wrong state: " + st.Wrong.Why
	case seq == st.Stop:
		return "the stop"
	}
	return ""
}

// trail lists the events that make a finding. What is recorded stands beside what the
// fold makes of it, each under its name.
func (p *page) trail(st Trail, f rule.Finding) {
	if len(st.Scenes) == 0 {
		return
	}
	rows := [][]string{{"#", "TIME", "Δ", "GATE, RECOMPUTED", "COUNT", "BY", "RECORDED", "SAYS", ""}}
	var before *Scene
	style := p.s
	style.days = st.days(p.s)
	for i := range st.Scenes {
		s := &st.Scenes[i]
		mark, clock := st.mark(f, s.Seq), ""
		if mark != "" {
			mark = p.s.paint(bold, "◀ "+mark)
		}
		if !s.Time.IsZero() {
			clock = style.hour(s.Time)
		}
		rows = append(rows, []string{fmt.Sprintf("#%d", s.Seq), clock, since(before, s), string(s.Gate), s.Counter,
			veiled(strings.TrimPrefix(s.Source, "/")), string(s.Kind()), shortened(veiled(detail(s.Data))), mark})
		before = s
	}
	p.line("")
	p.table(withoutEmpty(rows))
}

// days reports whether its scenes are of more than one day.
func (st *Trail) days(s Style) bool {
	day := ""
	for i := range st.Scenes {
		at := s.day(st.Scenes[i].Time)
		if at != "" && day != "" && at != day {
			return true
		}
		if at != "" {
			day = at
		}
	}
	return false
}

// shortened cuts what an event says for a row that has more to show; a note may be long.
func shortened(text string) string {
	const most = 72
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

// withoutEmpty leaves out the columns in which nothing stands but their name, and
// indents the rows.
func withoutEmpty(rows [][]string) [][]string {
	out := make([][]string, len(rows))
	for i := range out {
		out[i] = []string{""}
	}
	for c := range rows[0] {
		if !slices.ContainsFunc(rows[1:], func(r []string) bool { return r[c] != "" }) {
			continue
		}
		for i, r := range rows {
			out[i] = append(out[i], r[c])
		}
	}
	return out
}

// since is the time between two scenes, where a clock of one run tells it.
func since(before, s *Scene) string {
	if before == nil {
		return ""
	}
	if ns, known := events.Elapsed(before.Event, s.Event); known {
		return "+" + span(ns)
	}
	return ""
}

// SceneJSON is one event of a finding's story. Kind, By and Text are recorded; Gate
// and Counter are the fold's.
type SceneJSON struct {
	Seq     uint64      `json:"seq"`               // sequence of the event
	Time    *time.Time  `json:"time,omitempty"`    // RFC 3339, UTC; absent if it is not known
	By      string      `json:"by"`                // source of the event
	Kind    events.Kind `json:"kind"`              // of the event
	Text    string      `json:"text,omitempty"`    // what it says
	Gate    fsm.Gate    `json:"gate"`              // after it, by the fold
	Counter string      `json:"counter,omitempty"` // how far a count has come
	Mark    string      `json:"mark,omitempty"`    // what it is in the story
}

// WrongJSON is the first event after which things stood wrong already.
type WrongJSON struct {
	Seq uint64 `json:"seq"` // sequence of the event
	Why string `json:"why"` // in words
}

func (st *Trail) json(f rule.Finding) (scenes []SceneJSON, wrong *WrongJSON) {
	for _, s := range st.Scenes {
		scenes = append(scenes, SceneJSON{
			Seq: s.Seq, Time: utc(s.Time), By: s.Source, Kind: s.Kind(), Text: detail(s.Data), Gate: s.Gate, Counter: s.Counter, Mark: st.mark(f, s.Seq),
		})
	}
	if st.Wrong.Seq != 0 {
		wrong = &WrongJSON{st.Wrong.Seq, st.Wrong.Why}
	}
	return scenes, wrong
}
