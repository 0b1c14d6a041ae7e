package fsm

import (
	"slices"
	"strconv"
	"strings"

	"ibrecorder/events"
)

// What is not a machine in the fold has three parts: counters, the queue, and what asks
// for a decision. Each kind belongs to one part.

// countRequest is the part about a run, requests and their answers, and disconnects. i is
// the session that e is about, -1 if none.
func (s *State) countRequest(f *Folder, e *events.Event, i int, reported bool) {
	switch d := e.Data.(type) {
	case events.PolicyLoaded:
		s.Policy = d
	case events.RecorderStarted:
		s.Closed = "" // its tap listens
		s.InOrder = d.Previous == events.PreviousStopped
		if d.OldStopped && s.Gate != Stopped {
			s.Pending.Carried = e.ID
		}
	case events.RecorderGap:
		s.Totals.Gaps++

	case events.RecorderRoom:
		s.Room = Room{Level: d.Level, ID: e.ID}
	case events.ClientOpened:
		if port := portOf(d.Peer); port > 0 {
			s.Ports = push(s.Ports, port, maxPorts)
		}
	case events.AttemptRequested:
		switch {
		case !reported || d.LeaseMS != 0:
			s.Totals.Requested++
			s.enqueue(e, d.LeaseMS, reported)
		case slices.Contains(s.Ports, d.LocalPort):
			s.Ours = push(s.Ours, e.Attempt, maxPorts)
		default:
			s.Totals.Requested++
		}
	case events.ClientHeld:
		s.hold(e.Attempt)
	case events.ClientClosed:
		s.left(e.Conn)
	case events.AttemptPermitted:
		s.Totals.Permitted++
		s.Refused = Refusal{}
	case events.AttemptDenied:
		s.denied(e, d.Count)
		if d.Reason == events.HoldRule {
			s.Refused = Refusal{Seq: e.Seq, Rule: d.Rule, Text: d.Text}
		}

	case events.RetryScheduled:
		if d.ClientID != nil {
			s.scheduled(*d.ClientID, d.DelayMS)
			break
		}
		s.Delay = Wait{From: s.Mono, MS: d.DelayMS}
		s.Pending.Failure = ""
	case events.DisconnectRequested:
		if !reported || d.Asked || strings.HasPrefix(e.Source, "/operator/") { // others tell what they did, and ask for nothing
			s.Pending.Disconnect = Disconnect{ID: e.ID, ClientID: d.ClientID, Force: d.Force || Forced(d.ForceEnv)}
			if d.Asked {
				s.Pending.Disconnect.By = e.Source
			}
		}
	case events.DisconnectPermitted, events.DisconnectForced:
		if !reported {
			s.leave(f, e, i)
			s.Pending.Disconnect = Disconnect{}
		}
	case events.DisconnectBlocked:
		if !reported {
			s.Pending.Disconnect = Disconnect{}
		}
	}
}

// denied counts attempts that were turned away. Of those one at most is named, and has
// a request of its own.
func (s *State) denied(e *events.Event, n int64) {
	s.Totals.Denied += n
	s.Totals.Requested += n
	if e.Attempt == "" {
		return
	}
	s.Totals.Requested--
	r, _ := s.Request(e.Attempt)
	s.answer(e.Attempt)
	if r.LeaseMS == 0 { // who dials in spite of it, and tells so, went around us
		s.remember(e.Attempt)
	}
}

// Forced says whether a value of IBKR_FORCE_DISCONNECT means yes.
func Forced(env string) bool {
	switch env {
	case "1", "true", "yes":
		return true
	}
	return false
}

// enqueue adds a request, unless its attempt is known: a permit asked for twice
// has one answer.
func (s *State) enqueue(e *events.Event, leaseMS int64, reported bool) {
	switch {
	case reported && (e.Attempt == "" || s.session(e) >= 0 || s.waits(e.Attempt) || len(s.Waiting) >= maxSessions):
		// the loop refuses it, and what it does not refuse is never answered
	case e.Attempt == "":
		s.odd(e, "a request that names no attempt")
	case s.session(e) >= 0 || s.waits(e.Attempt):
		s.odd(e, "attempt %s was requested before", e.Attempt)
	case len(s.Waiting) >= maxSessions:
		s.odd(e, "more requests than a Gateway has clients")
	default:
		r := Request{Attempt: e.Attempt, Conn: e.Conn, ID: e.ID, LeaseMS: leaseMS}
		if leaseMS != 0 {
			r.Conn, r.By = "", e.Source
		}
		s.Waiting = push(s.Waiting, r, maxSessions)
	}
}

// portOf is the port of a client's address, 0 if it has none.
func portOf(peer string) int64 {
	n, err := strconv.ParseUint(peer[strings.LastIndexByte(peer, ':')+1:], 10, 16)
	if err != nil {
		return 0
	}
	return int64(n)
}

// request finds the request of an attempt, -1 if it does not wait.
func (s *State) request(attempt string) int {
	return slices.IndexFunc(s.Waiting, func(r Request) bool { return r.Attempt == attempt })
}

func (s *State) waits(attempt string) bool { return s.request(attempt) >= 0 }

func (s *State) hold(attempt string) {
	if i := s.request(attempt); i >= 0 {
		s.Waiting = slices.Clone(s.Waiting)
		s.Waiting[i].Held = true
	}
}

// answer removes a request that was decided, or given up before it was.
func (s *State) answer(attempt string) {
	s.unqueue(func(r Request) bool { return r.Attempt == attempt })
}

// left removes the request of a client that is gone.
func (s *State) left(conn string) {
	s.unqueue(func(r Request) bool { return conn != "" && r.Conn == conn })
}

func (s *State) unqueue(is func(Request) bool) {
	if i := slices.IndexFunc(s.Waiting, is); i >= 0 {
		s.Waiting = slices.Delete(slices.Clone(s.Waiting), i, i+1)
	}
}

// leave marks what a permitted or forced disconnect closes: what the request
// selects, and the handshake that was in its way. A runner's request closes nothing of
// others: marked as left, their silence would be another.
func (s *State) leave(f *Folder, e *events.Event, handshake int) {
	q := s.Pending.Disconnect
	if q.ID == "" {
		return
	}
	for i, x := range s.Sessions {
		if (i == handshake || q.Selects(x)) && q.Ends(x) && x.Phase != Closed && x.Phase != Lost {
			s.own(i)
			s.move(f, e, i, Leaving, false)
		}
	}
}
