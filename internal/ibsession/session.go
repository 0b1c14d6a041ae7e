package ibsession

import (
	"context"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/tap"

	"github.com/scmhub/ibapi"
)

// Config of a session.
type Config struct {
	// Tap is how its one-shot taps are made; Listen is ignored.
	Tap      tap.Config
	ClientID int64
	Logger   *slog.Logger
	// AskEvery is how often the current time is asked for; 0 is 30 s.
	AskEvery time.Duration
	// OwnWait is the wait after a failure that is this client's alone, and after a refusal
	// because the policy and the judge do not agree; 0 is 30 s.
	OwnWait time.Duration
	// FirstWait is the wait after a session was lost soon, and after any failure when
	// nobody else delays it; it doubles to OwnWait, and begins anew after a session
	// that lasted a minute. 0 is 1 s.
	FirstWait time.Duration
}

const (
	// askEvery finds a mute session within a minute and costs two tiny messages.
	askEvery = 30 * time.Second
	// ownWait is the wait after a failure that the recorder's policy does not delay,
	// because it is this client's own. A client id stays in use for as long as its
	// other user runs, so there is no hurry.
	ownWait = 30 * time.Second
	// firstWait keeps a Gateway that drops each session right after ready, or one that
	// is not running in observe mode, from being dialled in a loop: without it 226
	// handshakes in 5 s were measured, and 5672 refused dials in 3.
	firstWait = time.Second
	// lasting is how long a session must have held to be no failure.
	lasting = time.Minute
	// logFullWait is the longest wait for room in the log: a reserve of 51 MB, that of the
	// default log, lasts for months of that.
	logFullWait = 10 * time.Minute
	// unheardWait is the wait after a request that got no decision: the log does not
	// answer, or the tap's port could not be had.
	unheardWait = time.Second
)

// Session keeps one client connected. Its methods may be called from any goroutine.
type Session struct {
	cfg     Config
	log     *slog.Logger
	prefix  string
	attempt int           // Run's alone, as is the next
	backoff time.Duration // the next wait of its own
	full    time.Duration // the last wait for room in the log

	mu      sync.Mutex    // guards the rest
	tap     *tap.Tap      // of the attempt or session under way, else nil
	params  events.Params // of the next tap
	shut    bool
	changed chan struct{} // closed, and replaced, when shut changes
	asked   bool          // an operator ended the session: no hurry to come back
}

// New makes a session that Run connects.
func New(cfg Config) *Session {
	if cfg.AskEvery <= 0 {
		cfg.AskEvery = askEvery
	}
	if cfg.OwnWait <= 0 {
		cfg.OwnWait = ownWait
	}
	if cfg.FirstWait <= 0 {
		cfg.FirstWait = min(firstWait, cfg.OwnWait)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Tap.Clients == nil {
		cfg.Tap.Clients = tap.NewClients()
	}
	silence()
	return &Session{cfg: cfg, log: cfg.Logger.With("client", cfg.ClientID), prefix: cfg.Tap.Prefix, params: cfg.Tap.Params, changed: make(chan struct{})}
}

// silence keeps the library's log away from our output: it names account ids. Its
// level is zerolog's for the whole process, which nobody else here uses.
var silence = sync.OnceFunc(func() {
	const disabled = 7 // zerolog.Disabled
	ibapi.SetLogLevel(disabled)
})

// Shut implements recorder.Relay: no new attempt until Reopen, and one whose hello
// was not sent yet is called off. A session that is established goes on.
func (s *Session) Shut() {
	s.setShut(true)
	s.mu.Lock()
	t := s.tap
	s.mu.Unlock()
	if t != nil { // one that is opened from here on gets no permit
		t.Shut()
	}
}

// Reopen implements recorder.Relay.
func (s *Session) Reopen() error { s.setShut(false); return nil }

// Hold implements recorder.Relay.
func (s *Session) Hold(clients map[int64]time.Time) { s.cfg.Tap.Clients.Hold(clients) }

// Adopt implements recorder.Adopter, for the next attempt.
func (s *Session) Adopt(p events.Params) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.params = p
}

func (s *Session) setShut(shut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut != shut {
		s.shut = shut
		close(s.changed)
		s.changed = make(chan struct{})
	}
}

// Disconnect implements recorder.Relay. The session comes back after the wait for
// its own failures.
func (s *Session) Disconnect(clientID *int64, handshakes bool) int {
	s.mu.Lock()
	t := s.tap
	s.mu.Unlock()
	if t == nil {
		return 0
	}
	n := t.Disconnect(clientID, handshakes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = s.asked || n > 0
	return n
}

// Run connects, and connects again, until ctx ends and everything is closed.
func (s *Session) Run(ctx context.Context) {
	for s.mayTry(ctx) {
		wait := s.once(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// mayTry waits until the gate is not shut and the recorder does not hold the client id;
// false if ctx ends before.
func (s *Session) mayTry(ctx context.Context) bool {
	for {
		s.mu.Lock()
		shut, changed := s.shut, s.changed
		s.mu.Unlock()
		left, held := s.cfg.Tap.Clients.Left(s.cfg.ClientID)
		if !shut && left == 0 {
			return ctx.Err() == nil
		}
		var over <-chan time.Time
		if left > 0 {
			over = time.After(left)
		}
		select {
		case <-over:
		case <-held:
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// once makes one attempt, supervises the session that comes of it to its end, and
// returns how long to wait before the next.
func (s *Session) once(ctx context.Context) time.Duration {
	s.attempt++
	cfg := s.cfg.Tap
	s.mu.Lock()
	cfg.Params = s.params
	s.mu.Unlock()
	cfg.Prefix = s.prefix + strconv.Itoa(s.attempt) + "-"
	desk := &reached{Desk: cfg.Desk}
	connected := make(chan struct{}) // Connect has returned
	cfg.Desk, cfg.Connected = desk, connected
	t, err := tap.OneShot(cfg)
	if err != nil {
		s.log.Error("the built-in session has no port of its own", "error", err)
		return unheardWait
	}
	s.hold(t)
	defer s.hold(nil)
	w := &wrapper{times: make(chan struct{}, 1)}
	client := ibapi.NewEClient(w)
	go func() {
		defer close(connected)
		connect(client, t.Addr(), s.cfg.ClientID)
	}()
	out := await(ctx, t, desk, connected)
	if out.End == tap.Ready {
		<-connected // the library has sent its startAPI, so this is a moment
		ready := time.Now()
		s.supervise(ctx, t, cfg.Prefix, w, client)
		if time.Since(ready) >= lasting {
			s.backoff = 0
		}
	}
	if err := t.Close(); err != nil {
		s.log.Warn("close the session's tap", "error", err)
	}
	<-connected // its socket is closed: Connect returns
	return s.wait(out)
}

// reached is a desk that knows whether its tap was connected to.
type reached struct {
	tap.Desk
	by atomic.Bool
}

// Report implements tap.Desk. A tap reports each connection first of all.
func (r *reached) Report(d events.Draft) {
	r.by.Store(true)
	r.Desk.Report(d)
}

// unmet is how long a tap is waited for after the library has returned without
// having reached it: for want of a descriptor, say.
const unmet = time.Second

// await returns how the attempt was decided; the zero Outcome if ctx ended, or if
// there never was one. A tap that was reached always decides.
func await(ctx context.Context, t *tap.Tap, desk *reached, connected <-chan struct{}) (out tap.Outcome) {
	var late <-chan time.Time
	for {
		select {
		case out = <-t.Outcome():
			return out
		case <-ctx.Done():
			return out
		case <-connected:
			connected, late = nil, time.After(unmet)
		case <-late:
			if !desk.by.Load() {
				return out
			}
			late = nil
		}
	}
}

// hold makes t the tap that Disconnect finds.
func (s *Session) hold(t *tap.Tap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tap, s.asked = t, s.asked && t == nil
}

// wait is how long to wait after an attempt, or the session that came of it.
func (s *Session) wait(out tap.Outcome) time.Duration {
	s.mu.Lock()
	asked := s.asked
	s.mu.Unlock()
	if out.Hold != events.HoldLogFull {
		s.full = 0
	}
	switch {
	case asked:
		return s.cfg.OwnWait
	case out.End == tap.Ready, out.End == tap.Failed && s.cfg.Tap.Observe && !own(out.Fail):
		return s.next() // no policy delays these
	case out.End == tap.Failed && own(out.Fail):
		s.log.Warn("the built-in session failed, and tries again", "reason", out.Fail, "code", out.Code, "in", s.cfg.OwnWait)
		return s.cfg.OwnWait
	case out.End == tap.Failed:
		return 0 // the recorder's policy delays it
	case out.End == tap.Denied && out.Hold == events.HoldRule:
		return s.cfg.OwnWait // nothing shuts it and time ends nothing, and each request is in the log
	case out.End == tap.Denied && out.Hold == events.HoldLogFull:
		return s.nextFull()
	case out.End == tap.Denied && out.Err == nil:
		return unheardWait // Shut comes at the same moment
	}
	return unheardWait
}

// next is the wait of its own, which doubles.
func (s *Session) next() time.Duration {
	wait := s.backoff
	s.backoff = min(max(2*wait, s.cfg.FirstWait), s.cfg.OwnWait)
	return wait
}

// nextFull is the wait while the log has no room for attempts, which doubles: each request
// is five events of the reserve.
func (s *Session) nextFull() time.Duration {
	s.full = min(max(2*s.full, s.cfg.OwnWait), max(logFullWait, s.cfg.OwnWait))
	return s.full
}

// own says whether a failure delays nobody else: the policy has no wait for it.
func own(r events.FailReason) bool {
	switch r {
	case events.ClientIDInUse, events.ClientWaits, events.BadVersion, events.NoStartAPI:
		return true
	}
	return false
}

// connect runs the library's blocking connect. A version frame that is not one
// makes it panic; the tap lets none through, and a panic here would be the whole
// recorder's.
func connect(client *ibapi.EClient, to net.Addr, id int64) {
	defer func() { _ = recover() }()
	addr := to.(*net.TCPAddr)
	_ = client.Connect(addr.IP.String(), addr.Port, id) // the tap says what became of it
}

// supervise asks for the time until the session ends, and reports when it is not
// told any more, and when it is again. prefix is the tap's: a one-shot tap has one
// connection and one attempt.
func (s *Session) supervise(ctx context.Context, t *tap.Tap, prefix string, w *wrapper, client *ibapi.EClient) {
	tick := time.NewTicker(s.cfg.AskEvery)
	defer tick.Stop()
	report := func(data events.Payload) {
		s.cfg.Tap.Desk.Report(events.Draft{Source: s.cfg.Tap.Source, Conn: prefix + "c1", Attempt: prefix + "a1", Data: data})
	}
	var asked time.Time // of the oldest question without an answer
	mute := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.Done():
			return
		case <-w.times:
			asked = time.Time{}
			if mute {
				mute = false
				report(events.SessionRestored{})
			}
		case now := <-tick.C:
			if !asked.IsZero() && !mute {
				mute = true
				report(events.SessionMute{WaitedMS: now.Sub(asked).Milliseconds()})
			}
			if asked.IsZero() {
				asked = now
				// It may block for ever, in a library whose writer is stuck: then it is
				// this goroutine that stays, until the tap closes its socket.
				go client.ReqCurrentTime()
			}
		}
	}
}

// wrapper takes what the library calls back.
type wrapper struct {
	ibapi.Wrapper               // logs, to nobody
	times         chan struct{} // has a token after an answer
}

// CurrentTime is the answer to our question.
func (w *wrapper) CurrentTime(int64) {
	select {
	case w.times <- struct{}{}:
	default:
	}
}
