package recorder

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync/atomic"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/snapshot"
	"ibrecorder/store"
)

// Log is what the loop needs of a gateway's log; *store.JetLog is one.
type Log interface {
	Append(context.Context, events.Record) error
	Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error]
	Mark(m store.Mark, now bool) error
	Carried() (store.Carried, bool)
}

// Snapshots is a file for one value; *store.Snapshots is one.
type Snapshots interface {
	Load(v any) (found bool, err error)
	Keep(v any) error
}

// Sensor reads the Gateway's listener without connecting; watch.Listener is one.
type Sensor interface {
	Observe(context.Context) events.GatewayObserved
}

// Relay is what dials: a tap, or the built-in session. The loop calls it after the
// decision is durable, and it never waits for the loop.
type Relay interface {
	// Shut: the gate has stopped. Nobody new is let in.
	Shut()
	// Reopen: the stop was released.
	Reopen() error
	// Disconnect closes the selected sessions, nil for all, handshakes only if told
	// so, and returns how many it closed.
	Disconnect(clientID *int64, handshakes bool) int
	// Hold: the startAPI of these client ids is not passed on before their time, in the
	// place of what was told before. The map does not change any more.
	Hold(clients map[int64]time.Time)
}

// Door is a relay whose port can be closed alone.
type Door interface {
	// Unlisten closes the port, until Reopen. What is connected does not notice.
	Unlisten()
}

// Adopter is a relay that measures by the policy.
type Adopter interface {
	// Adopt: these are the budgets of what is dialled from here on.
	Adopt(events.Params)
}

// Notary is shown every event once it is in the log, and waits for nothing;
// checkpoint.Notary is one.
type Notary interface {
	Step(events.Record)
}

// Config is one gateway and everything its loop does not draw itself.
type Config struct {
	Gateway  string
	Log      Log
	Sensor   Sensor
	Redactor *events.Redactor
	Notary   Notary // nil: nothing is signed. It has read the log up to its head
	Policy   events.PolicyLoaded
	Boot     string // of this run: letters, unique for the log
	Version  string // of the recorder
	// Start is the zero of the boot's monotonic time.
	Start time.Time
	// Wall is the clock that events show to people; nil is time.Now. It may jump: no
	// duration comes from it.
	Wall func() time.Time
	// Jitter draws from 0 to most, both included. It is asked once for a delay, and
	// what it drew is recorded.
	Jitter func(most int64) int64
	// Decide is the policy; policy.Decide if nil. Tests put one there that breaks the rule.
	Decide func(s fsm.State, now int64) policy.Decision
	// Explain says that the relays answer programs whom they hold, so no port is closed
	// because the Gateway does not listen.
	Explain bool
	Logger  *slog.Logger
	// Watch passes the log on while the state is rebuilt from it, for somebody who wants to see
	// how far it came; nil for nobody.
	Watch func(iter.Seq2[events.Record, error]) iter.Seq2[events.Record, error]
	// Snapshots keeps what the log gives, so that a start need not read all of it; nil,
	// and every start does. One is used by the Build that wrote it, and by no other.
	Snapshots Snapshots
	Build     string
	// Base keeps what was made of the events that were archived; nil where none were.
	Base snapshot.Keeper
	// Room says how much room the log has; nil, and it is never looked at. It is asked before
	// each decision and once a second, and must not wait. The zero Room is not known.
	Room func() store.Room
	// Every is how many events lie between two snapshots; 0 is some thousand.
	Every uint64

	// Step is told before the loop does something: "append KIND", "fold KIND",
	// "decide KIND", "act KIND". It is there for tests, which end the process there.
	Step func(string)
}

// Gateway is the recorder of one gateway. Its Run owns the state, the judge and
// the head; everybody else hands over through the inbox and reads the snapshot.
type Gateway struct {
	cfg   Config
	log   *slog.Logger
	inbox inbox
	done  chan struct{} // closed when Run has returned

	view    atomic.Pointer[View]     // the newest snapshot, for readers
	blocked atomic.Pointer[blockage] // what the log does not take, nil while it takes everything
	turned  atomic.Int64             // when the loop last went round, nanoseconds since the boot

	// The rest is Run's alone.
	folder  *fsm.Folder
	state   fsm.State
	judge   *rule.Judge
	chain   events.Chain
	gateAt  time.Time
	relays  []Relay
	ending  <-chan struct{}          // closed once whoever runs the relays closes them for good
	closed  []Relay                  // of them, those that a release could not open again yet
	holding map[int64]time.Time      // what the relays were told to hold, by client id
	waiting map[string]chan<- Answer // by attempt
	recent  recent                   // ids of reports that came lately
	made    []events.Record          // what was decided while one item was processed
	denied  denied
	held    map[string]held            // by the source of who asked for a lease; runners are few, and configured
	asked   events.DisconnectRequested // the last one
	wake    int64                      // monotonic nanosecond at which time makes something due, 0 never
	last    events.Event               // the last of the log
	kept    uint64                     // sequence of the newest snapshot
}

// View is a consistent look at a gateway.
type View struct {
	State fsm.State
	// GateAt is when the gate came into its state, as the log has it.
	GateAt time.Time
	// Blocked is why the log takes nothing, nil while it does.
	Blocked error
	// Untaken is the event that it does not take then.
	Untaken events.Record
	// Denied is how many programs a stop has turned away that are not in the log yet,
	// and so not in State.
	Denied int64
	// Age is how long ago the loop last went round. It does so every second at the least,
	// and after each try to append.
	Age time.Duration
	// Queued is how many facts wait for the log.
	Queued int
}

// blockage is an event that the log does not take, and why.
type blockage struct {
	what events.Record
	why  error
}

// Open rebuilds the state of a gateway from its log and begins a run: it appends
// recorder.started and policy.loaded, and decides what they make due. It takes no
// relays yet: nobody can dial. The error is the log's, or a *events.ChainError if
// the log is not one unbroken history.
func Open(ctx context.Context, cfg Config) (*Gateway, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Decide == nil {
		cfg.Decide = policy.Decide
	}
	if cfg.Step == nil {
		cfg.Step = func(string) {}
	}
	if cfg.Wall == nil {
		cfg.Wall = time.Now
	}
	if cfg.Every == 0 {
		cfg.Every = keepEvery
	}
	g := &Gateway{
		cfg: cfg, log: cfg.Logger.With("gateway", cfg.Gateway), inbox: newInbox(), done: make(chan struct{}),
		folder: fsm.NewFolder(), state: fsm.Initial(), judge: rule.New(), waiting: make(map[string]chan<- Answer), recent: newRecent(), held: make(map[string]held),
	}
	of, unsaid, err := g.rebuild(ctx)
	if err != nil {
		return nil, fmt.Errorf("rebuild the state of %s: %w", cfg.Gateway, err)
	}
	if err := g.begin(ctx, of, unsaid); err != nil {
		return nil, fmt.Errorf("begin a run of %s: %w", cfg.Gateway, err)
	}
	return g, nil
}

// beginWithin bounds how long a log may take nothing at the start: no session
// suffers yet from an end, and whoever started it waits for a word.
const beginWithin = 10 * time.Second

// begin writes what every run begins with.
func (g *Gateway) begin(ctx context.Context, of events.Record, unsaid []rule.Finding) error {
	ctx, cancel := context.WithTimeout(ctx, beginWithin)
	defer cancel()
	started := events.RecorderStarted{Version: g.cfg.Version, FoldVersion: fsm.FoldVersion, PolicyVersion: policy.Version, Previous: events.PreviousNone, PreviousBoot: g.last.Boot}
	if g.last.Seq > 0 {
		started.Previous = events.PreviousCrashed
		if _, ordered := g.last.Data.(events.RecorderStopped); ordered {
			started.Previous = events.PreviousStopped
		}
	}
	if c, ok := g.cfg.Log.Carried(); ok {
		started.Previous, started.Reason = events.PreviousQuarantined, c.Reason
		started.OldSeq, started.OldStopped = c.OldSeq, c.Stopped
		if c.OldHash != (events.Hash{}) {
			started.OldHash = c.OldHash.String()
		}
	}
	for _, x := range g.state.InFlight() {
		started.Unfinished = append(started.Unfinished, x.Attempt)
	}
	for _, data := range []events.Payload{started, g.cfg.Policy} {
		if _, err := g.append(ctx, events.Draft{Source: "/recorder", Data: data}); err != nil {
			return err
		}
	}
	if err := g.violated(ctx, of, unsaid); err != nil {
		return err
	}
	if err := g.decide(ctx); err != nil {
		return err
	}
	g.keep()
	return nil
}

// Abort ends a run that never ran: something else of the process could not start.
func (g *Gateway) Abort(why error) error {
	g.inbox.close()
	g.refuseAll(why)
	return g.end(context.Background(), events.RecorderStopped{Reason: events.StoppedByError, Text: why.Error()})
}

// Run is the loop: it takes what the inbox holds, one thing at a time, writes it
// down, decides what follows, writes that down, and only then acts. It returns
// when ctx ends, after recorder.stopped is in the log, or with the error that
// keeps the log from being written. Close the relays when ctx ends: what they
// report until drained is closed is still taken.
func (g *Gateway) Run(ctx context.Context, drained <-chan struct{}, relays ...Relay) error {
	defer close(g.done)
	g.relays, g.ending = relays, ctx.Done()
	if g.state.Gate == fsm.Stopped && g.enforced() {
		g.shut()
	}
	g.holding = nil // until now there was nobody to tell
	g.hold()
	writing, cancel := g.writing(ctx, drained)
	defer cancel()
	err := g.loop(writing, drained)
	g.inbox.close()
	if err == nil {
		err = g.end(writing, events.RecorderStopped{Reason: events.StoppedBySignal})
	} else if fatal := new(store.AppendError); !errors.As(err, &fatal) {
		err = errors.Join(err, g.end(writing, events.RecorderStopped{Reason: events.StoppedByError, Text: err.Error()}))
	}
	g.refuseAll(err)
	return err
}

const (
	// stopWithin is how long a run may take from the order to end it to its last event,
	// which has what the relays leave of it. A process ends in two seconds, its store
	// included: a service manager may wait little longer before it kills. But a log that
	// was idle for minutes needs more than a moment: for its next event the server reads
	// up to 8 MiB back (nats-server 2.15.2), at a stop for every gateway at once.
	stopWithin = 1750 * time.Millisecond
	// lastWithin is what the log has at least, however long the relays took.
	lastWithin = time.Second
)

// writing is the context of everything that a run appends. The end of ctx does not
// keep an event out of the log, and what the relays still report belongs there. A log
// that does not answer ends it, a little later.
func (g *Gateway) writing(ctx context.Context, drained <-chan struct{}) (context.Context, context.CancelFunc) {
	writing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		select {
		case <-ctx.Done():
		case <-drained:
		case <-g.done:
			return
		}
		ordered := time.Now()
		select {
		case <-drained:
			time.AfterFunc(max(lastWithin, stopWithin-time.Since(ordered)), cancel)
		case <-g.done:
		}
	}()
	return writing, cancel
}

// end writes the last event of a run.
func (g *Gateway) end(ctx context.Context, data events.RecorderStopped) error {
	ctx, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	_, err := g.append(ctx, events.Draft{Source: "/recorder", Data: data})
	return err
}

// loop returns nil when everything that was handed over until drained was closed is
// written.
func (g *Gateway) loop(writing context.Context, drained <-chan struct{}) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	again := time.NewTicker(reopenAgain)
	defer again.Stop()
	for {
		g.turned.Store(g.now())
		for it, ok := g.inbox.take(); ok; it, ok = g.inbox.take() {
			if err := g.process(writing, it); err != nil {
				return err
			}
			g.keep()
			g.turned.Store(g.now())
		}
		if err := g.tellDenied(writing, false); err != nil {
			return err
		}
		if g.wake > 0 {
			timer.Reset(time.Duration(g.wake - g.now()))
		}
		select {
		case <-g.inbox.filled:
		case <-again.C:
			if err := g.reopenClosed(writing); err != nil {
				return err
			}
			if err := g.tellRoom(writing); err != nil {
				return err
			}
		case <-timer.C:
			if err := g.decide(writing); err != nil {
				return err
			}
		case <-drained:
			if g.inbox.empty() {
				return g.tellDenied(writing, true)
			}
		}
	}
}

// now is nanoseconds since the boot.
func (g *Gateway) now() int64 { return int64(time.Since(g.cfg.Start)) }

func (g *Gateway) enforced() bool { return g.cfg.Policy.Mode == events.Enforce }

// publish lets readers see the state.
func (g *Gateway) publish() {
	g.view.Store(&View{State: g.state, GateAt: g.gateAt})
}

// View returns the newest snapshot. It never waits for the loop.
func (g *Gateway) View() View {
	v := *g.view.Load()
	if b := g.blocked.Load(); b != nil {
		v.Blocked, v.Untaken = b.why, b.what
	}
	v.Denied = g.denied.untold.Load()
	v.Age = time.Duration(g.now() - g.turned.Load())
	v.Queued = g.inbox.size()
	return v
}

// Name returns which gateway it is.
func (g *Gateway) Name() string { return g.cfg.Gateway }

// Done is closed when Run has returned: nothing is taken any more.
func (g *Gateway) Done() <-chan struct{} { return g.done }
