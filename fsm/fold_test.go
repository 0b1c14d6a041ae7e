package fsm

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ibrecorder/events"
)

var update = flag.Bool("update", false, "write golden files and docs/state.md anew")

// holds are what is true of every state, whatever was folded.
func holds(t *rapid.T, s State) {
	t.Helper()
	bounded := func(name string, n, most int) {
		if n > most {
			t.Errorf("%d %s, at most %d", n, name, most)
		}
	}
	bounded("sessions", len(s.Sessions), maxSessions)
	bounded("requests", len(s.Waiting), maxSessions)
	bounded("failures", len(s.Failures), maxFailures)
	bounded("attempts over", len(s.Over), maxOver)
	for _, list := range [][]string{s.Row.Silent.Evidence, s.Row.DialTimeouts.Evidence, s.Row.Closed.Evidence, s.Trial.Evidence} {
		bounded("pieces of evidence", len(list), maxEvidence)
	}
	slots := 0
	for i, x := range s.Sessions {
		if x.Slot {
			slots++
		}
		if x.Slot && x.Ended || x.Trial && !x.Slot {
			t.Errorf("session %+v has the slot without being under way, or is on trial without the slot", x)
		}
		if x.Ended && (x.Phase == Closed || x.Phase == Lost) {
			t.Errorf("session %+v is over and was not forgotten", x)
		}
		if slices.ContainsFunc(s.Sessions[:i], func(y *Session) bool { return y.Attempt == x.Attempt }) {
			t.Errorf("two sessions for attempt %s", x.Attempt)
		}
	}
	if want := map[bool]int{true: 1}[s.Gate == Attempting]; slots != want {
		t.Errorf("the gate is %s and %d sessions hold the slot, want %d", s.Gate, slots, want)
	}
	if s.Gate == Probation && !s.Trial.On {
		t.Error("the gate is in PROBATION without a trial")
	}
	if s.Trial.Used < 0 {
		t.Errorf("a probation has used %d attempts", s.Trial.Used)
	}
	ids := map[int64]bool{}
	for _, c := range s.Clients {
		if ids[c.ID] || c.Failed < 1 || len(s.Clients) > maxClients {
			t.Errorf("the clients are %+v", s.Clients)
		}
		ids[c.ID] = true
	}
	if (s.Gate == Stopped) != (s.Stop.ID != "") {
		t.Errorf("the gate is %s and the stop %q", s.Gate, s.Stop.ID)
	}
}

func TestFoldIsTotal(t *testing.T) {
	any := anything{sets: sets(t)}
	rapid.Check(t, func(t *rapid.T) {
		f, s := NewFolder(), Initial()
		for _, e := range any.stream(t, rapid.IntRange(1, 300).Draw(t, "length")) {
			before := s.Odd.Count
			s = f.Apply(s, e)
			holds(t, s)
			if s.Odd.Count > before && Reported(e) && !strings.HasPrefix(s.Odd.Text, "epoch") && !strings.HasPrefix(s.Odd.Text, "gate") &&
				e.Kind() != "attempt.permitted" {
				t.Errorf("a report, %s, counts as impossible: %s", e.Kind(), s.Odd.Text)
			}
		}
	})
}

// More of everything than a Gateway has, which the random streams do not reach.
func TestAStateIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, s := NewFolder(), Initial()
		against := rapid.SampledFrom([]events.HoldReason{"", events.HoldInFlight}).Draw(t, "against")
		for i := range 3 * maxSessions {
			e := events.Event{ID: "e", Gateway: "live", Source: "/tap", Boot: "b1", Seq: uint64(i + 1), Attempt: "a" + string(rune('0'+i)), Data: events.AttemptRequested{}}
			s = f.Apply(s, e)
			if rapid.Bool().Draw(t, "permitted") {
				e.Data = events.AttemptPermitted{Against: against}
				s = f.Apply(s, e)
			}
			if rapid.IntRange(0, 3).Draw(t, "ready") == 0 {
				e.Data = events.AttemptSucceeded{}
				s = f.Apply(s, e)
			}
			e.Attempt, e.Data = "", events.AttemptFailed{Reason: rapid.SampledFrom([]events.FailReason{events.AcceptedNoBytes, events.DialTimeout, events.RSTBeforeVersion}).Draw(t, "reason")}
			s.Policy.WindowFailures = 1 << 40
			s = f.Apply(s, e)
			holds(t, s)
		}
	})
}

func TestFoldIsDeterministic(t *testing.T) {
	any := anything{sets: sets(t)}
	rapid.Check(t, func(t *rapid.T) {
		stream := any.stream(t, rapid.IntRange(1, 40).Draw(t, "length"))
		whole, hashes := []State{Initial()}, []events.Hash{Initial().Hash()}
		var ndjson bytes.Buffer
		f := NewFolder()
		for _, e := range stream {
			s := f.Apply(whole[len(whole)-1], e)
			whole, hashes = append(whole, s), append(hashes, s.Hash())
			raw, err := events.Encode(e)
			if err != nil {
				t.Fatal(err)
			}
			ndjson.Write(append(raw, '\n'))
		}

		i, s := 0, Initial()
		for r, err := range events.ReadNDJSON(&ndjson) {
			if err != nil {
				t.Fatal(err)
			}
			i++
			if s = f.Apply(s, r.Event); s.Hash() != hashes[i] {
				t.Fatalf("seq %d, from a file (-live +file):\n%s", i, cmp.Diff(whole[i], s))
			}
		}
		for cut := range whole { // resumed by another folder, from a state that was stored
			var s State
			if err := json.Unmarshal(whole[cut].Canonical(), &s); err != nil {
				t.Fatal(err)
			}
			f := NewFolder()
			for i, e := range stream[cut:] {
				if s = f.Apply(s, e); s.Hash() != hashes[cut+i+1] {
					t.Fatalf("seq %d, resumed at %d (-whole +resumed):\n%s", cut+i+1, cut, cmp.Diff(whole[cut+i+1], s))
				}
			}
		}
		for i, s := range whole { // states share nothing that changes
			if s.Hash() != hashes[i] {
				t.Fatalf("the state at %d changed while later events were folded", i)
			}
		}
	})
}

// Two futures of one state do not see each other.
func TestStatesShareNothing(t *testing.T) {
	any := anything{sets: sets(t)}
	rapid.Check(t, func(t *rapid.T) {
		stream := any.stream(t, 60)
		f, s := NewFolder(), Initial()
		for i, e := range stream[:40] {
			s = f.Apply(s, e)
			before := s.Hash()
			one := s
			for _, e := range stream[40:] {
				one = f.Apply(one, e)
			}
			hash := one.Hash()
			two := f.Apply(s, stream[(i+7)%40])
			two = f.Apply(two, stream[(i+3)%40])
			if two.Seq == 0 || s.Hash() != before || one.Hash() != hash {
				t.Fatalf("folding on from the state at %d changed it or another future of it", i+1)
			}
		}
	})
}

func TestFactsNeverOpenOrStopTheGate(t *testing.T) {
	any := anything{sets: sets(t)}
	freed := 0
	rapid.Check(t, func(t *rapid.T) {
		f, s := NewFolder(), Initial()
		for _, e := range any.stream(t, rapid.IntRange(100, 300).Draw(t, "length")) {
			before := s
			s = f.Apply(s, e)
			info, _ := events.Lookup(e.Kind())
			if info.Class != events.Fact || s.Gate == before.Gate {
				continue
			}
			freed++
			i := before.session(&e)
			if before.Gate != Attempting || i < 0 || !before.Sessions[i].Slot || s.Gate != Open && s.Gate != Probation {
				t.Errorf("seq %d, %s %s, moved the gate from %s to %s, and did not end the attempt that held the slot",
					e.Seq, e.Kind(), e.Attempt, before.Gate, s.Gate)
			}
		}
	})
	if freed == 0 {
		t.Error("no fact of the whole run freed a slot: the test has seen nothing")
	}
	t.Logf("%d facts freed a slot, and did nothing else", freed)
}

// A golden state shows what a hash covers, for whoever reads one in another language.
func TestCanonicalForm(t *testing.T) {
	s := play(t, ready+"disconnect 7; a2 request; a2 permit; a2 dial; a3 request; a3 held in_flight; a2 up; +30s; a2 fail accepted_no_bytes; down silent; stop; observed gateway 100 1 stop; claim")
	var got bytes.Buffer
	if err := json.Indent(&got, s.Canonical(), "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteString("\n" + s.Hash().String() + "\n")
	path := filepath.Join("testdata", "stopped-with-a-session.json")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("raise FoldVersion if an older log folds to this (-golden +now); renew with go test ./fsm -run TestCanonicalForm -update:\n%s", diff)
	}
}
