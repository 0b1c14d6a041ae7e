package daemon

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/access"
	"ibrecorder/internal/alert"
	"ibrecorder/internal/checkpoint"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/ibsession"
	"ibrecorder/internal/metrics"
	"ibrecorder/internal/natsapi"
	"ibrecorder/internal/recorder"
	"ibrecorder/internal/tap"
	"ibrecorder/internal/watch"
	"ibrecorder/store"
)

// Daemon is a running process.
type Daemon struct {
	cfg   Config
	boot  string
	start time.Time
	store *store.Store
	locks []*guard
	posts []*post
	api   net.Listener
	port  *port // nil without HTTP
	quota *access.Quota
	meter *metrics.Meter
	dead  *alert.DeadMan // nil without a DeadMan
}

// post is everything about one gateway.
type post struct {
	cfg     Gateway
	d       *Daemon
	log     *store.JetLog
	loop    *recorder.Gateway
	notary  *checkpoint.Notary // nil if nothing can be signed
	watched *watch.Listener    // nil with a sensor of the caller's
	tap     *tap.Tap
	session *ibsession.Session // nil without Connect
	counter *metrics.Counter
	sockets atomic.Pointer[events.GatewayObserved] // the last reading, nil before the first
	alerts  atomic.Pointer[alerts]
}

// Open opens the folder, rebuilds every gateway's state and listens. Nothing dials
// before Run. The errors are those of store.Open, recorder.Open and tap.Listen, and
// ErrGuarded.
func Open(ctx context.Context, cfg Config) (d *Daemon, err error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Watch == 0 {
		cfg.Watch = watch.Interval
	}
	if cfg.Sensor == nil {
		cfg.Sensor = func(address string) recorder.Sensor { return &watch.Listener{Address: address} }
	}
	d = &Daemon{cfg: cfg, boot: newBoot(), start: time.Now(), meter: metrics.New(cfg.Version), quota: access.NewQuota(quotaRate, quotaBurst)}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.abort(err), d.close())
		}
	}()
	if d.store, err = store.Open(ctx, store.Config{Dir: cfg.Data, MaxBytes: cfg.LogBytes, Door: cfg.NATS.door(), Logger: cfg.Logger}); err != nil {
		return d, err
	}
	key, err := folderKey(cfg.Data)
	if err != nil {
		return d, err
	}
	keys, err := checkpoint.MakeKeys(cfg.Data)
	if err != nil { // the log goes on without: a signature proves more, and guards nothing
		cfg.Logger.Error("no checkpoints are written", "error", err)
	}
	for _, gw := range cfg.Gateways { // all of them before the first event is written
		lock, err := takeGuard(gw.Address)
		if err != nil {
			return d, fmt.Errorf("gateway %s: %w", gw.Name, err)
		}
		d.locks = append(d.locks, lock)
	}
	for _, gw := range cfg.Gateways {
		p := &post{cfg: gw, d: d, counter: d.meter.Of(gw.Name)}
		d.posts = append(d.posts, p)
		if err := p.open(ctx, events.NewRedactor(key), keys); err != nil {
			return d, err
		}
	}
	if d.api, err = httpapi.Listen(cfg.Data); err != nil {
		return d, err
	}
	if d.port, err = cfg.HTTP.listen(); err != nil {
		return d, err
	}
	if cfg.DeadMan != nil {
		d.dead = &alert.DeadMan{Pinger: cfg.DeadMan, Every: cfg.PingEvery, Ill: withoutAccounts(d.ready), Logger: cfg.Logger}
	}
	debug.FreeOSMemory() // that rebuilding the states has taken: after a long log half of the process
	return d, nil
}

func (p *post) open(ctx context.Context, redactor *events.Redactor, keys *checkpoint.Keys) (err error) {
	cfg := p.d.cfg
	if p.log, err = p.d.store.Log(ctx, p.cfg.Name); err != nil {
		return err
	}
	sensor := cfg.Sensor(p.cfg.Address)
	p.watched, _ = sensor.(*watch.Listener)
	loop := recorder.Config{
		Gateway: p.cfg.Name, Log: meteredLog{p.log, p.counter}, Sensor: sensor, Redactor: redactor, Notary: p.engage(ctx, keys), Policy: cfg.Policy,
		Boot: p.d.boot, Version: cfg.Version, Build: cfg.Build, Start: p.d.start, Logger: cfg.Logger,
		Jitter: func(most int64) int64 { return rand.Int64N(most + 1) }, Explain: cfg.Explain, Step: cfg.Step,
	}
	loop.Room = p.log.Room
	loop.Base = store.BaseOf(cfg.Data, p.cfg.Name)
	if cfg.Build != "" {
		loop.Snapshots = store.SnapshotsOf(cfg.Data, p.cfg.Name)
	}
	if cfg.Rebuild != nil {
		head, err := p.log.Head(ctx)
		if err != nil {
			return err
		}
		loop.Watch = func(log iter.Seq2[events.Record, error]) iter.Seq2[events.Record, error] {
			return cfg.Rebuild(p.cfg.Name, head.Seq, log)
		}
	}
	p.loop, err = recorder.Open(ctx, loop)
	if err != nil {
		return err
	}
	p.alerts.Store(p.telling(cfg.Channels, cfg.Alerts, p.cfg.Advice))
	relay := tap.Config{
		Desk: p.loop, Address: p.cfg.Address, Listen: p.cfg.Tap, Prefix: p.d.boot + "-", Source: "/tap",
		Params: cfg.Policy.Params, Observe: cfg.Policy.Mode == events.Observe, Explain: cfg.Explain, Key: redactor.Key,
		Clients: tap.NewClients(), Pace: cfg.Pace,
	}
	if p.tap, err = tap.Listen(relay); err != nil {
		return fmt.Errorf("gateway %s: %w", p.cfg.Name, err)
	}
	if p.loop.View().State.Gate == fsm.Stopped && cfg.Policy.Mode == events.Enforce {
		p.tap.Shut() // as the loop does when it runs: until then nobody need be let in
	}
	if p.cfg.Connect {
		relay.Prefix, relay.Source = p.d.boot+"-s", "/session"
		p.session = ibsession.New(ibsession.Config{Tap: relay, ClientID: p.cfg.ClientID, Logger: p.logger()})
	}
	return nil
}

// NATS is where runners connect, "" if they do not.
func (d *Daemon) NATS() string { return d.store.Listening() }

// Boot identifies this run.
func (d *Daemon) Boot() string { return d.boot }

// Run records until ctx ends, and closes everything. The error is nil after an
// orderly end.
func (d *Daemon) Run(ctx context.Context) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	errs := make(chan error)
	var running sync.WaitGroup
	start := func(f func() error) {
		running.Go(func() {
			if err := f(); err != nil {
				fail(err)
				errs <- err
			}
		})
	}
	var served []httpapi.Gateway
	var asked []natsapi.Gateway
	for _, p := range d.posts {
		served, asked = append(served, p), append(asked, p)
		d.meter.Add(p)
		start(func() error { return p.run(ctx) })
	}
	start(func() error { return httpapi.Serve(ctx, d.api, served, d.cfg.Logger, d.private()...) })
	if d.port != nil {
		start(func() error { return d.serve(ctx, served) })
	}
	if nc := d.store.Guests(); nc != nil {
		start(func() error { return natsapi.Serve(ctx, nc, asked, d.quota, d.cfg.Logger) })
	}
	start(func() error { return d.heed(ctx) })
	if d.dead != nil {
		start(func() error { d.dead.Run(ctx); return nil })
	}
	go func() { running.Wait(); close(errs) }()
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return errors.Join(append(all, d.close())...)
}

// heed ends the run when the embedded server gives up. What it warns of, the store
// has logged.
func (d *Daemon) heed(ctx context.Context) error {
	for {
		select {
		case err := <-d.store.Err():
			if errors.Is(err, store.ErrFatal) {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// run records one gateway until ctx ends.
func (p *post) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	relays := []recorder.Relay{p.tap}
	var users sync.WaitGroup // of the loop: they end before it does
	if p.session != nil {
		relays = append(relays, p.session)
		users.Go(func() { p.session.Run(ctx) })
	}
	if p.watched != nil {
		periodic := watch.Periodic{
			Sensor: p.watched, Desk: p.loop, Every: p.d.cfg.Watch, Logger: p.logger(),
			Shown: func(seen events.GatewayObserved) { p.sockets.Store(&seen) },
			Budget: func() time.Duration {
				return time.Duration(p.loop.View().State.Policy.VersionBudgetMS) * time.Millisecond
			},
		}
		users.Go(func() { periodic.Run(ctx) })
	}
	users.Go(func() { p.tell(ctx) })
	if p.d.cfg.Monthly {
		users.Go(func() { rollMonthly(ctx, p.log, p.logger()) })
	}
	drained := make(chan struct{})
	var collected func() // set before drained is closed
	go func() {
		<-ctx.Done()
		collected = uncollected()
		err := p.tap.Close()
		users.Wait()
		if err != nil {
			p.logger().Error("close the tap", "error", err)
		}
		close(drained)
	}()
	err := p.loop.Run(ctx, drained, relays...)
	p.sign()
	cancel() // a loop that failed has users all the same, and a command of theirs may run
	<-drained
	collected()
	return err
}

// abort ends the runs that Open began, in order: a start that failed is no crash.
func (d *Daemon) abort(why error) error {
	var errs []error
	for _, p := range d.posts {
		if p.loop != nil {
			errs = append(errs, p.loop.Abort(why))
		}
		p.sign()
	}
	return errors.Join(errs...)
}

// close gives everything back that Open took.
func (d *Daemon) close() error {
	var errs []error
	listeners := []net.Listener{d.api}
	if d.port != nil {
		listeners = append(listeners, d.port)
	}
	for _, l := range listeners {
		if l == nil {
			continue
		}
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	for _, p := range d.posts {
		if p.tap != nil {
			errs = append(errs, p.tap.Close())
		}
	}
	if d.store != nil {
		errs = append(errs, d.store.Close())
	}
	for _, l := range d.locks {
		errs = append(errs, l.release())
	}
	return errors.Join(errs...)
}
