package httpapi

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"ibrecorder/events"
)

const (
	// ringEvents and ringBytes bound what is kept of one gateway's newest events for those
	// who follow it. Who is further behind reads the log.
	ringEvents = 256
	ringBytes  = 1 << 20
)

// frame is an event as it is streamed, without its id.
type frame struct {
	seq  uint64
	kind events.Kind
	text []byte // shared by all readers
}

func frameOf(rec events.Record) frame {
	kind := rec.Kind()
	return frame{rec.Seq, kind, fmt.Appendf(nil, "event: %s\ndata: %s\n\n", kind, rec.Raw)}
}

// live follows the logs while anybody listens: one tail for each gateway, however many
// listen. A reader has no queue. It asks for what is behind its own place, and whoever
// does not ask in time reads the log.
type live struct {
	gateways []Gateway

	mu  sync.Mutex // guards the rest
	now *following // nil while nobody listens
}

// following is one stretch of time in which somebody listens and nothing fails.
type following struct {
	readers int // guarded by live.mu
	stop    context.CancelFunc
	tails   sync.WaitGroup

	mu   sync.Mutex // guards the rest
	of   map[string]*ring
	more chan struct{} // closed and replaced when something has come
	err  error         // why a log is not followed any more
}

// ring are the newest events of a gateway.
type ring struct {
	next   uint64 // the sequence that comes
	frames []frame
	bytes  int
}

// join begins to listen. The caller leaves with leave, once.
func (l *live) join(ctx context.Context) (*following, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now == nil || l.now.failed() != nil {
		f, err := l.follow(ctx)
		if err != nil {
			return nil, err
		}
		l.now = f
	}
	l.now.readers++
	return l.now, nil
}

// follow begins the tails; ctx is for the questions that this takes.
func (l *live) follow(ctx context.Context) (*following, error) {
	f := &following{of: map[string]*ring{}, more: make(chan struct{})}
	for _, g := range l.gateways {
		head, err := g.Head(ctx)
		if err != nil {
			return nil, err
		}
		f.of[g.Name()] = &ring{next: head + 1}
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx)) // it outlives the first reader
	f.stop = stop
	for _, g := range l.gateways {
		from := f.of[g.Name()].next
		f.tails.Go(func() {
			for rec, err := range g.Tail(life, from) {
				if err != nil {
					f.fail(err)
					return
				}
				f.add(g.Name(), frameOf(rec))
			}
		})
	}
	return f, nil
}

// leave ends what join began. The last reader ends the tails, and waits for them.
func (l *live) leave(f *following) {
	l.mu.Lock()
	f.readers--
	last := f.readers == 0
	if last && l.now == f {
		l.now = nil
	}
	l.mu.Unlock()
	if last {
		f.stop()
		f.tails.Wait()
	}
}

func (f *following) add(gateway string, x frame) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.of[gateway]
	r.frames, r.bytes, r.next = append(r.frames, x), r.bytes+len(x.text), x.seq+1
	for len(r.frames) > ringEvents || r.bytes > ringBytes && len(r.frames) > 1 {
		r.bytes -= len(r.frames[0].text)
		r.frames[0] = frame{}
		r.frames = r.frames[1:]
	}
	f.wake()
}

func (f *following) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
	f.wake()
}

// wake is called with the lock held.
func (f *following) wake() {
	close(f.more)
	f.more = make(chan struct{})
}

func (f *following) failed() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// head is the sequence of the newest event of a gateway.
func (f *following) head(gateway string) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.of[gateway].next - 1
}

// since returns the events of a gateway from a place on. If some of them are no longer
// here they are to be read from the log, up to until; 0 says that they are.
func (f *following) since(gateway string, from uint64) (frames []frame, until uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.of[gateway]
	first := r.next - uint64(len(r.frames))
	switch {
	case from >= r.next:
		return nil, 0
	case from < first:
		return nil, first - 1
	}
	return slices.Clone(r.frames[from-first:]), 0
}

// changed is closed when there is more, or when it fails.
func (f *following) changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.more
}
