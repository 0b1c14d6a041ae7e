package recorder

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/policy"
)

// Lease is the answer to a runner that asks for a permit and dials by itself.
type Lease struct {
	// Permit is the ID of the durable attempt.permitted; empty means do not dial.
	Permit string
	// For is how long it is good for from now on: by then its end must be reported.
	For time.Duration
	// Epoch is the one of the permit.
	Epoch uint64

	// Reason is why there is none.
	Reason events.HoldReason
	// Wait is after how long time alone ends that; 0 if something else has to.
	Wait time.Duration
	// Stop and Since are the sequence and the time of the restart.required, if it is that.
	Stop  uint64
	Since time.Time
}

// Lease asks for a permit for a runner that dials by itself, and returns when the
// answer is durable. It is answered at once and never queued. The same attempt of the
// same source has one permit: while that is out, and no stop came since, asking again
// returns it. ErrTaken if the attempt is somebody else's or has ended, otherwise the
// errors of Submit; a request that was not decided when ctx ends never is.
func (g *Gateway) Lease(ctx context.Context, source, attempt string, q events.AttemptRequested) (Lease, error) {
	q.LeaseMS = g.View().State.Policy.LeaseMS
	d := events.Draft{Source: g.cfg.Redactor.Attribute(source), Attempt: g.cfg.Redactor.Attribute(attempt), Data: q}
	r, err := g.ask(ctx, item{draft: d, verb: lease})
	return r.lease, err
}

// Standing is what a Lease would be answered now, as far as the newest snapshot tells:
// without a permit, and with no Reason if somebody may dial. It is in no log. The error
// is why the log takes nothing, so that nobody may.
func (g *Gateway) Standing() (Lease, error) {
	v := g.View()
	if v.Blocked != nil && g.enforced() {
		return Lease{}, fmt.Errorf("%w: %w", ErrBusy, v.Blocked)
	}
	why, until := policy.Hold(v.State, g.now())
	if why == "" || !g.enforced() {
		return Lease{For: time.Duration(v.State.Policy.LeaseMS) * time.Millisecond, Epoch: v.State.Epoch}, nil
	}
	return turnedAway(v.State, v.GateAt, g.now(), why, until), nil
}

// heldSpan is the least time between two records of one runner's being held for the
// same reason: one that asks again and again must not fill the log.
const heldSpan = time.Minute

// held is the last record of a runner's being held.
type held struct {
	reason events.HoldReason
	at     int64 // monotonic nanoseconds
}

// answerLease answers a request without a record of it, if none is due: the lease is
// out already, or its runner was told no more than a minute ago. While the gate is
// stopped the stop is the denial, as it is for whoever the tap turns away, and those
// are counted together.
func (g *Gateway) answerLease(d events.Draft) (l Lease, answered bool, err error) {
	if x := g.state.Session(d.Attempt); x != nil && x.By == d.Source && !x.Ended {
		if g.enforced() && (g.state.Gate == fsm.Stopped || x.Epoch != g.state.Epoch) { // a permit of before is no longer one
			return g.turnedAway(policy.Hold(g.state, g.now())), true, nil
		}
		return g.granted(x), true, nil
	}
	if strings.HasPrefix(d.Attempt, g.cfg.Boot+"-") {
		return Lease{}, true, fmt.Errorf("%w: attempt %s is called like one of the tap; choose another name", ErrTaken, d.Attempt)
	}
	_, waits := g.state.Request(d.Attempt)
	if waits || g.state.Session(d.Attempt) != nil || slices.Contains(g.state.Over, d.Attempt) {
		return Lease{}, true, fmt.Errorf("%w: attempt %s has been made; name each one anew", ErrTaken, d.Attempt)
	}
	why, until := policy.Hold(g.state, g.now())
	last, told := g.held[d.Source]
	if told && why == "" && last.reason == events.HoldRule && g.now()-last.at < int64(heldSpan) { // the judge refused it, and does so again
		return g.turnedAway(events.HoldRule, last.at+int64(heldSpan)), true, nil
	}
	if why == "" || !g.enforced() {
		return Lease{}, false, nil
	}
	if why == events.HoldStopped {
		g.denied.untold.Add(1)
		return g.turnedAway(why, until), true, nil
	}
	if told && last.reason == why && g.now()-last.at < int64(heldSpan) {
		return g.turnedAway(why, until), true, nil
	}
	g.held[d.Source] = held{why, g.now()}
	return Lease{}, false, nil
}

// decidedLease is what the loop has just decided for a request.
func (g *Gateway) decidedLease(q events.Draft) Lease {
	if x := g.state.Session(q.Attempt); x != nil {
		return g.granted(x)
	}
	why, until := policy.Hold(g.state, g.now())
	for _, rec := range g.made { // what held it may have ended since
		d, denied := rec.Data.(events.AttemptDenied)
		if denied && rec.Attempt == q.Attempt && d.Reason != why {
			why, until = d.Reason, 0
		}
	}
	if why == events.HoldRule { // time ends nothing, and it may ask as often as others that are held
		g.held[q.Source] = held{why, g.now()}
		until = g.now() + int64(heldSpan)
	}
	return g.turnedAway(why, until)
}

func (g *Gateway) granted(x *fsm.Session) Lease {
	return Lease{Permit: x.Permit, For: time.Duration(x.Lease.Until() - g.now()), Epoch: x.Epoch}
}

func (g *Gateway) turnedAway(why events.HoldReason, until int64) Lease {
	return turnedAway(g.state, g.gateAt, g.now(), why, until)
}

func turnedAway(s fsm.State, gateAt time.Time, now int64, why events.HoldReason, until int64) Lease {
	l := Lease{Reason: why}
	if until != 0 {
		l.Wait = time.Duration(max(0, until-now))
	}
	if why == events.HoldStopped {
		l.Stop, l.Since = s.Stop.Seq, gateAt
	}
	return l
}
