package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/alert"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/notice"
)

// alerts are who writes down what people are told of one gateway, and who tells them.
type alerts struct {
	clerk *alert.Clerk
	words notice.Words
	most  int64
	// at is what each channel has in its hands, in the order of Config.Channels.
	at []*atomic.Uint64
}

// DefaultAlerts are the settings of who names none.
func DefaultAlerts() alert.Settings {
	return alert.Settings{Remind: 30 * time.Minute, Most: 8, Outage: 10 * time.Minute}
}

// telling makes them. Nothing runs yet.
func (p *post) telling() *alerts {
	cfg := p.d.cfg
	s := DefaultAlerts()
	if cfg.Alerts != nil {
		s = *cfg.Alerts
	}
	s.Windows = p.cfg.Windows
	out := &alerts{words: notice.Words{Steps: p.cfg.Recovery, Remind: s.Remind, Most: s.Most, Zone: cfg.Zone}, most: s.Most}
	if len(out.words.Steps) == 0 {
		out.words.Steps = notice.DefaultSteps(p.cfg.Name)
	}
	for _, ch := range cfg.Channels {
		s.Channels = append(s.Channels, ch.Name())
		out.at = append(out.at, new(atomic.Uint64))
	}
	out.clerk = alert.NewClerk(alert.ClerkConfig{
		Gateway: p.cfg.Name, Log: p.log, Desk: p.loop, Boot: p.d.boot, Start: p.d.start, Stands: p.stands, Used: p.used, Settings: s, Logger: p.logger(),
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

// used is how full the log is, in percent.
func (p *post) used(ctx context.Context) (int64, error) {
	used, limit, err := p.log.Usage(ctx)
	if err != nil || limit <= 0 {
		return 0, err
	}
	return used * 100 / limit, nil
}

// tell runs the clerk, the channels and the siren until ctx ends.
func (p *post) tell(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { p.again(ctx, "the clerk of the alerts", p.alerts.clerk.Run) })
	for i, ch := range p.d.cfg.Channels {
		s := alert.Subscriber{Log: p.log, Desk: p.loop, Channel: ch, Words: p.alerts.words, Logger: p.logger(), At: p.alerts.at[i]}
		running.Go(func() { p.again(ctx, "channel "+ch.Name(), s.Run) })
	}
	siren := alert.Siren{
		Gateway: p.cfg.Name, Boot: p.d.boot, Log: p.log, Words: p.alerts.words, Channels: p.d.cfg.Channels, Logger: p.logger(),
		Blocked: func() (events.Record, error) { v := p.loop.View(); return v.Untaken, v.Blocked },
	}
	running.Go(func() { siren.Run(ctx) })
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
	view := p.alerts.clerk.View()
	for _, x := range []alert.Alert{view.Stop, view.Outage} {
		switch {
		case x.Seq == 0:
		case x.Acknowledged.Seq != 0:
			return x.Acknowledged, nil // the first one counts
		default:
			rec, err := p.loop.Submit(ctx, events.Draft{Source: operator, Cause: x.ID,
				Data: events.AlertAcknowledged{Incident: x.Incident, Raised: x.Seq, By: a.By, Text: a.Note}})
			return rec, problem(err)
		}
	}
	return events.Record{}, httpapi.NoAlert(p.cfg.Name)
}

// stuckAfter is how long a loop may not go round before it counts as stuck. It does so
// every second, and after each try to append.
const stuckAfter = 15 * time.Second

// ill says why this process does not do what it is there for; "" if it does.
func (d *Daemon) ill() string {
	for _, p := range d.posts {
		switch v := p.loop.View(); {
		case v.Blocked != nil:
			return fmt.Sprintf("the log of %s takes nothing: %v", p.cfg.Name, v.Blocked)
		case v.Age > stuckAfter:
			return fmt.Sprintf("the loop of %s does not turn any more", p.cfg.Name)
		}
	}
	return ""
}

// channels are who is told, and how they took it.
func (p *post) channels() (all []httpapi.Channel) {
	view := p.alerts.clerk.View()
	for i, ch := range p.d.cfg.Channels {
		c := httpapi.Channel{Name: ch.Name(), Waiting: view.Waiting(p.alerts.at[i].Load())}
		for _, x := range view.Channels {
			if x.Name == c.Name {
				c.Delivered, c.Failing = x.Delivered, x.Failing
			}
		}
		all = append(all, c)
	}
	return all
}

// alerting fills in what is known of alerts.
func (p *post) alerting(s *httpapi.Status) {
	if p.d.dead != nil {
		s.DeadManError = p.d.dead.Failing()
	}
	view := p.alerts.clerk.View()
	s.Alerts = p.channels()
	for _, x := range []alert.Alert{view.Stop, view.Outage} {
		if x.Seq == 0 {
			continue
		}
		a := &httpapi.Alert{About: x.About, Incident: x.Incident, Since: x.At.Wall, Reminders: x.Reminders}
		if x.About == events.AboutStop {
			a.Most = p.alerts.most
		}
		if d, ok := x.Acknowledged.Data.(events.AlertAcknowledged); ok {
			a.By, a.Acknowledged = d.By, x.Acknowledged.Time
		}
		s.Alert = a
		return
	}
}
