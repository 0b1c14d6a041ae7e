package recorder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/rule"
	"ibrecorder/store"
)

// process writes one item down and everything that follows from it. The error is
// fatal: the log cannot be written any more.
func (g *Gateway) process(ctx context.Context, it item) error {
	g.made = nil
	if it.lapsed() {
		return nil
	}
	if it.verb == sighting && it.after != g.state.Observed.ID {
		it.answered(reply{})
		return nil
	}
	if err := g.tellLost(ctx); err != nil {
		g.reject(it, err)
		return err
	}
	if err := g.tellRoom(ctx); err != nil {
		g.reject(it, err)
		return err
	}
	if it.verb == lease {
		if l, answered, err := g.answerLease(it.draft); answered {
			it.answered(reply{lease: l, err: err})
			return nil
		}
	}
	if rec, again, err := g.repeated(ctx, it.draft); again {
		it.answered(reply{rec: rec, err: err})
		return nil
	}
	switch d := it.draft.Data.(type) {
	case events.DialStarted:
		it.draft.Cause = g.permitOf(it.draft.Attempt)
	case events.DisconnectRequested:
		g.asked = d
	case events.AttemptAbandoned:
		if it.reply == nil { // its own relay says so: it asked, and did not wait for the answer
			delete(g.waiting, it.draft.Attempt)
		}
	}
	if it.verb == request {
		g.waiting[it.draft.Attempt] = it.answer
	}
	rec, err := g.append(ctx, it.draft)
	if err != nil {
		g.reject(it, err)
		return g.fatal(ctx, it, err)
	}
	g.recent.add(it.draft.ID, rec.Seq)
	switch d := rec.Data.(type) {
	case events.PolicyLoaded:
		g.adopted(d)
	case events.RestartClaimed:
		if it.verb == claim {
			err = g.observe(ctx, rec.ID)
		}
	case events.AttemptFailed:
		if d.Reason == events.Refused && it.reply == nil {
			err = g.confirmAbsent(ctx, rec.ID)
		}
	}
	if err == nil {
		err = g.decide(ctx)
	}
	r := reply{rec: rec, made: g.made, err: err}
	if it.verb == lease && err == nil {
		r.lease = g.decidedLease(it.draft)
	}
	it.answered(r)
	return err
}

// tellLost records that facts were dropped, before anything else is decided:
// otherwise a decision stands in the log without its reason.
func (g *Gateway) tellLost(ctx context.Context) error {
	n := g.inbox.takeLost()
	if n == 0 {
		return nil
	}
	g.log.Error("facts were dropped because the log did not keep up", "lost", n)
	_, err := g.append(ctx, events.Draft{Source: "/recorder", Data: events.RecorderGap{Reason: events.GapOverflow, Lost: n}})
	return err
}

// permitOf returns the permit that a dial is the effect of. It is in the log
// already: it was decided when the request was taken, or its answer led to the dial.
func (g *Gateway) permitOf(attempt string) string {
	if x := g.state.Session(attempt); x != nil {
		return x.Permit
	}
	return ""
}

// fatal says whether err ends the run. What cannot be an event, or bears an id
// that is taken, ends nothing; of what we saw ourselves the loss is recorded.
func (g *Gateway) fatal(ctx context.Context, it item, err error) error {
	if !errors.Is(err, ErrNoEvent) {
		return err
	}
	if it.reply != nil {
		return nil // its reporter knows
	}
	g.log.Error("a fact could not be recorded", "kind", it.draft.Data.Kind(), "error", err)
	_, err = g.append(ctx, events.Draft{Source: "/recorder", Data: events.RecorderGap{Reason: events.GapStore, Lost: 1, Text: err.Error()}})
	return err
}

func (it item) answered(r reply) {
	if it.reply != nil {
		it.reply <- r
	}
}

// reject tells whoever waits that nothing was decided.
func (g *Gateway) reject(it item, err error) {
	it.answered(reply{err: err})
	if it.answer != nil {
		delete(g.waiting, it.draft.Attempt)
		it.answer <- Answer{Err: err}
	}
}

// refuseAll answers what still waits when the run ends.
func (g *Gateway) refuseAll(err error) {
	if err == nil {
		err = ErrEnding
	}
	for it, ok := g.inbox.take(); ok; it, ok = g.inbox.take() {
		g.reject(it, err)
	}
	for attempt, answer := range g.waiting {
		delete(g.waiting, attempt)
		answer <- Answer{Err: err}
	}
}

// decide writes down what is due and acts on it, until nothing is due any more.
func (g *Gateway) decide(ctx context.Context) error {
	for {
		d := g.checked(g.cfg.Decide(g.state, g.now()))
		if d.Data == nil {
			g.wake = d.Wake
			return g.door(ctx)
		}
		if r, ok := d.Data.(events.RetryScheduled); ok && d.JitterMS > 0 {
			r.JitterMS = g.cfg.Jitter(d.JitterMS)
			r.DelayMS += r.JitterMS
			d.Data = r
		}
		if _, released := d.Data.(events.RestartAcknowledged); released { // whom the stop denied belongs before its end
			if err := g.tellDenied(ctx, true); err != nil {
				return err
			}
		}
		g.cfg.Step("decide " + string(d.Data.Kind()))
		rec, err := g.append(ctx, draftOf(d))
		if err != nil {
			return err
		}
		g.made = append(g.made, rec)
		g.cfg.Step("act " + string(d.Data.Kind()))
		if err := g.act(ctx, rec); err != nil {
			return err
		}
	}
}

// draftOf is a decision as it is written down.
func draftOf(d policy.Decision) events.Draft {
	return events.Draft{Source: "/recorder", Attempt: d.Attempt, Conn: d.Conn, Cause: d.Cause, Data: d.Data}
}

// ErrNoEvent: a draft cannot become an event of this log.
var ErrNoEvent = errors.New("not an event")

// ErrTaken: another event has that id.
var ErrTaken = fmt.Errorf("%w: another event has this id", ErrNoEvent)

// append stamps a draft, writes it down, folds it and judges it. When it returns
// an event, that is on disk, and so is every finding about it.
func (g *Gateway) append(ctx context.Context, d events.Draft) (events.Record, error) {
	rec, err := events.NewRecord(g.cfg.Redactor.Event(d, g.stamp(d.Data)))
	if err != nil {
		return rec, fmt.Errorf("%w: %w", ErrNoEvent, err)
	}
	g.cfg.Step("append " + string(d.Data.Kind()))
	if err := g.write(ctx, rec); err != nil {
		return rec, err
	}
	g.cfg.Step("fold " + string(d.Data.Kind()))
	if err := g.chain.Add(rec); err != nil {
		return rec, err
	}
	g.take(rec)
	if g.cfg.Notary != nil {
		g.cfg.Notary.Step(rec)
	}
	g.hold()
	g.publish() // before anybody is answered
	g.remember(rec)
	return rec, g.violated(ctx, rec, g.judge.Step(rec))
}

func (g *Gateway) stamp(data events.Payload) events.Stamp {
	seq, head := g.chain.Head()
	epoch := g.state.Epoch
	if _, release := data.(events.RestartAcknowledged); release {
		epoch++ // a release is the first event of its epoch
	}
	return events.Stamp{
		Gateway: g.cfg.Gateway, Time: g.cfg.Wall().UTC(), Seq: seq + 1, Boot: g.cfg.Boot,
		Mono: g.now(), Epoch: epoch, Prev: head,
	}
}

// take folds an event that is in the log.
func (g *Gateway) take(rec events.Record) {
	before := g.state.Gate
	g.state = g.folder.Apply(g.state, rec.Event)
	g.last = rec.Event
	if g.state.Gate != before || rec.Seq == 1 {
		g.gateAt = rec.Time
	}
}

// appendAgain is the wait before an append that the log did not take is tried once
// more: short enough that a client notices nothing of one lost answer, and long
// enough for a full disk.
const appendAgain = 100 * time.Millisecond

// write appends until it is done. A log that does not answer, or is full, keeps
// everything waiting: nothing is decided and nobody dials, but no session suffers.
// The same record is tried again, so that a lost answer never writes it twice.
func (g *Gateway) write(ctx context.Context, rec events.Record) error {
	defer g.blocked.Store(nil)
	var last error
	for tries := 0; ; tries++ {
		err := g.cfg.Log.Append(ctx, rec)
		g.turned.Store(g.now())
		seq, head := g.chain.Head()
		var failed *store.AppendError
		switch {
		case err == nil:
			if tries > 0 {
				g.log.Info("the log goes on", "seq", rec.Seq)
			}
			return nil
		case errors.Is(err, store.ErrForked) && errors.As(err, &failed) && failed.Head.Seq == seq && failed.Head.Hash == head:
			return ErrTaken // the log is as we left it: a reporter used an id twice
		case !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, store.ErrFull):
			return err
		}
		if ctx.Err() != nil && last != nil {
			return last // why it waits, and not that it was told to stop in the middle of a try
		}
		last = err
		g.blocked.Store(&blockage{rec, err})
		if tries == 0 {
			g.log.Error("the log takes nothing; nobody dials until it does", "seq", rec.Seq, "error", err)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(appendAgain):
		}
	}
}

// remember moves the high-water mark: at once when it must not be forgotten
// whatever becomes of the log.
func (g *Gateway) remember(rec events.Record) {
	now := false
	switch rec.Data.(type) {
	case events.GatewayDown, events.RestartRequired, events.RestartAcknowledged, events.GatewayContradicted, events.RecorderStopped:
		now = true
	case events.RecorderStarted:
		now = g.state.Pending.Carried != ""
	}
	// A stop that is due counts: if its decision never reaches this log, the one that
	// takes its place must start with it.
	stopped := g.state.Gate == fsm.Stopped || g.state.Pending.Carried != "" || g.state.Pending.Down != ""
	m := store.Mark{Gateway: g.cfg.Gateway, Seq: rec.Seq, Hash: rec.Hash(), Stopped: stopped, Epoch: g.state.Epoch}
	if err := g.cfg.Log.Mark(m, now); err != nil {
		g.log.Error("the high-water mark was not written", "error", err)
	}
}

// violated records breaches right behind the event that is one.
func (g *Gateway) violated(ctx context.Context, rec events.Record, found []rule.Finding) error {
	for _, f := range found {
		if f.Observed {
			continue // what would have been; the permit says so itself
		}
		g.log.Error("a rule was broken", "rule", f.Rule, "seq", f.Seq, "bypassed", f.Bypassed, "text", f.Text)
		_, err := g.append(ctx, events.Draft{
			Source: "/recorder", Conn: rec.Conn, Attempt: rec.Attempt, Cause: rec.ID,
			Data: events.RuleViolated{Rule: f.Rule, Bypassed: f.Bypassed, Text: f.Text},
		})
		if err != nil {
			return err
		}
	}
	return nil
}
