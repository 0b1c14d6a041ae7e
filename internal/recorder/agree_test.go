package recorder_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/audit"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/recorder"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/snapshot"
	"ibrecorder/store"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// told is what a log says that broke a rule, in its order.
func told(t tester, log recorder.Log) (recorded, judged []string) {
	j := rule.New()
	for rec, err := range log.Read(context.Background(), 1, 0) {
		if err != nil {
			t.Fatalf("%v", err)
		}
		if d, is := rec.Data.(events.RuleViolated); is {
			recorded = append(recorded, fmt.Sprintf("%s by %s, bypassed %t: %s", d.Rule, rec.Cause, d.Bypassed, d.Text))
		}
		for _, f := range j.Step(rec) {
			if !f.Observed {
				judged = append(judged, fmt.Sprintf("%s by %s, bypassed %t: %s", f.Rule, rec.ID, f.Bypassed, f.Text))
			}
		}
	}
	return recorded, judged
}

// agrees checks that the loop has recorded what the judge finds offline, and that what it
// decided is what the policy decides.
func agrees(t tester, log recorder.Log) (findings int) {
	t.Helper()
	recorded, judged := told(t, log)
	if diff := cmp.Diff(judged, recorded); diff != "" {
		t.Errorf("findings (-offline +recorded):\n%s", diff)
	}
	a := audit.New()
	for rec, err := range log.Read(context.Background(), 1, 0) {
		if err != nil {
			t.Fatalf("%v", err)
		}
		a.Step(rec.Event)
	}
	for _, f := range a.Result().Findings {
		t.Errorf("decision %s at #%d: %s", f.Class, f.Seq, f.Text)
	}
	return len(judged)
}

// again hands a fact of another log to the loop, as whoever saw it would.
func (r *run) again(rec events.Event) {
	d := events.Draft{Source: rec.Source, Conn: rec.Conn, Attempt: rec.Attempt, Data: rec.Data}
	ctx, cancel := context.WithTimeout(r.ctx, time.Minute)
	defer cancel()
	switch data := rec.Data.(type) {
	case events.AttemptRequested:
		if strings.HasPrefix(rec.Source, "/runner/") && data.LeaseMS > 0 {
			_, _ = r.g.Lease(ctx, rec.Source, rec.Attempt, data) // ErrTaken is an answer
			return
		}
		r.g.Request(d)
	case events.RestartClaimed:
		_, _ = r.g.Resume(ctx, rec.Source, data) // a rejection is an answer too
	case events.DisconnectRequested:
		_, _ = r.g.Disconnect(ctx, rec.Source, data)
	case events.GatewayObserved:
		r.sensor.set(data)
		if rec.Cause == "" {
			r.g.Report(d)
		}
	default:
		r.g.Report(d)
	}
	synctest.Wait()
}

// Every stream of the incidents, its facts told to a real loop: whatever it decides, it
// records what the judge finds offline.
func TestOnlineAndOfflineFindTheSameInEveryStream(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/streams/*/events.ndjson")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d streams: %v", len(paths), err)
	}
	total := 0
	for _, path := range paths {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			synctest.Test(t, func(t *testing.T) {
				r := start(t, store.NewMemory("main"), nil, events.Enforce)
				var at int64
				for rec, err := range events.ReadNDJSON(f) {
					if err != nil {
						t.Fatal(err)
					}
					switch rec.Data.(type) {
					case events.RecorderStarted, events.RecorderStopped:
						if rec.Seq > 1 {
							mem := copied(t, r.mem) // a run that is killed says no more
							r.stop()
							r = start(t, mem, nil, events.Enforce)
						}
						at = 0
						continue
					}
					if info, _ := events.Lookup(rec.Kind()); rec.Source == "/recorder" || info.Class == events.Decision {
						continue // it decides by itself
					}
					if rec.Mono != events.NoMono {
						time.Sleep(time.Duration(max(0, rec.Mono-at)))
						at = rec.Mono
					} else {
						time.Sleep(time.Second)
					}
					r.again(rec.Event)
				}
				total += agrees(t, r.mem)
				r.stop()
			})
		})
	}
	if total == 0 {
		t.Error("nothing was found in any of them: nothing was compared")
	}
}

// killed is a log and a snapshot as a run that is killed now leaves them: what the snapshot
// is of was on the disk before it, and of what came then the last may not be.
func (r *run) killed(kept *cache, lost uint64) (*store.Memory, *cache) {
	r.t.Helper()
	text := kept.text
	var snap snapshot.Snapshot
	if text != nil {
		if err := json.Unmarshal(text, &snap); err != nil {
			r.t.Fatal(err)
		}
	}
	mem := store.NewMemory("main")
	head, _ := r.mem.Head(r.t.Context())
	for rec, err := range r.mem.Read(r.t.Context(), 1, max(1, snap.Seq, head.Seq-min(head.Seq, lost))) {
		if err == nil {
			err = mem.Append(r.t.Context(), rec)
		}
		if err != nil {
			r.t.Fatal(err)
		}
	}
	return mem, &cache{text}
}

// Facts in no order that a Gateway would give them, runs that are killed and begun again,
// with and without a snapshot.
func TestOnlineAndOfflineFindTheSameInDisorder(t *testing.T) {
	total := 0
	rapid.Check(t, func(rt *rapid.T) {
		rapid.SyncTest(rt, func(rt *rapid.T) {
			kept := &cache{}
			every := rapid.SampledFrom([]uint64{1, 3, 10, 1000}).Draw(rt, "events between snapshots")
			keeping := func(cfg *recorder.Config) { cfg.Snapshots, cfg.Build, cfg.Every = kept, "b1", every }
			r := start(rt, store.NewMemory("main"), nil, rapid.SampledFrom([]events.Mode{events.Enforce, events.Enforce, events.Observe}).Draw(rt, "mode"), keeping)
			id := int64(7)
			for range rapid.IntRange(1, 40).Draw(rt, "facts") {
				if rapid.IntRange(0, 14).Draw(rt, "dies") == 0 {
					mem, left := r.killed(kept, rapid.SampledFrom([]uint64{0, 0, 1, 2, 3}).Draw(rt, "events lost"))
					r.stop()
					kept = left
					r = start(rt, mem, nil, events.Enforce, keeping)
					synctest.Wait()
				}
				if rapid.IntRange(0, 9).Draw(rt, "another policy") == 0 {
					p := rapid.SampledFrom([]events.Params{policy.Handoff(), policy.Lenient(), policy.Demo()}).Draw(rt, "which")
					loaded, err := policy.Load("handoff", p, r.g.View().State.Policy.Mode)
					if err == nil {
						err = r.g.Adopt(r.ctx, loaded)
					}
					if err != nil {
						rt.Fatal(err)
					}
				}
				e := events.Event{Source: "/tap", Attempt: fmt.Sprint("a", rapid.IntRange(1, 4).Draw(rt, "attempt"))}
				e.Conn = "c" + e.Attempt
				e.Data = rapid.SampledFrom([]events.Payload{
					events.AttemptRequested{}, events.AttemptRequested{}, events.DialStarted{Address: "127.0.0.1:4002"}, events.DialConnected{LocalPort: 50001},
					events.HandshakeVersion{ServerVersion: 203}, events.HandshakeAPIStarted{ClientID: &id}, events.HandshakeReady{Accounts: 1},
					events.AttemptFailed{Reason: events.AcceptedNoBytes, Stage: events.StageConnected, LimitMS: 30_000}, events.AttemptFailed{Reason: events.Refused, Stage: events.StageDial},
					events.AttemptSucceeded{ClientID: &id}, events.SessionEstablished{ClientID: &id}, events.SessionLost{Reason: events.LostFIN},
					events.ClientClosed{By: events.Client, How: events.FIN}, events.AttemptAbandoned{Stage: events.StageStarted, Answered: true},
					events.RestartClaimed{By: "kim", Reason: "restarted", Override: true}, events.GatewayDown{Reason: events.DownReported},
				}).Draw(rt, "fact")
				switch e.Data.(type) {
				case events.RestartClaimed:
					e = events.Event{Source: "/operator/cli", Data: e.Data}
				case events.GatewayDown:
					e = events.Event{Source: robo, Data: e.Data}
				case events.AttemptSucceeded, events.AttemptFailed:
					if rapid.IntRange(0, 3).Draw(rt, "reported") == 0 {
						e.Source, e.Conn = robo, ""
					}
				}
				time.Sleep(rapid.SampledFrom([]time.Duration{0, time.Millisecond, 31 * time.Second, 2 * time.Minute}).Draw(rt, "passes"))
				r.again(e)
			}
			total += agrees(rt, r.mem)
			_, whole := judged(rt, r.mem)
			if diff := cmp.Diff(string(whole.Canonical()), string(r.g.View().State.Canonical())); diff != "" {
				rt.Errorf("the state (-from the first event +of the loop):\n%s", diff)
			}
			r.stop()
		})
	})
	if total < 50 {
		t.Errorf("%d findings: nearly nothing was compared", total)
	}
	t.Logf("%d findings, the same online and offline", total)
}
