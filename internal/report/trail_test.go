package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/source/streamtest"

	"github.com/google/go-cmp/cmp"
)

// told is the story of the first finding of a rule: a word for each event, with what
// the fold counts and the mark.
func told(t *testing.T, s *streamtest.Stream, id string) []string {
	t.Helper()
	v := verified("x", s.NDJSON())
	for i, f := range v.shown() {
		if f.Rule != id {
			continue
		}
		var out []string
		for _, scene := range v.Trails[i].Scenes {
			word := fmt.Sprintf("#%d %s %s", scene.Seq, scene.Kind(), scene.Gate)
			if scene.Counter != "" {
				word += ", " + scene.Counter
			}
			if mark := v.Trails[i].mark(f, scene.Seq); mark != "" {
				word += " <" + mark + ">"
			}
			out = append(out, word)
		}
		return out
	}
	t.Fatalf("no finding of %s: %s", id, v.sentence())
	return nil
}

func TestAViolationPointsAtTheFirstWrongState(t *testing.T) {
	permit := func(s *streamtest.Stream, attempt string) *streamtest.Stream {
		return s.Ask(attempt).Add("/recorder", attempt, events.AttemptPermitted{Policy: "x", Enforced: true})
	}
	deny := func(s *streamtest.Stream, attempt string) *streamtest.Stream {
		return s.Ask(attempt).Add("/recorder", attempt, events.AttemptDenied{Policy: "x", Reason: events.HoldStopped, Count: 1})
	}
	for _, c := range []struct {
		name   string
		stream *streamtest.Stream
		rule   string
		want   []string
	}{
		{"a start at which the stop is lost", streamtest.Forgotten("live"), "RS1", []string{
			"#9 attempt.failed OPEN, silent 1/1",
			"#11 restart.required STOPPED <the stop>",
			"#13 recorder.started STOPPED <first wrong state: the stop is lost at this start>",
			"#18 attempt.permitted STOPPED <RS1: forbidden>",
		}},
		{"a start after which the stop was known, and a second one after which it was not",
			permit(deny(stoppedNow().Start(), "a2").After(time.Hour).Start(), "a3"), "RS1", []string{
				"#9 attempt.failed OPEN, silent 1/1",
				"#11 restart.required STOPPED <the stop>",
				"#18 recorder.started STOPPED <first wrong state: the stop is lost at this start>",
				"#23 attempt.permitted STOPPED <RS1: forbidden>",
			}},
		{"a permit while the run that stopped goes on: nothing was wrong before it",
			permit(stoppedNow(), "a2"), "RS1", []string{
				"#9 attempt.failed OPEN, silent 1/1",
				"#11 restart.required STOPPED <the stop>",
				"#15 attempt.permitted STOPPED <RS1: forbidden>",
			}},
		{"somebody who goes around the recorder makes no state of it wrong",
			stoppedNow().Start().Add("/runner/robo", "own", events.AttemptSucceeded{}), "RS1", []string{
				"#9 attempt.failed OPEN, silent 1/1",
				"#11 restart.required STOPPED <the stop>",
				"#14 attempt.succeeded STOPPED, silent from 0 again <RS1: forbidden>",
			}},
		{"a stop that is due and that nobody decides", permit(silentNow(), "a2"), "RS2", []string{
			"#9 attempt.failed OPEN, silent 1/1 <first wrong state: a stop is due, and nobody decides it>",
			"#13 attempt.permitted ATTEMPTING <RS2: forbidden>",
		}},
		{"a stop without evidence was wrong when the Gateway was declared down",
			streamtest.New("live").Start().Refused("a1").
				Add("/recorder", "", events.GatewayDown{Reason: events.DownSilent, Count: 1, Limit: 1}).
				Add("/recorder", "", events.RestartRequired{Policy: "x", Reason: events.DownSilent, Enforced: true}), "RS9", []string{
				"#10 gateway.down OPEN <first wrong state: down, and the events before do not add up to that>",
				"#11 restart.required STOPPED <RS9: forbidden>",
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, told(t, c.stream, c.rule)); diff != "" {
				t.Errorf("the story (-want +got):\n%s", diff)
			}
		})
	}
}

// silentNow is a run whose first attempt was silent, before the stop that is due.
func silentNow() *streamtest.Stream {
	return streamtest.New("live").Start().After(time.Second).Silent("a1", 30*time.Second)
}

// stoppedNow is a run that has stopped, with its evidence.
func stoppedNow() *streamtest.Stream {
	s := silentNow()
	failed := s.Records()[s.Len()-1].ID
	return s.Add("/recorder", "", events.GatewayDown{Reason: events.DownSilent, Count: 1, Limit: 1, Evidence: []string{failed}}).
		Add("/recorder", "", events.RestartRequired{Policy: "x", Reason: events.DownSilent, Enforced: true})
}

// A story ends with its breach, in the order of the stream, and its first wrong state
// is one of its events; with whoever did it named for every breach of a rule.
func TestEveryTrailIsWhole(t *testing.T) {
	told := 0
	for _, s := range scenarios {
		v := verified(s.name, s.lines())
		if len(v.Trails) != len(v.shown()) {
			t.Errorf("%s: %d stories of %d findings", s.name, len(v.Trails), len(v.shown()))
			continue
		}
		for i, f := range v.shown() {
			st := v.Trails[i]
			if f.Seq == 0 || len(st.Scenes) == 0 {
				continue // such as one about the end of the stream
			}
			told++
			wrong := st.Wrong.Seq == 0
			for k, scene := range st.Scenes {
				wrong = wrong || scene.Seq == st.Wrong.Seq && scene.Seq < f.Seq
				if k > 0 && scene.Seq <= st.Scenes[k-1].Seq {
					t.Errorf("%s, %s: #%d stands behind #%d", s.name, f.Rule, scene.Seq, st.Scenes[k-1].Seq)
				}
			}
			if last := st.Scenes[len(st.Scenes)-1]; last.Seq != f.Seq || !wrong {
				t.Errorf("%s, %s at #%d: ends with #%d, first wrong #%d", s.name, f.Rule, f.Seq, last.Seq, st.Wrong.Seq)
			}
			if e, _ := Lookup(f.Rule); e.Kind == rule.Rule && strings.TrimSpace(who(f, v.Cited[f.Seq])) == "" {
				t.Errorf("%s, %s: nobody did it", s.name, f.Rule)
			}
		}
	}
	if told < 8 {
		t.Errorf("only %d stories were told", told)
	}
}

// A timeline may begin anywhere, also in the middle of an attempt.
func TestATimelineBeginsAnywhere(t *testing.T) {
	lines := streamtest.Night("live").NDJSON()
	for from := uint64(1); from <= 60; from++ {
		var b strings.Builder
		told, broken, err := WriteTimeline(&b, ndjson(lines), Range{From: from, To: from + 3}, false, Style{})
		if told != 4 || broken != nil || err != nil || !strings.Contains(b.String(), fmt.Sprintf(" %d  ", from)) {
			t.Errorf("from #%d: %d told, %v, %v:\n%s", from, told, broken, err, b.String())
		}
	}
}
