package dashboard

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
)

// lookBack is how many events of a log are read at most when the recorder starts: more than
// a week of a Gateway that is in trouble every hour. They are read in one go: to look for
// the first of 30 days costs more than to read what is older, because the embedded server
// reads a block of 8 MiB for each event that it is asked for.
const lookBack = 50_000

// again is the wait before a reader that its log has failed reads on.
const again = time.Second

// follower keeps the window of one gateway. The goroutine of run alone changes it; pages
// take a copy.
type follower struct {
	gateway httpapi.Gateway
	log     *slog.Logger
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
	if from == 1 && s.Seq > lookBack {
		from = s.Seq - lookBack + 1
	}
	err = f.read(ctx, from, s.Seq)
	if err != nil && from > 1 && f.last() == 0 {
		err = f.read(ctx, 1, s.Seq) // what is left of a log whose beginning is archived: less than was asked for
	}
	if err != nil {
		return err
	}
	if from+lookBack/8 <= s.Seq {
		debug.FreeOSMemory() // that a long read has taken, as after the start
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

// read takes in the events from..to, if there are any.
func (f *follower) read(ctx context.Context, from, to uint64) error {
	if from > to {
		return nil
	}
	for rec, err := range f.gateway.Read(ctx, from, to) {
		if err != nil {
			return err
		}
		f.see(rec)
	}
	return nil
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
