package simulation

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/watch"
)

// gateway is the machine that the Gateway runs on: the simulator, and what can be read
// of it from outside without a connect. Its methods may be called from any goroutine.
type gateway struct {
	sim   *gwsim.Gateway
	plan  []happening
	began time.Time
	wall  func() time.Time

	connects atomic.Int64 // that reached it
	dials    func()       // called before each dial

	mu      sync.Mutex // guards the rest
	chance  *rand.Rand
	up      bool
	process int64 // from 1
	fresh   bool  // nobody has connected to this process
	started time.Time
	silent  string // how, "" while it answers
	blind   bool
	lines   map[*line]bool // connections that are open
}

func newGateway(seed uint64, plan []happening, wall func() time.Time) *gateway {
	g := &gateway{
		sim: gwsim.New(gwsim.Options{Version: 203, Now: wall}), plan: plan, began: time.Now(), wall: wall,
		chance: rand.New(rand.NewPCG(seed, 1)), lines: make(map[*line]bool),
	}
	g.start()
	return g
}

// start is a new process, which answers.
func (g *gateway) start() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.up, g.fresh, g.silent, g.started = true, true, "", time.Now()
	g.process++
	_ = g.sim.Up() // it has no listener that could be taken
}

func (g *gateway) end() {
	g.mu.Lock()
	g.up = false
	g.mu.Unlock()
	_ = g.sim.Down()
}

// fall makes it silent: what is connected breaks, and who comes is not answered.
func (g *gateway) fall(how string) {
	g.mu.Lock()
	g.silent = how
	g.mu.Unlock()
	g.cut("fin")
}

// answers says whether it would, if somebody connected.
func (g *gateway) answers() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.up && g.silent == ""
}

func (g *gateway) see(forwarder bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.blind = forwarder
}

// dial is what the tap dials with.
func (g *gateway) dial(ctx context.Context, network, address string) (net.Conn, error) {
	g.dials()
	g.mu.Lock()
	silent, text, up := g.silent, g.silent, g.up
	if silent == "" {
		text = healthy(g.plan, time.Since(g.began))
		if g.fresh && g.chance.IntN(3) == 0 { // the first connect after a fresh start is known to fail
			text = []string{"wait hello\nfin", "wait hello\nrst", "silence"}[g.chance.IntN(3)]
		}
		g.fresh = false
	}
	g.mu.Unlock()
	if silent == unanswered && up {
		g.connects.Add(1) // a SYN is one
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: network, Err: ctx.Err()}
	}
	s, err := gwsim.Parse(strings.NewReader(text))
	if err == nil {
		err = g.sim.Play(s)
	}
	if err != nil {
		return nil, err
	}
	nc, err := g.sim.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	g.connects.Add(1)
	l := &line{Conn: nc, of: g}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lines[l] = true
	return l, nil
}

// cut breaks every connection.
func (g *gateway) cut(how string) {
	g.mu.Lock()
	lines := make([]*line, 0, len(g.lines))
	for l := range g.lines {
		lines = append(lines, l)
	}
	g.mu.Unlock()
	for _, l := range lines {
		l.how.Store(&how)
		_ = l.Close()
	}
}

// line is a connection to the Gateway, as the tap has it.
type line struct {
	net.Conn
	of  *gateway
	how atomic.Pointer[string] // it was cut
}

func (l *line) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	return n, l.ended(err)
}

func (l *line) Write(b []byte) (int, error) {
	n, err := l.Conn.Write(b)
	return n, l.ended(err)
}

// ended is the error that a socket would have.
func (l *line) ended(err error) error {
	how := l.how.Load()
	switch {
	case err == nil || how == nil:
		return err
	case *how == "rst":
		return &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	}
	return io.EOF
}

func (l *line) Close() error {
	l.of.mu.Lock()
	delete(l.of.lines, l)
	l.of.mu.Unlock()
	return l.Conn.Close()
}

// Observe and Look are the sensor. A system computes when a process was started from
// its own age and the clock, so that moves when somebody sets the clock.
func (g *gateway) Observe(context.Context) events.GatewayObserved {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.up {
		return events.GatewayObserved{Listening: events.ListeningNo, Owner: events.OwnerUnknown}
	}
	if g.blind {
		return events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerOther, Process: "socat", PID: 77, StartedMS: 77_000, Socket: "77"}
	}
	return events.GatewayObserved{
		Listening: events.ListeningYes, Owner: events.OwnerGateway, Process: "java", PID: 1000 + g.process,
		StartedMS: g.wall().Add(-time.Since(g.started)).UnixMilli(), Socket: fmt.Sprint(g.process),
	}
}

func (g *gateway) Look(ctx context.Context) (events.GatewayObserved, []watch.Unaccepted) {
	return g.Observe(ctx), nil
}
