package fsm

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// flat is a table without its types, so that one test reads all three.
type flat = Table[string, string]

func tables() []flat { return []flat{flatten(GateTable()), flatten(APITable()), flatten(PhaseTable())} }

func flatten[S, T ~string](t Table[S, T]) flat {
	out := flat{Name: t.Name, Initial: string(t.Initial), States: plain(t.States), Triggers: plain(t.Triggers)}
	for _, r := range t.Rows {
		out.Rows = append(out.Rows, Row[string, string]{plain(r.From), string(r.On), string(r.To), r.Why})
	}
	for _, c := range t.Ignored {
		out.Ignored = append(out.Ignored, Cells[string, string]{plain(c.In), plain(c.On), c.Why})
	}
	for _, c := range t.Anomalies {
		out.Anomalies = append(out.Anomalies, Cells[string, string]{plain(c.In), plain(c.On), c.Why})
	}
	return out
}

func plain[T ~string](list []T) []string {
	var out []string
	for _, x := range list {
		out = append(out, string(x))
	}
	return out
}

// want walks the rows: it knows nothing of looplab.
func (t Table[S, T]) want(s S, on T) (S, Outcome) {
	for _, r := range t.Rows {
		if r.On == on && slices.Contains(r.From, s) {
			return r.To, Moved
		}
	}
	for _, c := range t.Ignored {
		if c.has(s, on) {
			return s, Ignored
		}
	}
	return s, Anomaly
}

func TestEveryCellIsDecided(t *testing.T) {
	for _, table := range tables() {
		t.Run(table.Name, func(t *testing.T) {
			for _, p := range table.problems() {
				t.Error(p)
			}
			for i, s := range table.States {
				if slices.Contains(table.States[:i], s) {
					t.Errorf("state %s is declared twice", s)
				}
			}
			for i, on := range table.Triggers {
				if slices.Contains(table.Triggers[:i], on) {
					t.Errorf("trigger %s is declared twice", on)
				}
				if !slices.ContainsFunc(table.Rows, func(r Row[string, string]) bool { return r.On == on }) {
					t.Errorf("trigger %s moves nothing", on)
				}
			}
			var whys []string
			for _, r := range table.Rows {
				whys = append(whys, r.Why)
			}
			for _, c := range slices.Concat(table.Ignored, table.Anomalies) {
				whys = append(whys, c.Why)
			}
			if slices.Contains(whys, "") {
				t.Error("a row or a cell does not say why")
			}
		})
	}
}

func TestATableWithAProblemIsRefused(t *testing.T) {
	good := func() Table[string, string] {
		return Table[string, string]{Name: "lamp", Initial: "off", States: []string{"off", "on"}, Triggers: []string{"press"},
			Rows: []Row[string, string]{{[]string{"off"}, "press", "on", "w"}, {[]string{"on"}, "press", "off", "w"}}}
	}
	for _, tc := range []struct {
		name string
		bad  func(*Table[string, string])
		want string
	}{
		{"a cell that nobody decided", func(l *flat) { l.Rows = l.Rows[:1] }, "on on press is decided 0 times"},
		{"a cell decided twice", func(l *flat) { l.Ignored = []Cells[string, string]{{[]string{"on"}, []string{"press"}, "w"}} }, "on on press is decided 2 times"},
		{"a row from a state that does not exist", func(l *flat) { l.Rows[0].From = []string{"off", "dim"} }, `there is no state "dim"`},
		{"a row to a state that does not exist", func(l *flat) { l.Rows[0].To = "dim" }, `there is no state "dim"`},
		{"a cell for a trigger that does not exist", func(l *flat) { l.Anomalies = []Cells[string, string]{{[]string{"on"}, []string{"kick"}, "w"}} }, `there is no trigger "kick"`},
		{"a beginning that does not exist", func(l *flat) { l.Initial = "dim" }, `there is no state "dim"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			table := good()
			tc.bad(&table)
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, tc.want) {
					t.Errorf("NewMachine says %q, want it to contain %q", got, tc.want)
				}
			}()
			NewMachine(table)
		})
	}
}

func TestLooplabAgreesWithTheTable(t *testing.T) {
	agrees(t, GateTable())
	agrees(t, APITable())
	agrees(t, PhaseTable())
}

func agrees[S, T ~string](t *testing.T, table Table[S, T]) {
	m := NewMachine(table)
	for range 2 { // the second time around the machine has been everywhere
		for _, s := range table.States {
			for _, on := range table.Triggers {
				got, out := m.Next(s, on)
				want, wantOut := table.want(s, on)
				if got != want || out != wantOut {
					t.Errorf("%s: %s on %s gives %s (%d), want %s (%d)", table.Name, s, on, got, out, want, wantOut)
				}
			}
		}
	}
	if got, out := m.Next("NOWHERE", table.Triggers[0]); got != "NOWHERE" || out != Anomaly {
		t.Errorf("%s: an unknown state gives %s (%d), want itself as an anomaly", table.Name, got, out)
	}
	if got, out := m.Next(table.Initial, "nothing"); got != table.Initial || out != Anomaly {
		t.Errorf("%s: an unknown trigger gives %s (%d), want no move and an anomaly", table.Name, got, out)
	}
}

// reach returns the states that rows lead to from the given one, itself included.
func reach(t flat, from string) []string {
	seen := []string{from}
	for i := 0; i < len(seen); i++ {
		for _, r := range t.Rows {
			if slices.Contains(r.From, seen[i]) && !slices.Contains(seen, r.To) {
				seen = append(seen, r.To)
			}
		}
	}
	return seen
}

func TestEveryStateIsReachable(t *testing.T) {
	for _, table := range tables() {
		if missing := without(table.States, reach(table, table.Initial)); len(missing) > 0 {
			t.Errorf("%s: nothing leads from %s to %v", table.Name, table.Initial, missing)
		}
	}
}

func TestNothingIsADeadEnd(t *testing.T) {
	for _, tc := range []struct {
		name  string
		table flat
		goal  string
		final []string
	}{
		{"every gate can open", flatten(GateTable()), string(Open), nil},
		{"every gateway can become ready", flatten(APITable()), string(Ready), nil},
		{"every session can end in order or be lost", flatten(PhaseTable()), string(Closed), []string{string(Lost)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, s := range without(tc.table.States, tc.final) {
				if !slices.Contains(reach(tc.table, s), tc.goal) {
					t.Errorf("nothing leads from %s to %s", s, tc.goal)
				}
			}
		})
	}
}

func TestStoppedHasTwoWaysOutAndBothAreDecisions(t *testing.T) {
	var out []GateTrigger
	for _, r := range GateTable().Rows {
		if slices.Contains(r.From, Stopped) {
			out = append(out, r.On)
		}
	}
	if want := []GateTrigger{Release, EndStop}; !slices.Equal(out, want) {
		t.Errorf("STOPPED is left by %v, want %v", out, want)
	}
}

func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}

// A constant that no table knows is one that somebody forgot.
func TestEveryConstantIsInItsTable(t *testing.T) {
	declared := map[string][]string{}
	for _, table := range tables() {
		types := map[string][2]string{"gate": {"Gate", "GateTrigger"}, "gateway": {"API", "APITrigger"}, "session": {"Phase", "PhaseTrigger"}}[table.Name]
		declared[types[0]], declared[types[1]] = table.States, table.Triggers
	}
	found := map[string]int{}
	for _, name := range []string{"gate.go", "gateway.go", "session.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			typ, ok := spec.Type.(*ast.Ident)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			lit, ok := spec.Values[0].(*ast.BasicLit)
			if !ok {
				return true
			}
			value, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			found[typ.Name]++
			if !slices.Contains(declared[typ.Name], value) {
				t.Errorf("%s: %s %s = %q is in no table", name, typ.Name, spec.Names[0], value)
			}
			return true
		})
	}
	for typ, list := range declared {
		if found[typ] != len(list) {
			t.Errorf("the table has %d of type %s, the source %d constants", len(list), typ, found[typ])
		}
	}
}
