package tap

import (
	"encoding/hex"
	"net"
	"sync"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/wire"
)

const (
	// helloLimit is how long a program has for its hello. Known clients send it in
	// one write right after the connect; what takes longer is a probe.
	helloLimit = 10 * time.Second
	// pendingBytes is how much of a client that does not wait for its turn is kept.
	// More ends it: no known client sends anything but its startAPI before the
	// version, and one that is not read any more could leave without being noticed.
	pendingBytes = 64 << 10
)

// conn is one program's connection. Its goroutine, run, owns everything in it but
// the pumps' counters, and is the only one that reports about it.
type conn struct {
	tap     *Tap
	id      string
	attempt string
	spell   *spell // of the tap, in which the attempt was asked for
	opened  time.Time
	hang    chan struct{} // closed by Disconnect
	in      chan segment  // from both pumps
	over    chan struct{} // closed when nobody takes from in any more
	pumps   sync.WaitGroup

	client      net.Conn
	fromClient  *pump
	clientHow   events.Close  // how the client ended, "" while it is there
	slow        time.Duration // what writes to it took in the handshake
	hello       wire.HelloParser
	welcome     welcome
	pending     []byte    // sent behind the hello, and not passed on yet
	until       time.Time // the startAPI in it is kept until then; zero while it is not
	clientID    *int64    // once the Gateway was told
	torn        bool      // the Gateway did not get all that it was sent
	fromGateway *pump
	gatewayHow  events.Close
	lookout     *lookout // in a session, else nil
	bulletin    bulletin

	by  events.Side // who ended it first
	how events.Close

	sockets  sync.Mutex // guards upstream and severed for sever
	upstream net.Conn   // nil before the dial
	severed  bool
}

func newConn(t *Tap, client net.Conn, id string) *conn {
	c := &conn{tap: t, id: id, client: client, opened: time.Now(), hang: make(chan struct{}),
		in: make(chan segment), over: make(chan struct{})}
	c.fromClient = c.pump(events.Client, client)
	return c
}

func (c *conn) pump(side events.Side, src net.Conn) *pump {
	return &pump{side: side, src: src, in: c.in, next: make(chan order, 1), over: c.over}
}

func (c *conn) start(p *pump) { c.pumps.Go(p.run) }

// run serves the connection from its first byte to its last.
func (c *conn) run() {
	defer c.tap.tasks.Done()
	peer := c.client.RemoteAddr().String()
	c.start(c.fromClient)
	switch rejected := c.greet(); {
	case rejected != "":
		c.end()
		c.tap.turned.add(c.id, events.ClientRejected{Reason: rejected, Peer: peer, FirstBytes: firstBytes(c.hello.Bytes())})
		c.decide(Outcome{End: Abandoned})
	case c.welcome == held:
		c.tap.cfg.Desk.Denied()
		if c.by == "" {
			c.explain(events.HoldStopped)
		}
		c.end()
	case c.welcome == notYet: // the tap closes, and it had said nothing
		c.end()
		c.decide(Outcome{End: Abandoned})
	default:
		h := c.hello.Hello()
		c.report(events.ClientOpened{Peer: peer}, events.ClientHello{MinVersion: int64(h.Min), MaxVersion: int64(h.Max), Options: h.Options})
		if c.by == "" && c.permitted() {
			c.connect()
		}
		c.end()
		c.closedBy(events.Recorder, events.FIN) // unless somebody else was first
		c.report(events.ClientClosed{By: c.by, How: c.how, ClientBytes: c.fromClient.got.Load(), GatewayBytes: c.received(),
			ElapsedUS: micros(c.opened, time.Now())})
		c.decide(Outcome{End: Abandoned}) // unless it was decided
	}
	if o := c.tap.once; o != nil {
		o.over()
	}
}

// end closes what is still open, waits for the pumps and gives the place free.
func (c *conn) end() {
	close(c.over)
	c.sever()
	c.pumps.Wait()
	c.cool()
	c.tap.forget(c)
}

// sever closes both sockets, from whatever goroutine.
func (c *conn) sever() {
	c.sockets.Lock()
	defer c.sockets.Unlock()
	c.severed = true
	_ = c.client.Close()
	if c.upstream != nil {
		_ = c.upstream.Close()
	}
}

// adopt makes nc the Gateway's side.
func (c *conn) adopt(nc net.Conn) {
	c.sockets.Lock()
	defer c.sockets.Unlock()
	c.upstream = nc
	if c.severed {
		_ = nc.Close()
	}
}

// read is how many bytes came from each side so far, for whatever goroutine.
func (c *conn) read() (client, gateway int64) {
	c.sockets.Lock()
	defer c.sockets.Unlock()
	if c.upstream != nil { // so its pump is there: it was made before
		gateway = c.fromGateway.got.Load()
	}
	return c.fromClient.got.Load(), gateway
}

func (c *conn) report(payloads ...events.Payload) {
	for _, p := range payloads {
		c.tap.cfg.Desk.Report(c.draft(p))
	}
}

func (c *conn) draft(p events.Payload) events.Draft {
	return events.Draft{Source: c.tap.cfg.Source, Conn: c.id, Attempt: c.attempt, Data: p}
}

func (c *conn) decide(o Outcome) {
	if c.tap.once != nil {
		c.tap.once.decide(o)
	}
}

// closedBy notes who ended the connection, if nobody had.
func (c *conn) closedBy(side events.Side, how events.Close) {
	if c.by == "" {
		c.by, c.how = side, how
	}
}

func (c *conn) received() int64 {
	if c.fromGateway == nil {
		return 0
	}
	return c.fromGateway.got.Load()
}

// now is the moment for the handshake.
func (c *conn) now() at {
	return at{now: time.Now(), sent: c.fromClient.sent.Load(), got: c.received()}
}

// greet reads the hello. It returns why the connection is turned away, "" if it is
// not or if the tap closes; c.welcome tells which.
func (c *conn) greet() events.RejectReason {
	timer := time.NewTimer(helloLimit)
	defer timer.Stop()
	for {
		select {
		case s := <-c.in:
			if s.how != "" {
				return events.HelloClosed
			}
			n, state := c.hello.Feed(s.b)
			if state == wire.HelloInvalid {
				return events.NotAHello
			}
			if state == wire.HelloComplete {
				var open *spell
				if c.welcome, open = c.tap.greeted(c); c.welcome == tooMany {
					return events.TooMany
				}
				if !c.keep(s.b[n:]) || c.welcome != taken || c.tap.pace == nil {
					return ""
				}
				return c.inLine(open)
			}
			c.fromClient.next <- order{taken: true}
		case <-timer.C:
			return events.HelloTimeout
		case <-c.tap.closing:
			c.closedBy(events.Recorder, events.FIN)
			return ""
		}
	}
}

func firstBytes(b []byte) string { return hex.EncodeToString(b[:min(len(b), 8)]) }

// keep puts aside what the client sends before its turn. Once that is too much, it
// is hung up on; false then.
func (c *conn) keep(b []byte) bool {
	c.pending = append(c.pending, b...)
	if len(c.pending) < pendingBytes {
		c.fromClient.next <- order{taken: true}
		return true
	}
	c.reject() // first: nothing more of it is taken
	c.fromClient.next <- order{taken: true, discard: true}
	return false
}

// reject ends the client from our side, and makes it count as gone.
func (c *conn) reject() {
	c.closedBy(events.Recorder, events.RST)
	c.clientEnded(events.RST)
	reset(c.client)
}

// clientEnded notes how the client left.
func (c *conn) clientEnded(how events.Close) {
	if c.clientHow == "" {
		c.clientHow = how
		c.closedBy(events.Client, how)
	}
}

// permitted asks for the permit and waits for it; false if there is to be no dial.
//
// The desk keeps the order of what it is handed. So if the client leaves first and
// the permit is decided all the same, the permit stands in the log before the
// attempt.abandoned, which then ends it.
func (c *conn) permitted() bool {
	c.tap.request(c)
	answers := c.tap.cfg.Desk.Request(c.draft(events.AttemptRequested{}))
	if c.tap.cfg.Observe {
		return true
	}
	c.tap.move(c, place{phase: waiting, answer: answers})
	for {
		select {
		case a, ok := <-answers:
			if !ok || a.Permit == "" {
				c.denied(a)
				return false
			}
			select { // it may have left in the meantime
			case s := <-c.in:
				if !c.early(s) {
					c.report(events.AttemptAbandoned{Stage: events.StageNone})
					return false
				}
			default:
			}
			return true
		case s := <-c.in:
			if c.early(s) {
				continue
			}
			c.abandon(answers)
			return false
		case <-c.hang:
			c.closedBy(events.Recorder, events.FIN)
			c.abandon(answers)
			return false
		case <-c.tap.closing:
			c.closedBy(events.Recorder, events.FIN)
			return false
		}
	}
}

// abandon ends an attempt that was not dialled, unless it was denied: that was its
// end then.
func (c *conn) abandon(answers <-chan Answer) {
	select {
	case a := <-answers:
		if a.Permit == "" {
			return
		}
	default:
	}
	c.report(events.AttemptAbandoned{Stage: events.StageNone})
}

// early takes in what the client does before its turn; false if it is gone.
func (c *conn) early(s segment) bool {
	if s.how == "" {
		return c.keep(s.b)
	}
	c.clientEnded(s.how)
	return false
}

// denied closes the client, with an explanation if there is a decision.
func (c *conn) denied(a Answer) {
	c.decide(Outcome{End: Denied, Hold: a.Reason, Err: a.Err})
	if a.Reason != "" {
		c.explain(a.Reason)
	}
}
