package daemon

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/access"
	"ibrecorder/internal/alert"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/notice"
)

// alerts are who writes down what people are told of one gateway, and who tells them. A
// reload puts others in their place.
type alerts struct {
	channels []alert.Channel
	over     chan struct{} // closed when others are in their place
	clerk    *alert.Clerk
	words    notice.Words
	most     int64
	// at is what each channel has in its hands, in the order of channels.
	at []*atomic.Uint64
}

// DefaultAlerts are the settings of who names none.
func DefaultAlerts() alert.Settings {
	return alert.Settings{Remind: 30 * time.Minute, Most: 8, Outage: 10 * time.Minute}
}

// telling makes them, with settings of DefaultAlerts if there are none. Nothing runs yet.
func (p *post) telling(channels []alert.Channel, settings *alert.Settings, advice Advice) *alerts {
	s := DefaultAlerts()
	if settings != nil {
		s = *settings
	}
	s.Windows, s.Channels = advice.Windows, nil
	out := &alerts{channels: channels, over: make(chan struct{}), words: notice.Words{Steps: advice.Recovery, Remind: s.Remind, Most: s.Most, Zone: p.d.cfg.Zone}, most: s.Most}
	if len(out.words.Steps) == 0 {
		out.words.Steps = notice.DefaultSteps(p.cfg.Name)
	}
	for _, ch := range channels {
		s.Channels = append(s.Channels, ch.Name())
		out.at = append(out.at, new(atomic.Uint64))
	}
	out.clerk = alert.NewClerk(alert.ClerkConfig{
		Gateway: p.cfg.Name, Log: p.log, Desk: p.loop, Boot: p.d.boot, Start: p.d.start, Stands: p.stands, Settings: s, Logger: p.logger(),
	})
	return out
}

func (p *post) logger() *slog.Logger { return p.d.cfg.Logger.With("gateway", p.cfg.Name) }

// stands is the stop in force, as the loop's state has it.
func (p *post) stands() alert.Stop {
	v := p.loop.View()
	if v.State.Gate != fsm.Stopped {
		return alert.Stop{}
	}
	return alert.Stop{ID: v.State.Stop.ID, Seq: v.State.Stop.Seq, Since: v.GateAt}
}

// tell tells people until ctx ends. After a reload others begin where these have ended:
// what was told is in the log.
func (p *post) tell(ctx context.Context) {
	for ctx.Err() == nil {
		a := p.alerts.Load()
		telling, enough := context.WithCancel(ctx)
		var running sync.WaitGroup
		running.Go(func() { p.tellBy(telling, a) })
		select {
		case <-a.over:
		case <-ctx.Done():
		}
		enough()
		running.Wait()
	}
}

// tellBy runs the clerk, the channels and the siren of a until ctx ends.
func (p *post) tellBy(ctx context.Context, a *alerts) {
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { p.forget(ctx, a) })
	running.Go(func() { p.again(ctx, "the clerk of the alerts", a.clerk.Run) })
	for i, ch := range a.channels {
		s := alert.Subscriber{Log: p.log, Desk: p.loop, Channel: ch, Words: a.words, Logger: p.logger(), At: a.at[i]}
		running.Go(func() { p.again(ctx, "channel "+ch.Name(), s.Run) })
	}
	siren := alert.Siren{
		Gateway: p.cfg.Name, Boot: p.d.boot, Log: p.log, Words: a.words, Channels: a.channels, Logger: p.logger(),
		Blocked: func() (events.Record, error) { v := p.loop.View(); return v.Untaken, v.Blocked },
	}
	running.Go(func() { siren.Run(ctx) })
}

// forget lets go of what channels that are not there any more have not been told: nobody
// will be, and it would never be archived.
func (p *post) forget(ctx context.Context, a *alerts) {
	var names []string
	for _, ch := range a.channels {
		names = append(names, alert.Durable(ch.Name()))
	}
	if err := p.log.ConsumedBy(ctx, names); err != nil && ctx.Err() == nil {
		p.logger().Error("channels that are not there any more may keep the log from being archived until the next start", "error", err)
	}
}

// subscribeAgain is the wait before a subscriber that the log has failed reads on.
// Its cursor is in the log, so nothing is told twice.
const subscribeAgain = time.Second

// again runs a subscriber until ctx ends, whatever the log does meanwhile.
func (p *post) again(ctx context.Context, who string, run func(context.Context) error) {
	for ctx.Err() == nil {
		err := run(ctx)
		if ctx.Err() != nil {
			return
		}
		p.logger().Error("a subscriber could not read on, and tries again", "who", who, "error", err, "in", subscribeAgain)
		select {
		case <-time.After(subscribeAgain):
		case <-ctx.Done():
		}
	}
}

// Ack implements httpapi.Gateway.
func (p *post) Ack(ctx context.Context, a httpapi.Ack) (events.Record, error) {
	x, found := p.alerts.Load().clerk.View().InForce()
	switch {
	case !found:
		return events.Record{}, httpapi.NoAlert(p.cfg.Name)
	case x.Acknowledged.Seq != 0:
		return x.Acknowledged, nil // the first one counts
	}
	rec, err := p.loop.Submit(ctx, events.Draft{Source: access.Of(ctx).Operator(), Cause: x.ID,
		Data: events.AlertAcknowledged{Incident: x.Incident, Raised: x.Seq, By: a.By, Text: a.Note}})
	return rec, problem(err)
}

// alerting fills in what is known of alerts.
func (p *post) alerting(s *httpapi.Status) {
	if p.d.dead != nil {
		s.DeadManError = p.d.dead.Failing()
	}
	s.Alerts = p.channels()
	told := p.alerts.Load()
	x, found := told.clerk.View().InForce()
	if !found {
		return
	}
	s.Alert = &httpapi.Alert{About: x.About, Incident: x.Incident, Since: x.At.Wall, Reminders: x.Reminders}
	if x.About == events.AboutStop {
		s.Alert.Most = told.most
	}
	if d, ok := x.Acknowledged.Data.(events.AlertAcknowledged); ok {
		s.Alert.By, s.Alert.Acknowledged = d.By, x.Acknowledged.Time
	}
}

// channels are those on which somebody is told, in the order of the configuration.
func (p *post) channels() (all []httpapi.Channel) {
	a := p.alerts.Load()
	view := a.clerk.View()
	for i, ch := range a.channels {
		c := httpapi.Channel{Name: ch.Name(), Waiting: view.Waiting(a.at[i].Load())}
		for _, x := range view.Channels {
			if x.Name == c.Name {
				c.Delivered, c.Failing = x.Delivered, x.Failing
			}
		}
		all = append(all, c)
	}
	return all
}
