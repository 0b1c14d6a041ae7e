package fsm

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const intro = `# State

<!-- Written by: go test ./fsm -run TestStateDocument -update. Do not edit. -->

What the recorder knows of a gateway is the fold of its log, and nothing else. Three machines stand in it:

- the **gate**: may anyone dial? It moves on decisions alone; the one thing a fact does to it is that the end of an attempt
  frees the slot which the attempt's permit took.
- the **gateway**: is its API layer alive, as far as anybody has seen in this epoch? Only READY means that it works.
- a **session** for each connection that was permitted.

Each machine is one table in the source, which the program executes, which the tests walk and from which this page is made.
Every pair of a state and a trigger is decided: it moves, or it is ignored for a reason, or it is an anomaly, which is
counted in the state and changes nothing. What somebody reports from outside is never counted as an anomaly.
`

var about = map[string]string{
	"gate":    "OPEN permits the next request unless a recorded wait is due. STOPPED is left by a release or, in observe mode, by the end of the stop: both are decisions.",
	"gateway": "DOWN is left by a release, or in observe mode by a success that our own tap saw.",
	"session": "A session begins with its permit.",
}

// document is docs/state.md.
func document() string {
	var b strings.Builder
	b.WriteString(intro)
	for _, t := range tables() {
		fmt.Fprintf(&b, "\n## The %s\n\n%s\n\n```mermaid\n%s```\n", t.Name, about[t.Name], diagram(t))
		b.WriteString("\n| in | on | goes to | because |\n|---|---|---|---|\n")
		for _, r := range t.Rows {
			fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", strings.Join(r.From, ", "), r.On, r.To, r.Why)
		}
		cells(&b, "Ignored", "expected there, and without effect", t.Ignored)
		cells(&b, "Anomalies", "impossible there; counted, and without effect", t.Anomalies)
	}
	return b.String()
}

// diagram draws an arrow for each pair of states, labelled with what moves from
// one to the other.
func diagram(t flat) string {
	var b strings.Builder
	fmt.Fprintf(&b, "stateDiagram-v2\n    [*] --> %s\n", t.Initial)
	for _, from := range t.States {
		for _, to := range t.States {
			var on []string
			for _, r := range t.Rows {
				if r.To == to && slices.Contains(r.From, from) {
					on = append(on, r.On)
				}
			}
			if len(on) > 0 {
				fmt.Fprintf(&b, "    %s --> %s: %s\n", from, to, strings.Join(on, ", "))
			}
		}
	}
	return b.String()
}

func cells(b *strings.Builder, title, meaning string, list []Cells[string, string]) {
	if len(list) == 0 {
		fmt.Fprintf(b, "\n%s: none.\n", title)
		return
	}
	fmt.Fprintf(b, "\n%s, %s:\n\n| in | on | because |\n|---|---|---|\n", title, meaning)
	for _, c := range list {
		fmt.Fprintf(b, "| %s | `%s` | %s |\n", strings.Join(c.In, ", "), strings.Join(c.On, "`, `"), c.Why)
	}
}

func TestStateDocumentIsUpToDate(t *testing.T) {
	path := filepath.Join("..", "docs", "state.md")
	got := document()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with go test ./fsm -run TestStateDocument -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("docs/state.md is stale, renew it with go test ./fsm -run TestStateDocument -update (-file +tables):\n%s", diff)
	}
}

// The arrows of the diagram are the moves of the looplab machines, neither more
// nor fewer.
func TestTheDiagramShowsEveryMove(t *testing.T) {
	for _, table := range tables() {
		m, drawn := NewMachine(table), diagram(table)
		arrows := 0
		for _, from := range table.States {
			for _, on := range table.Triggers {
				to, out := m.Next(from, on)
				if out != Moved {
					continue
				}
				arrows++
				prefix := fmt.Sprintf("    %s --> %s: ", from, to)
				i := strings.Index(drawn, prefix)
				if i < 0 {
					t.Errorf("%s: no arrow from %s to %s", table.Name, from, to)
					continue
				}
				label, _, _ := strings.Cut(drawn[i+len(prefix):], "\n")
				if !slices.Contains(strings.Split(label, ", "), on) {
					t.Errorf("%s: the arrow from %s to %s says %q and not %s", table.Name, from, to, label, on)
				}
			}
		}
		if labels := strings.Count(drawn, ", ") + strings.Count(drawn, ": "); labels != arrows {
			t.Errorf("%s: %d moves are drawn, %d exist", table.Name, labels, arrows)
		}
	}
}
