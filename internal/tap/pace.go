package tap

import (
	"slices"
	"sync"
	"time"

	"ibrecorder/events"
)

const (
	// paceBurst is how many programs may ask for an attempt at once: twice as many as IB
	// serves, so that all of them can come back together after a stop, and once more.
	paceBurst = 2 * maxClients
	// paceEvery is how often one more may ask after that. An attempt costs 6 to 12 events,
	// each a write that waits for the disk, whether or not it comes to anything: a
	// program that greets and leaves in a loop would otherwise write thousands a second.
	// At one a second a log of a gigabyte lasts for days of that, and a person waits for a
	// moment.
	paceEvery = time.Second
)

// pace lets programs ask at a bounded rate, those that wait in the order in which they
// came. Any goroutine may use it.
type pace struct {
	burst int

	mu     sync.Mutex // guards the rest
	spare  int        // how many may ask at once
	since  time.Time  // when spare was last right
	line   []chan struct{}
	timer  *time.Timer // runs while somebody waits
	closed bool
}

func newPace(burst int) *pace { return &pace{burst: burst, spare: burst, since: time.Now()} }

// turn joins the line. The channel is closed when it is whoever called's turn, perhaps
// already; who does not wait for it must leave.
func (p *pace) turn() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	mine := make(chan struct{})
	p.line = append(p.line, mine)
	p.serve()
	return mine
}

// leave gives a turn back, whether it came or not.
func (p *pace) leave(mine <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.IndexFunc(p.line, func(c chan struct{}) bool { return c == mine }); i >= 0 {
		p.line = slices.Delete(p.line, i, i+1)
		return
	}
	p.spare = min(p.spare+1, p.burst)
	p.serve()
}

// serve gives out what may be given out now, and comes again for the rest.
func (p *pace) serve() {
	now := time.Now()
	if n := int(min(now.Sub(p.since)/paceEvery, time.Duration(p.burst))); n > 0 {
		p.spare, p.since = min(p.spare+n, p.burst), p.since.Add(time.Duration(n)*paceEvery)
	}
	if p.spare == p.burst {
		p.since = now // a full bucket saves nothing up
	}
	n := min(p.spare, len(p.line))
	for _, c := range p.line[:n] {
		close(c)
	}
	p.spare -= n
	p.line = slices.Delete(p.line, 0, n)
	if len(p.line) == 0 || p.closed {
		return
	}
	next := p.since.Add(paceEvery).Sub(now)
	if p.timer == nil {
		p.timer = time.AfterFunc(next, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.serve()
		})
	} else {
		p.timer.Reset(next)
	}
}

func (p *pace) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
}

// inLine waits until the program may ask. It returns why it is turned away, "" if it is
// not; c.welcome becomes held if the tap is shut meanwhile, and notYet if it closes.
func (c *conn) inLine(open *spell) events.RejectReason {
	p := c.tap.pace
	mine := p.turn()
	for {
		select {
		case <-mine: // first: most never wait
			return ""
		default:
		}
		select {
		case <-mine:
			return ""
		case s := <-c.in:
			if c.early(s) {
				continue
			}
			p.leave(mine)
			return events.TooOften
		case <-open.ctx.Done():
			p.leave(mine)
			c.welcome = held
			c.tap.move(c, place{phase: greeting}) // it takes nobody's place any more
			return ""
		case <-c.tap.closing:
			p.leave(mine)
			c.closedBy(events.Recorder, events.FIN)
			c.welcome = notYet
			return ""
		}
	}
}
