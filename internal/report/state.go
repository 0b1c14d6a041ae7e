package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
)

// Diff is what changed between two moments, From below To.
type Diff struct {
	From    uint64   `json:"from"`    // sequence
	To      uint64   `json:"to"`      // sequence
	Changes []Change `json:"changes"` // field by field
}

// StateJSON is what `replay state -o json` prints.
type StateJSON struct {
	Schema  int         `json:"schema_version"`
	Source  string      `json:"source"`         // as it was typed
	Gateway string      `json:"gateway"`        // its name
	Seq     uint64      `json:"seq"`            // of the last event that was folded
	Time    *time.Time  `json:"time,omitempty"` // RFC 3339, UTC; absent if it is not known
	Kind    events.Kind `json:"kind"`           // of the event at seq
	// First is where the stream starts; later than 1 the state is only what this
	// stream shows.
	First uint64 `json:"first"`
	// FoldVersion and Hash identify the state: equal in both means equal.
	FoldVersion int    `json:"fold_version"`
	Hash        string `json:"hash"`
	// State is the canonical encoding, field by field as the fold keeps it.
	State json.RawMessage `json:"state"`
	Diff  *Diff           `json:"diff,omitempty"` // with --diff
	// Broken is where the stream breaks off, and the state is the one up to there;
	// or why the stream is not one whole history.
	Broken string `json:"broken,omitempty"`
}

// WriteStateJSON writes a state for programs, as one StateJSON on one line: the
// canonical encoding has no white space.
func WriteStateJSON(w io.Writer, source string, s Snapshot, d *Diff, broken error) error {
	out := StateJSON{
		Schema: Schema, Source: source, Gateway: s.State.Gateway, Seq: s.Event.Seq, Time: utc(s.Event.Time), Kind: s.Event.Kind(),
		First: s.First, FoldVersion: fsm.FoldVersion, Hash: s.State.Hash().String(), State: s.State.Canonical(), Diff: d,
	}
	if broken != nil {
		out.Broken = broken.Error()
	}
	return json.NewEncoder(w).Encode(out) // escapes HTML as Canonical does, so the bytes of the state stay
}

// WriteState writes a state for people.
func WriteState(w io.Writer, snap Snapshot, d *Diff, style Style) error {
	p := &page{w: w, s: style}
	s := &snap.State
	p.line("gateway %s after #%d · %s · %s", s.Gateway, s.Seq, style.moment(snap.Event.Time), style.place(snap.Event.Time))
	if snap.First > 1 {
		p.line("the stream starts at #%d: this is what it shows alone, what was before is not known", snap.First)
	}
	p.line("")
	rows := [][]string{
		{"last event", strings.TrimSpace(fmt.Sprintf("%s by %s  %s", snap.Event.Kind(), strings.TrimPrefix(snap.Event.Source, "/"), detail(snap.Event.Data)))},
		{"gate", style.paint(gateColour(s.Gate), string(s.Gate)) + "  " + gateMeaning(s)},
		{"gateway", string(s.API)},
		{"epoch", fmt.Sprintf("%d, run %s, %s after its start", s.Epoch, s.Boot, span(s.Mono))},
		{"policy", policy(s)},
	}
	rows = append(rows, sessions(s)...)
	rows = append(rows,
		[]string{"in a row", fmt.Sprintf("silent %d · dial timeouts %d · closed %d · failed %d", s.Row.Silent.N, s.Row.DialTimeouts.N, s.Row.Closed.N, s.Row.Failed)},
		[]string{"delay", delay(s)},
		[]string{"probation", probation(s)},
		[]string{"observed", observed(s.Observed)},
		[]string{"pending", pending(s)},
		[]string{"totals", fmt.Sprintf("requested %d · permitted %d · stops %d · releases %d", s.Totals.Requested, s.Totals.Permitted, s.Totals.Stops, s.Totals.Releases)},
		[]string{"anomalies", anomalies(s.Odd)},
		[]string{"hash", fmt.Sprintf("%s (fold version %d)", s.Hash(), fsm.FoldVersion)},
	)
	p.table(rows)
	if d != nil {
		p.line("")
		p.diff(d)
	}
	return p.err
}

func (p *page) diff(d *Diff) {
	if len(d.Changes) == 0 {
		p.line("nothing changed from #%d to #%d", d.From, d.To)
		return
	}
	p.line("changed from #%d to #%d", d.From, d.To)
	p.line("")
	rows := [][]string{{"FIELD", fmt.Sprintf("AFTER #%d", d.From), fmt.Sprintf("AFTER #%d", d.To), "FIRST CHANGED BY"}}
	for _, c := range brief(d.Changes) {
		rows = append(rows, []string{c.Field, short(c.Before), short(c.After), fmt.Sprintf("#%d %s", c.Seq, c.Kind)})
	}
	p.table(rows)
}

// brief makes one line of a session or request that is there on one side only.
func brief(changes []Change) []Change {
	oneSided := map[string]bool{}
	for _, c := range changes {
		if item, field, _ := strings.Cut(c.Field, "]"); field == ".attempt" {
			oneSided[item] = true
		}
	}
	var out []Change
	for _, c := range changes {
		item, _, _ := strings.Cut(c.Field, "]")
		if !oneSided[item] {
			out = append(out, c)
			continue
		}
		whole := Change{Field: item + "]", Seq: c.Seq, Kind: c.Kind}
		if c.Before != "" {
			whole.Before = "there"
		} else {
			whole.After = "there"
		}
		if n := len(out); n == 0 || out[n-1].Field != whole.Field {
			out = append(out, whole)
		}
	}
	return out
}

// short is a value for a table; lists of a busy gateway are long, and the newest
// is last.
func short(value string) string {
	const most = 48
	r := []rune(value)
	switch {
	case value == "":
		return "-"
	case len(r) > most:
		return string(r[:most/3]) + "…" + string(r[len(r)-most*2/3:])
	}
	return value
}

func gateColour(g fsm.Gate) colour {
	switch g {
	case fsm.Stopped:
		return red
	case fsm.Open:
		return green
	}
	return yellow
}

func gateMeaning(s *fsm.State) string {
	switch s.Gate {
	case fsm.Open:
		return "the next attempt may dial"
	case fsm.Attempting:
		return "an attempt is under way, the others wait"
	case fsm.Backoff:
		return "nobody dials until the delay is over"
	case fsm.Probation:
		return "released; a few attempts must show that it works"
	}
	what := fmt.Sprintf("since #%d nobody dials until a release", s.Stop.Seq)
	if s.Stop.Carried {
		what += "; the stop was taken over from the log before"
	}
	return what
}

func policy(s *fsm.State) string {
	p := &s.Policy
	if p.Hash == "" {
		return "none yet"
	}
	return fmt.Sprintf("%s, %s, silent limit %d (%.12s…)", p.Preset, p.Mode, p.SilentLimit, p.Hash)
}

func sessions(s *fsm.State) [][]string {
	rows := [][]string{{"sessions", "none"}}
	for i, x := range s.Sessions {
		name := ""
		if i == 0 {
			name, rows = "sessions", nil
		}
		text := fmt.Sprintf("%s  %s, stage %s", x.Attempt, x.Phase, x.Stage)
		if x.ClientID != nil {
			text += fmt.Sprintf(", client %d", *x.ClientID)
		}
		if !x.Ended {
			text += ", the attempt is under way"
		}
		rows = append(rows, []string{name, text})
	}
	for i, x := range s.Waiting {
		name := ""
		if i == 0 {
			name = "waiting"
		}
		rows = append(rows, []string{name, x.Attempt})
	}
	return rows
}

func delay(s *fsm.State) string {
	until := s.Delay.Until()
	switch {
	case until == 0:
		return "none"
	case until <= s.Mono:
		return span(s.Delay.MS*1e6) + ", over"
	}
	return fmt.Sprintf("%s, over in %s", span(s.Delay.MS*1e6), span(until-s.Mono))
}

func probation(s *fsm.State) string {
	if !s.Trial.On {
		return "off"
	}
	return fmt.Sprintf("%d of %s used", s.Trial.Used, count(int(s.Policy.ProbationAttempts), "attempt"))
}

func observed(o fsm.Process) string {
	if o.Listening == "" {
		return "nothing yet"
	}
	out := fmt.Sprintf("listening: %s, owner: %s", o.Listening, o.Owner)
	if o.PID > 0 {
		out += fmt.Sprintf(", process %d", o.PID)
	}
	return out
}

// pending are facts that wait for a decision.
func pending(s *fsm.State) string {
	var parts []string
	for _, w := range []struct{ what, id string }{
		{"a stop", s.Pending.Down}, {"a stop taken over", s.Pending.Carried}, {"a delay", s.Pending.Failure},
		{"a success that contradicts the stop", s.Pending.Success}, {"a disconnect", s.Pending.Disconnect.ID}, {"a claim of a restart", s.Claim.ID},
	} {
		if w.id != "" {
			parts = append(parts, fmt.Sprintf("%s (%s)", w.what, w.id))
		}
	}
	if parts == nil {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

func anomalies(o fsm.Anomalies) string {
	if o.Count == 0 {
		return "none"
	}
	return fmt.Sprintf("%d, the last at #%d: %s", o.Count, o.Seq, o.Text)
}
