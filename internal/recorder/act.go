package recorder

import (
	"context"
	"maps"
	"time"

	"ibrecorder/events"
)

// act carries out a decision that is durable.
func (g *Gateway) act(ctx context.Context, rec events.Record) error {
	switch d := rec.Data.(type) {
	case events.AttemptPermitted:
		g.answer(rec.Attempt, Answer{Permit: rec.ID})
	case events.AttemptDenied:
		g.answer(rec.Attempt, Answer{Reason: d.Reason})
	case events.RestartRequired:
		g.log.Warn("RESTART REQUIRED: nobody dials until the Gateway was restarted", "reason", d.Reason, "enforced", d.Enforced)
		if d.Enforced {
			g.shut()
		}
		if d.Carried {
			return nil // the process that listens now may have been started since
		}
		return g.observe(ctx, rec.ID)
	case events.RestartAcknowledged:
		g.log.Info("released", "basis", d.Basis, "by", d.By)
		return g.reopen(ctx)
	case events.DisconnectPermitted:
		return g.hangUp(ctx, rec, false)
	case events.DisconnectForced:
		return g.hangUp(ctx, rec, true)
	}
	return nil
}

// answer tells a client whether it may dial. One that has left is not there any
// more: it said so, and that is in the inbox.
func (g *Gateway) answer(attempt string, a Answer) {
	if answer, ok := g.waiting[attempt]; ok {
		delete(g.waiting, attempt)
		answer <- a
	}
}

func (g *Gateway) shut() {
	g.closed = nil
	for _, r := range g.relays {
		r.Shut()
	}
}

// hold tells the relays which client ids wait by themselves, if that is news. It follows
// from the state, so a wait is told when its decision is durable, its end when what ends
// it is, and all of them at the start of a run.
func (g *Gateway) hold() {
	if len(g.state.Clients) == 0 && len(g.holding) == 0 || !g.enforced() {
		return
	}
	holding := make(map[int64]time.Time)
	for _, c := range g.state.Clients {
		if until := c.Delay.Until(); until > 0 {
			holding[c.ID] = g.cfg.Start.Add(time.Duration(until))
		}
	}
	if maps.Equal(holding, g.holding) {
		return
	}
	g.holding = holding
	for _, r := range g.relays {
		r.Hold(holding)
	}
}

func (g *Gateway) reopen(ctx context.Context) error {
	g.closed = g.relays
	if err := g.reopenClosed(ctx); err != nil {
		return err
	}
	return g.tellDenied(ctx, true) // whom the relays held until now
}

// reopenAgain is the wait before a relay that could not be opened again, because
// somebody has taken its port, is tried once more.
const reopenAgain = time.Second

// reopenClosed opens what a stop, or the absence of a Gateway, has closed, and leaves what could not be opened for
// the next time. That it cannot, and that it could, is recorded once.
func (g *Gateway) reopenClosed(ctx context.Context) error {
	select {
	case <-g.ending: // a port that stays closed then is not lost
		return nil
	default:
	}
	var failed []Relay
	var why error
	opened := len(g.closed) > 0
	for _, r := range g.closed {
		if err := r.Reopen(); err != nil {
			failed, why = append(failed, r), err
		}
	}
	g.closed = failed
	var said events.Payload
	switch told := g.state.ShutOut != ""; {
	case why != nil && !told:
		g.log.Error("NOBODY IS HELD, AND PROGRAMS ARE REFUSED: the tap does not listen again, and is tried until it does", "error", why)
		said = events.TapBlocked{Text: why.Error()}
	case why == nil && (told || opened && g.state.Closed != ""):
		g.log.Info("the tap listens again")
		said = events.TapReopened{}
	default:
		return nil
	}
	_, err := g.append(ctx, events.Draft{Source: "/recorder", Data: said})
	return err
}

// sensing bounds one reading of the listener, which takes some 12 ms, and a second or two
// when its owner must be searched for among thousands of open files (internal/watch).
const sensing = 2 * time.Second

// observe reads who listens, for the stop or the claim that asks for it.
func (g *Gateway) observe(ctx context.Context, cause string) error {
	_, err := g.append(ctx, events.Draft{Source: "/watch", Cause: cause, Data: g.read(ctx)})
	return err
}

func (g *Gateway) read(ctx context.Context) events.GatewayObserved {
	ctx, cancel := context.WithTimeout(ctx, sensing)
	defer cancel()
	return g.cfg.Sensor.Observe(ctx)
}

// hangUp closes what the request selects, and says how many that were: none for a
// runner, which may now close its own connection and has no say in those of others.
func (g *Gateway) hangUp(ctx context.Context, rec events.Record, handshakes bool) error {
	var closed int64
	if !g.asked.Asked {
		for _, r := range g.relays {
			closed += int64(r.Disconnect(g.asked.ClientID, handshakes))
		}
	}
	done, err := g.append(ctx, events.Draft{Source: "/recorder", Cause: rec.ID, Data: events.DisconnectCompleted{Sessions: closed}})
	g.made = append(g.made, done)
	return err
}
