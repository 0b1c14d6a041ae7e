package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"ibrecorder/internal/wire"
)

// Attempt is one connect through the tap, as a trading program makes it.
type Attempt struct {
	Tap      string // host:port
	ClientID int
	// Patience bounds the wait for ready, and Leave that for the other side to close
	// when the probe leaves. 0 is the default.
	Patience, Leave time.Duration
}

const (
	// patience is above what the budgets of a handshake are by default (30 s each), and
	// has room for a turn that is waited for.
	patience = 2 * time.Minute
	// leave is far above what a close takes on this host.
	leave = 2 * time.Second
)

// The newest and the oldest server that internal/wire can read.
const (
	newest = 225
	oldest = 100
)

// End is how an attempt ended.
type End string

const (
	Ready   End = "ready"   // nextValidId and managedAccounts came
	Refused End = "refused" // the tap's port is closed
	Closed  End = "closed"  // the other side closed before ready
	Foreign End = "foreign" // what answered does not speak the protocol
	Silent  End = "silent"  // there was no ready within the patience
	Lost    End = "lost"    // the connection could not be made or broke
)

// Outcome is what an attempt saw. It has no account id.
type Outcome struct {
	End      End
	Version  int           // of the server, 0 if none came
	Elapsed  time.Duration // from the connect to the end
	Accounts int           // how many the Gateway has
	Codes    []int         // of errors and notices that concern no request, in order
	Local    string        // our end of the connection, as the tap sees it; empty if there was none
	Err      error         // for Lost and Foreign
}

// Try makes the attempt and leaves in order: it says that it will send no more, waits
// for the other side to close, and closes. When ctx ends it leaves at once, in the same
// order, and returns why.
func (a Attempt) Try(ctx context.Context) (Outcome, error) {
	began := time.Now()
	out := Outcome{End: Lost}
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", a.Tap)
	if err != nil {
		if ctx.Err() != nil {
			return out, context.Cause(ctx)
		}
		if out.Err = err; errors.Is(err, syscall.ECONNREFUSED) {
			out.End = Refused
		}
		out.Elapsed = time.Since(began)
		return out, nil
	}
	out.Local = nc.LocalAddr().String()
	_ = nc.SetDeadline(began.Add(orElse(a.Patience, patience)))
	cut := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { defer close(cut); _ = nc.SetDeadline(time.Unix(1, 0)) })
	out.End, out.Err = a.talk(nc, &out)
	if !stop() {
		<-cut // or it would cut the leave short
	}
	out.Elapsed = time.Since(began)
	a.depart(nc)
	return out, context.Cause(ctx)
}

// talk is the handshake.
func (a Attempt) talk(nc net.Conn, out *Outcome) (End, error) {
	hello := wire.Hello{Min: oldest, Max: newest}
	if _, err := nc.Write(wire.AppendHello(nil, hello)); err != nil {
		return Lost, err
	}
	frames := wire.NewScanner(0)
	buf := make([]byte, 4096)
	var next, accounts bool
	for {
		n, err := nc.Read(buf)
		for f := range frames.Frames(buf[:n]) {
			if out.Version == 0 {
				reply, err := wire.ParseVersionReply(f)
				if err != nil {
					return Foreign, err
				}
				if !hello.Accepts(reply.Version) {
					return Foreign, fmt.Errorf("server version %d", reply.Version)
				}
				out.Version = reply.Version
				if _, err := nc.Write(wire.AppendStartAPI(nil, out.Version, wire.StartAPI{ClientID: a.ClientID, HasClientID: true})); err != nil {
					return Closed, nil
				}
				continue
			}
			m, err := wire.ParseMessage(out.Version, f)
			if err != nil {
				return Foreign, err
			}
			switch m.ID {
			case wire.IDNextValidID:
				next = true
			case wire.IDManagedAccounts:
				names, _ := m.ManagedAccounts() // of an endless list the number is not known
				accounts, out.Accounts = true, len(names)
			case wire.IDError:
				if e, err := m.ErrorMessage(); err == nil && e.ID == -1 {
					out.Codes = append(out.Codes, e.Code)
				}
			}
			if next && accounts {
				return Ready, nil
			}
		}
		switch {
		case frames.Err() != nil:
			return Foreign, frames.Err()
		case errors.Is(err, os.ErrDeadlineExceeded):
			return Silent, nil
		case errors.Is(err, io.EOF), err != nil:
			return Closed, nil
		}
	}
}

// depart leaves. It reads on meanwhile, because a socket that is closed with something
// unread in it resets the connection.
func (a Attempt) depart(nc net.Conn) {
	_ = nc.SetDeadline(time.Now().Add(orElse(a.Leave, leave)))
	if tcp, ok := nc.(*net.TCPConn); ok && tcp.CloseWrite() == nil {
		_, _ = io.Copy(io.Discard, nc)
	}
	_ = nc.Close()
}

func orElse(d, other time.Duration) time.Duration {
	if d == 0 {
		return other
	}
	return d
}
