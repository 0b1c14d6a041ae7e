package report

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"ibrecorder/events"
	"ibrecorder/fsm"
)

// Subject says what a report is about and how its reader can make it again.
type Subject struct {
	Source  string
	Range   Range
	Stop    uint64   // of the incident, 0 if the range was chosen
	Version string   // of what makes the report
	Flags   []string // that name the gateway of the source, for the commands
	Doubts  []error  // what is wrong with the place
}

// Compose makes the document of a span. The stream is read from its first event
// to the end of the span, because state and verdict rest on what came before; and
// once more up to the last finding, if there is one. The error is what the stream
// ended with: the document is of what came before it, and says so.
func Compose(stream iter.Seq2[events.Record, error], s Subject) (*Document, error) {
	c := composer{in: s.Range, narrator: newNarrator(s.Range), tracks: newTracks(), story: story{}}
	c.repeats = repeats{one: c.row, many: c.again}
	v := Verify(func(yield func(events.Record, error) bool) {
		for rec, err := range stream {
			if err == nil {
				c.see(&rec)
			}
			if !yield(rec, err) {
				return
			}
		}
	})
	c.repeats.end()
	v.Source, v.Doubts = s.Source, s.Doubts
	if _, to := v.Span(); to != 0 {
		v.Cite(stream)
	}
	return c.document(&v, s), v.Broken
}

// composer collects what a document says while the stream is read.
type composer struct {
	in       Range
	narrator *narrator
	repeats  repeats
	tracks   *tracks
	story    story
	latency  latencies
	recovery recoveries

	first, last *events.Event // of the span
	seqs        []uint64      // of the span, and where each stands
	places      []int64
	at          spot // of the last
	clocked     bool
	events      int
	gate        fsm.Gate
	versions    []string
	rows        []EventRow
	told        int // events in rows, and those that have no room there
	before      *events.Event
	lines       []byte
	heavy       bool // the lines are more than a page carries
	actions     []Action
	alerts      []Action
}

// spot is where an event stands from left to right: by the clock and by its number.
type spot struct {
	ns int64
	n  int64
}

func (c *composer) see(rec *events.Record) {
	e := &rec.Event
	r, wanted := c.narrator.next(rec.Event)
	state := &c.narrator.state
	if wanted {
		c.step(e)
	}
	c.latency.see(e, wanted)
	c.tracks.see(e, r.number, wanted, c.at, state)
	if !wanted {
		return
	}
	c.repeats.add(r)
	c.keep(rec)
	c.story.see(e, &c.narrator.stops, c.tracks)
	c.recovery.see(e)
	c.people(e)
	if d, ok := e.Data.(events.RecorderStarted); ok && !slices.Contains(c.versions, plain(d.Version)) && len(c.versions) < maxRecovery {
		c.versions = append(c.versions, plain(d.Version))
	}
	c.gate = state.Gate
}

// step moves on to the next event of the span.
func (c *composer) step(e *events.Event) {
	c.events++
	now := *e
	if c.first == nil {
		c.first, c.last, c.clocked = &now, &now, !e.Time.IsZero()
		c.seqs, c.places = append(c.seqs, e.Seq), append(c.places, 0)
		return
	}
	c.at.n++
	switch ns, known := events.Elapsed(*c.last, now); {
	case known:
		c.at.ns += max(0, ns)
	case !now.Time.IsZero() && !c.last.Time.IsZero():
		c.at.ns += max(0, now.Time.Sub(c.last.Time).Nanoseconds())
	default:
		c.clocked = false
	}
	c.last = &now
	c.seqs, c.places = append(c.seqs, e.Seq), append(c.places, c.at.ns)
}

// spot is where an event of the span stands.
func (c *composer) spot(seq uint64) (spot, bool) {
	n := slices.Index(c.seqs, seq)
	if n < 0 {
		return spot{}, false
	}
	return spot{c.places[n], int64(n)}, true
}

// keep holds the stored bytes for the copy in the page, as long as they are few.
func (c *composer) keep(rec *events.Record) {
	if c.heavy = c.heavy || len(c.lines)+len(rec.Raw)+1 > maxLines; c.heavy {
		c.lines = nil
		return
	}
	c.lines = append(append(c.lines, rec.Raw...), '\n')
}

// row and again are what the table of all events says.
func (c *composer) row(r row) {
	if len(c.rows) < maxRows {
		out := EventRow{RowJSON: r.json(c.before)}
		out.Detail, out.By = plain(out.Detail), plain(out.By)
		c.rows = append(c.rows, out)
		c.told++
	}
	c.before = &r.event
}

func (c *composer) again(pattern []row, n int, first, last row) {
	if n > 0 && len(c.rows) < maxRows {
		out := EventRow{RowJSON: first.json(c.before), To: last.event.Seq, Times: n}
		out.By, out.Kind, out.Gate, out.Number, out.Attempt = "", "", "", 0, ""
		out.Detail = named(pattern)
		c.rows = append(c.rows, out)
		c.told += n * len(pattern)
	}
	if n > 0 {
		c.before = &last.event
	}
}

// named names the events of a pattern.
func named(rows []row) string {
	names := make([]string, 0, 4)
	for i, r := range rows {
		if len(rows) > 4 && i > 0 && i < len(rows)-1 {
			if i == 1 {
				names = append(names, "…")
			}
			continue
		}
		names = append(names, string(r.event.Kind()))
	}
	return "again " + strings.Join(names, ", ")
}

// people notes what operators and runners did beside connecting, and who was told.
func (c *composer) people(e *events.Event) {
	to := &c.actions
	switch e.Data.(type) {
	case events.AlertDelivered, events.AlertFailed:
		to = &c.alerts
	case events.RestartClaimed, events.OperatorNoted, events.DisconnectRequested, events.DisconnectBlocked, events.DisconnectForced,
		events.DisconnectPermitted, events.RestartRejected, events.RestartAcknowledged, events.AlertAcknowledged:
	case events.GatewayDown:
		if !strings.HasPrefix(e.Source, "/runner/") {
			return
		}
	default:
		return
	}
	if len(*to) < maxActions {
		*to = append(*to, Action{
			Seq: e.Seq, Time: utc(e.Time), By: plain(strings.TrimPrefix(e.Source, "/")), What: string(e.Kind()) + ": " + plain(detail(e.Data)),
		})
	}
}

func (c *composer) document(v *Verification, s Subject) *Document {
	d := &Document{
		Schema: Schema, Source: whole(s.Source), Gateway: v.Gateway, Incident: s.Stop, Events: c.events,
		Outcome: v.Outcome(), Sentence: plain(v.sentence()), Stops: c.narrator.stops.done(), Latency: c.latency.rows(),
		Programs: c.tracks.programs(), Actions: c.actions, Alerts: c.alerts, Recovery: c.recovery.done(), Rows: c.rows, RowsMore: c.events - c.told,
		lines: c.lines,
	}
	if c.first != nil {
		d.First, d.Last, d.Begin, d.End = c.first.Seq, c.last.Seq, utc(c.first.Time), utc(c.last.Time)
	}
	if c.clocked {
		d.LengthNS = &c.at.ns
	}
	c.judged(d, v)
	c.broken(v)
	d.Picture = c.tracks.picture(c.at, c.clocked)
	d.Attempts, d.AttemptsMore = c.tracks.table()
	d.Story, d.Untold = c.story.told(c.last, c.gate)
	d.Title = title(d, c.gate == fsm.Stopped)
	d.Figures = figures(d)
	d.Provenance = c.provenance(d, v, s)
	return d
}

func (c *composer) provenance(d *Document, v *Verification, s Subject) Provenance {
	p := Provenance{
		Version: s.Version, Recorder: c.versions, RuleSet: v.Verdict.RuleSet, FoldVersion: fsm.FoldVersion, Head: v.Verdict.Head.String(),
		State: c.narrator.state.Hash().String(), Gate: c.narrator.state.Gate, Judged: v.Verdict.Events, Scope: v.Verdict.Scope, Anchor: v.Verdict.Anchor,
	}
	if v.Broken != nil {
		line, at, field := place(v.Broken)
		p.Broken = &BrokenJSON{Error: plain(v.Broken.Error()), Line: line, Byte: at, Field: plain(field)}
	}
	for _, err := range s.Doubts {
		p.Doubts = append(p.Doubts, plain(err.Error()))
	}
	command := func(verb string, more ...string) string {
		return whole(Command(slices.Concat([]string{"replay", verb, s.Source}, s.Flags, more)...))
	}
	to := []string(nil)
	if s.Range.To != 0 {
		to = []string{"--to", fmt.Sprint(d.Last)}
	}
	p.Verify = command("verify", to...)
	span := to
	if s.Range.From > 1 {
		span = append([]string{"--from", fmt.Sprint(d.First)}, to...)
	}
	p.Export = command("export", append(slices.Clone(span), "-w", "events.ndjson")...)
	p.Timeline = command("timeline", span...)
	if s.Stop != 0 {
		span = []string{"--incident", fmt.Sprint(s.Stop)}
	}
	p.Again = command("report", append(slices.Clone(span), "-w", "report.html")...)
	return p
}
