package streams

import (
	"iter"
	"testing"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/store"
)

// fold returns the state after each event, beginning with the one before the first.
func fold(t *testing.T, stream iter.Seq2[events.Record, error]) []fsm.State {
	t.Helper()
	folder := fsm.NewFolder()
	states := []fsm.State{fsm.Initial()}
	for rec, err := range stream {
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, folder.Apply(states[len(states)-1], rec.Event))
	}
	return states
}

func hashes(states []fsm.State) []events.Hash {
	out := make([]events.Hash, len(states))
	for i, s := range states {
		out[i] = s.Hash()
	}
	return out
}

func TestOneStateWhicheverWay(t *testing.T) {
	disk, err := store.Open(t.Context(), store.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := disk.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, f := range folders(t) {
		t.Run(f.Name, func(t *testing.T) {
			recs := stored(t, f)
			states := fold(t, Each(recs))
			want := hashes(states)
			same := func(way string, got []events.Hash) {
				t.Helper()
				for i, h := range got {
					if h != want[i] {
						t.Fatalf("%s: another state after event %d; replay: go test ./internal/streams -run %s", way, i, t.Name())
					}
				}
				if len(got) != len(want) {
					t.Fatalf("%s: it ends after event %d, want %d", way, len(got)-1, len(want)-1)
				}
			}
			same("a second time", hashes(fold(t, Each(recs))))
			same("after that, the states themselves", hashes(states))

			jet, err := disk.Log(t.Context(), f.Facts.Gateway)
			if err != nil {
				t.Fatal(err)
			}
			for way, log := range map[string]store.Log{"through the log in memory": store.NewMemory(f.Facts.Gateway), "through the log on disk": jet} {
				for _, rec := range recs {
					if err := log.Append(t.Context(), rec); err != nil {
						t.Fatalf("%s: %v", way, err)
					}
				}
				var back []events.Record
				for rec, err := range log.Read(t.Context(), 1, 0) {
					if err != nil {
						t.Fatalf("%s: %v", way, err)
					}
					back = append(back, rec)
				}
				same(way, hashes(fold(t, Each(back))))
				if string(NDJSON(back)) != string(NDJSON(recs)) {
					t.Errorf("%s: other bytes come back", way)
				}
			}
		})
	}
}
