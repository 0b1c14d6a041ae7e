package report

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"ibrecorder/events"
)

// Range says which part of a stream is told. The state before it is folded from
// the events before it, so the whole stream has to be given.
type Range struct {
	From, To uint64 // both included; 0 is from the first and to the last
}

func (r Range) has(seq uint64) bool { return seq >= r.From && (r.To == 0 || seq <= r.To) }

// WriteTimeline writes what happened: a picture of the whole, then a line an event
// in the order of the log. The stream is read twice, for the picture first. A
// run of the recorder, an epoch and a day begin with a line of their own; what
// belongs to an attempt already begun is indented. Repetitions are told once and
// counted, unless all is set. The footer has how long each stop took to be found,
// told, released and overcome.
//
// It returns how many events were told and the error that the stream ended with;
// err is the writer's.
func WriteTimeline(w io.Writer, stream iter.Seq2[events.Record, error], r Range, all bool, s Style) (told int, broken, err error) {
	t := &lines{page: page{w: w, s: s}, lanes: survey(stream, r)}
	t.repeats = repeats{one: t.row, many: t.more}
	n := newNarrator(r)
	for rec, serr := range stream {
		if serr != nil {
			broken = serr
			break
		}
		row, wanted := n.next(rec.Event)
		switch {
		case !wanted:
		case all:
			t.row(row)
		default:
			t.repeats.add(row)
		}
		if t.err != nil {
			return n.told, nil, t.err
		}
	}
	t.repeats.end()
	t.footer(n, broken)
	return n.told, broken, t.err
}

// lines writes rows as text.
type lines struct {
	page
	lanes   *lanes
	repeats repeats
	before  *row
	day     string
}

func (t *lines) row(r row) {
	e := &r.event
	if t.before == nil {
		t.line("%s", t.lanes.heading(t.s))
		if r.anchored {
			t.line("the stream starts at #%d: the state before it is not known", e.Seq)
		}
		t.line("")
		for _, line := range t.lanes.draw(t.s) {
			t.line("%s", line)
		}
		t.line("")
		t.columns("TIME", "+Δ", "SEQ", "BY", "GATE", "EVENT", "DETAIL")
	}
	t.heading(r)
	delta := ""
	if t.before != nil {
		if ns, known := events.Elapsed(t.before.event, *e); known && ns != 0 {
			delta = "+" + span(ns)
		}
	}
	name := string(e.Kind())
	switch {
	case r.number > 0 && r.opens:
		name += fmt.Sprintf(" #%d", r.number)
	case r.number > 0 && (t.before == nil || t.before.number != r.number):
		name = fmt.Sprintf("· %s #%d", name, r.number)
	case r.number > 0:
		name = "· " + name
	}
	t.columns(t.s.clock(e.Time), delta, fmt.Sprint(e.Seq), veiled(r.by()), r.gate, name, veiled(r.detail()))
	t.before = &r
}

// columns has fixed widths, so that a line can be written before the next is known.
func (t *lines) columns(at, delta, seq, by, gate, name, detail string) {
	line := fmt.Sprintf(" %-12s %8s %6s  %-16s %-10s  %-26s %s", at, delta, seq, by, gate, name, detail)
	line = strings.TrimRight(line, " ")
	if c := lineColour(name, gate); c != "" {
		line = t.s.paint(c, line)
	}
	t.line("%s", line)
}

func lineColour(name, gate string) colour {
	switch {
	case gate == "STOPPED" || strings.HasPrefix(name, "rule.violated"):
		return red
	case gate == "PROBATION" || strings.HasPrefix(name, "recorder.gap"):
		return yellow
	case strings.Contains(name, "attempt.succeeded"):
		return green
	case name == "EVENT":
		return bold
	}
	return ""
}

// heading separates days, runs and epochs.
func (t *lines) heading(r row) {
	var parts []string
	e := &r.event
	if day := t.s.day(e.Time); day != "" && day != t.day {
		parts, t.day = append(parts, day), day
	}
	if t.before == nil || t.before.event.Boot != e.Boot {
		run := "run " + e.Boot + " of the recorder"
		if e.Boot == events.BootImport {
			run = "an account that no recorder wrote"
		}
		parts = append(parts, run)
	}
	if t.before == nil || t.before.event.Epoch != e.Epoch {
		parts = append(parts, fmt.Sprintf("epoch %d", e.Epoch))
	}
	if len(parts) > 0 {
		t.line("%s", t.s.paint(faint, "── "+strings.Join(parts, " · ")+" ──"))
	}
}

// more tells repetitions of the rows before it.
func (t *lines) more(pattern []row, n int, first, last row) {
	names := make([]string, len(pattern))
	for i, r := range pattern {
		names[i] = string(r.event.Kind())
	}
	what := "the same event"
	if len(names) > 1 {
		what = fmt.Sprintf("the same %d events", len(names))
	}
	if len(names) > 3 {
		names = []string{names[0], "…", names[len(names)-1]}
	}
	took := ""
	if ns, known := events.Elapsed(first.event, last.event); known && ns > 0 {
		took = " in " + span(ns)
	}
	again := group(n) + " more times"
	if n == 1 {
		again = "once more"
	}
	t.line("%s", t.s.paint(faint, fmt.Sprintf(" …  %s %s%s: %s · #%d to #%d (--all)", again, what, took, strings.Join(names, ", "), first.event.Seq, last.event.Seq)))
	last.number = 0 // whatever follows names its attempt again
	t.before = &last
}

func (t *lines) footer(n *narrator, broken error) {
	if t.before == nil {
		t.line("no event in that range")
	}
	stops := n.stops.done()
	if len(stops) > 0 {
		t.line("")
	}
	for _, st := range stops {
		t.line(" stop #%d (%s)  %s", st.Seq, st.Reason, st.sentence())
	}
	if broken != nil {
		t.line("")
		t.line("%s", t.s.paint(yellow, fmt.Sprintf(" the stream is not whole: %v", broken)))
	}
}

// TimelineJSON is what `replay timeline -o json` prints: every event of the
// range, nothing collapsed. It is written while the stream is read, so broken
// comes after the rows.
type TimelineJSON struct {
	Schema int       `json:"schema_version"`
	Source string    `json:"source"`           // as it was typed
	Rows   []RowJSON `json:"rows"`             // one for each event of the range
	Stops  []Stop    `json:"stops"`            // those in the range
	Broken string    `json:"broken,omitempty"` // why the stream ends there, absent if it is whole
}

// RowJSON is one event as people are told of it; export has the event itself.
type RowJSON struct {
	Seq     uint64      `json:"seq"`                // sequence of the event
	Time    *time.Time  `json:"time,omitempty"`     // RFC 3339, UTC
	DeltaNS *int64      `json:"delta_ns,omitempty"` // nanoseconds since the row before by the monotonic clock, absent over runs
	By      string      `json:"by"`                 // source of the event
	Kind    events.Kind `json:"kind"`               // of the event
	Attempt string      `json:"attempt,omitempty"`  // its id, absent if the event is about none
	Number  int         `json:"number,omitempty"`   // of the attempt, from 1 in the order of the log
	Epoch   uint64      `json:"epoch"`              // counts releases
	Boot    string      `json:"boot"`               // run of the recorder
	Gate    string      `json:"gate,omitempty"`     // if this event changed it
	Detail  string      `json:"detail,omitempty"`   // what the event says, in a few words
}

// TimelineRows passes on the rows of a timeline for programs: every event of the range,
// nothing collapsed. It returns how many there were and the error that the stream ended
// with; err is that of each.
func TimelineRows(stream iter.Seq2[events.Record, error], r Range, each func(RowJSON) error) (told int, broken, err error) {
	told, _, broken, err = timelineRows(stream, r, each)
	return told, broken, err
}

func timelineRows(stream iter.Seq2[events.Record, error], r Range, each func(RowJSON) error) (told int, all []Stop, broken, err error) {
	n := newNarrator(r)
	var before *events.Event
	for rec, serr := range stream {
		if serr != nil {
			broken = serr
			break
		}
		row, wanted := n.next(rec.Event)
		if !wanted {
			continue
		}
		if err := each(row.json(before)); err != nil {
			return n.told, nil, nil, err
		}
		before = &row.event
	}
	return n.told, n.stops.done(), broken, nil
}

// WriteTimelineJSON is WriteTimeline for programs: one TimelineJSON.
func WriteTimelineJSON(w io.Writer, source string, stream iter.Seq2[events.Record, error], r Range) (told int, broken, err error) {
	p := &page{w: w}
	name, err := json.Marshal(source)
	if err != nil {
		return 0, nil, err
	}
	p.line(`{"schema_version":%d,"source":%s,"rows":[`, Schema, name)
	comma := ""
	told, all, broken, err := timelineRows(stream, r, func(row RowJSON) error {
		line, err := json.Marshal(row)
		if err != nil {
			return err
		}
		p.line("%s%s", comma, line)
		comma = ","
		return p.err
	})
	if err != nil {
		return told, nil, err
	}
	end := struct {
		Stops  []Stop `json:"stops"`
		Broken string `json:"broken,omitempty"`
	}{Stops: all}
	if broken != nil {
		end.Broken = broken.Error()
	}
	rest, err := json.Marshal(end)
	if err != nil {
		return told, nil, err
	}
	p.line("],%s", rest[1:])
	return told, broken, p.err
}

func (r *row) json(before *events.Event) RowJSON {
	e := &r.event
	out := RowJSON{
		Seq: e.Seq, Time: utc(e.Time), By: e.Source, Kind: e.Kind(), Attempt: e.Attempt, Number: r.number, Epoch: e.Epoch,
		Boot: e.Boot, Gate: r.gate, Detail: r.detail(),
	}
	if before != nil {
		if ns, known := events.Elapsed(*before, *e); known {
			out.DeltaNS = &ns
		}
	}
	return out
}
