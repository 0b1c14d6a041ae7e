package rule

import "ibrecorder/events"

// count is a row of attempts of one sort, between two readings of the rule. sure
// counts what every reading counts, and breaks where any reading breaks the row;
// possible counts what some reading counts, and breaks where all do. A stop is
// late only by sure and needless only by possible.
type count struct{ Sure, Possible int64 }

func (c *count) add()   { c.Sure++; c.Possible++ }
func (c *count) doubt() { c.Possible++ }
func (c *count) cut()   { c.Sure = 0 }

// evidence is what speaks for a stop since the last success or release.
type evidence struct {
	Silent, Timeouts, Closed count

	Probation bool  // a release, and no success since
	Doubted   bool  // a success may have ended it: a reported one, or of an attempt from before the release
	Used      count // attempts of the probation that are used up
	Mute      bool  // one of them was silent, or nobody knows how it ended
	Reported  bool  // somebody other than the recorder said that the Gateway is down

	// Unsure: a stretch of the past is not known. The rows may be longer than
	// counted, and it may be a probation.
	Unsure bool

	Trail  [8]uint64 // the last events that count
	Trails int
}

func (e *evidence) trace(seq uint64) {
	if e.Trails == len(e.Trail) {
		copy(e.Trail[:], e.Trail[1:])
		e.Trails--
	}
	e.Trail[e.Trails] = seq
	e.Trails++
}

func (e *evidence) because() []uint64 { return append([]uint64(nil), e.Trail[:e.Trails]...) }

// cut ends every row for the reading that is strictest about "in a row".
func (e *evidence) cut() {
	e.Silent.cut()
	e.Timeouts.cut()
	e.Closed.cut()
}

// row is the row that an end with sign s makes longer.
func (e *evidence) row(s sign) *count {
	switch s {
	case silence:
		return &e.Silent
	case dialTimeout:
		return &e.Timeouts
	}
	return &e.Closed
}

// grow makes one row longer and ends the others for the strictest reading.
func (e *evidence) grow(row *count, doubtful bool) {
	was := *row
	e.cut()
	*row = was
	if doubtful {
		row.doubt()
	} else {
		row.add()
	}
}

// heard: ready came, but the attempt has not succeeded yet.
func (e *evidence) heard() { e.cut() }

// succeeded: an attempt became ready. Only one that was permitted since the release, and
// against nothing, ends a probation by every reading; in an imported history none ever is.
func (e *evidence) succeeded(since bool) {
	if since || !e.Probation && !e.Unsure {
		*e = evidence{}
		return
	}
	e.Used.cut()
	e.Doubted = true
}

// answered: the Gateway's API layer explained itself. All rows are over.
func (e *evidence) answered() {
	e.Silent, e.Timeouts, e.Closed = count{}, count{}, count{}
	e.Trails = 0
}

// due is a stop that the evidence demands and that is not decided yet.
type due struct {
	Seq     uint64 // the event that made it due; 0: none
	At      moment
	Because []uint64
	Own     bool // nothing but the recorder's own gateway.down made it so
	Wedged  bool // a reading showed that the acceptor hangs
	Late    bool // told as a breach
	Told    bool // and that somebody was permitted in spite of it
	Seen    bool // as what would have been
}

// weigh adds the end of an attempt to the evidence and sees whether a stop is due.
func (h *history) weigh(f *facts) {
	if f.toldHeld() {
		return
	}
	if f.kind == attemptFailed {
		h.LastEnd.ID = f.rec.ID
		h.LastEnd.Gateway = backsOffGateway(f.rec.Data.(events.AttemptFailed).Reason)
	}
	// Of an attempt whose end nobody knew somebody may tell it yet, or tell of another one.
	over := h.endOf(f.rec.Attempt)
	late := over != nil && over.Unknown
	if f.outside && f.flight == nil {
		if is, _, _ := h.aboutTheTaps(f); is && !late {
			return // one attempt is never counted twice
		}
	}
	if !f.outside && f.flight == nil && f.request != nil && !h.OldFlights {
		return // nobody permitted it, so it met no Gateway
	}
	e := &h.Evidence
	if h.PolicyAt == 0 && f.kind == attemptFailed {
		e.Unsure = true // nobody can say what it counts for
		return
	}
	s := h.read(f)
	// An attempt from before the release met the Gateway that was there then.
	stale := f.flight != nil && f.flight.Seq < h.ReleasedAt
	claimed := f.outside && f.flight == nil
	again := claimed && f.rec.Attempt != "" && h.Told.has(f.rec.Attempt) // its reporter has said how it ended
	doubtful := stale || again || claimed && late || claimed && h.tapMayHaveSeen(f)
	h.useUp(f, s, stale)
	switch s {
	case life:
		switch {
		case again:
			e.cut()
		case f.kind == attemptSucceeded:
			e.succeeded(f.imported || f.flight != nil && !stale && !f.flight.Against)
			e.answered()
		default:
			e.answered()
		}
	case noSilence:
		e.cut()
	case silence, dialTimeout, closedEarly:
		e.grow(e.row(s), doubtful)
		e.trace(f.rec.Seq)
	case maybeSilence:
		e.Silent.doubt()
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
	e := &h.Evidence
	counts := f.imported && e.Unsure
	if f.flight != nil {
		counts = !stale && !f.flight.Against
	}
	switch {
	case !e.Probation && !e.Unsure || s == life && f.kind == attemptSucceeded:
	case counts && (s == silence || f.kind == attemptUnknown):
		e.Used.add()
		e.Mute = true
		if f.kind == attemptUnknown {
			e.trace(f.rec.Seq)
		}
	default:
		e.Used.doubt()
		e.Mute = e.Mute || s == silence || s == maybeSilence || f.kind == attemptUnknown
	}
}

// demanded reports whether the end with sign s makes the stop due by every
// reading of the recorded policy.
func (h *history) demanded(f *facts, s sign) bool {
	e, p := &h.Evidence, &h.Policy
	switch s {
	case nothing: // the end of the last attempt of a probation, if nobody knows it
		return f.kind == attemptUnknown && f.flight != nil && e.Probation && !e.Unsure && !e.Doubted && e.Used.Sure >= p.ProbationAttempts
	case silence:
		row, last := e.Silent.Sure >= p.SilentLimit, e.Used.Sure >= p.ProbationAttempts
		switch {
		case e.Unsure || e.Doubted:
			return row && last
		case e.Probation:
			return last
		}
		return row
	case dialTimeout:
		return e.Timeouts.Sure >= p.DialTimeoutLimit
	case closedEarly:
		return p.ClosedLimit > 0 && e.Closed.Sure >= p.ClosedLimit
	}
	return false
}

// supported reports whether any reading of the recorded policy allows a stop for
// this reason.
func (h *history) supported(why events.DownReason) bool {
	e, p := &h.Evidence, &h.Policy
	switch {
	case e.Unsure || h.PolicyAt == 0:
		return true
	case why == events.DownWedged: // nothing but a reading shows that
		return h.Due.Wedged
	case h.Due.Seq != 0 && !h.Due.Own:
		return true
	}
	switch why {
	case events.DownProbation:
		return e.Probation && e.Mute && e.Used.Possible >= p.ProbationAttempts
	case events.DownSilent:
		if e.Probation && e.Mute && e.Used.Possible >= p.ProbationAttempts {
			return true
		}
		return (!e.Probation || e.Doubted) && e.Silent.Possible >= p.SilentLimit
	case events.DownDialTimeouts:
		return e.Timeouts.Possible >= p.DialTimeoutLimit
	case events.DownClosed:
		return p.ClosedLimit > 0 && e.Closed.Possible >= p.ClosedLimit
	}
	return e.Reported
}

// tapMayHaveSeen reports whether a report may be about an attempt of the tap that
// it cannot be joined with: one is under way, or ended since the reported one began.
func (h *history) tapMayHaveSeen(f *facts) bool {
	for i := range h.Flights {
		if l := &h.Flights[i]; l.Dial != 0 && l.open() {
			return true
		}
	}
	if h.LastEnd.ByTap == 0 {
		return false
	}
	ago, known := f.at.since(h.LastEnd.ByTapAt)
	return !known && h.LastEnd.ByTapAt.Run == f.at.Run || known && ago <= f.reportedNS()
}

func (h *history) down(f *facts) {
	own := f.rec.Source == "/recorder"
	h.Evidence.Reported = h.Evidence.Reported || !own
	h.Evidence.trace(f.rec.Seq)
	h.demand(f)
	h.Due.Own = h.Due.Own && own || own && h.Due.Seq == f.rec.Seq
}

// wedgeSamples is how many samples must have found one connection unaccepted.
const wedgeSamples = 5

// leftWaiting takes in a reading that found one and the same connection unaccepted, its hello
// unread. Nobody but the watch can have seen that, and only of the Gateway's own listener
// does it say that the Gateway takes nobody: a forwarder takes its clients by itself.
func (h *history) leftWaiting(f *facts) {
	d := f.rec.Data.(events.GatewayObserved)
	if f.by != byWatch || d.Listening != events.ListeningYes || d.Owner != events.OwnerGateway || h.PolicyAt == 0 {
		return
	}
	if d.WedgedSamples < wedgeSamples || d.WedgedMS < h.Policy.VersionBudgetMS || h.Stop.Stands {
		return
	}
	h.Evidence.trace(f.rec.Seq)
	h.demand(f)
	h.Due.Own, h.Due.Wedged = false, true
}

func (h *history) demand(f *facts) {
	if h.Stop.Stands || h.Due.Seq != 0 {
		return
	}
	h.Due = due{Seq: f.rec.Seq, At: f.at, Because: h.Evidence.because()}
}
