package snapshot_test

import (
	"encoding/json"
	"errors"
	"iter"
	"strings"
	"testing"

	"ibrecorder/events"
	"ibrecorder/internal/snapshot"

	"github.com/google/go-cmp/cmp"
)

// kept is a file with one snapshot, as JSON.
type kept []byte

func (k kept) Load(v any) (bool, error) {
	if k == nil {
		return false, nil
	}
	return true, json.Unmarshal(k, v)
}

func stream(recs []events.Record) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for _, rec := range recs {
			if !yield(rec, nil) {
				return
			}
		}
	}
}

func baseOf(t *testing.T, recs []events.Record, older snapshot.Keeper, last uint64) kept {
	t.Helper()
	s, err := snapshot.Base("b1", recs[0].Gateway, stream(recs), older, last)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestALogWhoseBeginningWasArchivedComesToTheSame(t *testing.T) {
	for name, recs := range recorded(t) {
		if len(recs) < 3 || len(recs) > 1000 {
			continue // the longest would take minutes, and are made of the same
		}
		t.Run(name, func(t *testing.T) {
			whole := after(recs)
			step := 1 + len(recs)/20
			for at := 1; at+1 < len(recs); at += step {
				first := baseOf(t, recs, nil, uint64(at))
				second := baseOf(t, recs[at:], first, uint64(at+1)) // of an archived log in its turn
				for _, c := range []struct {
					what string
					from int // index of the first event that the log has
					base kept
				}{
					{"archived once", at, first},
					{"archived twice", at + 1, second},
					{"an archive that a crash cut off", at, second},
				} {
					p := snapshot.Begin(recs[0].Gateway)
					for _, rec := range recs[c.from:] {
						if _, _, err := p.Step(rec, c.base); err != nil {
							t.Fatalf("%s at #%d: %v", c.what, at, err)
						}
					}
					if p.State.Hash() != whole.StateHash {
						t.Errorf("%s at #%d: another state", c.what, at)
					}
					if diff := cmp.Diff(whole.Judge.Verdict(), p.Judge.Verdict()); diff != "" {
						t.Errorf("%s at #%d: another verdict (-whole +archived):\n%s", c.what, at, diff)
					}
				}
			}
		})
	}
}

func TestALogWithoutItsBaseIsRefused(t *testing.T) {
	recs, _ := stopped(t)
	other := strings.Replace(string(baseOf(t, recs, nil, 4)), recs[3].Hash().String(), recs[2].Hash().String(), 1)
	for _, c := range []struct {
		name string
		base snapshot.Keeper
		want string
	}{
		{"nobody keeps one", nil, "there is none"},
		{"there is none", kept(nil), "there is none"},
		{"it cannot be read", kept("{"), "unexpected end"},
		{"it ends too early", baseOf(t, recs, nil, 3), "it ends with event 3"},
		{"it is of another log", kept(other), "event 5 does not follow it"},
		{"its state was changed", kept(strings.Replace(string(baseOf(t, recs, nil, 4)), `"silent_limit":1`, `"silent_limit":9`, 1)), "not the one that its hash stands for"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := snapshot.Begin(recs[0].Gateway).Step(recs[4], c.base)
			if !errors.Is(err, snapshot.ErrNoBase) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "recorder log quarantine") {
				t.Errorf("error %v, want that %s, and what to type", err, c.want)
			}
		})
	}
}
