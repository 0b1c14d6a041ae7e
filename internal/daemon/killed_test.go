//go:build !race

package daemon_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"ibrecorder/events"
	"ibrecorder/internal/audit"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/rule"
	"ibrecorder/store"
)

func TestKilledAtEveryStep(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace")
	s := newStage(t, "", trace)
	if n := s.play(); n != 0 {
		t.Errorf("%d connects while stopped", n)
	}
	judged(t, s)
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	var points []string
	for at := range strings.Lines(string(text)) {
		if at = strings.TrimSpace(at); !slices.Contains(points, at) {
			points = append(points, at)
		}
	}
	if len(points) < 40 {
		t.Fatalf("only %d steps to be killed at: %v", len(points), points)
	}
	// A story waits more than it works, so more of them run at once than there are
	// processors.
	var stories sync.WaitGroup
	turn := make(chan struct{}, 6)
	defer stories.Wait()
	for _, at := range points {
		turn <- struct{}{}
		stories.Go(func() {
			defer func() { <-turn }()
			t.Run("killed before "+at, func(t *testing.T) {
				kills := 0
				for stories := 0; kills == 0 && stories < 5; stories++ { // a client that leaves early does not do so in each
					s := newStage(t, at, "")
					if n := s.play(); n != 0 {
						t.Errorf("%d connects while stopped", n)
					}
					kills = s.kills
					judged(t, s)
				}
				if kills != 1 {
					t.Errorf("killed %d times, want once", kills)
				}
			})
		})
	}
}

// crowd is three programs at once. When the second meets a Gateway that died after
// the first, the third is waiting.
func (s *stage) crowd() {
	var all sync.WaitGroup
	for range 3 {
		all.Go(s.attempt)
	}
	all.Wait()
}

// play is the whole story. It returns how many connects the Gateway saw while the
// gate was stopped.
func (s *stage) play() (whileStopped int) {
	s.t.Helper()
	stopped := func(st httpapi.Status) bool { return st.Gate == "STOPPED" }
	s.until("the gate stops", stopped, s.crowd)
	before := s.sim.Summary().Connects
	for range 20 {
		s.attempt()
		s.alive()
	}
	if err := s.sim.Restart(); err != nil {
		s.t.Fatal(err)
	}
	for range 5 { // a healthy Gateway, and still nobody may dial
		s.attempt()
		s.alive()
	}
	whileStopped = s.sim.Summary().Connects - before
	s.until("it is released", func(st httpapi.Status) bool { return !stopped(st) }, func() {
		_, _ = s.api.Resume(context.Background(), "main", httpapi.Claim{By: "kim", Reason: "restarted it"}) // the status tells
	})
	s.until("the gate opens", func(st httpapi.Status) bool { return st.Gate == "OPEN" && st.Totals.Succeeded > 0 && st.Epoch > 0 }, s.attempt)
	if err := s.end(syscall.SIGINT); err != nil {
		if !killed(err) {
			s.t.Errorf("the recorder ended: %v", err)
		}
		s.kills++
		s.orders.KillAt = ""
		s.begin()
		if err := s.end(syscall.SIGINT); err != nil {
			s.t.Errorf("the recorder ended: %v", err)
		}
	}
	return whileStopped
}

// log is what is on disk when the recorder has ended.
func (s *stage) log() []events.Record {
	s.t.Helper()
	st, err := store.OpenCopy(s.t.Context(), s.orders.Data, s.t.TempDir())
	if err != nil {
		s.t.Fatal(err)
	}
	defer st.Close()
	l, err := st.Log(s.t.Context(), "main")
	if err != nil {
		s.t.Fatal(err)
	}
	var all []events.Record
	for rec, err := range l.Read(s.t.Context(), 1, 0) {
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, rec)
	}
	return all
}

// judged holds the log against the judge and against what the Gateway saw.
func judged(t *testing.T, s *stage) {
	t.Helper()
	j, decided := rule.New(), audit.New()
	var history strings.Builder
	permits, missing := 0, 0
	for _, rec := range s.log() {
		j.Step(rec)
		decided.Step(rec.Event)
		fmt.Fprintf(&history, "%s\n", rec.Raw)
		switch d := rec.Data.(type) {
		case events.AttemptPermitted:
			permits++
		case events.AttemptUnknown, events.AttemptAbandoned:
			missing++
		case events.AttemptFailed:
			if d.Reason == events.Refused || d.Reason == events.DialTimeout {
				missing++
			}
		}
	}
	if v := j.Verdict(); v.Outcome != rule.Holds {
		t.Errorf("verdict %s: %+v\n%s", v.Outcome, v, history.String())
	}
	if r := decided.Result(); r.Total > 0 || r.Checked == 0 || r.Skipped > 0 {
		t.Errorf("of %d decisions %d were not the policy's, and %d not compared (%s): %+v\n%s", r.Checked, r.Total, r.Skipped, r.Why, r.Findings, history.String())
	}
	connects := s.sim.Summary().Connects
	if connects > permits || connects < permits-missing {
		t.Errorf("the Gateway saw %d connects; the log has %d permits, of which %d may have led to none\n%s", connects, permits, missing, history.String())
	}
}
