package fsm

import (
	"fmt"
	"iter"
	"slices"

	"ibrecorder/events"
)

// Bounds of what a state keeps, whatever a log claims.
const (
	maxEvidence = 8    // IDs for one count: enough to show
	maxSessions = 64   // and requests; IB allows 32 clients for one gateway
	maxOver     = 32   // ended attempts that a late report is known by
	maxPorts    = 64   // and clients: twice as many as IB allows at a time
	maxFailures = 1000 // the largest window_failures a policy may have
)

// Folder applies events. It does not change: anybody may share one.
type Folder struct {
	gate  *Machine[Gate, GateTrigger]
	api   *Machine[API, APITrigger]
	phase *Machine[Phase, PhaseTrigger]
}

// NewFolder builds the machines of the three tables.
func NewFolder() *Folder {
	return &Folder{gate: NewMachine(GateTable()), api: NewMachine(APITable()), phase: NewMachine(PhaseTable())}
}

// Fold applies all of a stream to s and stops at its first error.
func (f *Folder) Fold(s State, stream iter.Seq2[events.Record, error]) (State, error) {
	for r, err := range stream {
		if err != nil {
			return s, err
		}
		s = f.Apply(s, r.Event)
	}
	return s, nil
}

// Apply returns the state after e. It never fails: what is impossible in s is
// counted in State.Odd and changes nothing else, with two exceptions. The envelope of an
// event is taken over even if its epoch is wrong, and a permit that the gate forbids has a
// session, because somebody dials. What a report says is never counted so, but for its
// epoch, which the recorder stamps: its reporter may be late or wrong.
func (f *Folder) Apply(s State, e events.Event) State {
	s.envelope(f, &e)
	reported := Reported(e)
	i := s.session(&e)
	if s.known(&e, i, reported) {
		return s
	}
	if i >= 0 {
		s.own(i) // once for all that e changes in it
	}
	if !s.advance(f, &e, s.classify(&e, i, reported), reported) {
		return s
	}
	s.countRequest(f, &e, i, reported)
	s.countAttempt(&e, i, reported)
	s.countGateway(&e, reported)
	s.drop(i)
	return s
}

// envelope takes over what every event carries.
func (s *State) envelope(f *Folder, e *events.Event) {
	want := s.Epoch
	if _, release := e.Data.(events.RestartAcknowledged); release {
		want++ // a release is the first event of its epoch
	}
	if e.Epoch != want && s.Seq > 0 {
		s.odd(e, "epoch %d, want %d", e.Epoch, want)
	}
	s.Gateway, s.Seq, s.Epoch = e.Gateway, e.Seq, e.Epoch
	last := s.Mono
	if e.Mono != events.NoMono {
		s.Mono = e.Mono
	}
	if e.Boot != s.Boot {
		s.reboot(f, e, last)
	}
}

// advance runs the machines. It returns false if the gate says that e is impossible.
func (s *State) advance(f *Folder, e *events.Event, t Triggers, reported bool) bool {
	var out Outcome
	if t.Gate != "" {
		if s.Gate, out = f.gate.Next(s.Gate, t.Gate); out == Anomaly {
			s.odd(e, "gate %s: %s", s.Gate, t.Gate)
			if t.Gate != Permit { // for good or ill, somebody dials: that has a session
				return false
			}
		}
	}
	if d, ok := e.Data.(events.AttemptPermitted); ok {
		s.begin(e, d, t.Gate == Permit && out == Moved)
	}
	if t.API != "" {
		s.API, _ = f.api.Next(s.API, t.API) // its table has no anomalies
	}
	if t.Phase != "" {
		s.move(f, e, t.Session, t.Phase, reported)
	}
	return true
}

// own makes session i one that no older state sees.
func (s *State) own(i int) {
	s.Sessions = slices.Clone(s.Sessions)
	x := *s.Sessions[i]
	s.Sessions[i] = &x
}

// move runs the machine of session i, which s owns.
func (s *State) move(f *Folder, e *events.Event, i int, t PhaseTrigger, reported bool) {
	x := s.Sessions[i]
	next, out := f.phase.Next(x.Phase, t)
	switch {
	case out == Moved:
		x.Phase, x.Since = next, s.Mono
	case out == Anomaly && !reported:
		s.odd(e, "session %s %s: %s", x.Attempt, x.Phase, t)
	}
}

// begin adds the session of a permit and takes its request off the queue.
func (s *State) begin(e *events.Event, d events.AttemptPermitted, slot bool) {
	var lease Wait
	var by string
	if r, _ := s.Request(e.Attempt); r.LeaseMS != 0 {
		lease, by = Wait{From: s.Mono, MS: r.LeaseMS}, r.By
	}
	s.answer(e.Attempt)
	if len(s.Sessions) >= maxSessions {
		s.odd(e, "more sessions than a Gateway has")
		// An established one if there is one, and never the one that keeps the gate.
		i := max(0, slices.IndexFunc(s.Sessions, func(x *Session) bool { return x.Ended }))
		if s.Sessions[i].Slot {
			i++
		}
		s.Sessions = slices.Delete(slices.Clone(s.Sessions), i, i+1)
	}
	x := &Session{
		Attempt: e.Attempt, Conn: e.Conn, Permit: e.ID, Boot: e.Boot, Epoch: e.Epoch, Phase: Dialing, Stage: events.StageNone,
		Slot: slot, Trial: slot && s.Trial.On && d.Probation > 0, Since: s.Mono, Lease: lease, By: by,
	}
	if x.Trial {
		s.Trial.Used++
	}
	s.Sessions = push(s.Sessions, x, maxSessions)
}

// drop forgets session i if it is over. What becomes of a leased one after its attempt
// its runner may tell or not: it is none of ours.
func (s *State) drop(i int) {
	if i >= 0 {
		if x := s.Sessions[i]; x.Ended && (x.By != "" || x.Phase == Closed || x.Phase == Lost) {
			s.Sessions = slices.Delete(s.Sessions, i, i+1)
		}
	}
}

func (s *State) odd(e *events.Event, format string, args ...any) {
	s.Odd = Anomalies{Count: s.Odd.Count + 1, Seq: e.Seq, Text: fmt.Sprintf(format, args...)}
}

// reboot begins another run of the recorder: monotonic times of the old one mean
// nothing any more, so whatever was pending starts again now, in full.
func (s *State) reboot(f *Folder, e *events.Event, last int64) {
	if s.Boot != "" {
		s.API, _ = f.api.Next(s.API, Doubted)
	}
	s.Boot = e.Boot
	s.Mono = max(e.Mono, 0)
	now := s.Mono
	if s.Delay.MS > 0 {
		s.Delay.From = now
	}
	if s.Trial.On {
		s.Trial.Released = now
		s.Trial.LastEnd = now
	}
	for i, x := range s.Sessions {
		if x.Ended {
			s.forgive(i, false)
		}
	}
	s.rebooted(last)
	if len(s.Failures) > 0 {
		s.Failures = slices.Repeat([]int64{now}, len(s.Failures))
	}
	// Connections died with the process that relayed them, and what was in the way of
	// other clients of their ids with them. An attempt without an
	// end stays until attempt.unknown closes it, and a lease until its time is over.
	s.Sessions = slices.DeleteFunc(slices.Clone(s.Sessions), func(x *Session) bool { return x.Ended })
	for i := range s.Sessions {
		s.own(i)
		s.Sessions[i].Since = now
		if w := &s.Sessions[i].Lease; w.MS > 0 { // its runner lives on, and dials
			w.From = now
		}
	}
	s.Waiting, s.ShutOut = nil, ""
	s.Pending.Disconnect = Disconnect{}
	if !s.Claim.Seen {
		s.Claim = Claim{} // its operator got no answer and asks again
	}
}

// push appends to a copy of list and keeps the newest.
func push[E any](list []E, e E, most int) []E {
	list = list[max(0, len(list)+1-most):]
	out := make([]E, 0, len(list)+1)
	return append(append(out, list...), e)
}
