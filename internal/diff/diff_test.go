package diff

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/source/streamtest"
	"ibrecorder/internal/streams"
)

func days(t *testing.T, n int, seed uint64) (recs []events.Record) {
	t.Helper()
	err := streams.Days{Events: n, Seed: seed}.Write(func(rec events.Record) error {
		recs = append(recs, rec)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return recs
}

// compare aligns two streams.
func compare(t *testing.T, a, b []events.Record, most int) Difference {
	t.Helper()
	var words Words
	x, err := Read(streams.Each(a), &words)
	if err != nil {
		t.Fatal(err)
	}
	y, err := Read(streams.Each(b), &words)
	if err != nil {
		t.Fatal(err)
	}
	return Align(x, y, most)
}

func TestOnlyMeaningCounts(t *testing.T) {
	recs := days(t, 400, 3)
	// The same stream as another recorder would have it, with other names and at another time.
	other := make([]events.Record, len(recs))
	for i, rec := range recs {
		e := rec.Event
		e.ID, e.Boot, e.Gateway, e.Cause, e.Conn = "x-"+e.ID, "x"+e.Boot, "another", "", ""
		e.Time, e.Mono, e.Seq = e.Time.Add(time.Hour), e.Mono+int64(i), e.Seq+7
		switch d := e.Data.(type) {
		case events.ClientOpened:
			d.Peer = "10.0.0.1:1"
			e.Data = d
		case events.AttemptDenied:
			d.Count, d.Policy = d.Count+1, "another"
			e.Data = d
		case events.RecorderStarted:
			d.PreviousBoot = "x" + d.PreviousBoot
			e.Data = d
		case events.ClientClosed:
			d.ClientBytes++
			e.Data = d
		}
		other[i].Event = e
	}
	if d := compare(t, recs, other, 100); !d.Same() || d.Alike != len(recs) || d.First != len(recs) {
		t.Fatalf("they differ at %d: %s and %s", d.First, d.A.Meaning(d.First), d.B.Meaning(d.First))
	}
	for _, c := range []struct {
		name    string
		was, is events.Event
		same    bool
	}{
		{"another kind", events.Event{Data: events.TapReopened{}}, events.Event{Data: events.RecorderStopped{Reason: events.StoppedBySignal}}, false},
		{"another reason", events.Event{Data: events.AttemptFailed{Reason: events.Refused}}, events.Event{Data: events.AttemptFailed{Reason: events.DialTimeout}}, false},
		{"another code", events.Event{Data: events.GatewayNotice{Code: 1100}}, events.Event{Data: events.GatewayNotice{Code: 1102}}, false},
		{"another count", events.Event{Data: events.GatewayNotice{Code: 1100, Count: 1}}, events.Event{Data: events.GatewayNotice{Code: 1100, Count: 2}}, true},
		{"another rule", events.Event{Data: events.RuleViolated{Rule: "RS1"}}, events.Event{Data: events.RuleViolated{Rule: "RS2"}}, false},
		{"forced", events.Event{Data: events.DisconnectRequested{}}, events.Event{Data: events.DisconnectRequested{Force: true}}, false},
		{"a report and our own sight", events.Event{Source: "/tap", Data: events.SessionMute{}}, events.Event{Source: "/runner/robo", Data: events.SessionMute{}}, false},
		{"another runner", events.Event{Source: "/runner/a", Data: events.SessionMute{}}, events.Event{Source: "/runner/b", Data: events.SessionMute{}}, true},
		{"the built-in session and the tap", events.Event{Source: "/session", Data: events.SessionMute{}}, events.Event{Source: "/tap", Data: events.SessionMute{}}, true},
		{"another policy", events.Event{Data: events.PolicyLoaded{Preset: "handoff", Hash: "00000001"}}, events.Event{Data: events.PolicyLoaded{Preset: "handoff", Hash: "00000002"}}, false},
		{"the wait of one client", events.Event{Data: events.RetryScheduled{DelayMS: 1}}, events.Event{Data: events.RetryScheduled{DelayMS: 1, ClientID: new(int64)}}, false},
		{"another delay", events.Event{Data: events.RetryScheduled{DelayMS: 1}}, events.Event{Data: events.RetryScheduled{DelayMS: 2}}, true},
	} {
		if was, is := meaning(c.was), meaning(c.is); (was == is) != c.same {
			t.Errorf("%s: %q and %q", c.name, was, is)
		}
	}
	for _, info := range events.Kinds() {
		data, err := events.New(info.Kind)
		if err != nil {
			t.Fatal(err)
		}
		if got := meaning(events.Event{Data: data}); len(got) < len(info.Kind) || got[:len(info.Kind)] != string(info.Kind) {
			t.Errorf("%s means %q", info.Kind, got)
		}
	}
}

// notices is a stream of notices with these codes.
func notices(codes []int64) (recs []events.Record) {
	for i, c := range codes {
		recs = append(recs, events.Record{Event: events.Event{Seq: uint64(i + 1), Boot: "b", Source: "/tap", Data: events.GatewayNotice{Code: c}}})
	}
	return recs
}

// longest is the length of the longest common subsequence, by the textbook.
func longest(a, b []int64) int {
	row := make([]int, len(b)+1)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			up := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(row[j+1], row[j])
			}
			diagonal = up
		}
	}
	return row[len(b)]
}

func TestTheAlignmentIsWholeAndLongest(t *testing.T) {
	some := rapid.SliceOfN(rapid.Int64Range(1, 4), 0, 40)
	rapid.Check(t, func(rt *rapid.T) {
		a, b := some.Draw(rt, "a"), some.Draw(rt, "b")
		d := compare(t, notices(a), notices(b), 100)
		if want := longest(a, b); d.Alike != want || !d.Aligned {
			rt.Errorf("%d events are alike, want %d", d.Alike, want)
		}
		if d.Same() != slices.Equal(a, b) {
			rt.Errorf("same: %t", d.Same())
		}
		// What is outside the hunks is equal, and B is A with the hunks put in its place.
		var made []int64
		at := Part{}
		for i, h := range d.Hunks {
			if h.A.Len()+h.B.Len() == 0 || h.A.From < at.From || i > 0 && h.A.From == at.From && h.B.From == at.To {
				rt.Errorf("hunk %d is %+v, behind %+v", i, h, at)
			}
			made = append(append(made, a[at.From:h.A.From]...), b[h.B.From:h.B.To]...)
			at = Part{h.A.To, h.B.To}
		}
		if made = append(made, a[at.From:]...); !slices.Equal(made, b) {
			rt.Errorf("A with its hunks is %v, and B is %v", made, b)
		}
		if n := min(len(a), len(b)); d.First > n || !slices.Equal(a[:d.First], b[:d.First]) || d.First < n && a[d.First] == b[d.First] {
			rt.Errorf("%d events are said to be alike before the first divergence", d.First)
		}
	})
}

func TestWhatIsTooLongIsNotAligned(t *testing.T) {
	a, b := []int64{1, 2, 3, 4, 5, 6}, []int64{1, 2, 9, 4, 8, 8, 6}
	d := compare(t, notices(a), notices(b), 3)
	want := []Hunk{{Part{2, 5}, Part{2, 6}}}
	if diff := cmp.Diff(want, d.Hunks); diff != "" || d.Aligned || d.First != 2 || d.Alike != 3 {
		t.Errorf("aligned %t, first %d, alike %d, hunks (-want +got)\n%s", d.Aligned, d.First, d.Alike, diff)
	}
	if d := compare(t, notices(a), notices(b), 4); !d.Aligned || len(d.Hunks) != 2 || d.Alike != 4 {
		t.Errorf("with room for it: aligned %t, alike %d, hunks %v", d.Aligned, d.Alike, d.Hunks)
	}
}

func TestTimeInEachState(t *testing.T) {
	// Half an hour in the gate's first state, a silent attempt of 30 s, a stop of an hour;
	// the recorder is started again in it, and nobody knows how long that took.
	recs := streamtest.New("live").Start().After(30*time.Minute).Silent("a1", 30*time.Second).Stop(1).
		After(time.Hour).Deny("a2").Start().After(time.Minute).Deny("a3").Records()
	d := compare(t, recs, recs, 10)
	round := func(m map[fsm.Gate]int64) map[fsm.Gate]time.Duration {
		out := map[fsm.Gate]time.Duration{}
		for g, ns := range m {
			out[g] = time.Duration(ns).Round(time.Second)
		}
		return out
	}
	want := map[fsm.Gate]time.Duration{fsm.Open: 30 * time.Minute, fsm.Attempting: 30 * time.Second, fsm.Stopped: 61 * time.Minute}
	if diff := cmp.Diff(want, round(d.A.Gate)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	var gate, api int64
	for _, ns := range d.A.Gate {
		gate += ns
	}
	for _, ns := range d.A.API {
		api += ns
	}
	if gate != api {
		t.Errorf("the gate's states lasted for %d ns, and the gateway's for %d", gate, api)
	}
}

func TestAStreamMayBreakOff(t *testing.T) {
	broken := errors.New("broken")
	s, err := Read(func(yield func(events.Record, error) bool) {
		for _, rec := range notices([]int64{1, 2}) {
			if !yield(rec, nil) {
				return
			}
		}
		yield(events.Record{}, broken)
	}, &Words{})
	if !errors.Is(err, broken) || s.Events() != 2 {
		t.Errorf("%d events and %v, want 2 and what broke it", s.Events(), err)
	}
	s, err = Read(func(yield func(events.Record, error) bool) {
		for i := range mostWords + 1 {
			if !yield(events.Record{Event: events.Event{Seq: uint64(i + 1), Data: events.RuleViolated{Rule: fmt.Sprint(i)}}}, nil) {
				return
			}
		}
	}, &Words{})
	if !errors.Is(err, ErrWords) || s.Events() != mostWords {
		t.Errorf("%d events and %v, want %d and ErrWords", s.Events(), err, mostWords)
	}
}
