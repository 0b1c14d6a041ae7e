package gwsim

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

var (
	// ErrClosed: the simulator was closed.
	ErrClosed = errors.New("gwsim: closed")
	// ErrRefused: the simulated Gateway is down or refuses connections.
	ErrRefused = errors.New("gwsim: connection refused")
)

// Options of a Gateway. The zero value is a healthy Gateway of server version
// 176, the one of which recordings exist.
type Options struct {
	Script   *Script  // nil is the behaviour "healthy"
	Version  int      // its own server version, for "hello" without one; 0 is 176
	Accounts []string // for "accounts" and "ready"; nil is DU1234567
	// Now is the clock of version replies, errors and currentTime; nil is time.Now.
	Now func() time.Time
	// Listen opens the listener again after a restart; nil is net.Listen.
	Listen func(network, address string) (net.Listener, error)
	// Observe is told of every change of a connection's record, in order: when
	// it is accepted, as its first bytes arrive, at each stage, at its end. The
	// simulator waits for it, so it must not call the Gateway's methods.
	Observe func(Connection)
}

// Gateway is a simulated Gateway. Its methods may be called from any goroutine.
type Gateway struct {
	opts  Options
	ops   chan func(*state) // run one after the other by the loop, which owns state
	quit  chan struct{}     // closed once: the loop shall end
	once  sync.Once
	done  chan struct{} // closed by the loop after its last write to the fields below
	final Summary
	err   error
	wg    sync.WaitGroup // the loop, acceptors, connections
}

// New starts a Gateway that is up and listens nowhere yet: give it a listener
// (Serve), a connection (ServeConn), or dial it in memory (DialContext). Call
// Close to end it.
func New(opts Options) *Gateway {
	if opts.Script == nil {
		opts.Script, _ = Named("healthy")
	}
	if opts.Version == 0 {
		opts.Version = 176
	}
	if opts.Accounts == nil {
		opts.Accounts = []string{"DU1234567"}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Listen == nil {
		opts.Listen = net.Listen
	}
	g := &Gateway{
		opts: opts,
		ops:  make(chan func(*state)),
		quit: make(chan struct{}),
		done: make(chan struct{}),
	}
	s := &state{g: g, script: opts.Script, process: 1, up: true, listening: true, holders: map[int]*entry{}}
	g.wg.Go(s.loop)
	return g
}

// do runs f in the loop and returns when it has run; false if the loop has ended.
func (g *Gateway) do(f func(*state)) bool {
	ran := make(chan struct{})
	select {
	case g.ops <- func(s *state) { f(s); close(ran) }:
		<-ran
		return true
	case <-g.done:
		return false
	}
}

// Serve accepts connections from ln, which it owns from here on, and after a
// restart from another one at the same address. It returns when ctx ends, which
// closes the Gateway, or when the Gateway is closed; the error is nil then, and
// the listener's if that failed.
func (g *Gateway) Serve(ctx context.Context, ln net.Listener) error {
	var err error
	if !g.do(func(s *state) { err = s.serve(ln) }) {
		err = ErrClosed
	}
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	select {
	case <-ctx.Done():
		g.Close()
	case <-g.done:
	}
	<-g.done
	return g.err
}

// ServeConn plays the script on one connection, which it owns from here on, and
// returns when that is over. If ctx ends, it closes the connection. ErrRefused
// if the Gateway is down or refuses; the connection is closed and not counted.
// A wedged Gateway keeps it for later and returns at once.
func (g *Gateway) ServeConn(ctx context.Context, nc net.Conn) error {
	var p *peer
	err := ErrClosed
	g.do(func(s *state) {
		if p, err = s.connect(nc); p != nil {
			g.wg.Add(1) // safe beside Close's Wait: the loop itself is counted
		}
	})
	if err != nil {
		return errors.Join(err, nc.Close())
	}
	if p == nil { // wedged
		return nil
	}
	defer g.wg.Done()
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		g.do(func(s *state) { s.end(p.entry, BySimulator, ByFIN) })
		shut(nc, ByFIN)
	})
	p.run()
	if !stop() {
		<-ended
	}
	return nil
}

// DialContext connects in memory, whatever the address: it has the form of a
// net.Dialer's method. A Gateway that is down or refuses gives a *net.OpError of
// syscall.ECONNREFUSED.
func (g *Gateway) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	refused := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: err}
	}
	if err := ctx.Err(); err != nil {
		return refused(err)
	}
	near, far := net.Pipe()
	err := ErrClosed
	g.do(func(s *state) {
		var p *peer
		if p, err = s.connect(far); p != nil {
			s.run(p)
		}
	})
	if err != nil {
		return refused(syscall.ECONNREFUSED)
	}
	return near, nil
}

// Down ends the Gateway's process: the listener and every connection are closed
// when it returns.
func (g *Gateway) Down() error { return g.control(func(s *state) error { s.down(); return nil }) }

// Up starts a new process, if the Gateway is down, and listens again, if it
// refused. A pending restart is cancelled.
func (g *Gateway) Up() error { return g.control((*state).start) }

// Restart is Down and Up: a new process that listens at the same address.
func (g *Gateway) Restart() error {
	return g.control(func(s *state) error { s.down(); return s.start() })
}

// Refuse closes the listener and keeps the connections; Up listens again.
func (g *Gateway) Refuse() error { return g.control(func(s *state) error { s.refuse(); return nil }) }

// Play is the script of every connection that is accepted from here on. Those that are
// open keep theirs.
func (g *Gateway) Play(script *Script) error {
	return g.control(func(s *state) error { s.script = script; return nil })
}

func (g *Gateway) control(f func(*state) error) error {
	err := ErrClosed
	g.do(func(s *state) { err = f(s) })
	return err
}

// Summary is what reached the Gateway so far; after Close, all of it. A connect
// that the kernel completed but that was not yet accepted is not in it.
func (g *Gateway) Summary() Summary {
	var sum Summary
	if !g.do(func(s *state) { sum = s.sum.clone() }) {
		sum = g.final.clone()
	}
	return sum
}

// Wait returns when cond holds for the Summary. It is asked after every change
// and must not keep or change its argument, nor call the Gateway's methods. The
// error is that of ctx, or ErrClosed.
func (g *Gateway) Wait(ctx context.Context, cond func(Summary) bool) error {
	held := make(chan struct{})
	if !g.do(func(s *state) { s.wait(cond, held) }) {
		if cond(g.final.clone()) {
			return nil
		}
		return ErrClosed
	}
	select {
	case <-held:
		return nil
	case <-ctx.Done():
		g.do(func(s *state) { s.forget(held) })
		return context.Cause(ctx)
	case <-g.done:
		select {
		case <-held:
			return nil
		default:
			return ErrClosed
		}
	}
}

// Close ends the Gateway and everything it started, and waits for it.
func (g *Gateway) Close() {
	g.stop()
	g.wg.Wait()
}

func (g *Gateway) stop() { g.once.Do(func() { close(g.quit) }) }

func (s Summary) clone() Summary {
	s.ClientIDs = append([]int{}, s.ClientIDs...) // never null in JSON
	s.Connections = append([]Connection{}, s.Connections...)
	return s
}
