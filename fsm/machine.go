package fsm

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/looplab/fsm"
)

// Machine executes a table. looplab is asked once about every pair, when the
// machine is built, and its answers are kept: an answer costs it 260 ns and five
// allocations, and a fold asks for several with each event. So a Machine does not
// change, and anybody may share it.
type Machine[S, T ~string] struct {
	answers map[cell[S, T]]answer[S]
}

type cell[S, T ~string] struct {
	in S
	on T
}

type answer[S ~string] struct {
	to  S
	out Outcome
}

// NewMachine builds the machine of a table. It panics for a table with an
// undecided or doubly decided cell, or an undeclared name: looplab would silently
// take the last.
func NewMachine[S, T ~string](t Table[S, T]) *Machine[S, T] {
	if problems := t.problems(); len(problems) > 0 {
		panic(fmt.Sprintf("fsm: table %s: %v", t.Name, problems))
	}
	var rows []fsm.EventDesc
	for _, r := range t.Rows {
		d := fsm.EventDesc{Name: string(r.On), Dst: string(r.To)}
		for _, from := range r.From {
			d.Src = append(d.Src, string(from))
		}
		rows = append(rows, d)
	}
	engine := fsm.NewFSM(string(t.Initial), rows, nil)
	m := &Machine[S, T]{answers: map[cell[S, T]]answer[S]{}}
	for _, s := range t.States {
		for _, on := range t.Triggers {
			m.answers[cell[S, T]{s, on}] = ask(engine, t, s, on)
		}
	}
	return m
}

func ask[S, T ~string](engine *fsm.FSM, t Table[S, T], s S, on T) answer[S] {
	engine.SetState(string(s))
	err := engine.Event(context.Background(), string(on))
	var same fsm.NoTransitionError
	if err == nil || errors.As(err, &same) { // a row from a state to itself is no error
		return answer[S]{S(engine.Current()), Moved}
	}
	for _, c := range t.Ignored {
		if c.has(s, on) {
			return answer[S]{s, Ignored}
		}
	}
	return answer[S]{s, Anomaly}
}

// Next returns the state after trigger t in state s, and what the trigger did.
// What the table does not declare is an anomaly.
func (m *Machine[S, T]) Next(s S, t T) (S, Outcome) {
	if a, ok := m.answers[cell[S, T]{s, t}]; ok {
		return a.to, a.out
	}
	return s, Anomaly
}

// problems lists every cell that is not decided exactly once, and every name that
// the table does not declare.
func (t Table[S, T]) problems() []string {
	decided := map[[2]string]int{}
	var out []string
	cells := func(in []S, on ...T) {
		for _, s := range in {
			if !slices.Contains(t.States, s) {
				out = append(out, fmt.Sprintf("there is no state %q", s))
			}
			for _, o := range on {
				if !slices.Contains(t.Triggers, o) {
					out = append(out, fmt.Sprintf("there is no trigger %q", o))
				}
				decided[[2]string{string(s), string(o)}]++
			}
		}
	}
	for _, r := range t.Rows {
		cells(r.From, r.On)
		cells([]S{r.To})
	}
	for _, c := range slices.Concat(t.Ignored, t.Anomalies) {
		cells(c.In, c.On...)
	}
	cells([]S{t.Initial})
	for _, s := range t.States {
		for _, on := range t.Triggers {
			if n := decided[[2]string{string(s), string(on)}]; n != 1 {
				out = append(out, fmt.Sprintf("%s on %s is decided %d times", s, on, n))
			}
		}
	}
	return out
}
