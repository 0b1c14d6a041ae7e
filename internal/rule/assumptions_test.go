package rule

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/events"
)

func TestAssumptions(t *testing.T) {
	for _, c := range []struct {
		name    string
		stream  string
		from    int // index of the first event that is judged
		spoil   func([]events.Record) []events.Record
		failed  []string
		find    []string
		outcome Outcome
	}{
		{
			name:    "an unbroken stream of one gateway",
			stream:  `start; ready a1`,
			outcome: Holds,
		},
		{
			name:    "A1: a hole, and nothing is found that rests on what may be missing",
			stream:  `start; dial a1; gateway.notice seq=20; dial a2`,
			failed:  []string{"A1 gateway.notice", "A5 attempt.permitted a2"},
			outcome: Inconclusive,
		},
		{
			name:    "A1: a breach before a hole stands",
			stream:  `start; silent a1; stop; dial a2; gateway.notice seq=40`,
			failed:  []string{"A1 gateway.notice"},
			find:    []string{"RS1 attempt.permitted a2 <- restart.required"},
			outcome: Violated,
		},
		{
			name:    "A1: a breach after a hole is shown and proves nothing",
			stream:  `start; gateway.notice seq=20; start previous=crashed; silent a1; stop; dial a2`,
			failed:  []string{"A1 gateway.notice"},
			find:    []string{"RS1 attempt.permitted a2 <- restart.required [disputed]"},
			outcome: Inconclusive,
		},
		{
			name:    "A1: an event of another gateway is left out",
			stream:  `start; ready a1`,
			spoil:   func(recs []events.Record) []events.Record { return slices.Insert(recs, 3, foreign(t)) },
			failed:  []string{"A1 client.hello a1"}, // by its sequence, which is all that a name can go by
			outcome: Inconclusive,
		},
		{
			name:    "A1: an event that comes twice",
			stream:  `start; ready a1`,
			spoil:   func(recs []events.Record) []events.Record { return slices.Insert(recs, 2, recs[1]) },
			failed:  []string{"A1 policy.loaded"},
			outcome: Inconclusive,
		},
		{
			name:    "A2: an event that names another hash",
			stream:  `start; gateway.notice prev=x`,
			failed:  []string{"A2 gateway.notice"},
			outcome: Inconclusive,
		},
		{
			name:    "A2: a first event with a predecessor",
			stream:  `recorder.started prev=x; policy.loaded`,
			failed:  []string{"A2 recorder.started"},
			outcome: Inconclusive,
		},
		{
			name:    "A2: a breach by the very event whose bytes are disputed proves nothing",
			stream:  `start; silent a1; stop; ask a2; attempt.permitted a2; gateway.notice prev=x`,
			failed:  []string{"A2 gateway.notice"},
			find:    []string{"RS1 attempt.permitted a2 <- restart.required [disputed]"},
			outcome: Inconclusive,
		},
		{
			name:    "A2: one before it does",
			stream:  `start; silent a1; stop; dial a2; gateway.notice; gateway.notice prev=x`,
			failed:  []string{"A2 gateway.notice"},
			find:    []string{"RS1 attempt.permitted a2 <- restart.required"},
			outcome: Violated,
		},
		{
			name:   "A2: a byte that was changed on disk",
			stream: `start; operator.noted; ready a1`,
			spoil: func(recs []events.Record) []events.Record {
				recs[2].Raw = bytes.Replace(recs[2].Raw, []byte(`"text":"x"`), []byte(`"text":"y"`), 1)
				return recs
			},
			failed:  []string{"A2 client.opened a1", "A5 attempt.permitted a1"},
			outcome: Inconclusive,
		},
		{
			name:   "A2: an event without its stored bytes",
			stream: `start; ready a1`,
			spoil: func(recs []events.Record) []events.Record {
				recs[len(recs)-1].Raw = nil
				return recs
			},
			failed:  []string{"A2 session.established a1"},
			outcome: Inconclusive,
		},
		{
			name:    "A3: a permit that the tap writes is none, so what it dials has none",
			stream:  `start; ask a1; attempt.permitted a1 by=/tap; dial.started a1`,
			failed:  []string{"A3 attempt.permitted a1"},
			find:    []string{"RS5 dial.started a1"},
			outcome: Violated,
		},
		{
			name:    "A3: a start that a runner writes is none, so its run has no beginning and no policy",
			stream:  `start; recorder.started by=/runner/robo-1; dial a1`,
			failed:  []string{"A3 recorder.started", "A5 attempt.permitted a1", "A6 recorder.started"},
			outcome: Inconclusive,
		},
		{
			name:    "A3: a history that no recorder saw may have any source",
			stream:  `import; policy.loaded by=/import/assumed; restart.claimed by=/runner/robo-1; attempt.succeeded r1 by=/runner/robo-1`,
			outcome: Holds,
		},
		{
			name:    "A4: a clock that goes back, and no duration of that run is judged",
			stream:  `start; +10s gateway.notice; gateway.notice mono=9000000000; dial a1; attempt.failed a1 reason=refused stage=dial; retry.scheduled a1; dial a2`,
			failed:  []string{"A4 gateway.notice"},
			outcome: Inconclusive,
		},
		{
			name:    "A4: the order still is",
			stream:  `start; +10s gateway.notice; gateway.notice mono=9000000000; silent a1; stop; dial a2`,
			failed:  []string{"A4 gateway.notice"},
			find:    []string{"RS1 attempt.permitted a2 <- restart.required"},
			outcome: Violated,
		},
		{
			name:    "A4: and durations of the next run",
			stream:  `start; +10s gateway.notice; gateway.notice mono=9000000000; crash; dial a1; attempt.failed a1 reason=refused stage=dial; retry.scheduled a1; dial a2`,
			failed:  []string{"A4 gateway.notice"},
			find:    []string{"RS3 attempt.permitted a2 <- retry.scheduled a1"},
			outcome: Violated,
		},
		{
			name:    "A5: a decision without a policy",
			stream:  `recorder.started; ask a1; attempt.permitted a1`,
			failed:  []string{"A5 attempt.permitted a1"},
			outcome: Inconclusive,
		},
		{
			name:    "A5: a policy of an earlier run is none",
			stream:  `start; recorder.started previous=crashed; dial a1; policy.loaded; attempt.succeeded a1`,
			failed:  []string{"A5 attempt.permitted a1"},
			outcome: Inconclusive,
		},
		{
			name:    "A5: a history without a policy cannot be judged by limits",
			stream:  `import; attempt.failed r1 by=/runner/robo-1; attempt.failed r2 by=/runner/robo-1`,
			failed:  []string{"A5 attempt.failed r1"},
			outcome: Inconclusive,
		},
		{
			name:    "A5: a policy whose values are not those of its hash",
			stream:  `start hash=0000000000000000000000000000000000000000000000000000000000000000; ready a1`,
			failed:  []string{"A5 policy.loaded"},
			outcome: Inconclusive,
		},
		{
			name:    "A5: a dial without a policy",
			stream:  `recorder.started; dial.started a1`,
			failed:  []string{"A5 dial.started a1"},
			find:    []string{"RS5 dial.started a1 [observed]"},
			outcome: Inconclusive,
		},
		{
			name:    "A6: what was written down later in a recorder's run takes no part in it",
			stream:  `start; silent a1; restart.claimed boot=import mono=-1; dial a2`,
			failed:  []string{"A6 restart.claimed"},
			find:    []string{"RS2 attempt.permitted a2 <- attempt.failed a1"},
			outcome: Violated,
		},
		{
			name:    "A6: more attempts wait than the judge has room for",
			stream:  "start" + strings.Repeat("; attempt.requested a2", maxRequests+1) + "; attempt.permitted a1",
			failed:  []string{"A6 attempt.permitted a1"},
			outcome: Inconclusive,
		},
		{
			name:    "A6: those of an earlier run take no room",
			stream:  "start" + strings.Repeat("; attempt.requested a2", maxRequests) + "; crash; attempt.requested a3; attempt.permitted a1",
			find:    []string{"RS5 attempt.permitted a1"},
			outcome: Violated,
		},
		{
			name:    "A6: more clients are connected than it has room for, and nothing more comes of them",
			stream:  "start" + sessions(maxFlights+1),
			outcome: Holds,
		},
		{
			name:    "A6: or something does",
			stream:  "start" + sessions(maxFlights+1) + "; handshake.version a0",
			failed:  []string{"A6 handshake.version a0"},
			outcome: Inconclusive,
		},
		{
			name:    "A6: a gap, and what rests on both of its sides is not judged",
			stream:  `start silent_limit=2; silent a1; dial a2; recorder.gap; dial a3; +30s attempt.failed a3; dial a4`,
			failed:  []string{"A6 recorder.gap"},
			outcome: Inconclusive,
		},
		{
			name:    "A6: decisions are never lost, so a stop stands across a gap of facts",
			stream:  `start; silent a1; stop; recorder.gap; dial a2`,
			failed:  []string{"A6 recorder.gap"},
			find:    []string{"RS1 attempt.permitted a2 <- restart.required"},
			outcome: Violated,
		},
		{
			name:    "A6: what nobody wrote down may have been a release",
			stream:  `start; silent a1; stop; recorder.gap reason=unrecorded; dial a2`,
			failed:  []string{"A6 recorder.gap"},
			outcome: Inconclusive,
		},
		{
			name:    "A6: a run without a beginning",
			stream:  `start; gateway.notice boot=b7; start`,
			failed:  []string{"A6 gateway.notice", "A6 recorder.started"},
			outcome: Inconclusive,
		},
		{
			name:    "A6: a start that says the run before ended in order, and the log does not show it",
			stream:  `start; start previous=stopped`,
			failed:  []string{"A6 recorder.started"},
			outcome: Inconclusive,
		},
		{
			name:    "A6: a run that ended in order",
			stream:  `start; recorder.stopped; start previous=stopped`,
			outcome: Holds,
		},
		{
			name:    "A6: an attempt that a crash left open and the next start does not name",
			stream:  `start; dial a1; crash`,
			failed:  []string{"A6 recorder.started <- attempt.permitted a1"},
			outcome: Inconclusive,
		},
		{
			name:    "A6: closed as unknown it is accounted for",
			stream:  `start; dial a1; crash; attempt.unknown a1`,
			outcome: Holds,
		},
		{
			name:    "A6: and so it is when the start names it",
			stream:  `start; dial a1; crash unfinished=a1`,
			outcome: Holds,
		},
		{
			name:    "a stream that begins after the stop does not know of it",
			stream:  `start; silent a1; stop; crash; dial a2`,
			from:    11,
			outcome: Holds,
		},
		{
			name:    "a stream that begins between a request and its permit does not miss it",
			stream:  `start; dial a1; attempt.succeeded a1; session.established a1; client.closed conn=c-a1`,
			from:    5,
			failed:  []string{"A5 attempt.permitted a1"},
			outcome: Inconclusive,
		},
		{
			name:    "a stop whose evidence lies before the stream may have had it",
			stream:  `start silent_limit=3; silent a1; policy.loaded silent_limit=3; silent a2; silent a3; stop`,
			from:    9,
			outcome: Holds,
		},
		{
			name:    "A6: a listener may have been seen in a gap, long before the release",
			stream:  `start; silent a1; stop; recorder.gap; restart.claimed; restart.acknowledged; +1s dial a2`,
			failed:  []string{"A6 recorder.gap"},
			outcome: Inconclusive,
		},
		{
			name:    "A6: a history that leaves something out may leave out a second permit",
			stream:  `start; dial a1; recorder.gap reason=unrecorded; dial.started a1`,
			failed:  []string{"A6 recorder.gap"},
			outcome: Inconclusive,
		},
		{
			name:    "a stream that begins after the stop does not expect it again",
			stream:  `start; silent a1; stop; policy.loaded; gateway.down reason=reported by=/runner/robo-1; +61s gateway.notice`,
			from:    11,
			outcome: Holds,
		},
		{
			name:    "a permit shows that the gate was open, and from there on a stop can be late",
			stream:  `start; policy.loaded; ready a1; gateway.down reason=reported by=/runner/robo-1; +61s gateway.notice`,
			from:    2,
			find:    []string{"RS2 gateway.notice <- gateway.down"},
			outcome: Violated,
		},
		{
			name:    "and that no older attempt was under way",
			stream:  `start; policy.loaded; ready a1; dial.started a9`,
			from:    2,
			find:    []string{"RS5 dial.started a9"},
			outcome: Violated,
		},
		{
			name:    "a stop that is carried on does not miss the start that took it over",
			stream:  `recorder.started previous=quarantined old_stopped=true; policy.loaded; restart.required carried=true`,
			from:    1,
			outcome: Holds,
		},
		{
			name:    "an empty stream shows nothing",
			outcome: Inconclusive,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := stream(t, c.stream)
			b.recs = b.recs[c.from:]
			if c.spoil != nil {
				b.recs = c.spoil(b.recs)
			}
			v, err := Check(b.all(0))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.failed, b.tell(failed(v))); diff != "" {
				t.Errorf("assumptions (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.find, b.tell(findings(v))); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if v.Outcome != c.outcome {
				t.Errorf("outcome %s, want %s", v.Outcome, c.outcome)
			}
			if anchored := v.Anchor != ""; anchored != (c.from > 0) {
				t.Errorf("anchor %q for a stream that begins at #%d", v.Anchor, v.First)
			}
		})
	}
}

// sessions are n clients that stay.
func sessions(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, "; ready a%d", i)
	}
	return s.String()
}

// foreign is an event of another gateway with a sequence that would fit.
func foreign(t *testing.T) events.Record {
	b := stream(t, `start; operator.noted; operator.noted subject=live`)
	return b.recs[3]
}

func TestVerdictNamesTheHead(t *testing.T) {
	b := stream(t, `start; ready a1`)
	v, err := Check(b.all(0))
	if err != nil {
		t.Fatal(err)
	}
	last := b.recs[len(b.recs)-1]
	if v.First != 1 || v.Last != last.Seq || v.Head != last.Hash() || v.Events != len(b.recs) {
		t.Errorf("verdict is on #%d to #%d, head %s, %d events; want #1 to #%d, %s, %d", v.First, v.Last, v.Head, v.Events, last.Seq, last.Hash(), len(b.recs))
	}
	checked := map[string]int{}
	for _, r := range slices.Concat(v.Rules, v.Assumptions) {
		checked[r.ID] = r.Checked
	}
	want := map[string]int{"RS1": 1, "RS2": 0, "RS3": 0, "RS4": 2, "RS5": 7, "RS7": 2, "RS8": 0, "RS9": 0, "RS10": 1, "A1": 13, "A2": 13, "A3": 13, "A4": 13, "A5": 8, "A6": 1}
	if diff := cmp.Diff(want, checked); diff != "" {
		t.Errorf("things judged (-want +got):\n%s", diff)
	}
}

func TestAStopThatIsDueAtTheEndIsPending(t *testing.T) {
	b := stream(t, `start; silent a1`)
	v, err := Check(b.all(0))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"RS2 attempt.failed a1 <- attempt.failed a1"}, b.tell(v.Rules[1].Pending)); diff != "" || v.Outcome != Holds {
		t.Errorf("outcome %s, pending (-want +got):\n%s", v.Outcome, diff)
	}
}

func TestCheckReturnsWhatTheStreamSaid(t *testing.T) {
	b := stream(t, `start; silent a1; stop; dial a2`)
	cut := errors.New("disk is gone")
	v, err := Check(func(yield func(events.Record, error) bool) {
		for _, r := range b.recs {
			if !yield(r, nil) {
				return
			}
		}
		yield(events.Record{}, cut)
	})
	if !errors.Is(err, cut) || !errors.Is(err, ErrStream) || v.Outcome != Violated {
		t.Errorf("outcome %s, error %v; want the verdict so far and both errors", v.Outcome, err)
	}
}

// TestAStormIsBounded: findings beyond the first hundred are counted and dropped.
func TestAStormIsBounded(t *testing.T) {
	b := stream(t, `start; silent a1; stop`+strings.Repeat("; attempt.permitted a2", 1000))
	v, err := Check(b.all(0))
	if err != nil {
		t.Fatal(err)
	}
	if r := v.Rules[0]; r.Total != 1000 || len(r.Findings) != maxFindings {
		t.Errorf("%d findings, %d kept; want 1000 and %d", r.Total, len(r.Findings), maxFindings)
	}
}

// TestABreachBehindManyObservedOnes: what is dropped still decides the verdict.
func TestABreachBehindManyObservedOnes(t *testing.T) {
	b := stream(t, `start mode=observe; stop enforced=false`+strings.Repeat("; attempt.permitted a2 enforced=false", 200)+"; attempt.permitted a3")
	v, err := Check(b.all(0))
	if err != nil {
		t.Fatal(err)
	}
	if v.Outcome != Violated {
		t.Errorf("outcome %s, want %s", v.Outcome, Violated)
	}
}

// TestWaitingClientsAreBounded: a crowd of clients that are never answered costs
// bounded memory, and makes no permit look as if nobody had asked for it.
func TestWaitingClientsAreBounded(t *testing.T) {
	b := newBuilder(t)
	b.line([]string{"start"})
	for i := range 2 * maxRequests {
		b.line([]string{"attempt.requested", "a" + string(rune('a'+i%26)) + string(rune('a'+i/26)), "conn=c"})
	}
	b.line(strings.Fields("attempt.permitted aaa cause=attempt.requested@aaa"))
	j := New()
	for _, r := range b.recs {
		if found := j.Step(r); found != nil {
			t.Errorf("#%d: %q", r.Seq, b.tell(found))
		}
	}
	if len(j.Past.Requests) > maxRequests {
		t.Errorf("%d requests are kept, want at most %d", len(j.Past.Requests), maxRequests)
	}
}
