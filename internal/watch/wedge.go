package watch

import (
	"cmp"
	"net/netip"
	"time"

	"ibrecorder/events"
)

// Unaccepted is a connection that reached the Gateway's listener and that its process
// has not taken yet, although it has sent something: the kernel completes a connect by
// itself, and keeps what comes.
type Unaccepted struct {
	Local, Peer netip.AddrPort
	Bytes       int64 // unread
	State       events.SocketState
}

const (
	// perBudget is how often a connection that waits is looked for again in one budget.
	perBudget = 6
	// leastSamples is how many samples a series has that proves anything.
	leastSamples = 5
	// maxWaiting bounds how many connections a series follows. A Gateway takes 32, and
	// one that hangs is proven by one.
	maxWaiting = 64
)

// series is one connection after the other that waits unaccepted, sample by sample, until
// one was found in every sample of a whole budget. A Gateway that takes it late, however
// late, begins it anew: then it is slow and does not hang. One goroutine owns it.
type series struct {
	budget time.Duration // 0: nothing is proven

	// What begins a series anew: another listener; a reading that somebody else has
	// recorded, for a stop or for a claim, so that what proves something lies on one side
	// of it; and a standstill, of this process or of the machine, in which nobody knows
	// whether the Gateway stood still too.
	pid    int64
	socket string
	after  string
	at     time.Time // when the last sample was complete

	waits map[pair]wait
	told  bool // of this listener: it hangs, and that is known
}

// pair is a connection.
type pair struct{ local, peer netip.AddrPort }

// wait is a connection as long as every sample finds it.
type wait struct {
	since   time.Time // when the first sample that found it was complete
	samples int64
}

// every is the time between two samples.
func (s *series) every() time.Duration { return s.budget / perBudget }

// running says that somebody waits, and that it is not known yet what that means.
func (s *series) running() bool { return len(s.waits) > 0 && !s.told }

// sample takes in a reading that was begun and complete at those times, when last was the
// last one in the log. It returns the reading with what it proves, if it does: that one
// connection was left alone from the end of the first sample to the begin of this one.
func (s *series) sample(begun, complete time.Time, seen events.GatewayObserved, waiting []Unaccepted, last string) (events.GatewayObserved, bool) {
	if s.budget <= 0 || seen.Listening == events.ListeningUnknown {
		return seen, false // no sample
	}
	if seen.Owner != events.OwnerGateway || len(waiting) == 0 || seen.QueueSockets == nil || *seen.QueueSockets == 0 {
		*s = series{budget: s.budget}
		return seen, false
	}
	stood := begun.Sub(s.at) > 2*s.every()+Bound
	if s.pid != seen.PID || s.socket != seen.Socket || s.after != last {
		*s = series{budget: s.budget, pid: seen.PID, socket: seen.Socket, after: last}
	} else if stood {
		s.waits = nil
	}
	s.at = complete
	s.follow(waiting, complete)
	longest, which, found := s.longest(waiting)
	span := begun.Sub(longest.since)
	if s.told || !found || longest.samples < leastSamples || span < s.budget {
		return seen, false
	}
	seen.WedgedPort, seen.WedgedBytes, seen.WedgedState = int64(which.Peer.Port()), which.Bytes, which.State
	seen.WedgedSamples, seen.WedgedMS = longest.samples, span.Milliseconds()
	return seen, true
}

// follow keeps those that still wait, and adds new ones while there is room.
func (s *series) follow(waiting []Unaccepted, at time.Time) {
	still := make(map[pair]wait, min(len(waiting), maxWaiting))
	for _, u := range waiting {
		if w, known := s.waits[u.pair()]; known {
			still[u.pair()] = wait{w.since, w.samples + 1}
		}
	}
	for _, u := range waiting {
		if _, known := still[u.pair()]; !known && len(still) < maxWaiting {
			still[u.pair()] = wait{at, 1}
		}
	}
	s.waits = still
}

// longest is who waits longest, of several the one with the lowest port.
func (s *series) longest(waiting []Unaccepted) (longest wait, which Unaccepted, found bool) {
	for _, u := range waiting {
		w, followed := s.waits[u.pair()]
		if !followed {
			continue
		}
		if before := w.since.Compare(longest.since); !found || before < 0 || before == 0 && cmp.Less(u.Peer.Port(), which.Peer.Port()) {
			longest, which, found = w, u, true
		}
	}
	return longest, which, found
}

// known notes that the proof is in the log, in which last is the last reading now. It is
// told again only of another listener, or when somebody has a reason to look again.
func (s *series) known(last string) { s.told, s.after = true, last }

func (u Unaccepted) pair() pair { return pair{u.Local, u.Peer} }
