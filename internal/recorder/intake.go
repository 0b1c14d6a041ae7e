package recorder

import (
	"context"
	"fmt"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/snapshot"
)

// Report hands over what the relay saw. It never blocks.
func (g *Gateway) Report(d events.Draft) {
	_ = g.inbox.put(item{draft: d}) // ending: its end is the start of the next run to tell
}

// Request hands over an attempt.requested. It never blocks; the one answer comes
// when the decision is durable.
func (g *Gateway) Request(d events.Draft) <-chan Answer {
	answer := make(chan Answer, 1)
	if err := g.inbox.put(item{draft: d, verb: request, answer: answer}); err != nil {
		answer <- Answer{Err: err}
	}
	return answer
}

// Submit records what an outside reporter says, and returns when it is durable.
// The same id from the same source is the same report: it is written once and
// returned as it was. ErrTaken if another event has the id, ErrNoEvent if it
// cannot be recorded, ErrRoom while the log is in its reserve, ErrBusy, ErrEnding, or the
// context's.
func (g *Gateway) Submit(ctx context.Context, d events.Draft) (events.Record, error) {
	// As they are stored: otherwise a repetition is not known again.
	d.ID, d.Source = g.cfg.Redactor.Attribute(d.ID), g.cfg.Redactor.Attribute(d.Source)
	if err := g.unwelcome(d); err != nil {
		return events.Record{}, err
	}
	r, err := g.ask(ctx, item{draft: d})
	return r.rec, err
}

// Last returns the last reading of the listener in the log and the id of its event,
// or nothing. It never waits for the loop.
func (g *Gateway) Last() (id string, seen events.GatewayObserved) {
	p := g.View().State.Observed
	return p.ID, events.GatewayObserved{Listening: p.Listening, Owner: p.Owner, PID: p.PID, StartedMS: p.StartedMS, Socket: p.Socket}
}

// Observed records a reading of the listener that was begun when after was the id of
// the last one, and returns when it is durable. If another was recorded meanwhile,
// for a stop or a claim, it is left out: it may be the older of the two, and a process
// that was there before the stop would look like one that came after it. The errors
// are those of Submit.
func (g *Gateway) Observed(ctx context.Context, seen events.GatewayObserved, after string) (recorded bool, err error) {
	r, err := g.ask(ctx, item{draft: events.Draft{Source: "/watch", Data: seen}, verb: sighting, after: after})
	return r.rec.ID != "", err
}

// Resume records an operator's claim that the Gateway was restarted, reads the
// listener, and returns the decision: restart.acknowledged or restart.rejected.
func (g *Gateway) Resume(ctx context.Context, source string, c events.RestartClaimed) (events.Record, error) {
	r, err := g.ask(ctx, item{draft: events.Draft{Source: source, Data: c}, verb: claim})
	if err != nil {
		return events.Record{}, err
	}
	for _, rec := range r.made {
		switch rec.Data.(type) {
		case events.RestartAcknowledged, events.RestartRejected:
			return rec, nil
		}
	}
	return events.Record{}, fmt.Errorf("resume %s: no decision on %s", g.cfg.Gateway, r.rec.ID)
}

// Disconnect records a request to end sessions and carries it out, unless a
// handshake is under way and it is not forced: disconnect.completed or
// disconnect.blocked.
func (g *Gateway) Disconnect(ctx context.Context, source string, q events.DisconnectRequested) (events.Record, error) {
	r, err := g.ask(ctx, item{draft: events.Draft{Source: source, Data: q}, verb: disconnect})
	if err != nil {
		return events.Record{}, err
	}
	for _, rec := range r.made {
		switch rec.Data.(type) {
		case events.DisconnectCompleted, events.DisconnectBlocked:
			return rec, nil
		}
	}
	return events.Record{}, fmt.Errorf("disconnect %s: no decision on %s", g.cfg.Gateway, r.rec.ID)
}

// ask hands over an item and waits for what becomes of it. An operator's word that
// was not taken when ctx ends never is.
func (g *Gateway) ask(ctx context.Context, it item) (reply, error) {
	answer := make(chan reply, 1)
	it.reply, it.gone = answer, ctx.Done()
	if err := g.inbox.put(it); err != nil {
		return reply{}, err
	}
	select {
	case r := <-answer:
		return r, r.err
	case <-ctx.Done():
		return reply{}, context.Cause(ctx)
	}
}

// repeated finds a report that was made before, and refuses an id that is ours.
func (g *Gateway) repeated(ctx context.Context, d events.Draft) (rec events.Record, again bool, err error) {
	seq, known := g.recent.byID[d.ID]
	switch {
	case !known && strings.HasPrefix(d.ID, g.cfg.Boot+"-"):
		return events.Record{}, true, ErrTaken
	case !known:
		return events.Record{}, false, nil
	}
	if rec, err = g.read1(ctx, seq); err == nil && (rec.Source != d.Source || rec.Kind() != d.Data.Kind()) {
		rec, err = events.Record{}, ErrTaken
	}
	return rec, true, err
}

// read1 reads one event of the log.
func (g *Gateway) read1(ctx context.Context, seq uint64) (events.Record, error) {
	for rec, err := range g.cfg.Log.Read(ctx, seq, seq) {
		return rec, err
	}
	return events.Record{}, fmt.Errorf("read event %d of %s: it is not there", seq, g.cfg.Gateway)
}

// recentReports is how many reports are known again by their id. A reporter that
// did not get its answer sends again within minutes.
const recentReports = 4096

// recent remembers where reports are in the log, by their id, the newest ones.
type recent struct {
	byID  map[string]uint64
	order []snapshot.Report
}

func newRecent() recent { return recent{byID: make(map[string]uint64)} }

func (r *recent) add(id string, seq uint64) {
	if id == "" {
		return
	}
	if len(r.order) == recentReports {
		delete(r.byID, r.order[0].ID)
		r.order = r.order[1:]
	}
	r.byID[id] = seq
	r.order = append(r.order, snapshot.Report{ID: id, Seq: seq})
}
