package fsmtest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ibrecorder/events"
)

// Writer stamps events as the recorder's loop would. The zero Writer is not
// usable; take New.
type Writer struct {
	// Now is the monotonic time in nanoseconds, events.NoMono for an import.
	Now    int64
	params events.Params
	boot   string
	seq    uint64
	epoch  uint64
	prev   events.Hash
	stop   string // IDs of the last of their kinds
	claim  string
	stages map[string]events.Stage
	permit map[string]string // ID of the last permit, by attempt
}

// New begins a stream in boot "b1". Policies start from params.
func New(params events.Params) *Writer {
	return &Writer{params: params, boot: "b1", stages: map[string]events.Stage{}, permit: map[string]string{}}
}

// Write returns the events of a script.
func (w *Writer) Write(script string) ([]events.Event, error) {
	var out []events.Event
	for _, line := range Lines(script) {
		d, err := w.draft(strings.Fields(line))
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		if d.Data != nil {
			out = append(out, w.Stamp(d))
		}
	}
	return out, nil
}

// Lines splits a script into what is one event each. What follows # is a remark.
func Lines(script string) []string {
	var out []string
	for line := range strings.Lines(script) {
		line, _, _ = strings.Cut(line, "#")
		for part := range strings.SplitSeq(line, ";") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
	}
	return out
}

// Stamp makes an event of a draft: the next sequence and chain, the time as it is.
func (w *Writer) Stamp(d events.Draft) events.Event {
	w.seq++
	e := events.Event{
		ID: d.ID, Source: d.Source, Gateway: "live", Seq: w.seq, Boot: w.boot, Mono: w.Now, Conn: d.Conn, Attempt: d.Attempt,
		Cause: d.Cause, Prev: w.prev, Data: d.Data,
	}
	if e.ID == "" {
		e.ID = "e" + strconv.FormatUint(w.seq, 10)
	}
	switch d.Data.(type) {
	case events.RestartAcknowledged:
		w.epoch++
	case events.RestartRequired:
		w.stop = e.ID
	case events.RestartClaimed:
		w.claim = e.ID
	case events.AttemptPermitted:
		w.permit[e.Attempt] = e.ID
	}
	e.Epoch = w.epoch
	raw, err := events.Encode(e)
	if err != nil {
		panic(fmt.Sprintf("fsmtest: a notation for what no log can hold: %v", err))
	}
	w.prev = events.HashOf(raw)
	return e
}

// Boot begins another run of the recorder.
func (w *Writer) Boot(name string) {
	w.boot, w.Now = name, 0
	if name == events.BootImport {
		w.Now = events.NoMono
	}
}

func (w *Writer) draft(words []string) (events.Draft, error) {
	if after, ok := strings.CutPrefix(words[0], "+"); ok {
		span, err := time.ParseDuration(after)
		if w.Now != events.NoMono {
			w.Now += span.Nanoseconds()
		}
		return events.Draft{}, err
	}
	d := events.Draft{Source: "/recorder"}
	var err error
	if d.Data, err = w.own(&d, words); d.Data != nil || err != nil {
		return d, err
	}
	return w.attempt(words)
}

// own is what the recorder does for itself.
func (w *Writer) own(d *events.Draft, words []string) (events.Payload, error) {
	switch words[0] {
	case "boot":
		if len(words) < 2 {
			return nil, fmt.Errorf("want a name")
		}
		started := events.RecorderStarted{Version: "1", Previous: events.PreviousNone, OldStopped: len(words) > 2 && words[2] == "carried"}
		if w.seq > 0 {
			started.Previous, started.PreviousBoot = events.PreviousCrashed, w.boot
			if len(words) > 2 && words[2] == "stopped" { // the run before ended in order
				started.Previous = events.PreviousStopped
			}
		}
		w.Boot(words[1])
		return started, nil
	case "gap":
		return events.RecorderGap{Reason: events.GapOverflow, Lost: 1}, nil
	case "policy":
		p := events.PolicyLoaded{Preset: "handoff", Hash: events.Hash{1}.String(), Params: w.params}
		for _, word := range words[1:] {
			name, value, set := strings.Cut(word, "=")
			if !set {
				p.Mode = events.Mode(word)
				continue
			}
			in := json.NewDecoder(strings.NewReader(fmt.Sprintf(`{%q:%s}`, name, value)))
			in.DisallowUnknownFields()
			if err := in.Decode(&p.Params); err != nil {
				return nil, err
			}
		}
		return p, nil
	}
	return w.gateway(d, words)
}
