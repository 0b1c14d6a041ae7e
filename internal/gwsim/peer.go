package gwsim

import (
	"strings"
	"time"

	"ibrecorder/internal/wire"
)

// peer plays the script on one connection. The goroutine in run owns it; a
// second one only reads the socket and hands over what it read.
type peer struct {
	g      *Gateway
	entry  *entry
	record Connection
	steps  []step

	in      chan []byte // closed after readErr is set
	readErr error
	over    chan struct{} // closed when run ends

	first    []byte
	hello    wire.HelloParser
	frames   *wire.Scanner
	version  int  // of the server, once it answered
	started  bool // startAPI came
	inUse    bool // with a client id that another connection has
	asked    int  // reqCurrentTime that are not yet answered
	accounts bool // managedAccounts was sent
	nextID   bool // nextValidId was sent
	delay    time.Duration
}

func newPeer(g *Gateway, e *entry, record Connection, steps []step) *peer {
	return &peer{g: g, entry: e, record: record, steps: steps,
		in: make(chan []byte, 64), over: make(chan struct{}), frames: wire.NewScanner(0)}
}

func (p *peer) run() {
	go p.read()
	if p.play() {
		p.await(0, never) // out of lines
	}
	close(p.over)
	_ = p.entry.nc.Close() // closed already, unless the client ended it
	for range p.in {       // until read has ended
	}
}

// play runs the lines; false if the connection ended before they did.
func (p *peer) play() bool {
	for _, s := range p.steps {
		if !p.do(s) {
			return false
		}
	}
	return true
}

// do runs one line; false if the connection is over.
func (p *peer) do(s step) bool {
	switch s.verb {
	case doWaitHello:
		return p.awaitHello()
	case doWaitStartAPI:
		return p.awaitStartAPI()
	case doHello:
		if !p.awaitHello() {
			return false
		}
		version, ok := p.hello.Hello().Negotiate(or(s.n, p.g.opts.Version))
		if !ok {
			return p.finish(ByFIN)
		}
		return p.answer(version)
	case doVersion:
		return p.awaitHello() && p.answer(s.n)
	case doAccounts:
		return p.sendReady(p.accountsFrame(s), true, false)
	case doNextID:
		return p.sendReady(wire.AppendNextValidID(nil, p.version, or(s.n, 1)), false, true)
	case doReady:
		return p.sendReady(wire.AppendNextValidID(p.accountsFrame(s), p.version, 1), true, true)
	case doErrorMessage:
		return p.sendError(wire.ErrorMessage{ID: s.n, Code: s.code, Text: s.text})
	case doFrame:
		return p.write(wire.AppendFrame(nil, []byte(s.text)))
	case doSend:
		return p.write([]byte(s.text))
	case doSlow:
		p.delay = s.wait
	case doSilence:
		return p.await(s.wait, never)
	case doServe:
		return p.serve(s.n)
	case doFin:
		return p.finish(ByFIN)
	case doRst:
		return p.finish(ByRST)
	case doHalfClose:
		c, ok := p.entry.nc.(interface{ CloseWrite() error })
		if !ok {
			return p.finish(ByFIN)
		}
		_ = c.CloseWrite() // fails only if the client has reset: the reader says so
	case doRefuse:
		return p.g.do((*state).refuse)
	case doListen:
		return p.g.do(func(s *state) { s.must(s.start()) })
	case doWedge:
		return p.g.do(func(s *state) { s.must(s.wedge()) })
	case doAccept:
		return p.g.do((*state).unwedge)
	case doRestart:
		p.g.do(func(state *state) { state.restartAfter(s.wait) })
		return false
	}
	return true
}

// or is n, or instead if n was not given.
func or(n, instead int) int {
	if n == none {
		return instead
	}
	return n
}

func (p *peer) awaitHello() bool {
	if !p.await(0, func() bool { return p.hello.State() != wire.HelloNeedMore }) {
		return false
	}
	if p.hello.State() == wire.HelloInvalid {
		return p.finish(ByRST)
	}
	return true
}

func (p *peer) awaitStartAPI() bool {
	if !p.await(0, func() bool { return p.started }) {
		return false
	}
	if p.inUse {
		return p.sendError(wire.ErrorMessage{ID: -1, Code: 326, Text: clientIDText}) && p.finish(ByFIN)
	}
	return true
}

// answer sends the version reply.
func (p *peer) answer(version int) bool {
	p.version = version
	p.record.ServerVersion = version
	p.record.Stage = p.record.Stage.atLeast(StageVersion)
	p.publish()
	return p.write(wire.AppendVersionReply(nil, wire.VersionReply{
		Version:        version,
		ConnectionTime: p.g.opts.Now().Format("20060102 15:04:05 MST"),
	}))
}

func (p *peer) accountsFrame(s step) []byte {
	list := p.g.opts.Accounts
	if s.text != "" {
		list = strings.Split(s.text, ",")
	}
	return wire.AppendManagedAccounts(nil, p.version, list)
}

// sendReady sends one half of ready or both. The record says so before the
// client can know, and no longer if it turns out that it never will.
func (p *peer) sendReady(b []byte, accounts, nextID bool) bool {
	p.accounts, p.nextID = p.accounts || accounts, p.nextID || nextID
	before := p.record.Stage
	if p.accounts && p.nextID {
		p.record.Stage = before.atLeast(StageReady)
		p.publish()
	}
	if p.put(b) {
		return true
	}
	if p.record.Stage != before {
		p.record.Stage = before
		p.publish()
	}
	return p.await(0, never)
}

func (p *peer) sendError(e wire.ErrorMessage) bool {
	e.TimeMS = p.g.opts.Now().UnixMilli()
	return p.write(wire.AppendError(nil, p.version, e))
}

// serve answers reqCurrentTime limit times, or until the client leaves.
func (p *peer) serve(limit int) bool {
	for n := 0; limit == none || n < limit; n++ {
		if !p.await(0, func() bool { return p.asked > 0 }) {
			return false
		}
		p.asked--
		if !p.write(wire.AppendCurrentTime(nil, p.version, p.g.opts.Now().Unix())) {
			return false
		}
	}
	return true
}

// write sends b; false if the connection is over.
func (p *peer) write(b []byte) bool {
	return p.put(b) || p.await(0, never) // the reader knows why it failed
}

// put reports whether all of b was handed to the network.
func (p *peer) put(b []byte) bool {
	if p.delay == 0 {
		_, err := p.entry.nc.Write(b)
		return err == nil
	}
	for i := range b {
		if !p.await(p.delay, never) {
			return false
		}
		if _, err := p.entry.nc.Write(b[i : i+1]); err != nil {
			return false
		}
	}
	return true
}

func never() bool { return false }

// await takes in what the client sends, until done or, if d is positive, for d.
// False if the connection is over.
func (p *peer) await(d time.Duration, done func() bool) bool {
	var limit <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		limit = timer.C
	}
	for !done() {
		select {
		case b, ok := <-p.in:
			if !ok {
				p.lost()
				return false
			}
			p.take(b)
		case <-limit:
			return true
		}
	}
	return true
}

// finish ends the connection. It is recorded before the client can see it.
func (p *peer) finish(how EndedHow) bool {
	p.end(ByGateway, how)
	shut(p.entry.nc, how)
	return false
}
