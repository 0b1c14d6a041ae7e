package recorder_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"testing"
	"testing/synctest"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/recorder"
	"ibrecorder/store"

	"github.com/google/go-cmp/cmp"
)

// cache keeps a snapshot as store.Snapshots does, in memory.
type cache struct{ text []byte }

func (c *cache) Load(v any) (bool, error) {
	if c.text == nil {
		return false, nil
	}
	return true, json.Unmarshal(c.text, v)
}

func (c *cache) Keep(v any) (err error) {
	c.text, err = json.Marshal(v)
	return err
}

// counted counts the events that are read from a log.
type counted struct {
	recorder.Log
	read int
}

func (c *counted) Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for rec, err := range c.Log.Read(ctx, from, to) {
			c.read++
			if !yield(rec, err) {
				return
			}
		}
	}
}

func TestAStartGoesOnFromASnapshot(t *testing.T) {
	const notes = 9000 // two snapshots' worth
	for _, c := range []struct {
		name  string
		spoil func(*cache)
		build string
		most  int // events that the start reads
	}{
		{"of the same build", func(*cache) {}, "b1", 4096 + 1},
		{"not of another build", func(*cache) {}, "b2", notes + 100},
		{"not of one that cannot be read", func(c *cache) { c.text = c.text[:len(c.text)/2] }, "b1", notes + 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kept := &cache{}
				mem := store.NewMemory("main")
				keeping := func(build string) func(*recorder.Config) {
					return func(cfg *recorder.Config) { cfg.Snapshots, cfg.Build = kept, build }
				}
				r := start(t, mem, nil, events.Enforce, keeping("b1"))
				<-r.request("a1")
				r.silent("a1")
				synctest.Wait()
				var first events.Record
				for n := range notes {
					rec, err := r.g.Submit(t.Context(), events.Draft{ID: fmt.Sprint("n", n), Source: "/runner/robo-1", Data: events.OperatorNoted{By: "robo", Text: "still here"}})
					if err != nil {
						t.Fatal(err)
					}
					if n == notes-3000 {
						first = rec
					}
				}
				r.stop()
				c.spoil(kept)

				log := &counted{Log: mem}
				r = start(t, mem, log, events.Enforce, keeping(c.build))
				synctest.Wait()
				if log.read > c.most || c.most > notes && log.read < notes {
					t.Errorf("the start read %d events, want at most %d", log.read, c.most)
				}
				if r.g.View().State.Gate != fsm.Stopped {
					t.Error("the stop was forgotten")
				}
				again, err := r.g.Submit(t.Context(), events.Draft{ID: first.ID, Source: first.Source, Data: first.Data})
				if err != nil || again.Seq != first.Seq {
					t.Errorf("a report of before the snapshot, repeated: event %d, %v; want event %d", again.Seq, err, first.Seq)
				}
				if got := <-r.request("a2"); got != "denied: stopped" {
					t.Error(got)
				}
				synctest.Wait()
				_, want := judged(t, mem)
				if diff := cmp.Diff(string(want.Canonical()), string(r.g.View().State.Canonical())); diff != "" {
					t.Errorf("the state (-from the first event +from the snapshot):\n%s", diff)
				}
				r.holds()
				r.stop()
			})
		})
	}
}
