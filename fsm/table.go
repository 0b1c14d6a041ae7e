package fsm

import "slices"

// Row is a transition: from each of From, on On, to To.
type Row[S, T ~string] struct {
	From []S
	On   T
	To   S
	Why  string
}

// Cells are pairs of state and trigger that change nothing.
type Cells[S, T ~string] struct {
	In  []S
	On  []T
	Why string
}

// Table is a machine as data. Every pair of state and trigger must be in exactly
// one of Rows, Ignored and Anomalies.
type Table[S, T ~string] struct {
	Name      string
	Initial   S
	States    []S
	Triggers  []T
	Rows      []Row[S, T]
	Ignored   []Cells[S, T] // expected, and without effect
	Anomalies []Cells[S, T] // impossible here; counted
}

// Outcome is what a trigger did.
type Outcome uint8

const (
	// Moved: the state is the row's To, which may be where it was.
	Moved Outcome = iota
	// Ignored: expected here, without effect.
	Ignored
	// Anomaly: impossible here, without effect.
	Anomaly
)

func (c Cells[S, T]) has(s S, t T) bool { return slices.Contains(c.In, s) && slices.Contains(c.On, t) }
