package policy

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ibrecorder/events"
	"ibrecorder/fsm"
)

// walker plays what may happen to a recorder in use, in any order that the
// outside world allows: clients, the wire, crashes, reports, operators.
type walker struct {
	*world
	next   int      // names of attempts
	leases []string // of them, those that a runner asked a permit for
	told   string   // ID of the last stop that somebody was told of
	tells  bool     // somebody is told of each
	smooth bool     // most handshakes come as far as startAPI, which few do otherwise
}

func walking(t *rapid.T, p events.Params, mode events.Mode) *walker {
	return &walker{world: begin(p, mode), smooth: rapid.Bool().Draw(t, "smooth"), tells: rapid.Bool().Draw(t, "tells")}
}

func (w *walker) name() string {
	w.next++
	return fmt.Sprintf("a%d", w.next)
}

// What a dial and what a connection can fail of.
var (
	dialFailures = []events.FailReason{events.Refused, events.DialTimeout, events.Unreachable}
	failures     = []events.FailReason{events.AcceptedNoBytes, events.FINBeforeVersion, events.RSTBeforeVersion, events.BadVersion,
		events.VersionNoReady, events.NoStartAPI, events.ClientIDInUse, events.DisclaimerPending, events.ErrorBeforeReady, events.ClosedBeforeReady}
)

// step is one line of what happens next.
func (w *walker) step(t *rapid.T) string {
	pick := func(what string, from ...string) string { return rapid.SampledFrom(from).Draw(t, what) }
	if w.tells && w.s.Stop.ID != "" && w.s.Stop.ID != w.told {
		w.told = w.s.Stop.ID
		return "told"
	}
	if under := w.s.InFlight(); w.smooth && len(under) > 0 && pick("goes", "on", "on", "on", "astray") == "on" {
		return w.wire(t, &under[0], pick)
	} else if w.smooth && len(under) == 0 && w.waits(1) && pick("comes back", "at once", "at once", "later") == "at once" {
		return w.name() + " request"
	}
	switch pick("who", "client", "client", "wire", "wire", "wire", "wire", "time", "time", "operator", "watch", "runner", "recorder") {
	case "client":
		if n := len(w.s.Waiting); n > 0 && pick("client", "comes", "leaves") == "leaves" {
			return rapid.SampledFrom(w.s.Waiting).Draw(t, "waiting").Attempt + pick("how", " abandon", " gone")
		}
		return w.name() + " request"
	case "wire":
		if len(w.s.Sessions) == 0 {
			return w.name() + " request"
		}
		return w.wire(t, rapid.SampledFrom(w.s.Sessions).Draw(t, "session"), pick)
	case "time":
		if n := len(w.leases); n > 0 && pick("late", "time passes", "time passes", "it tells more") == "it tells more" {
			return pick("teller", "report ", "other ") + w.leases[rapid.IntRange(0, n-1).Draw(t, "lease")] +
				pick("of an old lease", " ok", " fail reported_timeout limit=30s", " fail version_no_ready limit=30s", " fail refused", " established", " abandon answered")
		}
		return pick("passes", "+100ms", "+2s", "+30s", "+60s", "+11m")
	case "operator":
		return pick("operator", "claim", "claim override", "disconnect", "disconnect 1", "disconnect force")
	case "watch":
		return "observed " + pick("sees", "gateway 100 1", "gateway 100 1", "gateway 200 2", "other 7 7", "unknown", "no") + pick("waits", "", "", " wedged", " wedged 4samples", " wedged 29s") + pick("asked by", "", " stop", " claim", " claim")
	case "runner":
		if pick("runner", "tells", "asks") == "asks" {
			w.leases = append(w.leases, w.name())
			return "report " + w.leases[len(w.leases)-1] + " lease"
		}
		x := fmt.Sprintf("report x%d ", rapid.IntRange(1, 9).Draw(t, "reported"))
		if len(w.s.Waiting) > 0 && rapid.Bool().Draw(t, "about ours") {
			x = "report " + w.s.Waiting[0].Attempt + " "
		}
		return pick("reports", x+"ok", x+"fail reported_timeout limit=30s", x+"fail reported_timeout limit=1s", x+"fail refused", x+"mute", x+"lost", x+"restored",
			x+"unknown", x+"request", x+"fail error_before_ready", x+"fail error_before_ready code=70503", "report down", "report down wedged")
	}
	if w.stopped && enforced(w.s) && pick("port", "none comes", "programs come") == "programs come" {
		return pick("of them", "denied 1", "denied 600")
	}
	return pick("recorder", "blocked", "reopened", "boot r"+w.name(), "policy enforce", "policy observe", "policy enforce silent_limit=3", "gap")
}

// wire is what may come next for one connection.
func (w *walker) wire(t *rapid.T, x *fsm.Session, pick func(string, ...string) string) string {
	a := x.Attempt + " "
	switch {
	case x.By != "": // it dials by itself, and nobody else tells of it
		return pick("teller", "report ", "report ", "report ", "other ") + a +
			pick("leased", "ok", "fail reported_timeout limit=30s", "fail accepted_no_bytes limit=1s", "fail refused", "fail dial_timeout limit=30s",
				"fail fin_before_version", "fail client_id_in_use", "abandon", "abandon answered", "unknown", "established", "lost")
	case x.Ended && x.Phase == fsm.Closing:
		return a + "closed"
	case x.Ended:
		return a + pick("session", "degraded", "restored", "lost", "closed", "gone")
	case x.Phase == fsm.Closing && x.Stage == events.StageNone:
		return a + pick("undialled", "unknown", "abandon")
	case x.Phase == fsm.Closing:
		return a + pick("late", "fail accepted_no_bytes", "ok", "abandon answered", "abandon", "version")
	case w.smooth && x.Stage == events.StageStarted:
		return a + pick("smooth end", "fail client_id_in_use", "ok", "abandon answered")
	case !w.smooth && pick("ends", "goes on", "goes on", "goes on", "ends") == "ends":
		of := failures
		if x.Stage == events.StageNone || x.Phase == fsm.Dialing {
			of = dialFailures
		}
		return a + "fail " + string(rapid.SampledFrom(of).Draw(t, "reason"))
	case x.Stage == events.StageNone:
		return a + pick("permitted", "dial", "dial", "dial", "unknown")
	case x.Phase == fsm.Dialing:
		return a + pick("dialing", "up", "up", "unknown")
	case x.Phase == fsm.Connected:
		return a + pick("connected", "version", "version", "defer")
	case x.Stage == events.StageVersioned:
		id := rapid.SampledFrom([]int64{1, 1, 1, 2, 3}).Draw(t, "client id")
		if w.smooth && w.waits(1) { // it is the one that came back
			id = 1
		}
		if enforced(w.s) && w.waits(id) { // as the tap does
			return a + "fail client_waits"
		}
		return fmt.Sprint(a, "start ", id)
	}
	return a + pick("started", "ok", "defer", "abandon answered", "fail client_id_in_use")
}

func params(t *rapid.T) events.Params {
	p := rapid.SampledFrom([]events.Params{Handoff(), Lenient(), Demo()}).Draw(t, "policy")
	p.ClosedLimit = rapid.Int64Range(0, 2).Draw(t, "closed limit")
	p.WindowFailures = rapid.Int64Range(1, 5).Draw(t, "window failures")
	return p
}

// waits says whether a client id has a wait of its own that is not over.
func (w *walker) waits(id int64) bool {
	return slices.ContainsFunc(w.s.Clients, func(c fsm.Client) bool { return c.ID == id && w.w.Now < c.Delay.Until() })
}

// walk takes steps and calls check after each.
func walk(t *rapid.T, check func(w *walker, line string)) *walker {
	w := walking(t, params(t), rapid.SampledFrom([]events.Mode{events.Enforce, events.Enforce, events.Observe}).Draw(t, "mode"))
	for range rapid.IntRange(1, 80).Draw(t, "steps") {
		line := w.step(t)
		if err := w.play(line); err != nil {
			t.Fatal(err)
		}
		check(w, line)
	}
	return w
}

func TestDecisionsComeToRest(t *testing.T) {
	most := 0
	rapid.Check(t, func(t *rapid.T) {
		walk(t, func(w *walker, line string) { // rest itself counts
			most = max(most, len(w.made))
			if d := Decide(w.s, w.w.Now); d.Data != nil {
				t.Errorf("after %q at rest, and still %s", line, w.decided(d))
			}
			if enforced(w.s) && slices.ContainsFunc(w.s.Waiting, func(r fsm.Request) bool { return !r.Held }) {
				t.Errorf("after %q a client waits and nobody has said why", line)
			}
			if !enforced(w.s) && len(w.s.Waiting) > 0 {
				t.Errorf("after %q a client is held in observe mode", line)
			}
		})
	})
	if most < 3 {
		t.Errorf("the longest run of decisions was %d: the walks saw no stop", most)
	}
	t.Logf("at most %d decisions between two facts", most)
}

// rest refuses an enforced permit while a stop stands or an attempt is under way;
// here is what it cannot see.
func TestNothingIsPermittedWhileStopped(t *testing.T) {
	stops, permits := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		walk(t, func(w *walker, line string) {
			if w.stopped {
				stops++
			}
			if w.stopped != (w.s.Gate == fsm.Stopped) {
				t.Errorf("after %q the decisions say stopped %t, and the gate is %s", line, w.stopped, w.s.Gate)
			}
			if w.stopped && enforced(w.s) && len(w.s.Waiting) > 0 {
				t.Errorf("after %q the gate is stopped and a client waits", line)
			}
			permits += int(w.s.Totals.Permitted)
		})
	})
	if stops == 0 || permits == 0 {
		t.Errorf("%d states stopped, %d permits: the walks have seen nothing", stops, permits)
	}
	t.Logf("%d states were stopped", stops)
}

func TestWhatIsOrdinaryIsNoAnomaly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		walk(t, func(w *walker, line string) {
			if w.s.Odd.Count != 0 {
				t.Errorf("after %q, which may well happen: %s", line, w.s.Odd.Text)
			}
		})
	})
}

// From wherever the walks lead, a Gateway that works again is used again.
func TestEveryStateLeadsBackToReady(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := walk(t, func(*walker, string) {})
		before := fmt.Sprintf("%s %s", w.s.Gate, w.s.API)
		for range 3 {
			for _, x := range w.s.InFlight() {
				if x.By != "" {
					w.must("report " + x.Attempt + " fail refused")
					continue
				}
				w.must(x.Attempt + " fail refused")
			}
			for _, r := range w.s.Waiting {
				w.must(r.Attempt + " gone")
			}
		}
		if w.s.Gate == fsm.Stopped {
			w.must("claim override; observed gateway 300 3 claim")
		}
		w.must("+1h") // longer than any wait of the presets
		a := w.name()
		w.must(a + " request; " + a + " dial; " + a + " up; " + a + " version; " + a + " start 1; " + a + " ready; " + a + " ok")
		i := slices.IndexFunc(w.s.Sessions, func(x *fsm.Session) bool { return x.Attempt == a })
		if i < 0 || w.s.Sessions[i].Phase != fsm.SessionReady || w.s.Gate != fsm.Open || w.s.API != fsm.Ready {
			t.Errorf("from %s: after a release, an hour and a good attempt the gate is %s and the gateway %s, decisions %v", before, w.s.Gate, w.s.API, w.made)
		}
	})
}

func TestDecideIsTotal(t *testing.T) {
	state := rapid.Make[fsm.State]()
	gates := fsm.GateTable().States
	rapid.Check(t, func(t *rapid.T) {
		s := state.Draw(t, "state")
		s.Sessions = slices.DeleteFunc(s.Sessions, func(x *fsm.Session) bool { return x == nil })
		if rapid.Bool().Draw(t, "known gate") {
			s.Gate = rapid.SampledFrom(gates).Draw(t, "gate")
		}
		if rapid.Bool().Draw(t, "known mode") {
			s.Policy.Mode = events.Enforce
		}
		now := rapid.Int64().Draw(t, "now")
		before := s.Hash()
		one, two := Decide(s, now), Decide(s, now)
		if !reflect.DeepEqual(one, two) {
			t.Errorf("two answers to one question: %+v and %+v", one, two)
		}
		if s.Hash() != before {
			t.Error("Decide has changed its state")
		}
		if p, ok := one.Data.(events.AttemptPermitted); ok && p.Enforced && (s.Gate == fsm.Stopped || s.Busy()) {
			t.Errorf("permitted in %s, others under way %t", s.Gate, s.Busy())
		}
		if p, ok := one.Data.(events.RetryScheduled); ok && (p.DelayMS < 0 || one.JitterMS < 0) {
			t.Errorf("a delay of %d ms and up to %d ms", p.DelayMS, one.JitterMS)
		}
	})
}
