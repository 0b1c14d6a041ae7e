package rule

import (
	stdcmp "cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ibrecorder/events"
)

// chaos draws lines that no recorder would write, and some that one would.
func chaos(t *rapid.T) []string {
	alphabet := []string{
		"ask A", "attempt.permitted A", "attempt.permitted A enforced=false", "dial A", "dial.started A", "dial.connected A", "handshake.version A",
		"handshake.ready A", "ready A", "silent A", "attempt.failed A", "attempt.failed A reason=refused stage=dial", "attempt.failed A reason=dial_timeout",
		"attempt.failed A reason=client_id_in_use stage=started", "up A", "used A", "retry.scheduled A client_id=7", "attempt.failed A reason=client_waits stage=versioned", "attempt.succeeded A", "attempt.abandoned A", "attempt.unknown A",
		"attempt.failed A by=/runner/robo-1 limit_ms=20000", "attempt.requested A by=/runner/robo-1 local_port=50000", "attempt.succeeded A by=/runner/robo-1",
		"client.closed conn=c-A", "stop", "stop enforced=false", "restart.required", "restart.required carried=true", "gateway.down reason=reported by=/runner/robo-1",
		"resume", "restart.acknowledged", "restart.claimed override=true", "gateway.observed", "wedged", "gateway.contradicted",
		"crash", "crash unfinished=A", "recorder.stopped", "start previous=stopped", "policy.loaded", "policy.loaded silent_limit=3", "policy.loaded mode=observe",
		"retry.scheduled A", "gateway.notice", "+90s gateway.notice", "gateway.notice epoch=1",
		"alert.delivered", "alert.failed", "alert.delivered channel=pager", "alert.raised", "alert.reminded", "alert.acknowledged", "alert.resolved",
	}
	lines := []string{"start"}
	for range rapid.IntRange(0, 25).Draw(t, "length") {
		l := rapid.SampledFrom(alphabet).Draw(t, "line")
		if d := rapid.SampledFrom([]string{"", "", "+5s ", "+30s ", "+60s "}).Draw(t, "wait"); d != "" && l[0] != '+' {
			l = d + l
		}
		lines = append(lines, strings.ReplaceAll(l, "A", "a"+rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "attempt")))
	}
	return lines
}

// script is a recorder that keeps the rule, as lines. Where the rule can be read
// in two ways it draws one.
type script struct {
	t       *rapid.T
	lines   []string
	n       int
	silent  int
	limit   int
	stopped bool
	trial   bool // probation
	used    int
}

func (s *script) add(format string, args ...any) {
	s.lines = append(s.lines, strings.Split(fmt.Sprintf(format, args...), "; ")...)
}

func orderly(t *rapid.T) []string {
	s := &script{t: t, limit: rapid.IntRange(1, 3).Draw(t, "silent_limit")}
	s.add("recorder.started; policy.loaded silent_limit=%d", s.limit)
	for range rapid.IntRange(1, 20).Draw(t, "steps") {
		s.n++
		if s.stopped {
			s.whileStopped()
		} else {
			s.whileOpen()
		}
	}
	return s.lines
}

func (s *script) whileStopped() {
	a := fmt.Sprint("a", s.n)
	switch rapid.IntRange(0, 6).Draw(s.t, "while stopped") {
	case 0:
		s.add("ask %s; attempt.denied %s; client.closed conn=c-%s", a, a, a)
	case 1:
		s.add("restart.claimed; restart.rejected")
	case 2:
		s.add("crash; policy.loaded silent_limit=%d", s.limit)
	case 3:
		s.add("attempt.failed r%d by=/runner/robo-1 reason=refused stage=dial", s.n)
	default:
		s.add("resume")
		s.stopped, s.trial, s.used, s.silent = false, true, 0, 0
	}
}

func (s *script) whileOpen() {
	a := fmt.Sprint("a", s.n)
	switch rapid.IntRange(0, 11).Draw(s.t, "while open") {
	case 0, 1:
		s.add("+90s ready %s", a)
		s.silent, s.trial = 0, false
	case 2, 3:
		s.add("+90s silent %s", a)
		s.silent++
		s.used++
		if !s.trial && s.silent >= s.limit || s.trial && s.used >= 2 {
			s.add("stop; +5s alert.delivered")
			s.stopped = true
		}
	case 4:
		s.add("+90s dial %s; attempt.failed %s reason=refused stage=dial; retry.scheduled %s", a, a, a)
		if rapid.Bool().Draw(s.t, "a refused dial breaks the row") {
			s.silent = 0
		}
	case 5:
		s.add("+90s dial %s; attempt.failed %s reason=client_id_in_use stage=started", a, a)
		s.silent = 0
	case 6:
		s.add("+90s dial %s; disconnect.deferred %s; attempt.abandoned %s", a, a, a)
	case 7:
		s.add("+90s dial %s; crash unfinished=%s; policy.loaded silent_limit=%d; attempt.unknown %s", a, a, s.limit, a)
		s.used++
		if s.trial && s.used >= 2 {
			s.add("gateway.down by=/recorder reason=probation; restart.required reason=probation; alert.delivered")
			s.stopped = true
		}
	case 8:
		s.add("gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported; alert.delivered")
		s.stopped = true
	case 9:
		s.add("recorder.stopped; recorder.started previous=stopped; policy.loaded silent_limit=%d", s.limit)
	case 10:
		s.add("ask %s; attempt.denied %s reason=backoff; client.held %s reason=backoff; attempt.abandoned %s stage=none", a, a, a, a)
	default:
		s.add("gateway.notice; gateway.observed; attempt.failed r%d by=/runner/robo-1 limit_ms=5000", s.n)
	}
}

func build(t *rapid.T, tb testing.TB, lines []string) *builder {
	t.Helper()
	return stream(tb, strings.Join(lines, "\n"))
}

func verdict(b *builder) Verdict {
	v, err := Check(b.all(0))
	if err != nil {
		panic(err)
	}
	return v
}

// explain shows a stream with its findings, for a failure.
func explain(b *builder, v Verdict) string {
	var s strings.Builder
	for _, r := range b.recs {
		fmt.Fprintf(&s, "%4d %s\n", r.Seq, b.names[r.Seq])
	}
	for _, f := range append(findings(v), failed(v)...) {
		fmt.Fprintf(&s, "%s #%d <- %v: %s\n", f.Rule, f.Seq, f.Because, f.Text)
	}
	return s.String()
}

func TestNoPrefixIsBetterThanTheWhole(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := build(rt, t, chaos(rt))
		j := New()
		var told []Finding
		violated := false
		for _, r := range b.recs {
			told = append(told, j.Step(r)...)
			v := j.Verdict()
			if violated && v.Outcome != Violated {
				rt.Fatalf("violated before #%d, and %s with it\n%s", r.Seq, v.Outcome, explain(b, v))
			}
			violated = v.Outcome == Violated
		}
		v := j.Verdict()
		slices.SortStableFunc(told, func(a, b Finding) int { return a.Index - b.Index })
		if diff := cmp.Diff(b.tell(findings(v)), b.tell(told)); diff != "" {
			rt.Fatalf("Step and Verdict differ:\n%s", diff)
		}
	})
}

func TestARecorderThatKeepsTheRuleIsNotAccused(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := build(rt, t, orderly(rt))
		if v := verdict(b); v.Outcome != Holds || findings(v) != nil {
			rt.Fatalf("%s\n%s", v.Outcome, explain(b, v))
		}
	})
}

func TestNoAccusationComesFromAMissingPast(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := build(rt, t, rapid.OneOf(rapid.Custom(chaos), rapid.Custom(orderly)).Draw(rt, "stream"))
		whole := verdict(b)
		from := rapid.IntRange(0, len(b.recs)).Draw(rt, "from")
		v, err := Check(b.all(from))
		if err != nil {
			rt.Fatal(err)
		}
		if v.Outcome == Violated && whole.Outcome != Violated {
			rt.Fatalf("the whole is %s, and from #%d on it is violated\n%s", whole.Outcome, b.recs[from].Seq, explain(b, v))
		}
	})
}

// mayBeLost reports whether a gap may hide a line. A recorder that is overrun
// misses facts, never what it decides or writes about itself; whoever writes a
// history down later may leave out anything but how it was recorded.
func mayBeLost(line, reason string) bool {
	f := strings.Fields(line)
	if strings.HasPrefix(f[0], "+") {
		f = f[1:]
	}
	info, ok := events.Lookup(events.Kind(f[0]))
	group := info.Kind.Group()
	return ok && (info.Class == events.Fact || reason == "unrecorded") && group != "recorder" && group != "policy"
}

func TestNoAccusationComesFromAGap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var lines []string // one event a line, so that single ones can be lost
		for _, l := range orderly(rt) {
			lines = append(lines, flat(strings.Fields(l))...)
		}
		reason := rapid.SampledFrom([]string{"overflow", "store", "unrecorded"}).Draw(rt, "reason")
		at := rapid.IntRange(2, len(lines)).Draw(rt, "gap at")
		from := at
		for n := rapid.IntRange(0, 8).Draw(rt, "lost"); n > 0 && mayBeLost(lines[from-1], reason); n-- {
			from--
		}
		kept, wait := append(slices.Clone(lines[:from]), "+0s recorder.gap reason="+reason), ""
		for _, l := range lines[from:at] { // time passes, unseen
			if d, _, ok := strings.Cut(l, " "); ok && d[0] == '+' {
				wait = d
			}
		}
		kept[from] = strings.Replace(kept[from], "+0s", stdcmp.Or(wait, "+0s"), 1)
		b := build(rt, t, append(kept, lines[at:]...))
		if v := verdict(b); v.Outcome == Violated {
			rt.Fatalf("%s\n%s", v.Outcome, explain(b, v))
		}
	})
}

// flat expands words to one event a line.
func flat(f []string) []string {
	wait := ""
	if strings.HasPrefix(f[0], "+") {
		wait, f = f[0]+" ", f[1:]
	}
	expand, ok := words[f[0]]
	if !ok {
		return []string{wait + strings.Join(f, " ")}
	}
	var out []string
	for _, l := range expand {
		if len(f) > 1 && !strings.Contains(f[1], "=") {
			l = strings.ReplaceAll(l, "A", f[1])
		}
		g := strings.Fields(l)
		if g[0] == "recorder.started" || words[g[0]] != nil {
			for _, arg := range f[1:] {
				if strings.Contains(arg, "=") {
					g = append(g, arg)
				}
			}
		}
		out = append(out, flat(g)...)
	}
	out[0] = wait + out[0]
	return out
}

func TestAForkGoesItsOwnWay(t *testing.T) {

	rapid.Check(t, func(rt *rapid.T) {
		b, other := build(rt, t, chaos(rt)), build(rt, t, chaos(rt))
		at := rapid.IntRange(0, len(b.recs)).Draw(rt, "fork at")
		j := New()
		for _, r := range b.recs[:at] {
			j.Step(r)
		}
		before := j.Verdict()
		astray, twin := j.Fork(), j.Fork()
		if diff := cmp.Diff(before, twin.Verdict()); diff != "" {
			rt.Fatalf("a fork has another verdict:\n%s", diff)
		}
		half := len(other.recs) / 2
		for _, r := range other.recs[:half] {
			r.Seq += uint64(at) // so that it is more than a break of the chain
			astray.Step(r)
		}
		if diff := cmp.Diff(before, j.Verdict()); diff != "" {
			rt.Fatalf("stepping a fork changed the original:\n%s", diff)
		}
		for _, r := range b.recs[at:] {
			if diff := cmp.Diff(j.Step(r), twin.Step(r)); diff != "" {
				rt.Fatalf("#%d: a fork judges otherwise:\n%s", r.Seq, diff)
			}
		}
		for _, r := range other.recs[half:] {
			r.Seq += uint64(at)
			astray.Step(r)
		}
		if diff := cmp.Diff(verdict(b), j.Verdict()); diff != "" {
			rt.Fatalf("a judge that was forked ends with another verdict:\n%s", diff)
		}
	})
}

// TestAForkAnswersWhatADialWouldBreak is how the loop asks before it dials.
func TestAForkAnswersWhatADialWouldBreak(t *testing.T) {
	b := stream(t, `start; silent a1; stop; ask a2`)
	j := New()
	for _, r := range b.recs {
		j.Step(r)
	}
	last := b.recs[len(b.recs)-1].Event
	last.Seq++
	last.Source, last.Cause, last.ID, last.Data = "/recorder", last.ID, "hypothetical", events.AttemptPermitted{Enforced: true}
	if got := b.tell(j.Fork().Step(events.Record{Event: last})); len(got) != 1 || !strings.HasPrefix(got[0], "RS1 ") {
		t.Errorf("a permit while stopped would break %q, want RS1", got)
	}
	if v := j.Verdict(); v.Outcome != Holds {
		t.Errorf("asking made the verdict %s", v.Outcome)
	}
}
