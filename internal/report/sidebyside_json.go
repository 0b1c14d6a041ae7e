package report

import (
	"io"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/diff"
)

// SideBySideJSON is what `replay diff -o json` prints.
type SideBySideJSON struct {
	Schema int        `json:"schema_version"`
	Same   bool       `json:"same"`             // no event means another thing
	A      SideJSON   `json:"a"`                // the first stream
	B      SideJSON   `json:"b"`                // the second
	Common int        `json:"common"`           // events that are alike before the first divergence
	Alike  int        `json:"alike"`            // of all, by the alignment
	Whole  bool       `json:"aligned"`          // false if too many events differ: then there is one hunk
	Hunks  []HunkJSON `json:"hunks"`            // the first 1000 places where they differ
	More   int        `json:"more_hunks"`       // beyond these
	Broken string     `json:"broken,omitempty"` // why one of them ends where it does
}

// SideJSON is one of the two streams.
type SideJSON struct {
	Source  string              `json:"source"`     // as it was typed
	Gateway string              `json:"gateway"`    // its name, empty if no event could be read
	Events  int                 `json:"events"`     // how many
	Kinds   map[events.Kind]int `json:"kinds"`      // how many of each kind
	Gate    map[fsm.Gate]int64  `json:"gate_ns"`    // nanoseconds in each state, within runs
	API     map[fsm.API]int64   `json:"gateway_ns"` // the same
}

// HunkJSON is a place where the streams differ.
type HunkJSON struct {
	A PartJSON `json:"a"` // in the first stream
	B PartJSON `json:"b"` // in the second
}

// PartJSON is what one of them has there. Without events, First and Last are 0.
type PartJSON struct {
	First    uint64   `json:"first"`              // sequence, 0 without events
	Last     uint64   `json:"last"`               // sequence, 0 without events
	Events   int      `json:"events"`             // how many
	Meanings []string `json:"meanings,omitempty"` // of the first 20
}

// manyMeanings is how many events of a part are told one by one.
const manyMeanings = 20

// WriteSideBySideJSON is WriteSideBySide for programs.
func WriteSideBySideJSON(w io.Writer, d SideBySide, broken error) error {
	side := func(source string, s *diff.Side) SideJSON {
		return SideJSON{Source: source, Gateway: s.Gateway, Events: s.Events(), Kinds: s.Kinds, Gate: s.Gate, API: s.API}
	}
	out := SideBySideJSON{
		Schema: Schema, Same: d.Same(), A: side(d.SourceA, d.A), B: side(d.SourceB, d.B),
		Common: d.First, Alike: d.Alike, Whole: d.Aligned, More: max(0, len(d.Hunks)-manyHunks),
	}
	for _, h := range d.Hunks[:min(len(d.Hunks), manyHunks)] {
		out.Hunks = append(out.Hunks, HunkJSON{part(d.A, h.A), part(d.B, h.B)})
	}
	if broken != nil {
		out.Broken = broken.Error()
	}
	return WriteJSON(w, out)
}

func part(s *diff.Side, p diff.Part) PartJSON {
	out := PartJSON{Events: p.Len()}
	if p.Len() > 0 {
		out.First, out.Last = s.Seq(p.From), s.Seq(p.To-1)
	}
	for i := p.From; i < p.To && len(out.Meanings) < manyMeanings; i++ {
		out.Meanings = append(out.Meanings, s.Meaning(i))
	}
	return out
}
