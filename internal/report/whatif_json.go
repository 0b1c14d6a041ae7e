package report

import (
	"io"

	"ibrecorder/events"
	"ibrecorder/internal/whatif"
)

// WhatIfJSON is what `replay whatif -o json` prints.
type WhatIfJSON struct {
	Schema  int    `json:"schema_version"`
	Source  string `json:"source"`  // as it was typed
	Gateway string `json:"gateway"` // its name
	// Mode is mask or decisions; one of the two lists below is there.
	Mode      string         `json:"mode"`
	Mask      []MaskJSON     `json:"mask,omitempty"`      // one for each policy, in the mode mask
	Decisions []DecisionJSON `json:"decisions,omitempty"` // one for each policy, in the mode decisions
	// Anchor says why nothing is sound of a stream that starts later than 1.
	Anchor string `json:"anchor,omitempty"`
	// Broken is where the stream could not be read on.
	Broken string   `json:"broken,omitempty"`
	Next   []string `json:"next"` // commands that show more
}

// PolicyJSON is a policy that was asked about.
type PolicyJSON struct {
	Name string              `json:"name"`   // the file or the preset
	Load events.PolicyLoaded `json:"policy"` // its values, as policy.loaded has them
}

// MaskJSON is which attempts one policy would have held. What is sound follows from the
// log alone; later and let_in are as recorded under the other policy.
type MaskJSON struct {
	PolicyJSON
	Sentence      string         `json:"sentence"`              // the answer in a sentence
	Attempts      int            `json:"attempts"`              // as recorded
	Around        int            `json:"around"`                // of them, by programs that asked nobody
	Avoided       int            `json:"avoided"`               // SOUND
	AvoidedReady  int            `json:"avoided_ready"`         // of the avoided, those that became ready
	Later         int            `json:"later"`                 // attempts that it would have let dial later; as recorded
	LetIn         int            `json:"let_in"`                // attempts that it would have let dial and were turned away; as recorded
	RecordedStops int            `json:"recorded_stops"`        // how many the log has
	Stops         int            `json:"stops"`                 // how many it makes
	Needless      int            `json:"needless"`              // stops that a success contradicts
	FirstStops    []MaskStopJSON `json:"first_stops,omitempty"` // the first 100
	// Divergence is the first place where it decides otherwise.
	Divergence *DivergenceJSON `json:"divergence,omitempty"`
	// SoundUntil is the event before which what is sound ends, 0 for the end of the stream.
	SoundUntil uint64 `json:"sound_until"`
}

// DivergenceJSON is where a policy first decides otherwise.
type DivergenceJSON struct {
	Seq    uint64        `json:"seq"`             // of the event at which it is
	Change whatif.Change `json:"change"`          // in what way
	About  string        `json:"about,omitempty"` // attempt or other thing that it is about
}

// MaskStopJSON is a stop that a policy makes.
type MaskStopJSON struct {
	Seq      uint64            `json:"seq"`      // of the event at which it stops
	Reason   events.DownReason `json:"reason"`   // what proved it
	Attempts int               `json:"attempts"` // that had begun before it
	// TookMS is the time from the beginning of the first attempt that it rests on, absent
	// if no clock tells.
	TookMS   *int64 `json:"took_ms,omitempty"`
	Shared   bool   `json:"shared"`   // the recorded policy stopped there as well
	Needless bool   `json:"needless"` // a success contradicts it
	Sound    bool   `json:"sound"`    // it follows from the log alone
}

// DecisionJSON is where one policy would have decided otherwise.
type DecisionJSON struct {
	PolicyJSON
	Sentence string `json:"sentence"` // the answer in a sentence
	// Compared is how many recorded decisions were recomputed, Unlike how many are not
	// what the recorded policy decides; from UnlikeAt on nothing is sound.
	Compared    int              `json:"compared"`
	Unlike      int              `json:"unlike"`
	UnlikeAt    uint64           `json:"unlike_at,omitempty"`
	Total       int              `json:"total"`                 // how many differences there are
	Differences []DifferenceJSON `json:"differences,omitempty"` // the first 100
}

// DifferenceJSON is one difference. Recorded and Asked are the decisions in words.
type DifferenceJSON struct {
	Before   uint64 `json:"before"`            // sequence of the event before which it is asked
	Recorded string `json:"recorded"`          // what the recorded policy decides
	Asked    string `json:"asked"`             // what the policy decides that was asked about
	Attempt  string `json:"attempt,omitempty"` // that it is about
	Sound    bool   `json:"sound"`             // it follows from the log alone
}

// WriteMaskJSON writes what WriteMask does, for programs.
func WriteMaskJSON(w io.Writer, source string, first events.Event, asked []*whatif.Mask, broken error) error {
	doc := WhatIfJSON{Schema: Schema, Source: source, Gateway: first.Gateway, Mode: "mask", Anchor: anchored(first), Broken: failure(broken), Next: maskCommands(source, asked)}
	for _, m := range asked {
		r := m.Result
		j := MaskJSON{
			PolicyJSON: PolicyJSON{m.Policy.Name, m.Policy.Loaded}, Sentence: maskSentence(m), Attempts: r.Attempts, Around: r.Around,
			Avoided: r.Avoided, AvoidedReady: r.AvoidedReady, Later: r.Later, LetIn: r.LetIn, RecordedStops: r.RecordedStops, Stops: r.Total,
			Needless: r.Needless, SoundUntil: r.Until,
		}
		if r.First.Seq != 0 {
			j.Divergence = &DivergenceJSON{r.First.Seq, r.First.Change, r.First.About}
		}
		for _, st := range r.Stops {
			s := MaskStopJSON{Seq: st.Seq, Reason: st.Reason, Attempts: st.Attempts, Shared: st.Shared, Needless: st.Needless, Sound: st.Sound}
			if st.TookNS >= 0 {
				ms := st.TookNS / 1e6
				s.TookMS = &ms
			}
			j.FirstStops = append(j.FirstStops, s)
		}
		doc.Mask = append(doc.Mask, j)
	}
	return WriteJSON(w, doc)
}

// WriteComparisonJSON writes what WriteComparison does, for programs.
func WriteComparisonJSON(w io.Writer, source string, first events.Event, asked []*whatif.Comparison, broken error) error {
	doc := WhatIfJSON{Schema: Schema, Source: source, Gateway: first.Gateway, Mode: "decisions", Anchor: anchored(first), Broken: failure(broken), Next: compareCommands(source, asked)}
	for _, c := range asked {
		j := DecisionJSON{
			PolicyJSON: PolicyJSON{c.Policy.Name, c.Policy.Loaded}, Sentence: compareSentence(c), Compared: c.Compared, Unlike: c.Unlike,
			UnlikeAt: c.UnlikeAt, Total: c.Total,
		}
		for i, d := range c.First {
			j.Differences = append(j.Differences, DifferenceJSON{
				Before: d.Seq, Recorded: recordedDecision(c, d), Asked: decision(d.B, d.UntilB), Attempt: d.Attempt,
				Sound: i == 0 && anchored(first) == "" && (c.UnlikeAt == 0 || d.Seq <= c.UnlikeAt),
			})
		}
		doc.Decisions = append(doc.Decisions, j)
	}
	return WriteJSON(w, doc)
}

func failure(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
