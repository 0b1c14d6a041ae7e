package tap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"ibrecorder/events"
)

const (
	// maxClients is how many programs a tap serves. IB serves at most 32 API clients
	// for one Gateway, so a 33rd could only be turned away there.
	maxClients = 32
	// maxGreeting is how many more may be without a whole hello yet. They must not
	// count as programs: 32 connections that say nothing would lock out everybody for
	// helloLimit. There is a bound because each holds a descriptor and a buffer.
	maxGreeting = 128
)

// closeGrace is how long Close lets connections end in order before it closes
// their sockets under them: a peer that does not read may block a writer for ever.
// It is half of the two seconds in which a recorder ends, its log included.
const closeGrace = time.Second

var (
	// ErrNotLoopback: IB's protocol has no authentication, so a tap that listens on
	// a wider address would hand the Gateway to the whole network.
	ErrNotLoopback = errors.New("not a loopback address")
	// ErrClosed: the tap was closed.
	ErrClosed = errors.New("the tap is closed")
	// ErrConfig: a field of Config is missing or out of range.
	ErrConfig = errors.New("invalid tap configuration")
)

// Config of a tap. Desk, Address and the four budgets of Params are required.
type Config struct {
	Desk    Desk
	Address string // of the Gateway, host:port
	Listen  string // host:port of the tap, loopback; OneShot ignores it
	// Prefix begins every conn and attempt id: Prefix+"c1", Prefix+"a1". It must be
	// unique across runs, as a boot id is.
	Prefix string
	Source string // of the drafts; "" is "/tap", the built-in session uses "/session"
	// Params hold the budgets: DialTimeoutMS, VersionBudgetMS, StartAPIBudgetMS and
	// ReadyBudgetMS, each from 1 ms. Adopt changes them.
	Params events.Params
	// Observe dials at once, in parallel with the request: it never holds anybody.
	Observe bool
	// Explain leaves the port open while the tap is shut: every program is told the
	// reason and counted. Without it the port is closed, and only those are told that
	// were connected already.
	Explain bool
	// Key is the keyed hash of an account id (events.Redactor.Key); nil leaves the
	// hashes out.
	Key func(account string) string
	// Clients is shared by the taps of one Gateway; nil is one of its own.
	Clients *Clients
	// Pace is how many programs may ask for an attempt at once before they are paced to
	// one a second; 0 is 64. It is there for tests. A one-shot tap paces nobody, and
	// neither does Observe.
	Pace int
	// Connected is closed when the library that a one-shot tap is for has connected, or
	// has failed to. Once it was sent a version it is not told of an end before that. nil
	// waits for nothing.
	Connected <-chan struct{}
	// Dial connects to the Gateway, once, and must give up when its context ends. The
	// address is an IP and a port, whatever Address names. nil is a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Bind opens the tap's port, at the start and at each Reopen. nil is net.Listen.
	Bind func(network, address string) (net.Listener, error)
}

// Tap listens for trading programs and relays them to one Gateway. Its methods
// may be called from any goroutine.
type Tap struct {
	cfg     Config
	once    *once         // of a one-shot tap, else nil
	closing chan struct{} // closed by Close
	tasks   sync.WaitGroup

	turned turned // connections that were turned away
	params atomic.Pointer[events.Params]
	pace   *pace // nil paces nobody

	mu       sync.Mutex // guards everything below
	ln       net.Listener
	address  string // that the tap has, for Reopen
	spell    *spell // that a request of now belongs to
	stopped  bool   // Shut, and not opened again: the spell has yet to begin
	closed   bool
	conns    map[*conn]place
	opened   int // connections so far
	attempts int // requests so far
	// bytes that came from programs and from the Gateway in connections that are over
	fromClients, fromGateway int64
}

// place is what the tap knows of a connection: enough to choose whom to disconnect.
type place struct {
	phase    phase
	clientID *int64
	answer   <-chan Answer // while waiting
}

type phase int

const (
	greeting phase = iota // no whole hello yet, or one that is only told that it is held
	asking                // the permit is being asked for
	waiting               // for the answer, which place.answer is to hold
	dialling              // from the permit until the hello may be sent
	shaking               // from there to the end of the attempt
	running               // an established session
	finished              // ending; nothing is left to disconnect
	boxed                 // told that its client id waits, and kept until then
)

// Listen opens the tap's port and serves it. An address that is not loopback is
// ErrNotLoopback; a port that is taken wraps syscall.EADDRINUSE.
func Listen(cfg Config) (*Tap, error) {
	if err := loopback(cfg.Listen); err != nil {
		return nil, err
	}
	return open(cfg, cfg.Listen, nil)
}

func open(cfg Config, address string, o *once) (*Tap, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	ln, err := cfg.bind(address)
	if err != nil {
		return nil, err
	}
	return serve(cfg, ln, o), nil
}

// serve starts a tap on a listener, which it owns from here on.
func serve(cfg Config, ln net.Listener, o *once) *Tap {
	if cfg.Source == "" {
		cfg.Source = "/tap"
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{FallbackDelay: -1}).DialContext
	}
	if cfg.Clients == nil {
		cfg.Clients = NewClients()
	}
	t := &Tap{cfg: cfg, once: o, closing: make(chan struct{}), ln: ln, address: ln.Addr().String(), spell: newSpell(), conns: map[*conn]place{}}
	t.turned.tell = t.report
	t.Adopt(cfg.Params)
	if o == nil && !cfg.Observe {
		t.pace = newPace(cmp.Or(cfg.Pace, paceBurst))
	}
	t.tasks.Add(1)
	go t.accept(ln)
	return t
}

func (c Config) check() error {
	p := c.Params
	switch {
	case c.Desk == nil:
		return fmt.Errorf("%w: no desk to ask for permits", ErrConfig)
	case p.DialTimeoutMS <= 0 || p.VersionBudgetMS <= 0 || p.StartAPIBudgetMS <= 0 || p.ReadyBudgetMS <= 0:
		return fmt.Errorf("%w: the budgets of dial, version, startAPI and ready must be positive", ErrConfig)
	}
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		return fmt.Errorf("%w: the Gateway's address: %w", ErrConfig, err)
	}
	return nil
}

func loopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%w: the tap's address: %w; use --tap NAME=HOST:PORT", ErrConfig, err)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("listen on %s: %w, and the API has no password; use --tap NAME=127.0.0.1:PORT", address, ErrNotLoopback)
}

func (c Config) bind(address string) (net.Listener, error) {
	open := c.Bind
	if open == nil {
		open = net.Listen
	}
	ln, err := open("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		_, port, _ := net.SplitHostPort(address) // it was listened on, so it has one
		return nil, fmt.Errorf("open the tap: port %s is taken by another program; see by which: recorder doctor; or choose another one with --tap NAME=HOST:PORT: %w", port, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open the tap: %w", err)
	}
	return ln, nil
}

// Adopt makes p the budgets of every attempt that is dialled from here on. One that is
// under way keeps what it began with, and says so at its end.
func (t *Tap) Adopt(p events.Params) { t.params.Store(&p) }

// Close ends the tap and everything it started, and waits for it. An attempt that
// is under way gets no end: nobody will ever know it, and the recorder's next
// start says so with attempt.unknown.
func (t *Tap) Close() error {
	t.mu.Lock()
	if !t.closed {
		t.closed = true
		t.unlisten()
		close(t.closing)
	}
	t.mu.Unlock()
	force := time.AfterFunc(closeGrace, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		for c := range t.conns {
			c.sever()
		}
	})
	t.tasks.Wait()
	force.Stop()
	t.turned.close()
	if t.pace != nil {
		t.pace.close()
	}
	if t.once != nil {
		t.once.decide(Outcome{End: Abandoned})
		t.once.over()
	}
	return nil
}

// move says where a connection stands. Once it was told to disconnect it stays so.
func (t *Tap) move(c *conn, p place) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conns[c].phase != finished {
		t.conns[c] = p
	}
}

func (t *Tap) forget(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, c)
	client, gateway := c.read()
	t.fromClients += client
	t.fromGateway += gateway
}

// Bytes returns how many bytes came from programs and from the Gateway since the tap was
// opened. It costs those who relay nothing: the counters are the pumps' own.
func (t *Tap) Bytes() (fromClients, fromGateway int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fromClients, fromGateway = t.fromClients, t.fromGateway
	for c := range t.conns {
		client, gateway := c.read()
		fromClients += client
		fromGateway += gateway
	}
	return fromClients, fromGateway
}
