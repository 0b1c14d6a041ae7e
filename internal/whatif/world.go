package whatif

import (
	"fmt"
	"slices"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/policy"
)

// world is the recorder's loop under another policy, over facts that were recorded: it
// folds what it is given and decides by itself.
type world struct {
	policy events.PolicyLoaded
	fold   *fsm.Folder
	state  fsm.State
	made   int             // decisions
	retry  policy.Decision // the last wait that it scheduled
	alias  [2]string       // id of the last recorded stop, and of the stop here that stands for it
	act    func(at, decided events.Event)
}

func newWorld(p events.PolicyLoaded, act func(at, decided events.Event)) *world {
	w := &world{policy: p, fold: fsm.NewFolder(), state: fsm.Initial(), act: act}
	w.state.Policy = p
	return w
}

// now is the time of a recorded event in this world.
func (w *world) now(e events.Event) int64 { return max(e.Mono, w.state.Mono) }

// take folds a recorded event, in this world's epoch, and with the cause that it has here.
func (w *world) take(e events.Event) {
	e = under(e, w.policy)
	e.Epoch = w.state.Epoch
	if _, release := e.Data.(events.RestartAcknowledged); release {
		e.Epoch++
	}
	if e.Cause != "" && e.Cause == w.alias[0] {
		e.Cause = w.alias[1]
	}
	w.state = w.fold.Apply(w.state, e)
}

// pass lets the time come to that of at, and decides on the way what is due by then.
func (w *world) pass(at events.Event) {
	if w.state.Seq == 0 || at.Boot != w.state.Boot {
		return // durations do not exist across runs
	}
	now := w.state.Mono
	for {
		wake := w.decide(at, now)
		if wake == 0 || wake > w.now(at) {
			return
		}
		now = wake
	}
}

// decide writes every decision that is due now, and returns when time alone makes
// another due, 0 if never. That decisions come to rest is proven of the policy
// (TestDecisionsComeToRest in internal/policy).
func (w *world) decide(at events.Event, now int64) (wake int64) {
	for {
		d := policy.Decide(w.state, now)
		if d.Data == nil {
			return d.Wake
		}
		epoch := w.state.Epoch
		switch d.Data.(type) {
		case events.RestartAcknowledged:
			epoch++
		case events.RetryScheduled: // nothing is drawn: the shortest wait that it may be
			w.retry = d
		}
		w.made++
		decided := events.Event{
			ID: fmt.Sprintf("whatif-%d", w.made), Source: "/recorder", Gateway: at.Gateway, Time: at.Time, Seq: at.Seq, Boot: w.state.Boot,
			Mono: now, Conn: d.Conn, Attempt: d.Attempt, Epoch: epoch, Cause: d.Cause, Data: d.Data,
		}
		w.state = w.fold.Apply(w.state, decided)
		if _, stops := d.Data.(events.RestartRequired); stops {
			w.read(at, decided)
		}
		w.act(at, decided)
	}
}

// read takes the last reading of the listener for the one that the recorder would have
// made for the stop, if it was of a known process: nobody read it then.
func (w *world) read(at, stop events.Event) {
	p := w.state.Observed
	if p.Owner != events.OwnerGateway || p.PID == 0 {
		return
	}
	w.made++
	w.state = w.fold.Apply(w.state, events.Event{
		ID: fmt.Sprintf("whatif-%d", w.made), Source: "/watch", Gateway: at.Gateway, Time: at.Time, Seq: at.Seq, Boot: w.state.Boot, Mono: stop.Mono,
		Epoch: w.state.Epoch, Cause: stop.ID,
		Data: events.GatewayObserved{Listening: p.Listening, Owner: p.Owner, PID: p.PID, StartedMS: p.StartedMS, Socket: p.Socket},
	})
}

// permit lets an attempt dial that was permitted in the record, as this world would
// once it no longer waits.
func (w *world) permit(e events.Event) {
	d := events.AttemptPermitted{Policy: w.policy.Hash, Enforced: w.policy.Mode == events.Enforce}
	if w.state.Gate == fsm.Probation {
		d.Probation = w.state.Trial.Used + 1
	}
	e.Data = d
	w.take(e)
}

// wait takes over a wait as it was recorded, if this world scheduled the same one: the
// part of it that was drawn was drawn once.
func (w *world) wait(e events.Event) {
	d, ok := e.Data.(events.RetryScheduled)
	if ok && alike(w.retry.Data, d) && d.JitterMS <= w.retry.JitterMS {
		w.take(e)
		w.retry = policy.Decision{}
	}
}

// release opens the gate as an imported history does: nobody was there to decide it,
// and no probation follows, because nobody is held to one.
func (w *world) release() {
	w.state.Gate, w.state.API = fsm.Open, fsm.Unknown
	w.state.Stop, w.state.Claim, w.state.Row, w.state.Pending = fsm.Standing{}, fsm.Claim{}, fsm.Run{}, fsm.Pending{}
}

func (w *world) stopped() bool { return w.state.Gate == fsm.Stopped }

// session is the attempt that this world has let dial and that has not ended, nil for none.
func (w *world) session(attempt string) *fsm.Session {
	if x := w.state.Session(attempt); x != nil && !x.Ended {
		return x
	}
	return nil
}

// waits reports whether an attempt waits here for its turn.
func (w *world) waits(attempt string) bool {
	_, is := w.state.Request(attempt)
	return is
}

// known reports whether a report is about an attempt that the tap saw, or that has ended.
func (w *world) known(attempt string, port int64) bool {
	return slices.Contains(w.state.Over, attempt) || slices.Contains(w.state.Ours, attempt) || slices.Contains(w.state.Ports, port)
}
