package explore

import "ibrecorder/events"

// JSON is what `replay check-policy -o json` prints.
type JSON struct {
	Schema   int         `json:"schema_version"`
	Source   string      `json:"source"` // the file, or the preset
	Outcome  Outcome     `json:"outcome"`
	Sentence string      `json:"sentence"`
	Preset   string      `json:"preset"`
	Mode     events.Mode `json:"mode"`
	Hash     string      `json:"hash"`
	// Casts and Tables are empty where a counterexample was found.
	Casts  []CastJSON  `json:"casts,omitempty"`
	Tables []TableJSON `json:"tables,omitempty"`
	Bounds []string    `json:"bounds"`
	// Found is the counterexample, absent if there is none.
	Found *FoundJSON `json:"found,omitempty"`
}

// CastJSON is what was explored with one cast.
type CastJSON struct {
	Name   string `json:"name"`
	About  string `json:"about"`
	States int    `json:"states"`
	Moves  int    `json:"moves"`
	Depth  int    `json:"depth"`
	Whole  bool   `json:"whole"`
}

// TableJSON is one machine.
type TableJSON struct {
	Name      string          `json:"name"`
	Rows      int             `json:"rows"`
	Exercised int             `json:"exercised"`
	Unreached []UnreachedJSON `json:"unreached,omitempty"`
}

// UnreachedJSON is a row that was not exercised; Why is absent if nothing excuses it.
type UnreachedJSON struct {
	In  string `json:"in"`
	On  string `json:"on"`
	Why string `json:"why,omitempty"`
}

// FoundJSON is the counterexample.
type FoundJSON struct {
	What  string     `json:"what"` // a rule of the judge, or what does not hold
	Text  string     `json:"text"`
	Seq   uint64     `json:"seq"`
	Cast  string     `json:"cast"`
	Moves []MoveJSON `json:"moves"`
}

// MoveJSON is what happens, and what is decided then.
type MoveJSON struct {
	Text      string   `json:"text"`
	Decisions []string `json:"decisions,omitempty"`
	Last      uint64   `json:"last"` // sequence of its last event
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
