package tap

import (
	"net"
	"sync"
	"sync/atomic"

	"ibrecorder/events"
)

// bufferBytes is what one direction of a connection reads at once. Segments of 4 KB
// went up to a quarter slower through 16 KiB, and equally fast, within the noise,
// through 32 to 128 KiB (BenchmarkTapThroughput).
const bufferBytes = 64 << 10

var buffers = sync.Pool{New: func() any { return new([bufferBytes]byte) }}

// pump reads one side of a connection until it ends. Its goroutine owns the
// buffer and hands each segment to the goroutine of the connection, until that
// tells it where to write to directly: from then on nobody looks at the bytes, but
// the lookout at the codes in them.
type pump struct {
	side events.Side
	src  net.Conn
	in   chan<- segment
	next chan order      // the answer to each segment
	over <-chan struct{} // closed when the connection is

	got  atomic.Int64 // bytes that src sent
	sent atomic.Int64 // bytes that were passed on, by whomever
	half atomic.Bool  // we sent FIN to src

	// For the goroutine of the connection.
	met    bool  // a write to src met its end
	torn   bool  // src was found reset
	tornAt int64 // sent at that moment
}

// segment is what a pump tells: bytes, which are valid until its answer, or the end
// of a side.
type segment struct {
	side events.Side
	b    []byte
	how  events.Close // "" while the side lives
	// met says that a write met the end. The side's own pump tells it too, after the
	// last bytes that came from there, such as a 326 right before a reset.
	met bool
}

// order is the answer to bytes.
type order struct {
	to      net.Conn // write there from now on; nil: hand over the next segment too
	taken   bool     // the bytes were passed on, or never will be
	discard bool     // nobody wants the rest: read it so that its sender gets no reset
	lookout *lookout // looks at what is written to `to`; nil: nobody does
}

func (p *pump) run() {
	buf := buffers.Get().(*[bufferBytes]byte)
	defer buffers.Put(buf)
	var o order
	for {
		n, err := p.src.Read(buf[:])
		p.got.Add(int64(n))
		b := buf[:n]
		if n > 0 && o.to == nil && !o.discard {
			var ok bool
			if o, ok = p.hand(b); !ok {
				return
			}
			if o.taken {
				b = nil
			}
		}
		if o.to != nil && len(b) > 0 {
			if o.lookout != nil {
				o.lookout.see(b)
			}
			m, werr := o.to.Write(b)
			p.sent.Add(int64(m))
			if werr != nil {
				o = order{discard: true}
				if !p.tell(segment{side: other(p.side), how: events.RST, met: true}) {
					return
				}
			}
		}
		if err != nil {
			p.tell(segment{side: p.side, how: closedHow(p.src, err, p.half.Load())})
			return
		}
	}
}

// hand gives bytes to the goroutine of the connection and waits for its answer;
// false if there will be none.
func (p *pump) hand(b []byte) (o order, ok bool) {
	if !p.tell(segment{side: p.side, b: b}) {
		return order{}, false
	}
	select {
	case o = <-p.next:
		return o, true
	case <-p.over:
		return order{}, false
	}
}

func (p *pump) tell(s segment) bool {
	select {
	case p.in <- s:
		return true
	case <-p.over:
		return false
	}
}

func other(s events.Side) events.Side {
	if s == events.Client {
		return events.Upstream
	}
	return events.Client
}
