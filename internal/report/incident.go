package report

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"ibrecorder/events"
)

// ErrIncident is wrapped by what is wrong with an incident that somebody asked for.
var ErrIncident = errors.New("no such incident")

// Incident is a stop with what led to it and what ended it: from the first event
// of the first attempt in the row that proved it to the first program that was
// connected after the release. A probation that fails stops the gate again within
// the same incident.
type Incident struct {
	// Stops are the sequences of its restart.required, at least one. The first is its name.
	Stops []uint64
	Range Range
	// Over says that a program was connected again; otherwise the range ends with the stream.
	Over bool
}

// Incidents finds the incidents of a stream in one pass. It ends where the stream
// breaks off; what was found until then comes with the error.
func Incidents(stream iter.Seq2[events.Record, error]) ([]Incident, error) {
	var f incidents
	for rec, err := range stream {
		if err != nil {
			return f.all, err
		}
		f.see(&rec.Event)
	}
	return f.all, nil
}

// ChooseIncident returns the last incident for seq 0, otherwise the one that has
// the event seq in it. The error is ErrIncident.
func ChooseIncident(all []Incident, seq uint64) (Incident, error) {
	if len(all) == 0 {
		return Incident{}, fmt.Errorf("%w: the gate was never stopped; without --incident and --last-incident everything is told", ErrIncident)
	}
	if seq == 0 {
		return all[len(all)-1], nil
	}
	var names []string
	for _, i := range all {
		if i.Range.has(seq) {
			return i, nil
		}
		names = append(names, fmt.Sprintf("#%d", i.Stops[0]))
	}
	if len(names) > 5 {
		names = append([]string{"…"}, names[len(names)-5:]...)
	}
	return Incident{}, fmt.Errorf("%w: #%d lies in none; the stops are %s", ErrIncident, seq, strings.Join(names, ", "))
}

// incidents follows a stream. What a stop is due to is what stops knows of it.
type incidents struct {
	all   []Incident
	stops stops
	begun map[string]uint64 // first events of attempts without an end
	ready string            // the attempt whose success ended the last one, while its events go on
}

func (f *incidents) see(e *events.Event) {
	if f.begun == nil {
		f.begun = map[string]uint64{}
	}
	switch e.Data.(type) {
	case events.ClientOpened, events.AttemptRequested:
		f.begin(e)
	}
	var last *Incident
	if n := len(f.all); n > 0 {
		last = &f.all[n-1]
	}
	f.stops.see(e, true)
	switch d := e.Data.(type) {
	case events.RestartRequired:
		if last != nil && !last.Over {
			last.Stops = append(last.Stops, e.Seq)
			break
		}
		from := e.Seq
		if f.stops.inRow {
			from = f.stops.row.Seq
			if seq, known := f.begun[f.stops.row.Attempt]; known && seq < from {
				from = seq
			}
		}
		f.all = append(f.all, Incident{Stops: []uint64{e.Seq}, Range: Range{From: from, To: e.Seq}})
	case events.AttemptSucceeded:
		if stopped := f.stops.all; last != nil && !last.Over && stopped[len(stopped)-1].Recovered == e.Seq {
			last.Over, last.Range.To = true, e.Seq
			f.ready = strings.Clone(e.Attempt)
		}
	case events.GatewayContradicted:
		if d.Ends && last != nil && !last.Over {
			last.Over, last.Range.To = true, e.Seq
		}
	case events.SessionEstablished: // right behind the success that it belongs to
		if last != nil && last.Over && e.Attempt != "" && e.Attempt == f.ready {
			last.Range.To = e.Seq
		}
	}
	if last != nil && !last.Over {
		last.Range.To = e.Seq
	}
	if over(e.Data) {
		f.stale(e)
	}
}

func (f *incidents) begin(e *events.Event) {
	if _, known := f.begun[e.Attempt]; e.Attempt == "" || known {
		return
	}
	if len(f.begun) >= maxAsked {
		clear(f.begun)
	}
	f.begun[strings.Clone(e.Attempt)] = e.Seq
}

// over reports whether an attempt ends with the event.
func over(p events.Payload) bool {
	switch p.(type) {
	case events.AttemptSucceeded, events.AttemptFailed, events.AttemptDenied, events.AttemptAbandoned, events.AttemptUnknown:
		return true
	}
	return false
}

// stale forgets where an attempt began, unless it is the one that a row of
// failures began with.
func (f *incidents) stale(e *events.Event) {
	if !f.stops.inRow || f.stops.row.Attempt != e.Attempt {
		delete(f.begun, e.Attempt)
	}
}
