package recorder

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/policy"
)

// Shares of the room in a log, in percent. A level that was come to is left a little
// lower than it was entered, so that a log at its edge does not fill itself with the news.
const (
	warnAt, warnUntil       = 80, 75
	reserveAt, reserveUntil = 95, 90
)

// level is how much room is left where so many percent are taken, after last.
func level(last events.Level, percent int) events.Level {
	switch {
	case percent >= reserveAt, last == events.LevelReserve && percent >= reserveUntil:
		return events.LevelReserve
	case percent >= warnAt, last != events.LevelAmple && last != "" && percent >= warnUntil:
		return events.LevelWarning
	}
	return events.LevelAmple
}

// look is the level now, and whether the log says another one. What is not known changes
// nothing.
func (g *Gateway) look() (now events.RecorderRoom, changed bool) {
	if g.cfg.Room == nil {
		return now, false
	}
	r := g.cfg.Room()
	if r.Limit == 0 {
		return now, false
	}
	last := g.state.Room.Level
	now = events.RecorderRoom{Level: level(last, r.Percent), UsedBytes: r.Used, LimitBytes: r.Limit}
	return now, now.Level != last && !(last == "" && now.Level == events.LevelAmple)
}

// tellRoom records that the log has come to another level of room, and decides what
// follows, before anything else is taken: the policy knows of it from there alone.
func (g *Gateway) tellRoom(ctx context.Context) error {
	now, changed := g.look()
	if !changed {
		return nil
	}
	if now.Level == events.LevelAmple {
		g.log.Info("the log has room again", "used_bytes", now.UsedBytes, "limit_bytes", now.LimitBytes)
	} else {
		g.log.Warn("the log is nearly full", "level", now.Level, "used_bytes", now.UsedBytes, "limit_bytes", now.LimitBytes,
			"next", "recorder log archive "+g.cfg.Gateway+" FOLDER")
	}
	if _, err := g.append(ctx, events.Draft{Source: "/recorder", Data: now}); err != nil {
		return err
	}
	return g.decide(ctx)
}

// ErrRoom: what room the log has is kept for other things than reports.
var ErrRoom = errors.New("the log is nearly full, and takes no reports until there is room")

// unwelcome refuses a report while the log is in its reserve. That a Gateway is down is
// what the reserve is for, and an operator's word too.
func (g *Gateway) unwelcome(d events.Draft) error {
	if _, down := d.Data.(events.GatewayDown); down || strings.HasPrefix(d.Source, "/operator/") || d.Data == nil {
		return nil
	}
	if info, known := events.Lookup(d.Data.Kind()); !known || !info.Outside || !policy.Full(g.View().State) {
		return nil
	}
	return fmt.Errorf("%w: recorder log archive %s FOLDER", ErrRoom, g.cfg.Gateway)
}
