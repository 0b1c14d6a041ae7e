package gwsim

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

func (s *state) serve(ln net.Listener) error {
	if s.address != "" {
		return fmt.Errorf("gwsim: already serving %s", s.address)
	}
	s.network, s.address = ln.Addr().Network(), ln.Addr().String()
	if !s.up || !s.listening {
		return ln.Close()
	}
	s.acceptFrom(ln)
	return nil
}

func (s *state) refuse() {
	s.listening = false
	s.closeListener()
}

// closeListener also resets what was connecting, as the kernel does.
func (s *state) closeListener() {
	if s.listener != nil {
		_ = s.listener.Close() // a listener that is already closed refuses as well
		s.listener = nil
	}
	for _, nc := range s.backlog {
		shut(nc, ByRST)
	}
	s.backlog = nil
	s.unwedge()
}

// wedge lets the kernel complete connects that nobody accepts.
func (s *state) wedge() error {
	if s.wedged {
		return nil
	}
	if s.listener != nil {
		ln, ok := s.listener.(interface{ SetDeadline(time.Time) error })
		if !ok {
			return fmt.Errorf("gwsim: wedge: a %T cannot stop accepting", s.listener)
		}
		if err := ln.SetDeadline(time.Unix(1, 0)); err != nil {
			return fmt.Errorf("gwsim: wedge: %w", err)
		}
	}
	s.wedged, s.unwedged = true, make(chan struct{})
	return nil
}

func (s *state) unwedge() {
	if !s.wedged {
		return
	}
	if ln, ok := s.listener.(interface{ SetDeadline(time.Time) error }); ok {
		_ = ln.SetDeadline(time.Time{}) // fails only on a closed listener
	}
	close(s.unwedged)
	s.wedged = false
	for _, nc := range s.backlog {
		s.run(s.admit(nc, s.process))
	}
	s.backlog = nil
}

func (s *state) acceptFrom(ln net.Listener) {
	s.listener = ln
	process := s.process
	s.g.wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				if !s.g.acceptAgain(ln, err) {
					return
				}
				continue
			}
			ok := s.g.do(func(s *state) {
				p := s.admit(nc, process)
				if !s.up || s.process != process { // accepted by a process that is gone by now
					s.end(p.entry, ByGateway, ByFIN)
					shut(nc, ByFIN)
				}
				s.run(p)
			})
			if !ok {
				_ = nc.Close() // the simulator is closed; nobody is left to tell
				return
			}
		}
	})
}

// starved is the wait before accept is tried again when this process is out of
// descriptors. Linux says so even if nobody connects: it takes the descriptor first.
const starved = 10 * time.Millisecond

// acceptAgain waits while ln is wedged or there is no descriptor; false if ln is at
// its end.
func (g *Gateway) acceptAgain(ln net.Listener, err error) bool {
	var again <-chan struct{}
	var later <-chan time.Time
	g.do(func(s *state) {
		switch {
		case s.listener != ln: // closed by us
		case errors.Is(err, os.ErrDeadlineExceeded) && s.unwedged != nil:
			again = s.unwedged // closed, if that is over already
		case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
			later = time.After(starved)
		default:
			s.must(fmt.Errorf("gwsim: accept: %w", err))
		}
	})
	if again == nil && later == nil {
		return false
	}
	select {
	case <-again:
		return true
	case <-later:
		return true
	case <-g.done:
		return false
	}
}

// connect takes a connection that did not come from a listener. The peer is nil
// if the Gateway is wedged.
func (s *state) connect(nc net.Conn) (*peer, error) {
	switch {
	case !s.up || !s.listening:
		return nil, ErrRefused
	case s.wedged:
		s.backlog = append(s.backlog, nc)
		return nil, nil
	}
	return s.admit(nc, s.process), nil
}

// shut closes a connection as how says. A FIN goes out before the socket is
// closed, so that unread bytes of the client cannot turn it into an RST.
func shut(nc net.Conn, how EndedHow) {
	if how == ByRST {
		if c, ok := nc.(interface{ SetLinger(int) error }); ok {
			_ = c.SetLinger(0) // fails only on a closed socket
		}
	} else if c, ok := nc.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite() // fails only on a closed socket
	}
	_ = nc.Close() // the client's view is what counts
}
