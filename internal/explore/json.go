package explore

import "ibrecorder/events"

// JSON is what `replay check-policy -o json` prints.
type JSON struct {
	Schema   int         `json:"schema_version"`
	Source   string      `json:"source"`   // the file, or the preset
	Outcome  Outcome     `json:"outcome"`  // SAFE, UNSAFE or BOUNDED
	Sentence string      `json:"sentence"` // the answer
	Preset   string      `json:"preset"`   // that its values start from
	Mode     events.Mode `json:"mode"`     // enforce or observe
	Hash     string      `json:"hash"`     // SHA-256 of the values of the policy
	// Casts and Tables are empty where a counterexample was found.
	Casts  []CastJSON  `json:"casts,omitempty"`
	Tables []TableJSON `json:"tables,omitempty"`
	Bounds []string    `json:"bounds"` // what an exploration leaves out
	// Found is the counterexample, absent if there is none.
	Found *FoundJSON `json:"found,omitempty"`
}

// CastJSON is what was explored with one cast.
type CastJSON struct {
	Name   string `json:"name"`   // of the cast
	About  string `json:"about"`  // what it is for
	States int    `json:"states"` // how many there are, or were looked at
	Moves  int    `json:"moves"`  // edges
	Depth  int    `json:"depth"`  // moves of the longest shortest way
	Whole  bool   `json:"whole"`  // false if it was given up
}

// TableJSON is one machine.
type TableJSON struct {
	Name      string          `json:"name"`                // of the machine
	Rows      int             `json:"rows"`                // how many it has
	Exercised int             `json:"exercised"`           // of them, seen to happen
	Unreached []UnreachedJSON `json:"unreached,omitempty"` // the others
}

// UnreachedJSON is a row that was not exercised; Why is absent if nothing excuses it.
type UnreachedJSON struct {
	In  string `json:"in"`            // the state
	On  string `json:"on"`            // the trigger
	Why string `json:"why,omitempty"` // absent if nothing excuses it
}

// FoundJSON is the counterexample.
type FoundJSON struct {
	What  string     `json:"what"`  // a rule of the judge, or what does not hold
	Text  string     `json:"text"`  // what is wrong
	Seq   uint64     `json:"seq"`   // of the event that breaks it, in the log of -w
	Cast  string     `json:"cast"`  // the one it was found with
	Moves []MoveJSON `json:"moves"` // the shortest way there
}

// MoveJSON is what happens, and what is decided then.
type MoveJSON struct {
	Text      string   `json:"text"`                // what happens
	Decisions []string `json:"decisions,omitempty"` // what is decided then
	Last      uint64   `json:"last"`                // sequence of its last event
}

// JSON returns the document for a result; schema is the version of all documents.
func (r Result) JSON(schema int, source string) JSON {
	out := JSON{Schema: schema, Source: source, Outcome: r.Outcome, Sentence: r.Sentence(), Preset: r.Policy.Preset, Mode: r.Policy.Mode, Hash: r.Policy.Hash, Bounds: Bounds()}
	for _, c := range r.Casts {
		out.Casts = append(out.Casts, CastJSON{c.Name, c.About, c.States, c.Edges, c.Depth, c.Whole})
	}
	for _, t := range r.Tables {
		table := TableJSON{Name: t.Name, Rows: t.Rows, Exercised: t.Exercised}
		for _, u := range t.Unreached {
			table.Unreached = append(table.Unreached, UnreachedJSON(u))
		}
		out.Tables = append(out.Tables, table)
	}
	if f := r.Found; f != nil {
		out.Found = &FoundJSON{What: f.What, Text: f.Text, Seq: f.Seq, Cast: f.Cast}
		for _, m := range f.Moves {
			out.Found.Moves = append(out.Found.Moves, MoveJSON{m.Text, m.Made, m.Last})
		}
	}
	return out
}
