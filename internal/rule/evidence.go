package rule

import "ibrecorder/events"

// count is a row of attempts of one sort, between two readings of the rule. sure
// counts what every reading counts, and breaks where any reading breaks the row;
// possible counts what some reading counts, and breaks where all do. A stop is
// late only by sure and needless only by possible.
type count struct{ sure, possible int64 }

func (c *count) add()   { c.sure++; c.possible++ }
func (c *count) doubt() { c.possible++ }
func (c *count) cut()   { c.sure = 0 }

// evidence is what speaks for a stop since the last success or release.
type evidence struct {
	silent, timeouts, closed count

	probation bool  // a release, and no success since
	doubted   bool  // a success may have ended it: a reported one, or of an attempt from before the release
	used      count // attempts of the probation that are used up
	mute      bool  // one of them was silent, or nobody knows how it ended
	reported  bool  // somebody other than the recorder said that the Gateway is down

	// unsure: a stretch of the past is not known. The rows may be longer than
	// counted, and it may be a probation.
	unsure bool

	trail  [8]uint64 // the last events that count
	trails int
}

func (e *evidence) trace(seq uint64) {
	if e.trails == len(e.trail) {
		copy(e.trail[:], e.trail[1:])
		e.trails--
	}
	e.trail[e.trails] = seq
	e.trails++
}

func (e *evidence) because() []uint64 { return append([]uint64(nil), e.trail[:e.trails]...) }

// cut ends every row for the reading that is strictest about "in a row".
func (e *evidence) cut() {
	e.silent.cut()
	e.timeouts.cut()
	e.closed.cut()
}

// heard: ready came, but the attempt has not succeeded yet.
func (e *evidence) heard() { e.cut() }

// succeeded: an attempt became ready. Only one that was permitted since the release, and
// against nothing, ends a probation by every reading; in an imported history none ever is.
func (e *evidence) succeeded(since bool) {
	if since || !e.probation && !e.unsure {
		*e = evidence{}
		return
	}
	e.used.cut()
	e.doubted = true
}

// answered: the Gateway's API layer explained itself. All rows are over.
func (e *evidence) answered() {
	e.silent, e.timeouts, e.closed = count{}, count{}, count{}
	e.trails = 0
}

// due is a stop that the evidence demands and that is not decided yet.
type due struct {
	seq     uint64 // the event that made it due; 0: none
	at      moment
	because []uint64
	own     bool // nothing but the recorder's own gateway.down made it so
	wedged  bool // a reading showed that the acceptor hangs
	told    bool // as a breach
	seen    bool // as what would have been
}

// weigh adds the end of an attempt to the evidence and sees whether a stop is due.
func (h *history) weigh(f *facts) {
	if f.toldHeld() {
		return
	}
	if f.kind == attemptFailed {
		h.lastEnd.id = f.rec.ID
		h.lastEnd.gateway = backsOffGateway(f.rec.Data.(events.AttemptFailed).Reason)
	}
	// Of an attempt whose end nobody knew somebody may tell it yet, or tell of another one.
	over := h.endOf(f.rec.Attempt)
	late := over != nil && over.unknown
	if f.outside && f.flight == nil {
		if is, _, _ := h.aboutTheTaps(f); is && !late {
			return // one attempt is never counted twice
		}
	}
	if !f.outside && f.flight == nil && f.request != nil && !h.oldFlights {
		return // nobody permitted it, so it met no Gateway
	}
	e := &h.evidence
	if h.policyAt == 0 && f.kind == attemptFailed {
		e.unsure = true // nobody can say what it counts for
		return
	}
	s := h.read(f)
	// An attempt from before the release met the Gateway that was there then.
	stale := f.flight != nil && f.flight.seq < h.releasedAt
	claimed := f.outside && f.flight == nil
	again := claimed && f.rec.Attempt != "" && h.told.has(f.rec.Attempt) // its reporter has said how it ended
	doubtful := stale || again || claimed && late || claimed && h.tapMayHaveSeen(f)
	h.useUp(f, s, stale)
	switch s {
	case life:
		switch {
		case again:
			e.cut()
		case f.kind == attemptSucceeded:
			e.succeeded(f.imported || f.flight != nil && !stale && !f.flight.against)
			e.answered()
		default:
			e.answered()
		}
	case noSilence:
		e.cut()
	case silence:
		e.timeouts.cut()
		e.closed.cut()
		if doubtful {
			e.silent.doubt()
		} else {
			e.silent.add()
		}
		e.trace(f.rec.Seq)
	case maybeSilence:
		e.silent.doubt()
		e.trace(f.rec.Seq)
	case dialTimeout:
		e.silent.cut()
		e.closed.cut()
		if doubtful {
			e.timeouts.doubt()
		} else {
			e.timeouts.add()
		}
		e.trace(f.rec.Seq)
	case closedEarly:
		e.silent.cut()
		e.timeouts.cut()
		if doubtful {
			e.closed.doubt()
		} else {
			e.closed.add()
		}
		e.trace(f.rec.Seq)
	}
	if !stale && !again && h.demanded(f, s) {
		h.demand(f)
	}
}

// useUp counts the attempts of a probation. Silence and an unknown end use one
// up by every reading; any other failure only by some, because a refused dial
// alone must not leave the gate without a way out. The same goes for an attempt that
// was not permitted since the release, and for what observe mode alone let through.
func (h *history) useUp(f *facts, s sign, stale bool) {
	e := &h.evidence
	counts := f.imported && e.unsure
	if f.flight != nil {
		counts = !stale && !f.flight.against
	}
	switch {
	case !e.probation && !e.unsure || s == life && f.kind == attemptSucceeded:
	case counts && (s == silence || f.kind == attemptUnknown):
		e.used.add()
		e.mute = true
		if f.kind == attemptUnknown {
			e.trace(f.rec.Seq)
		}
	default:
		e.used.doubt()
		e.mute = e.mute || s == silence || s == maybeSilence || f.kind == attemptUnknown
	}
}

// demanded reports whether the end with sign s makes the stop due by every
// reading of the recorded policy.
func (h *history) demanded(f *facts, s sign) bool {
	e, p := &h.evidence, &h.policy
	switch s {
	case nothing: // the end of the last attempt of a probation, if nobody knows it
		return f.kind == attemptUnknown && f.flight != nil && e.probation && !e.unsure && !e.doubted && e.used.sure >= p.ProbationAttempts
	case silence:
		row, last := e.silent.sure >= p.SilentLimit, e.used.sure >= p.ProbationAttempts
		switch {
		case e.unsure || e.doubted:
			return row && last
		case e.probation:
			return last
		}
		return row
	case dialTimeout:
		return e.timeouts.sure >= p.DialTimeoutLimit
	case closedEarly:
		return p.ClosedLimit > 0 && e.closed.sure >= p.ClosedLimit
	}
	return false
}

// supported reports whether any reading of the recorded policy allows a stop for
// this reason.
func (h *history) supported(why events.DownReason) bool {
	e, p := &h.evidence, &h.policy
	switch {
	case e.unsure || h.policyAt == 0:
		return true
	case why == events.DownWedged: // nothing but a reading shows that
		return h.due.wedged
	case h.due.seq != 0 && !h.due.own:
		return true
	}
	switch why {
	case events.DownProbation:
		return e.probation && e.mute && e.used.possible >= p.ProbationAttempts
	case events.DownSilent:
		if e.probation && e.mute && e.used.possible >= p.ProbationAttempts {
			return true
		}
		return (!e.probation || e.doubted) && e.silent.possible >= p.SilentLimit
	case events.DownDialTimeouts:
		return e.timeouts.possible >= p.DialTimeoutLimit
	case events.DownClosed:
		return p.ClosedLimit > 0 && e.closed.possible >= p.ClosedLimit
	}
	return e.reported
}

// tapMayHaveSeen reports whether a report may be about an attempt of the tap that
// it cannot be joined with: one is under way, or ended since the reported one began.
func (h *history) tapMayHaveSeen(f *facts) bool {
	for i := range h.flights {
		if l := &h.flights[i]; l.dial != 0 && l.open() {
			return true
		}
	}
	if h.lastEnd.byTap == 0 {
		return false
	}
	ago, known := f.at.since(h.lastEnd.byTapAt)
	return !known && h.lastEnd.byTapAt.run == f.at.run || known && ago <= f.reportedNS()
}

func (h *history) down(f *facts) {
	own := f.rec.Source == "/recorder"
	h.evidence.reported = h.evidence.reported || !own
	h.evidence.trace(f.rec.Seq)
	h.demand(f)
	h.due.own = h.due.own && own || own && h.due.seq == f.rec.Seq
}

// wedgeSamples is how many samples must have found one connection unaccepted.
const wedgeSamples = 5

// leftWaiting takes in a reading that found one and the same connection unaccepted, its hello
// unread. Nobody but the watch can have seen that, and only of the Gateway's own listener
// does it say that the Gateway takes nobody: a forwarder takes its clients by itself.
func (h *history) leftWaiting(f *facts) {
	d := f.rec.Data.(events.GatewayObserved)
	if f.by != byWatch || d.Listening != events.ListeningYes || d.Owner != events.OwnerGateway || h.policyAt == 0 {
		return
	}
	if d.WedgedSamples < wedgeSamples || d.WedgedMS < h.policy.VersionBudgetMS || h.stop.stands {
		return
	}
	h.evidence.trace(f.rec.Seq)
	h.demand(f)
	h.due.own, h.due.wedged = false, true
}

func (h *history) demand(f *facts) {
	if h.stop.stands || h.due.seq != 0 {
		return
	}
	h.due = due{seq: f.rec.Seq, at: f.at, because: h.evidence.because()}
}
