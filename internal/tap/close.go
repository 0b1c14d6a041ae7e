package tap

import (
	"errors"
	"io"
	"net"

	"ibrecorder/events"
)

// closedHow says how the peer of nc ended it, from the error of a read or write.
// halfClosed says that our own FIN was sent before.
//
// A reset is reported to one system call only, the next ones see an ordinary end.
// So if a write took it, the read after it says EOF; the state of the socket is
// what tells the truth then.
func closedHow(nc net.Conn, err error, halfClosed bool) events.Close {
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe) {
		return events.RST // or a peer that has vanished, which TCP's keepalive gave up: no orderly end either
	}
	// After our own FIN the socket is gone in either case, and nothing was written
	// that could have taken the reset away.
	if !halfClosed && tornDown(nc) {
		return events.RST
	}
	return events.FIN
}

// reset closes nc with RST, which tells the peer that the other side did so too.
func reset(nc net.Conn) {
	if l, ok := nc.(interface{ SetLinger(seconds int) error }); ok {
		_ = l.SetLinger(0) // fails only for a socket that is gone
	}
	_ = nc.Close()
}

// closeWrite sends FIN and keeps reading; what cannot do that is closed.
func closeWrite(nc net.Conn) {
	if h, ok := nc.(interface{ CloseWrite() error }); ok {
		_ = h.CloseWrite() // fails only for a socket that is gone
		return
	}
	_ = nc.Close()
}
