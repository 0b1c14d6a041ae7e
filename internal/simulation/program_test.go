package simulation

import (
	"context"
	"math/rand/v2"
	"net"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/wire"
)

// program is a trading program as they are: it connects, and when that fails, or its
// session ends, it connects again, whatever the reason.
type program struct {
	dial     func(context.Context) (net.Conn, error)
	id       int
	mute     bool                  // it never says who it is
	patience time.Duration         // for a version and for ready, 0 for ever
	session  time.Duration         // it leaves by itself after about that long
	ready    func(context.Context) // told of each session
	chance   *rand.Rand
}

// run comes again until ctx ends.
func (p program) run(ctx context.Context) {
	for ctx.Err() == nil {
		_, _ = p.once(ctx) // it does not care why
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

// once is one connect, and returns when it is over: how far it came, and why no further.
func (p program) once(ctx context.Context) (events.Stage, error) {
	nc, err := p.dial(ctx)
	if err != nil {
		return events.StageDial, err
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
		return events.StageConnected, err
	}
	read := frames(nc)
	f, err := read()
	if err != nil {
		return events.StageConnected, err
	}
	version, err := wire.ParseVersionReply(f)
	if err != nil {
		return events.StageConnected, err
	}
	if !p.mute {
		if _, err := nc.Write(wire.AppendStartAPI(nil, version.Version, wire.StartAPI{ClientID: p.id, HasClientID: true})); err != nil {
			return events.StageVersioned, err
		}
	}
	stage, accounts, next := events.StageStarted, false, false
	for {
		f, err := read()
		if err != nil {
			return stage, err
		}
		m, err := wire.ParseMessage(version.Version, f)
		if err != nil {
			return stage, err
		}
		accounts, next = accounts || m.ID == wire.IDManagedAccounts, next || m.ID == wire.IDNextValidID
		if accounts && next && stage != events.StageReady {
			stage = events.StageReady
			p.ready(ctx)
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
