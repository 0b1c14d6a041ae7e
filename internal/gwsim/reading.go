package gwsim

import (
	"encoding/hex"
	"errors"
	"io"
	"net"
	"syscall"

	"ibrecorder/internal/wire"
)

func (p *peer) read() {
	defer close(p.in)
	for {
		b := make([]byte, 4096)
		n, err := p.entry.nc.Read(b)
		if n > 0 {
			select {
			case p.in <- b[:n]:
			case <-p.over:
				return
			}
		}
		if err != nil {
			p.readErr = err
			return
		}
	}
}

// lost records that the client ended the connection, unless we did.
func (p *peer) lost() {
	switch {
	case errors.Is(p.readErr, net.ErrClosed), errors.Is(p.readErr, io.ErrClosedPipe): // whoever closed it has recorded it
	case errors.Is(p.readErr, io.EOF):
		p.end(ByClient, ByFIN)
	case errors.Is(p.readErr, syscall.ECONNRESET):
		p.end(ByClient, ByRST)
	default:
		p.end(ByClient, "")
	}
}

func (p *peer) end(by EndedBy, how EndedHow) {
	p.g.do(func(s *state) { s.end(p.entry, by, how) })
}

// take reads what the client sent and publishes what it says.
func (p *peer) take(b []byte) {
	before := p.record
	if room := firstBytes - len(p.first); room > 0 {
		p.first = append(p.first, b[:min(room, len(b))]...)
		p.record.FirstBytesHex = hex.EncodeToString(p.first)
		p.record.Kind = wire.Describe(p.first)
	}
	n, state := p.hello.Feed(b)
	switch state {
	case wire.HelloComplete:
		p.record.Offered = p.hello.Hello().Text()
		p.record.Stage = p.record.Stage.atLeast(StageHello)
		p.takeFrames(b[n:])
	case wire.HelloInvalid:
		p.record.NotHello = true
	}
	if p.record != before {
		p.publish()
	}
}

func (p *peer) takeFrames(b []byte) {
	for f := range p.frames.Frames(b) {
		m, err := wire.ParseMessage(p.version, f)
		if p.version == 0 || err != nil {
			continue // a client that does not wait for the version, or garbage: nothing to answer
		}
		switch m.ID {
		case wire.IDStartAPI:
			p.startAPI(m)
		case wire.IDReqCurrentTime:
			p.asked++
		}
	}
}

func (p *peer) startAPI(m wire.Message) {
	start, err := m.StartAPI()
	if err != nil || p.started {
		return
	}
	p.started = true
	p.record.Stage = p.record.Stage.atLeast(StageStartAPI)
	if start.HasClientID {
		p.record.ClientID = &start.ClientID
	}
}

// publish gives the loop the record as it is now.
func (p *peer) publish() {
	p.g.do(func(s *state) {
		if s.update(p.entry, p.record) {
			p.inUse = true
		}
	})
}
