package tap

import (
	"net"
	"sync/atomic"
	"time"
)

// patient is a library's connection whose end waits until the library has connected.
// scmhub/ibapi v0.10.47 starts its reader before its Connect has returned, and an end
// that the reader meets in between resets what Connect still holds: "fatal error: sync:
// unlock of unlocked mutex", which takes the process along (client.go:337 and 582). It is
// between its version and the return of Connect that it must not be told; before its
// version it waits in Connect, and returns when it is. With a close right behind the
// version the process died within 3000 connects, and with this in none of them.
type patient struct {
	*net.TCPConn
	connected <-chan struct{} // closed when Connect has returned
	spoken    atomic.Bool     // a version may be on its way
}

func (p *patient) Write(b []byte) (int, error) {
	p.spoken.Store(true)
	return p.TCPConn.Write(b)
}

// Close ends our use of the connection at once, and the library's when it can bear it.
func (p *patient) Close() error {
	select {
	case <-p.connected:
		return p.TCPConn.Close()
	default:
	}
	if !p.spoken.Load() {
		return p.TCPConn.Close()
	}
	_ = p.SetDeadline(time.Unix(1, 0)) // whoever reads or writes is done
	go func() {
		<-p.connected
		_ = p.TCPConn.Close()
	}()
	return nil
}

func (p *patient) CloseWrite() error {
	select {
	case <-p.connected:
		return p.TCPConn.CloseWrite()
	default:
	}
	go func() {
		<-p.connected
		_ = p.TCPConn.CloseWrite() // fails for one that is closed by now
	}()
	return nil
}
