package tap

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
)

// spell is one time in which the tap is open: from its start, or a Reopen, to the
// next Shut. A permit is good for the spell of its request only.
type spell struct {
	ctx   context.Context // of its dials
	end   context.CancelFunc
	dials sync.WaitGroup
}

func newSpell() *spell {
	s := &spell{}
	s.ctx, s.end = context.WithCancel(context.Background())
	return s
}

// over reports whether the tap was shut since.
func (s *spell) over() bool { return s.ctx.Err() != nil }

// Addr is the address that the tap has, also while it is shut.
func (t *Tap) Addr() net.Addr {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ln != nil {
		return t.ln.Addr()
	}
	return tapAddr(t.address)
}

// tapAddr is the address of a listener that is closed.
type tapAddr string

func (tapAddr) Network() string  { return "tcp" }
func (a tapAddr) String() string { return string(a) }

// Shut closes the listener: from here on a program is refused at once instead of
// waiting for a Gateway that nobody may dial. It calls off every attempt whose
// hello could not be sent yet: a permit of before is no longer one, and a dial that
// is under way is given up, which Shut waits for. So once it has returned, nothing
// new reaches the Gateway until Reopen. Attempts past their hello and sessions stay
// as they are; those that wait are answered through their requests. What greets after
// it is told that it is held, and counted. A one-shot tap goes on listening: it is
// there to reset what its library dials by itself. So does one with Config.Explain,
// to answer everybody. It is idempotent.
func (t *Tap) Shut() {
	t.mu.Lock()
	if t.once == nil && !t.cfg.Explain {
		t.unlisten()
	}
	if t.stopped {
		t.mu.Unlock()
		return
	}
	ended := t.spell
	t.stopped, t.spell = true, newSpell()
	ended.end()
	t.mu.Unlock()
	ended.dials.Wait() // nobody adds to a spell that is over
}

// Unlisten closes the listener and nothing else, until Reopen: programs that are
// connected do not notice, and their attempts go on. It is idempotent.
func (t *Tap) Unlisten() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unlisten()
}

func (t *Tap) unlisten() {
	if t.ln != nil {
		_ = t.ln.Close() // a listener that fails to close is closed all the same
		t.ln = nil
	}
}

// Reopen listens again on the port of before. It is idempotent. ErrClosed after
// Close; a port that somebody else took meanwhile wraps syscall.EADDRINUSE, and
// Reopen may be called again. Programs that are still connected may be dialled for
// in either case: the stop is over.
func (t *Tap) Reopen() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return fmt.Errorf("reopen the tap: %w", ErrClosed)
	}
	t.stopped = false
	if t.ln != nil {
		return nil
	}
	ln, err := t.cfg.bind(t.address)
	if err != nil {
		return err
	}
	t.ln = ln
	t.tasks.Add(1)
	go t.accept(ln)
	return nil
}

// request begins an attempt of c: its id, and the spell that it belongs to.
func (t *Tap) request(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.attempts++
	c.attempt = t.cfg.Prefix + "a" + strconv.Itoa(t.attempts)
	c.spell = t.spell
	if t.conns[c].phase != finished {
		t.conns[c] = place{phase: asking}
	}
}

// calledOff says that the attempt of c ends here: by Shut, or by an operator's disconnect.
// Its caller holds mu.
func (t *Tap) calledOff(c *conn) bool {
	return t.stopped || c.spell.over() || t.conns[c].phase == finished
}

// pass lets an attempt take its next step, unless it was called off.
func (t *Tap) pass(c *conn, p phase) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.calledOff(c) {
		return false
	}
	t.conns[c] = place{phase: p}
	return true
}

// beginDial is pass for the dial, which Shut waits for from here on.
func (t *Tap) beginDial(c *conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.calledOff(c) {
		return false
	}
	c.spell.dials.Add(1)
	return true
}

// Disconnect closes the connections of a client id, nil for all, and returns how
// many: established sessions always, handshakes only if asked to. A handshake
// begins with its permit, and one whose client id is not known yet may be the one
// that is meant. Programs that wait for a permit have nothing to disconnect.
func (t *Tap) Disconnect(clientID *int64, handshakes bool) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for c, p := range t.conns {
		same := clientID == nil || p.clientID != nil && *p.clientID == *clientID
		if p.phase == running && same || p.handshake() && handshakes && (same || p.clientID == nil) {
			t.conns[c] = place{phase: finished}
			close(c.hang)
			n++
		}
	}
	return n
}

// handshake says whether an attempt is under way. One whose permit is on its way to
// it counts, and so does one that asks at this moment and may have it already.
func (p place) handshake() bool {
	switch p.phase {
	case asking, dialling, shaking:
		return true
	case waiting:
		return len(p.answer) > 0
	}
	return false
}
