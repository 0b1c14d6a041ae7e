package simulation

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/report"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/streams"
	"ibrecorder/store"
)

var (
	seed  = flag.Uint64("week.seed", 1, "seed of the first simulated week")
	weeks = flag.Uint64("weeks", 1, "how many weeks are simulated, each with the next seed")
)

func TestAWeek(t *testing.T) {
	had := map[string]int{}
	for s := *seed; s < *seed+*weeks; s++ {
		t.Run(fmt.Sprint("seed ", s), func(t *testing.T) {
			dir := folder(t)
			began := time.Now()
			var w *world
			var recs []events.Record
			synctest.Test(t, func(t *testing.T) {
				w = newWorld(t, s, days, dir)
				w.killer.want(vital()...)
				w.live()
				recs = w.epilogue()
			})
			w.t = t
			for _, text := range w.failed {
				t.Error(text)
			}
			w.week(recs)
			w.has(recs, had)
			w.tell(recs, time.Since(began))
			if t.Failed() {
				w.keep(recs)
			}
		})
	}
	if days < 7 || t.Failed() {
		return
	}
	for _, what := range mustHappen() { // otherwise the weeks have shown little
		if had[what] == 0 {
			t.Errorf("it never happened: %s", what)
		}
	}
}

// folder is one in memory if there is such a place: everything is synced, and a disk's
// syncs are not what is looked at here.
func folder(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "ibr")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// epilogue is the log when everybody has ended, held against all that was before.
func (w *world) epilogue() []events.Record {
	st, err := store.Open(context.Background(), store.Config{Dir: w.life.dir, MaxBytes: 256 << 20})
	if err != nil {
		w.fail("open the log at the end: %v", err)
		return nil
	}
	defer func() {
		if err := st.Close(); err != nil {
			w.fail("close the log at the end: %v", err)
		}
	}()
	jet, err := st.Log(context.Background(), name)
	if err != nil {
		w.fail("open the log at the end: %v", err)
		return nil
	}
	recs, err := w.life.examine(jet)
	if err != nil {
		w.fail("at the end: %v", err)
	}
	return recs
}

// examine holds the log that a run finds against everything that was before it.
func (l *life) examine(jet *store.JetLog) ([]events.Record, error) {
	var recs []events.Record
	for rec, err := range store.Ahead(jet.Read(context.Background(), 1, 0)) {
		if err != nil {
			return recs, err
		}
		recs = append(recs, rec)
	}
	if err := l.w.ledger.found(recs); err != nil {
		return recs, err
	}
	if v := report.Verify(streams.Each(recs)); len(recs) > 0 && v.Outcome() != rule.Holds {
		return recs, fmt.Errorf("the judge says %s: %s", v.Outcome(), findings(v.Verdict))
	}
	if l.dead == nil {
		return recs, nil
	}
	dead := *l.dead
	l.dead = nil
	if n := uint64(len(recs)); dead.Seq != n && dead.Seq+1 != n {
		return recs, fmt.Errorf("a run died at event %d, and the log has %d", dead.Seq, n)
	}
	s, err := fsm.NewFolder().Fold(fsm.Initial(), streams.Each(recs[:dead.Seq]))
	if err != nil {
		return recs, err
	}
	if s.Hash() != dead.Hash() {
		return recs, fmt.Errorf("the state of a run that died at event %d is not the fold of its log:\n%s\n%s", dead.Seq, dead.Canonical(), s.Canonical())
	}
	return recs, nil
}

func findings(v rule.Verdict) (all []string) {
	for _, r := range slices.Concat(v.Rules, v.Assumptions) {
		for _, f := range r.Findings {
			all = append(all, fmt.Sprintf("%s #%d: %s", f.Rule, f.Seq, f.Text))
		}
	}
	return all
}

// week holds the whole of it against what the Gateway saw.
func (w *world) week(recs []events.Record) {
	permits, missing, open := 0, 0, 0
	for _, rec := range recs {
		switch d := rec.Data.(type) {
		case events.AttemptPermitted:
			permits++
		case events.AttemptUnknown, events.AttemptAbandoned:
			missing++
		case events.AttemptFailed:
			if d.Reason == events.Refused {
				missing++
			}
		case events.RuleViolated: // nobody in a week goes around the recorder
			w.t.Errorf("the recorder says %s before event %d: %s", d.Rule, rec.Seq, d.Text)
		case events.RestartRequired:
			open++
		case events.RestartAcknowledged:
			open--
		}
		if open < 0 || open > 1 {
			w.t.Errorf("event %d: %d stops stand", rec.Seq, open)
		}
	}
	if connects := int(w.gateway.connects.Load()); connects > permits || connects < permits-missing {
		w.t.Errorf("the Gateway saw %d connects; the log has %d permits, of which %d may have led to none", connects, permits, missing)
	}
	if n, last := w.sessions.Load(), time.Duration(w.lastOne.Load()); n < 10*days || days*day-last > day {
		w.t.Errorf("%d sessions, the last on day %d: a Gateway that works is not used", n, last/day+1)
	}
}

// has adds what happened in a week.
func (w *world) has(recs []events.Record, had map[string]int) {
	for _, rec := range recs {
		had[string(rec.Kind())]++
		switch d := rec.Data.(type) {
		case events.AttemptFailed:
			had[string(d.Reason)]++
		case events.RestartAcknowledged:
			had[string(d.Basis)]++
		}
	}
	for at, n := range w.killer.deaths {
		had["killed before "+at] += n
	}
	had["the disk refuses"] += w.ledger.refused
	had["an answer is lost"] += w.ledger.lost
}

// mustHappen is what has no use if it does not happen.
func mustHappen() (all []string) {
	for _, kind := range []events.Kind{
		(events.AttemptUnknown{}).Kind(), (events.AttemptAbandoned{}).Kind(), (events.RestartObserved{}).Kind(), (events.RestartRejected{}).Kind(),
		(events.SessionDegraded{}).Kind(), (events.SessionRestored{}).Kind(), (events.SessionLost{}).Kind(), (events.ClientRejected{}).Kind(),
		(events.ClientHeld{}).Kind(), (events.AttemptDenied{}).Kind(), (events.TapClosed{}).Kind(), (events.TapBlocked{}).Kind(), (events.TapReopened{}).Kind(),
	} {
		all = append(all, string(kind))
	}
	for _, r := range []events.FailReason{events.Refused, events.DialTimeout, events.AcceptedNoBytes, events.VersionNoReady, events.ClientIDInUse, events.FINBeforeVersion} {
		all = append(all, string(r))
	}
	for _, b := range []events.Basis{events.BasisObserved, events.BasisWord, events.BasisOverride} {
		all = append(all, string(b))
	}
	for _, at := range vital() {
		all = append(all, "killed before "+at)
	}
	return append(all, "the disk refuses", "an answer is lost")
}

// tell is what a week was, for whoever runs it with -v.
func (w *world) tell(recs []events.Record, took time.Duration) {
	kinds := map[events.Kind]int{}
	bases := map[events.Basis]int{}
	for _, rec := range recs {
		kinds[rec.Kind()]++
		if d, ok := rec.Data.(events.RestartAcknowledged); ok {
			bases[d.Basis]++
		}
	}
	w.t.Logf("%d events, %d runs, %d of them killed at %d steps (%v), %d connects, %d sessions, %d stops, releases %v, in %s",
		len(recs), w.life.runs, w.killer.total, len(w.killer.deaths), w.killer.phases(), w.gateway.connects.Load(), w.sessions.Load(),
		kinds[(events.RestartRequired{}).Kind()], bases, took.Round(10*time.Millisecond))
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		w.t.Logf("%6d %s", kinds[kind], kind)
	}
}
