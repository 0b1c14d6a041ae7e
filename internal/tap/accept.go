package tap

import (
	"errors"
	"net"
	"strconv"
	"time"

	"ibrecorder/events"
)

// accept serves one listener until it is closed.
func (t *Tap) accept(ln net.Listener) {
	defer t.tasks.Done()
	var wait time.Duration
	for {
		nc, err := ln.Accept()
		switch {
		case err == nil:
			wait = 0
			t.admit(nc)
			continue
		case errors.Is(err, net.ErrClosed):
			return
		}
		// Most likely out of file descriptors: try again when some were given back.
		wait = min(max(5*time.Millisecond, 2*wait), time.Second)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-t.closing:
			timer.Stop()
			return
		}
	}
}

// admit takes a program's connection in, or turns it away.
func (t *Tap) admit(nc net.Conn) {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		_ = nc.Close()
		return
	}
	t.opened++
	id := t.cfg.Prefix + "c" + strconv.Itoa(t.opened)
	var rejected events.RejectReason
	switch {
	case t.once != nil && t.opened > 1:
		rejected = events.HiddenRedial
	case t.count(func(p phase) bool { return p == greeting }) >= maxGreeting:
		rejected = events.TooMany
	}
	if rejected == "" {
		if tcp, ok := nc.(*net.TCPConn); ok && t.once != nil && t.cfg.Connected != nil {
			nc = &patient{TCPConn: tcp, connected: t.cfg.Connected}
		}
		c := newConn(t, nc, id)
		t.conns[c] = place{phase: greeting}
		t.tasks.Add(1)
		t.mu.Unlock()
		go c.run()
		return
	}
	t.mu.Unlock()
	if rejected == events.HiddenRedial {
		reset(nc)
	} else {
		_ = nc.Close()
	}
	t.turned.add(id, events.ClientRejected{Reason: rejected, Peer: nc.RemoteAddr().String()})
}

// welcome is what becomes of a program whose hello is complete.
type welcome int

const (
	notYet  welcome = iota // there is no whole hello
	taken                  // its attempt may be asked for
	held                   // it is told that nobody may dial
	tooMany                // it is turned away
)

// greeted takes in the program whose hello is complete, if there are not too many. One
// that is only told that it is held takes nobody's place, and neither does one that sits
// its wait out. The spell ends when the tap is shut.
func (t *Tap) greeted(c *conn) (welcome, *spell) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.stopped && t.once == nil:
		return held, t.spell
	case t.count(func(p phase) bool { return p != greeting && p != boxed }) >= maxClients:
		return tooMany, t.spell
	}
	t.conns[c] = place{phase: waiting}
	return taken, t.spell
}

func (t *Tap) report(conn string, p events.Payload) {
	t.cfg.Desk.Report(events.Draft{Source: t.cfg.Source, Conn: conn, Data: p})
}

// count is how many connections are in some phase.
func (t *Tap) count(in func(phase) bool) int {
	n := 0
	for _, p := range t.conns {
		if in(p.phase) {
			n++
		}
	}
	return n
}
