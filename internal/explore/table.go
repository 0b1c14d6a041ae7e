package explore

import (
	"fmt"
	"maps"

	"ibrecorder/events"
	"ibrecorder/fsm"
)

// Table is one machine of the fold, and which of its rows were exercised.
type Table struct {
	Name string
	// Rows is how many pairs of state and trigger move the machine, Exercised how many
	// of them did, in some cast.
	Rows, Exercised int
	Unreached       []Unreached
}

// Unreached is a row that nothing exercised.
type Unreached struct {
	In, On string
	// Why says why that is meant; empty if it is not.
	Why string
}

// Missing are the unreached rows that nothing excuses.
func (t Table) Missing() (out []Unreached) {
	for _, u := range t.Unreached {
		if u.Why == "" {
			out = append(out, u)
		}
	}
	return out
}

func (c *cover) merge(o *cover) {
	maps.Copy(c.gate, o.gate)
	maps.Copy(c.api, o.api)
	maps.Copy(c.phase, o.phase)
}

// tables compares what was exercised with the tables themselves.
func (c *cover) tables(loaded events.PolicyLoaded) []Table {
	return []Table{
		exercised(fsm.GateTable(), c.gate, loaded),
		exercised(fsm.APITable(), c.api, loaded),
		exercised(fsm.PhaseTable(), c.phase, loaded),
	}
}

func exercised[S, T ~string](table fsm.Table[S, T], seen map[cell[S, T]]bool, loaded events.PolicyLoaded) Table {
	t := Table{Name: table.Name}
	for _, r := range table.Rows {
		for _, in := range r.From {
			t.Rows++
			if seen[cell[S, T]{in, r.On}] {
				t.Exercised++
				continue
			}
			t.Unreached = append(t.Unreached, Unreached{string(in), string(r.On), meant(fmt.Sprint(table.Name, " ", in, " ", r.On), loaded)})
		}
	}
	return t
}

// meant says why a row cannot be reached under a policy, "" if it should be.
func meant(row string, loaded events.PolicyLoaded) string {
	switch row {
	case "gate STOPPED end_stop", "gateway DOWN contradicted":
		if loaded.Mode == events.Enforce {
			return "only observe mode ends a stop so"
		}
	}
	return excused[row]
}

// excused are the rows that are there for logs which nothing makes here.
var excused = map[string]string{
	"gateway STARTING released": takenOver, "gateway DEGRADED released": takenOver, "gateway READY released": takenOver, "gateway SUSPECT released": takenOver,
	"session DIALING got_version": notWhole, "session CONNECTED got_ready": notWhole,
}

const (
	takenOver = "only after a stop that a new log takes over, the one that declares nothing down, and by reports"
	notWhole  = "the relay tells of each step, so only behind a gap in the log"
)
