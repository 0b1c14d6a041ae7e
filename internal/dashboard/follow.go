package dashboard

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
)

// lookBack is how many events of a log are read at most when the recorder starts. At the
// speed of a long read that is a tenth of a second (BenchmarkLookBack), and more than a
// week of a Gateway that is in trouble every hour.
const lookBack = 50_000

// again is the wait before a reader that its log has failed reads on.
const again = time.Second

// follower keeps the window of one gateway. The goroutine of run alone changes it; pages
// take a copy.
type follower struct {
	gateway httpapi.Gateway
	log     *slog.Logger
	now     func() time.Time
	news    func() // is called after each change, and must not wait

	mu     sync.Mutex // guards the rest, for a moment
	window *window
	broken string // why the log is not read; "" while it is
}

// run reads the log until ctx ends, whatever it does meanwhile.
func (f *follower) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := f.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		f.log.Error("the dashboard cannot read on, and tries again", "gateway", f.gateway.Name(), "error", err, "in", again)
		f.mu.Lock()
		f.broken = err.Error()
		f.mu.Unlock()
		f.news()
		select {
		case <-time.After(again):
		case <-ctx.Done():
		}
	}
}

// follow reads on from where the window ends; an empty one begins with a look back.
func (f *follower) follow(ctx context.Context) error {
	s, err := f.gateway.Status(ctx)
	if err != nil {
		return err
	}
	from := f.last() + 1
	if from == 1 {
		if from, err = begin(ctx, f.gateway, s.Seq, f.now().Add(-keptFor)); err != nil {
			return err
		}
	}
	if from <= s.Seq {
		for rec, err := range f.gateway.Read(ctx, from, s.Seq) {
			if err != nil {
				return err
			}
			f.see(rec)
		}
	}
	f.mu.Lock()
	f.broken = "" // a log that cannot be read has failed by now
	f.mu.Unlock()
	f.news()
	for rec, err := range f.gateway.Tail(ctx, max(from, s.Seq+1)) {
		if err != nil {
			return err
		}
		f.see(rec)
		f.news()
	}
	return errors.New("the log has ended")
}

func (f *follower) see(rec events.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.window.see(rec)
}

func (f *follower) last() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.window.last.Seq
}

// view is a copy of the window, and why it is not read on.
func (f *follower) view() (*window, string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.window.copy(), f.broken
}

// begin is the first event to read of a log whose last is head: the first since, or as
// many as are read at most. It reads some twenty events to find it.
func begin(ctx context.Context, g httpapi.Gateway, head uint64, since time.Time) (uint64, error) {
	if head == 0 {
		return 1, nil
	}
	low, high := uint64(1), head+1
	for rec, err := range g.Read(ctx, 1, head) { // what is left of it: its beginning may be archived
		if err != nil {
			return 0, err
		}
		low = rec.Seq
		break
	}
	if head > lookBack {
		low = max(low, head-lookBack+1)
	}
	for low < high {
		middle := low + (high-low)/2
		at := time.Time{}
		for rec, err := range g.Read(ctx, middle, middle) {
			if err != nil {
				return 0, err
			}
			at = rec.Time
		}
		if at.Before(since) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, nil
}
