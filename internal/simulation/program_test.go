package simulation

import (
	"context"
	"math/rand/v2"
	"net"
	"time"

	"ibrecorder/internal/wire"
)

// program is a trading program as they are: it connects, and when that fails, or its
// session ends, it connects again, whatever the reason.
type program struct {
	port     *port
	id       int
	mute     bool          // it never says who it is
	patience time.Duration // for a version and for ready, 0 for ever
	session  time.Duration // it leaves by itself after about that long
	ready    func()        // told of each session
	chance   *rand.Rand
}

// run comes again until ctx ends.
func (p program) run(ctx context.Context) {
	for ctx.Err() == nil {
		p.once(ctx)
		pause(ctx, 5*time.Second+time.Duration(p.chance.Int64N(int64(25*time.Second))))
	}
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// once is one connect and what comes of it.
func (p program) once(ctx context.Context) {
	nc, err := p.port.dial()
	if err != nil {
		return
	}
	defer nc.Close()
	defer context.AfterFunc(ctx, func() { _ = nc.Close() })()
	limit := func(d time.Duration) {
		if d > 0 {
			_ = nc.SetDeadline(time.Now().Add(d))
		}
	}
	limit(p.patience)
	if _, err := nc.Write(wire.AppendHello(nil, wire.Hello{Min: 100, Max: 225})); err != nil {
		return
	}
	read := frames(nc)
	f, err := read()
	if err != nil {
		return
	}
	version, err := wire.ParseVersionReply(f)
	if err != nil {
		return
	}
	if !p.mute {
		if _, err := nc.Write(wire.AppendStartAPI(nil, version.Version, wire.StartAPI{ClientID: p.id, HasClientID: true})); err != nil {
			return
		}
	}
	accounts, next, session := false, false, false
	for {
		f, err := read()
		if err != nil {
			return
		}
		m, err := wire.ParseMessage(version.Version, f)
		if err != nil {
			return
		}
		accounts, next = accounts || m.ID == wire.IDManagedAccounts, next || m.ID == wire.IDNextValidID
		if accounts && next && !session {
			session = true
			p.ready()
			limit(p.session/2 + time.Duration(p.chance.Int64N(int64(p.session))))
		}
	}
}

// frames reads one frame at each call.
func frames(nc net.Conn) func() (wire.Frame, error) {
	scan, buf := wire.NewScanner(0), make([]byte, 4096)
	var ready []wire.Frame
	return func() (wire.Frame, error) {
		for len(ready) == 0 {
			n, err := nc.Read(buf)
			if err != nil {
				return wire.Frame{}, err
			}
			for f := range scan.Frames(buf[:n]) {
				f.Prefix = append([]byte(nil), f.Prefix...) // the scanner's until the next segment
				ready = append(ready, f)
			}
		}
		f := ready[0]
		ready = ready[1:]
		return f, nil
	}
}
