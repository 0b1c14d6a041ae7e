package simulation

import (
	"context"
	"net"
	"sync"
	"syscall"
)

// port is the tap's, in memory. Its methods may be called from any goroutine.
type port struct {
	mu    sync.Mutex // guards the rest
	ln    *listener  // nil while nobody listens
	taken bool       // somebody else has it
}

// bind is net.Listen for the tap.
func (p *port) bind(string, string) (net.Listener, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken || p.ln != nil {
		return nil, &net.OpError{Op: "listen", Net: "pipe", Err: syscall.EADDRINUSE}
	}
	p.ln = &listener{of: p, conns: make(chan net.Conn), closed: make(chan struct{})}
	return p.ln, nil
}

// take lets somebody else have the port as soon as the tap closes it.
func (p *port) take(taken bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = taken
}

// dial connects to whoever listens.
func (p *port) dial(context.Context) (net.Conn, error) {
	p.mu.Lock()
	ln := p.ln
	p.mu.Unlock()
	if ln != nil {
		client, server := net.Pipe()
		select {
		case ln.conns <- server:
			return client, nil
		case <-ln.closed:
		}
	}
	return nil, &net.OpError{Op: "dial", Net: "pipe", Err: syscall.ECONNREFUSED}
}

type listener struct {
	of     *port
	conns  chan net.Conn
	closed chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case nc := <-l.conns:
		return nc, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	if l.of.ln != l {
		return net.ErrClosed
	}
	l.of.ln = nil
	close(l.closed)
	return nil
}

func (l *listener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4102} }
