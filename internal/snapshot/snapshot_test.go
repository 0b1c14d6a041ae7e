package snapshot_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/snapshot"
	"ibrecorder/internal/streams"

	"github.com/google/go-cmp/cmp"
)

// recorded are the events of every folder under testdata/streams.
func recorded(t *testing.T) map[string][]events.Record {
	t.Helper()
	paths, err := filepath.Glob("../../testdata/streams/*/events.ndjson")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no streams: %v", err)
	}
	out := make(map[string][]events.Record)
	for _, path := range paths {
		out[filepath.Base(filepath.Dir(path))] = read(t, path)
	}
	return out
}

func read(t *testing.T, path string) (recs []events.Record) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for rec, err := range events.ReadNDJSON(f) {
		if err != nil {
			t.Fatal(err)
		}
		recs = append(recs, rec)
	}
	return recs
}

// after folds and judges recs and returns the snapshot of their end.
func after(recs []events.Record) snapshot.Snapshot {
	f, s, j := fsm.NewFolder(), fsm.Initial(), rule.New()
	var head events.Hash
	for _, rec := range recs {
		s, head = f.Apply(s, rec.Event), rec.Hash()
		j.Step(rec)
	}
	return snapshot.Of("b1", s, j, head)
}

// reread is what a later start reads of it.
func reread(t *testing.T, s snapshot.Snapshot) (out snapshot.Snapshot) {
	t.Helper()
	text, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestGoingOnFromASnapshotIsGoingOn(t *testing.T) {
	for name, recs := range recorded(t) {
		t.Run(name, func(t *testing.T) {
			whole := after(recs)
			step := 1 + len(recs)/97 // every event of a short stream
			for at := 1; at < len(recs); at += step {
				s := reread(t, after(recs[:at]))
				if err := s.Fits(recs[0].Gateway, "b1"); err != nil {
					t.Fatalf("the snapshot of #%d: %v", at, err)
				}
				f := fsm.NewFolder()
				for _, rec := range recs[at:] {
					s.State = f.Apply(s.State, rec.Event)
					s.Judge.Step(rec)
				}
				if s.State.Hash() != whole.StateHash {
					t.Errorf("another state after the snapshot of #%d", at)
				}
				if diff := cmp.Diff(whole.Judge.Verdict(), s.Judge.Verdict()); diff != "" {
					t.Errorf("another verdict after the snapshot of #%d (-without +with):\n%s", at, diff)
				}
			}
		})
	}
}

// stopped is a stream whose gate is stopped after its first at events.
func stopped(t *testing.T) (recs []events.Record, at int) {
	t.Helper()
	recs = read(t, "../../testdata/streams/SYN-03-stopped-and-released/events.ndjson")
	for i, rec := range recs {
		if rec.Kind() == (events.RestartRequired{}).Kind() {
			return recs, i + 1
		}
	}
	t.Fatal("nothing stops in it")
	return nil, 0
}

func TestASnapshotThatDoesNotFitIsRefused(t *testing.T) {
	recs, at := stopped(t)
	gateway := recs[0].Gateway
	for _, c := range []struct {
		name           string
		change         func(*snapshot.Snapshot)
		gateway, build string
		want           string
	}{
		{"as it was written", func(*snapshot.Snapshot) {}, gateway, "b1", ""},
		{"another gateway's", func(*snapshot.Snapshot) {}, "other", "b1", "it is of gateway"},
		{"another build's", func(*snapshot.Snapshot) {}, gateway, "b2", `recorder "b1" wrote it`},
		{"nobody knows the build", func(s *snapshot.Snapshot) { s.Build = "" }, gateway, "", `recorder "" wrote it`},
		{"another fold's", func(s *snapshot.Snapshot) { s.Fold++ }, gateway, "b1", "fold version"},
		{"another rule set's", func(s *snapshot.Snapshot) { s.Rules++ }, gateway, "b1", "rule set"},
		{"without a judge", func(s *snapshot.Snapshot) { s.Judge = nil }, gateway, "b1", "not whole"},
		{"of another event than its state", func(s *snapshot.Snapshot) { s.Seq++ }, gateway, "b1", "not whole"},
		{"with the gate opened by hand", func(s *snapshot.Snapshot) { s.State.Gate = fsm.Open; s.State.Stop = fsm.Standing{} }, gateway, "b1", "not the one that its hash stands for"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := reread(t, after(recs[:at]))
			c.change(&s)
			err := s.Fits(c.gateway, c.build)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (!errors.Is(err, snapshot.ErrUnfit) || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want ErrUnfit with %q", err, c.want)
			}
		})
	}
}

func TestRecomputeFindsWhatTheEventsDoNotGive(t *testing.T) {
	recs, at := stopped(t)
	for _, c := range []struct {
		name   string
		change func(*snapshot.Snapshot)
		upTo   int
		is     error
		want   string
	}{
		{"nothing was changed", func(*snapshot.Snapshot) {}, len(recs), nil, ""},
		{"a state that forgot the stop, hash and all", func(s *snapshot.Snapshot) {
			s.State.Gate, s.State.Stop = fsm.Open, fsm.Standing{}
			s.StateHash = s.State.Hash()
		}, len(recs), snapshot.ErrDiffers, "SNAPSHOT state"},
		{"a judge that forgot everything", func(s *snapshot.Snapshot) { s.Judge = rule.New() }, len(recs), snapshot.ErrDiffers, "SNAPSHOT judge"},
		{"another event", func(s *snapshot.Snapshot) { s.Hash[0]++ }, len(recs), snapshot.ErrUnfit, "it is of another #"},
		{"a log that ends before it", func(*snapshot.Snapshot) {}, at - 1, snapshot.ErrUnfit, "and the log ends at #"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := reread(t, after(recs[:at]))
			c.change(&s)
			r := snapshot.Recompute(s)
			n := 0
			for range r.Watch(streams.Each(recs[:c.upTo])) {
				n++
			}
			if n != c.upTo {
				t.Errorf("%d events were passed on, want %d", n, c.upTo)
			}
			if err := r.Err(); !errors.Is(err, c.is) || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %v with %q", err, c.is, c.want)
			}
		})
	}
}
