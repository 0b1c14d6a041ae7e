package dashboard

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/source/streamtest"

	"pgregory.net/rapid"
)

// storm is events of every kind that the window keeps something of, in any order.
func storm(draw func(int) int, n int) []events.Record {
	s := streamtest.New("main").Start()
	client := int64(7)
	for i := range n {
		a := fmt.Sprintf("a%d", draw(400))
		s.After(time.Duration(draw(600)) * time.Second)
		switch draw(16) {
		case 0:
			s.Add("/tap", a, events.DialConnected{LocalPort: 50001, ElapsedUS: int64(draw(1e6))})
		case 1:
			s.Add("/tap", a, events.AttemptFailed{Reason: events.AcceptedNoBytes, Stage: events.StageConnected})
		case 2:
			s.Add("/tap", a, events.AttemptSucceeded{ClientID: &client})
		case 3, 4:
			s.Add("/tap", a, events.SessionEstablished{ClientID: &client})
		case 5:
			s.Add("/tap", a, events.SessionDegraded{Code: 1100})
		case 6:
			s.Add("/tap", a, events.SessionRestored{Code: 1102})
		case 7:
			s.Add("/tap", a, events.SessionLost{Reason: events.LostFIN})
		case 8:
			s.Add("/recorder", "", events.RestartRequired{Reason: events.DownSilent, Enforced: true, Policy: streamtest.Hash(events.Params{})})
		case 9:
			s.Add("/recorder", "", events.RestartAcknowledged{Basis: events.BasisWord, By: "kim"})
		case 10:
			s.Add("/recorder", "", events.AlertFailed{Channel: fmt.Sprintf("c%d", draw(100)), Try: 1, Text: "no route"})
		case 11:
			s.Add("/recorder", "", events.AttemptDenied{Reason: events.HoldStopped, Count: int64(draw(9) + 1), Policy: streamtest.Hash(events.Params{})})
		case 12:
			s.Add("/tap", "", events.GatewayNotice{Code: int64(2100 + draw(60)), Origin: events.OriginWire, Count: 1})
		case 13:
			s.Add("/recorder", a, events.AttemptPermitted{Enforced: true, Policy: streamtest.Hash(events.Params{})})
		case 14:
			s.Add("/recorder", "", events.AlertDelivered{Channel: fmt.Sprintf("c%d", draw(100)), Tries: 1})
		default:
			if i%500 == 0 {
				s.Start()
			}
		}
	}
	return s.Records()
}

func TestTheWindowIsBounded(t *testing.T) {
	seed := uint64(1)
	records := storm(func(n int) int { // the same storm each time
		seed = seed*6364136223846793005 + 1442695040888963407
		return int(seed>>33) % n
	}, 20_000)
	w := newWindow()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 10 { // 200 000 events; the fold counts the second time as anomalies, and goes on
		for _, rec := range records {
			w.see(rec)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	for _, c := range []struct {
		what      string
		has, most int
	}{
		{"bands of the gate", len(w.gate), 2 * maxBands}, {"bands of the API", len(w.api), 2 * maxBands}, {"attempts", len(w.attempts), 2 * maxAttempts},
		{"sessions", len(w.sessions), 2 * maxLive}, {"attempts without an end", len(w.begun), maxLive}, {"incidents", len(w.incidents), 2 * maxIncidents}, {"channels", len(w.channels), maxChannels},
	} {
		if c.has > c.most {
			t.Errorf("%s: %d, want at most %d", c.what, c.has, c.most)
		}
	}
	for i, rows := range w.rows {
		if len(rows) > 2*maxRows {
			t.Errorf("group %s has %d rows", groups[i].name, len(rows))
		}
	}
	for _, x := range w.sessions {
		if len(x.bands) > 2*maxLive {
			t.Errorf("a session has %d bands", len(x.bands))
		}
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("it has grown by %d bytes", grown)
	}
	runtime.KeepAlive(w)
	runtime.KeepAlive(records)
}

// Whatever happens, a page can be made of it, and a copy does not change with the window.
func TestAPageOfAnyHistory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := storm(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "d") }, rapid.IntRange(1, 60).Draw(t, "events"))
		w := newWindow()
		for _, rec := range records {
			w.see(rec)
		}
		c := w.copy()
		rows, bands := len(c.rows[0]), slices.Clone(c.gate)
		b := New(sceneConfig())
		for _, s := range spans {
			p := &page{asked: asked{span: s.long, zone: time.UTC}, now: records[len(records)-1].Time.Add(time.Second)}
			st := httpapi.Status{Gateway: "main", Gate: string(w.state.Gate), API: string(w.state.API)}
			p.Cards = append(p.Cards, p.card(b, sight{status: st, window: c}))
			p.pictures([]sight{{status: st, window: c}})
			if p.Cards[0].Word == "CONNECTED" {
				t.Fatalf("without a session it is connected: %+v", p.Cards[0])
			}
			for _, l := range p.Lanes {
				for _, d := range l.Bands {
					if d.X < 0 || d.W < 1 || d.X+d.W > 2*laneColumns {
						t.Fatalf("%s: a band lies outside: %+v", l.Name, d)
					}
				}
			}
			for _, d := range p.Charts[0].Bars {
				if d.Y < -1 || d.H < 1 || d.Y+d.H > chartHeight || d.X+d.W > 600 {
					t.Fatalf("a bar lies outside: %+v", d)
				}
			}
		}
		for _, rec := range records {
			w.see(rec)
		}
		if len(c.rows[0]) != rows || !slices.Equal(c.gate, bands) {
			t.Fatal("the copy has changed")
		}
	})
}

// counted is a log of which an event is made when it is asked for.
type counted struct {
	httpapi.Gateway
	first uint64 // what came before it is archived
	head  uint64
	reads *int
}

var errEnd = errors.New("nothing more comes")

func (g counted) Status(context.Context) (httpapi.Status, error) {
	return httpapi.Status{Seq: g.head}, nil
}

func (g counted) Read(_ context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		if from == 1 {
			from = g.first
		}
		if from < g.first {
			yield(events.Record{}, fmt.Errorf("event %d was archived", from))
			return
		}
		for seq := from; seq <= to; seq++ {
			*g.reads++
			if !yield(events.Record{Event: events.Event{Seq: seq, Time: streamtest.Begin, Data: events.OperatorNoted{By: "kim"}}}, nil) {
				return
			}
		}
	}
}

func (g counted) Tail(_ context.Context, from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		if from != g.head+1 {
			yield(events.Record{}, fmt.Errorf("it is followed from #%d", from))
			return
		}
		yield(events.Record{}, errEnd)
	}
}

func TestTheLookBackIsBounded(t *testing.T) {
	for _, c := range []struct {
		says        string
		first, head uint64
		want        uint64 // the first event that is seen
		reads       int
	}{
		{"of an empty log nothing is read", 1, 0, 0, 0},
		{"a short log is read whole", 1, 900, 1, 900},
		{"a log of a million events is read from the last 50 000 on", 1, 1_000_000, 950_001, lookBack},
		{"a log whose beginning is archived is read from where it begins", 990_000, 1_000_000, 990_000, 10_001},
	} {
		reads := 0
		f := &follower{gateway: counted{first: c.first, head: c.head, reads: &reads}, news: func() {}, window: newWindow()}
		err := f.follow(t.Context())
		if w, _ := f.view(); !errors.Is(err, errEnd) || w.first.Seq != c.want || w.last.Seq != c.head || reads != c.reads {
			t.Errorf("%s: #%d to #%d after %d reads, %v; want #%d to #%d after %d", c.says, w.first.Seq, w.last.Seq, reads, err, c.want, c.head, c.reads)
		}
	}
}

func TestTheLayers(t *testing.T) {
	now := streamtest.Begin
	id := int64(7)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	ready := []httpapi.Session{{ClientID: &id, Phase: "READY", Since: ago(time.Hour)}}
	ours := sighting{listening: events.ListeningYes, owner: events.OwnerGateway, process: "java", pid: 7, boot: "b1", since: ago(time.Hour)}
	run := facts{boot: "b1", started: ago(2 * time.Hour), seen: ours}
	with := func(f facts, change func(*facts)) facts { change(&f); return f }
	whole := [3]farm{{true, true, ago(time.Hour), 2104}, {true, true, ago(time.Hour), 2106}, {}}
	for _, c := range []struct {
		says   string
		status httpapi.Status
		facts  facts
		want   [6]answer // process, listening, accepting, API, session, data
	}{
		{"of a log without facts nothing is known", httpapi.Status{Gate: "OPEN", API: "UNKNOWN"}, facts{}, [6]answer{unknown, unknown, unknown, unknown, no, unknown}},
		{"a program that is connected, and the farms say OK", httpapi.Status{Gate: "OPEN", API: "READY", Sessions: ready},
			with(run, func(f *facts) { f.data = whole }), [6]answer{yes, yes, yes, yes, yes, yes}},
		{"a program that is connected, and nothing was said of data", httpapi.Status{Gate: "OPEN", API: "READY", Sessions: ready}, run, [6]answer{yes, yes, yes, yes, yes, unknown}},
		{"one of the farms is broken", httpapi.Status{Gate: "OPEN", API: "READY", Sessions: ready},
			with(run, func(f *facts) { f.data = whole; f.data[1] = farm{true, false, ago(time.Minute), 2105} }), [6]answer{yes, yes, yes, yes, yes, no}},
		{"IB is lost, whatever the farms said", httpapi.Status{Gate: "OPEN", API: "DEGRADED", Sessions: []httpapi.Session{{Phase: "DEGRADED", Since: ago(time.Minute)}}},
			with(run, func(f *facts) { f.data = whole }), [6]answer{yes, yes, yes, yes, yes, no}},
		{"a mute session is none", httpapi.Status{Gate: "OPEN", API: "READY", Sessions: []httpapi.Session{{Phase: "MUTE", Since: ago(time.Minute)}}}, run, [6]answer{yes, yes, yes, unknown, no, no}},
		{"TCP is fine and the API is dead", httpapi.Status{Gate: "STOPPED", API: "DOWN", Since: ago(time.Minute)},
			with(run, func(f *facts) {
				f.accepted = contact{ok: true, at: ago(2 * time.Minute)}
				f.answered = contact{at: ago(time.Minute), why: "silent"}
			}),
			[6]answer{yes, yes, yes, no, no, unknown}},
		{"what was learned an hour ago is stale", httpapi.Status{Gate: "OPEN", API: "READY"},
			with(run, func(f *facts) {
				f.accepted = contact{ok: true, at: ago(time.Hour)}
				f.answered = contact{ok: true, at: ago(time.Hour)}
			}),
			[6]answer{yes, yes, stale, stale, no, unknown}},
		{"an acceptor that hangs does not accept, whatever was before", httpapi.Status{Gate: "STOPPED", API: "DOWN"},
			with(run, func(f *facts) { f.wedged = true; f.accepted = contact{ok: true, at: ago(time.Minute)} }), [6]answer{yes, yes, no, no, no, unknown}},
		{"a forwarder says nothing about the Gateway", httpapi.Status{Gate: "OPEN", API: "UNKNOWN"},
			with(run, func(f *facts) { f.seen.owner = events.OwnerOther }), [6]answer{unknown, yes, unknown, unknown, no, unknown}},
		{"nothing listens", httpapi.Status{Gate: "BACKOFF", API: "ABSENT"},
			with(run, func(f *facts) { f.seen.listening = events.ListeningNo }), [6]answer{unknown, no, unknown, no, no, unknown}},
		{"on another host nothing is known without a dial", httpapi.Status{Gate: "OPEN", API: "UNKNOWN", Blind: "another host"}, run, [6]answer{unknown, unknown, unknown, unknown, no, unknown}},
		{"a reading of the run before is stale until the watch has had its time", httpapi.Status{Gate: "OPEN", API: "UNKNOWN"},
			with(run, func(f *facts) { f.boot, f.started = "b2", ago(5*time.Second) }), [6]answer{stale, stale, unknown, unknown, no, unknown}},
		{"after that, no news means that nothing changed", httpapi.Status{Gate: "OPEN", API: "UNKNOWN"},
			with(run, func(f *facts) { f.boot, f.started = "b2", ago(2*time.Minute) }), [6]answer{yes, yes, unknown, unknown, no, unknown}},
	} {
		var got [6]answer
		for i, l := range layersOf(c.status, c.facts, now) {
			got[i] = l.Answer
			if l.Text == "" {
				t.Errorf("%s: %s does not say why", c.says, l.Name)
			}
		}
		if got != c.want {
			t.Errorf("%s: %v, want %v", c.says, got, c.want)
		}
	}
}

func TestAWaitThatIsOverIsNotTold(t *testing.T) {
	for rested, want := range map[bool][2]string{false: {"WAITING", "wait"}, true: {"NOT CONNECTED", "allowed, one at a time"}} {
		s := httpapi.Status{Gate: "BACKOFF", Mode: events.Enforce, Rested: rested}
		m, word, _ := headline(s, live{})
		if got := [2]string{word, connects(s)}; got != want || m != doubt {
			t.Errorf("rested %t: %s %q, want %s %q", rested, m, got, doubt, want)
		}
	}
}

// Only a program that is connected, watched and undisturbed makes a card look healthy.
func TestUnknownNeverLooksHealthy(t *testing.T) {
	id := int64(7)
	for _, gate := range fsm.GateTable().States {
		for _, phases := range [][]string{nil, {"DIALING"}, {"VERSIONED"}, {"READY"}, {"DEGRADED"}, {"MUTE"}, {"CLOSING"}, {"READY", "DEGRADED"}, {"READY", "MUTE"}} {
			for _, change := range []func(*httpapi.Status){
				func(*httpapi.Status) {}, func(s *httpapi.Status) { s.LogError = "full" }, func(s *httpapi.Status) { s.TapError = "taken" },
				func(s *httpapi.Status) { s.Mode = events.Observe },
				func(s *httpapi.Status) {
					for i := range s.Sessions {
						s.Sessions[i].Unwatched = true
					}
				},
			} {
				s := httpapi.Status{Gate: string(gate), Mode: events.Enforce}
				for _, p := range phases {
					s.Sessions = append(s.Sessions, httpapi.Session{ClientID: &id, Phase: p})
				}
				change(&s)
				m, word, _ := headline(s, liveOf(s.Sessions))
				calm := gate == fsm.Open || gate == fsm.Attempting || gate == fsm.Backoff
				healthy := calm && len(phases) == 1 && phases[0] == "READY" && !s.Sessions[0].Unwatched && s.LogError == "" && s.TapError == ""
				if (m == good) != healthy {
					t.Errorf("gate %s, sessions %v, %+v: %s %s", gate, phases, s, m, word)
				}
			}
		}
	}
}

// still is a gateway whose status does not change.
type still struct {
	httpapi.Gateway
	status httpapi.Status
}

func (g still) Status(context.Context) (httpapi.Status, error) { return g.status, nil }

func BenchmarkPage(b *testing.B) {
	live, paper, sim := scene()
	board := run(b, sceneConfig(), live, paper, sim)
	for _, f := range board.followers { // a recorder has its status in memory, and a fake folds its log
		s, err := f.gateway.Status(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		f.gateway = still{f.gateway, s}
	}
	for b.Loop() {
		if w := get(b, board, "/?span=7d"); w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}

func BenchmarkLookBack(b *testing.B) {
	records := streamtest.Busy("main", lookBack).Records()
	for b.Loop() {
		w := newWindow()
		for _, rec := range records {
			w.see(rec)
		}
	}
}
