package gwsim

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"ibrecorder/internal/wire"
)

// state is everything of a Gateway that changes. The loop's goroutine owns it;
// everybody else sends the loop a function (Gateway.do).
type state struct {
	g         *Gateway
	script    *Script
	process   int  // from 1
	up        bool // the process lives
	listening bool // it does not refuse
	wedged    bool // it accepts nothing

	network, address string // where to listen again; "" without Serve
	listener         net.Listener
	unwedged         chan struct{} // while wedged: closed when it is over
	backlog          []net.Conn    // dialled in memory while wedged
	comeback         *time.Timer   // of a pending restart

	accepted int            // connections of this process
	open     []*entry       // by number
	holders  map[int]*entry // client id to the open connection that has it
	sum      Summary
	waiters  []waiter
}

// entry is an accepted connection; its record is sum.Connections[index].
type entry struct {
	nc    net.Conn
	index int
}

type waiter struct {
	cond func(Summary) bool
	held chan struct{}
}

func (s *state) loop() {
	s.sum.Processes = 1
	for {
		var comeback <-chan time.Time
		if s.comeback != nil {
			comeback = s.comeback.C
		}
		select {
		case op := <-s.g.ops:
			op(s)
		case <-comeback:
			s.must(s.start())
		case <-s.g.quit:
			s.close()
			return
		}
	}
}

// must ends the Gateway if something fails that nobody waits for.
func (s *state) must(err error) {
	if err != nil {
		s.g.err = errors.Join(s.g.err, err)
		s.g.stop()
	}
}

func (s *state) close() {
	s.endAll(BySimulator)
	s.closeListener()
	s.cancelComeback()
	s.g.final = s.sum
	close(s.g.done)
}

// start is a new process if there is none, and a listener if there is none.
func (s *state) start() error {
	s.cancelComeback()
	if !s.up {
		s.up = true
		s.process++
		s.sum.Processes = s.process
		s.accepted = 0
		s.changed()
	}
	s.listening = true
	if s.address == "" || s.listener != nil {
		return nil
	}
	ln, err := s.g.opts.Listen(s.network, s.address)
	if err != nil {
		s.listening = false
		return fmt.Errorf("gwsim: listening again on %s: %w", s.address, err)
	}
	s.acceptFrom(ln)
	return nil
}

func (s *state) down() {
	s.cancelComeback()
	s.up = false
	s.closeListener()
	s.endAll(ByGateway)
}

func (s *state) restartAfter(d time.Duration) {
	s.down()
	if d == 0 {
		s.must(s.start())
		return
	}
	s.comeback = time.NewTimer(d)
}

func (s *state) cancelComeback() {
	if s.comeback != nil {
		s.comeback.Stop()
		s.comeback = nil
	}
}

// admit counts a connection of the given process and gives it its script.
func (s *state) admit(nc net.Conn, process int) *peer {
	if process == s.process {
		s.accepted++
	}
	e := &entry{nc: nc, index: len(s.sum.Connections)}
	record := Connection{Number: e.index + 1, Process: process, Kind: wire.KindNone, Stage: StageAccepted}
	s.sum.Connections = append(s.sum.Connections, record)
	s.sum.Connects++
	s.sum.OpenAtEnd++
	s.open = append(s.open, e)
	s.observe(e)
	return newPeer(s.g, e, record, s.script.steps(process, s.accepted))
}

func (s *state) run(p *peer) { s.g.wg.Go(p.run) }

// update takes over what a connection's goroutine has learnt. It reports whether
// the client id that it names for the first time belongs to another connection.
func (s *state) update(e *entry, record Connection) (inUse bool) {
	old := &s.sum.Connections[e.index]
	record.EndedBy, record.EndedHow = old.EndedBy, old.EndedHow
	s.sum.Hellos += change(old.Offered != "", record.Offered != "")
	s.sum.NotHellos += change(old.NotHello, record.NotHello)
	s.sum.HandshakesCompleted += change(old.Stage == StageReady, record.Stage == StageReady)
	if old.ClientID == nil && record.ClientID != nil {
		id := *record.ClientID
		if i, found := slices.BinarySearch(s.sum.ClientIDs, id); !found {
			s.sum.ClientIDs = slices.Insert(s.sum.ClientIDs, i, id)
		}
		if old.EndedBy == "" {
			if _, inUse = s.holders[id]; !inUse {
				s.holders[id] = e
			}
		}
	}
	*old = record
	s.observe(e)
	return inUse
}

// change is what a counter of true values gains when one goes from was to is.
func change(was, is bool) int {
	switch {
	case is && !was:
		return 1
	case was && !is:
		return -1
	}
	return 0
}

// end records who ended a connection. The first one stays.
func (s *state) end(e *entry, by EndedBy, how EndedHow) {
	record := &s.sum.Connections[e.index]
	if record.EndedBy != "" {
		return
	}
	record.EndedBy, record.EndedHow = by, how
	if by != BySimulator {
		s.sum.OpenAtEnd--
	}
	if id := record.ClientID; id != nil && s.holders[*id] == e {
		delete(s.holders, *id)
	}
	s.open = slices.DeleteFunc(s.open, func(other *entry) bool { return other == e })
	s.observe(e)
}

func (s *state) endAll(by EndedBy) {
	for _, e := range slices.Clone(s.open) {
		s.end(e, by, ByFIN)
		shut(e.nc, ByFIN)
	}
}

func (s *state) observe(e *entry) {
	if s.g.opts.Observe != nil {
		s.g.opts.Observe(s.sum.Connections[e.index])
	}
	s.changed()
}

func (s *state) wait(cond func(Summary) bool, held chan struct{}) {
	s.waiters = append(s.waiters, waiter{cond, held})
	s.changed()
}

func (s *state) forget(held chan struct{}) {
	s.waiters = slices.DeleteFunc(s.waiters, func(w waiter) bool { return w.held == held })
}

func (s *state) changed() {
	s.waiters = slices.DeleteFunc(s.waiters, func(w waiter) bool {
		if !w.cond(s.sum) {
			return false
		}
		close(w.held)
		return true
	})
}
