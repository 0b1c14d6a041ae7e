//go:build !race

package explore

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"ibrecorder/events"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/rule"
)

// A walk through the abstraction is made twice: as it comes, and at each place from the
// state that the search has kept for it, which came another way. Both must offer the
// same moves, and the same move must have the same decisions. What the walk has written is
// then judged and folded anew, from its stored bytes.
func TestPathsThroughTheAbstraction(t *testing.T) {
	p := loaded(t, "handoff", policy.Handoff())
	for _, c := range cast() {
		if testing.Short() && !slices.Contains([]string{"clients", "window"}, c.Name) {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			m := &model{Machine: Real(), cast: c, policy: p, params: p.Params, cover: newCover()}
			g := search(m, DefaultMost, new(atomic.Int32))
			if !g.whole || g.bad != nil {
				t.Fatalf("explored %d states, whole %t, bad %v", len(g.nodes), g.whole, g.bad)
			}
			seed := uint64(len(g.nodes))
			draw := rand.New(rand.NewPCG(seed, 1))
			merged := 0
			for walk := range 10 {
				var recs []events.Record
				var said []string
				carried := c.roots()[walk%len(c.roots())]
				q := newProduct(m, carried)
				q.keep, q.made = &recs, &said
				q.start()
				for n := range 40 {
					at, known := g.found[g.key.of(q)]
					if !known {
						t.Fatalf("seed %d, walk %d, move %d: this state was not found by the search:\n%s", seed, walk, n, told(recs))
					}
					_, other := m.play(g.root(at), g.steps(at))
					if other.s.Seq != q.s.Seq {
						merged++
					}
					moves := q.moves(nil)
					if theirs := other.moves(nil); !slices.Equal(moves, theirs) {
						t.Fatalf("seed %d, walk %d, move %d: these may come next: %v, and from the state that counts as the same: %v\n%s", seed, walk, n, moves, theirs, told(recs))
					}
					mv := moves[draw.IntN(len(moves))]
					said, *other.made = nil, nil
					q, other = q.fork(), other.fork()
					q.run(mv, 0)
					other.run(mv, 0)
					if q.bad != nil || other.bad != nil {
						t.Fatalf("seed %d, walk %d, move %d, %s: %v, %v", seed, walk, n, mv, q.bad, other.bad)
					}
					if mine, theirs := kinds(said), kinds(*other.made); mine != theirs {
						t.Errorf("seed %d, walk %d, move %d, %s: decided %s, and in the state that counts as the same %s\n%s", seed, walk, n, mv, mine, theirs, told(recs))
					}
				}
				played(t, recs)
			}
			if merged == 0 {
				t.Error("no walk came to a state in another way than the search")
			}
		})
	}
}

// played folds and judges a log from its stored bytes, with nothing of the exploration.
func played(t *testing.T, recs []events.Record) {
	t.Helper()
	s, j, apply := newProduct(&model{}, false).s, rule.New(), Real().Apply
	for _, rec := range recs {
		stored, err := events.ParseRecord(rec.Raw)
		if err != nil {
			t.Fatal(err)
		}
		s = apply(s, stored.Event)
		for _, f := range j.Step(stored) {
			if !f.Bypassed {
				t.Errorf("%s at #%d: %s", f.Rule, f.Seq, f.Text)
			}
		}
	}
	if s.Odd.Count != 0 {
		t.Errorf("an anomaly at #%d: %s", s.Odd.Seq, s.Odd.Text)
	}
	for _, a := range j.Verdict().Assumptions {
		for _, f := range a.Findings {
			t.Errorf("%s: %s", a.ID, f.Text)
		}
	}
}

// kinds are the kinds of decisions, without the names that differ.
func kinds(made []string) string {
	var out []string
	for _, d := range made {
		kind, _, _ := strings.Cut(d, " ")
		out = append(out, kind)
	}
	return strings.Join(out, ", ")
}

func told(recs []events.Record) string {
	var b strings.Builder
	for _, r := range recs {
		b.Write(r.Raw)
		b.WriteByte('\n')
	}
	return b.String()
}
