package recorder

import (
	"context"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/policy"
)

// confirmAbsent reads the listener after a dial of ours was refused, if the log does
// not say already that there is none. A reading that does not bear the refusal out is
// nobody's business: a Gateway on another host cannot be read at all.
func (g *Gateway) confirmAbsent(ctx context.Context, cause string) error {
	if !g.enforced() || g.cfg.Explain || g.state.Observed.Listening == events.ListeningNo {
		return nil
	}
	seen := g.read(ctx)
	if seen.Listening != events.ListeningNo {
		return nil
	}
	_, err := g.append(ctx, events.Draft{Source: "/watch", Cause: cause, Data: seen})
	return err
}

// door closes the ports of the relays while the Gateway does not listen, or the log is in
// its reserve, and opens them again. It comes last: what is due moves the state that it depends on.
func (g *Gateway) door(ctx context.Context) error {
	until := policy.Absent(g.state, g.now())
	if until > 0 && (g.wake == 0 || until < g.wake) {
		g.wake = until
	}
	doors := g.doors()
	full := policy.Full(g.state) && g.state.Gate != fsm.Stopped // a stop has shut them
	switch closed := g.state.Closed != ""; {
	case len(doors) == 0 || g.cfg.Explain || g.state.ShutOut != "": // a port that is blocked is tried all the time
		return nil
	case until > 0 && !closed:
		wait := time.Duration(until - g.now()).Round(time.Millisecond)
		_, err := g.append(ctx, events.Draft{Source: "/recorder", Cause: g.state.Observed.ID, Data: events.TapClosed{WaitMS: max(0, wait.Milliseconds())}})
		if err != nil {
			return err
		}
		g.log.Info("the Gateway does not listen; neither does the tap", "wait", wait)
		for _, r := range doors {
			r.(Door).Unlisten()
		}
	case full && !closed:
		_, err := g.append(ctx, events.Draft{Source: "/recorder", Cause: g.state.Room.ID, Data: events.TapClosed{Reason: events.ClosedForLog}})
		if err != nil {
			return err
		}
		g.log.Error("the log is nearly full; the tap is closed until there is room", "next", "recorder log archive "+g.cfg.Gateway+" FOLDER")
		for _, r := range doors {
			r.(Door).Unlisten()
		}
	case until == 0 && !full && closed:
		g.closed = doors
		return g.reopenClosed(ctx)
	}
	return nil
}

// doors are the relays whose port can be closed alone.
func (g *Gateway) doors() (doors []Relay) {
	for _, r := range g.relays {
		if _, ok := r.(Door); ok {
			doors = append(doors, r)
		}
	}
	return doors
}
