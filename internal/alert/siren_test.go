package alert_test

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/alert"
	"ibrecorder/internal/notice"
	"ibrecorder/store"
)

var errFull = errors.New("no space left on device")

// jam is what a log does not take.
type jam struct {
	mu  sync.Mutex
	rec events.Record
	err error
}

func (j *jam) set(rec events.Record, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.rec, j.err = rec, err
}

func (j *jam) blocked() (events.Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.rec, j.err
}

// unrecorded is an event that comes next and is not in the log.
func unrecorded(t *testing.T, l *log, data events.Payload) events.Record {
	t.Helper()
	rec := l.killed().write(data)
	return rec
}

func TestWhatTheLogDoesNotTakeIsToldWithoutIt(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(l *log, j *jam)
		want []string
	}{
		{"a log that takes nothing for ten seconds, once", func(l *log, j *jam) {
			for range 3 {
				j.set(unrecorded(l.t, l, events.AttemptSucceeded{}), errFull)
				time.Sleep(time.Minute)
				j.set(events.Record{}, nil)
				time.Sleep(time.Minute)
			}
		}, []string{"log.room main-log", "log.room.over main-log"}},
		{"a disk that is busy for a moment is not worth a message", func(l *log, j *jam) {
			for range 3 {
				j.set(unrecorded(l.t, l, events.AttemptSucceeded{}), errFull)
				time.Sleep(9 * time.Second)
				j.set(events.Record{}, nil)
				time.Sleep(time.Minute)
			}
		}, nil},
		{"a stop that is not in the log is told as one", func(l *log, j *jam) {
			j.set(unrecorded(l.t, l, events.RestartRequired{Reason: events.DownSilent, Enforced: true}), errFull)
			time.Sleep(time.Minute)
		}, []string{"stop main-2"}},
		{"so is one that is, and whose alert is not", func(l *log, j *jam) {
			stop := l.stop()
			j.set(unrecorded(l.t, l, events.AlertRaised{About: events.AboutStop, Incident: "main-2", Of: stop.Seq}), errFull)
			time.Sleep(time.Minute)
		}, []string{"stop main-2"}},
		{"the log first and a stop after it are two conditions", func(l *log, j *jam) {
			j.set(unrecorded(l.t, l, events.AttemptSucceeded{}), errFull)
			time.Sleep(time.Minute)
			j.set(unrecorded(l.t, l, events.RestartRequired{Reason: events.DownSilent, Enforced: true}), errFull)
			time.Sleep(time.Minute)
		}, []string{"log.room main-log", "stop main-2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, ch, j := newLog(t), newChannel("phone"), &jam{}
				ch.fail = func(try int) error {
					if try == 1 {
						return errors.New("no network yet")
					}
					return nil
				}
				l.write(events.AttemptSucceeded{})
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan struct{})
				siren := alert.Siren{Gateway: "main", Boot: "boot1", Log: l, Blocked: j.blocked, Channels: []alert.Channel{ch}, Logger: slog.New(slog.DiscardHandler)}
				go func() { siren.Run(ctx); close(ended) }()
				synctest.Wait()
				c.do(l, j)
				synctest.Wait()
				cancel()
				<-ended
				if len(c.want) > 0 { // the first try failed
					c.want = append([]string{c.want[0]}, c.want...)
				}
				same(t, "tried", c.want, ch.told)
			})
		})
	}
}

// begun is a log whose events before first were archived.
type begun struct {
	*log
	first uint64
}

func (b begun) Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	if from <= 1 {
		from = b.first
	}
	if from < b.first {
		return func(yield func(events.Record, error) bool) {
			yield(events.Record{}, &store.ArchivedError{Gateway: "main", Want: from, First: b.first})
		}
	}
	return b.log.Read(ctx, from, to)
}

// What was archived while a stop stood is known from the state, and told without its
// particulars.
func TestAStopWhoseBeginWasArchivedIsToldToBeOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ch := newLog(t), newChannel("phone")
		var stop events.Record
		during(t, l, settings(ch), func() {
			stop = l.stop()
			time.Sleep(31 * time.Minute)
			l.write(events.AttemptSucceeded{})
		}, ch)
		head, err := l.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		l.reboot()
		archived := begun{l, head.Seq}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		logger := slog.New(slog.DiscardHandler)
		clerk := alert.NewClerk(alert.ClerkConfig{Gateway: "main", Log: archived, Desk: l, Boot: l.boot(), Start: l.start, Settings: settings(ch), Logger: logger,
			Stands: func() alert.Stop { return alert.Stop{ID: stop.ID, Seq: stop.Seq, Since: stop.Time} }})
		running.Go(func() { _ = clerk.Run(ctx) })
		running.Go(func() {
			_ = alert.Subscriber{Log: archived, Desk: l, Channel: ch, Words: notice.Words{}, Logger: logger}.Run(ctx)
		})
		synctest.Wait()
		l.release()
		synctest.Wait()
		cancel()
		running.Wait()
		if last := ch.told[len(ch.told)-1]; last != "over main-1" {
			t.Errorf("told %v, want that it is over", ch.told)
		}
	})
}
