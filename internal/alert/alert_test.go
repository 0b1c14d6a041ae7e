package alert_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/alert"
	tell "ibrecorder/internal/channel"
	"ibrecorder/internal/notice"
	"ibrecorder/store"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// log is a history that a test writes, and the desk that appends to it.
type log struct {
	*store.Memory
	t      *testing.T
	mu     sync.Mutex // one append at a time
	refuse int        // alerts that are not taken
}

func newLog(t *testing.T) *log { return &log{Memory: store.NewMemory("main"), t: t} }

func (l *log) Submit(ctx context.Context, d events.Draft) (events.Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d.Data.Kind().Group() == "alert" && l.refuse > 0 {
		l.refuse--
		return events.Record{}, errors.New("the log does not keep up")
	}
	head, err := l.Head(ctx)
	if err != nil {
		return events.Record{}, err
	}
	rec, err := events.NewRecord(events.NewRedactor(make([]byte, 16)).Event(d, events.Stamp{
		Gateway: "main", Time: time.Now().UTC(), Seq: head.Seq + 1, Boot: "boot", Prev: head.Hash,
	}))
	if err != nil {
		return rec, err
	}
	return rec, l.Append(ctx, rec)
}

func (l *log) write(data events.Payload) {
	l.t.Helper()
	if _, err := l.Submit(l.t.Context(), events.Draft{Source: "/recorder", Data: data}); err != nil {
		l.t.Fatal(err)
	}
}

func (l *log) stop() {
	l.write(events.RestartRequired{Policy: strings.Repeat("0", 64), Reason: events.DownSilent, Enforced: true})
}

func (l *log) release() {
	l.write(events.RestartAcknowledged{Basis: events.BasisWord, By: "kim"})
}

// alerts is what the log says of alerts.
func (l *log) alerts() string {
	var out []string
	for rec, err := range l.Read(l.t.Context(), 1, 0) {
		if err != nil {
			l.t.Fatal(err)
		}
		switch d := rec.Data.(type) {
		case events.AlertDelivered:
			out = append(out, fmt.Sprintf("%s delivered at try %d", rec.Cause, d.Tries))
		case events.AlertFailed:
			out = append(out, fmt.Sprintf("%s failed at try %d, final %t, exit %d: %s", rec.Cause, d.Try, d.Final, d.ExitCode, d.Text))
		}
	}
	return strings.Join(out, "\n")
}

// channel records what it is told.
type channel struct {
	mu   sync.Mutex
	told []string
	fail func(try int) error
}

func (c *channel) Name() string { return "command" }

func (c *channel) Tell(_ context.Context, n notice.Notice) error {
	rec := n.Record
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = append(c.told, fmt.Sprintf("%s %d", rec.Kind(), rec.Seq))
	if c.fail != nil {
		return c.fail(len(c.told))
	}
	return nil
}

// during runs a subscriber while f does something, inside a bubble.
func during(t *testing.T, l *log, ch alert.Channel, f func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	s := alert.Subscriber{Log: l, Desk: l, Channel: ch, Logger: slog.New(slog.DiscardHandler)}
	go func() { ended <- s.Run(ctx) }()
	synctest.Wait()
	f()
	synctest.Wait()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
}

func TestToldOnceAcrossRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ch := newLog(t), &channel{}
		during(t, l, ch, func() { l.stop() })
		during(t, l, ch, func() {})
		during(t, l, ch, func() { l.release(); l.stop() })
		during(t, l, ch, func() { l.release() })
		want := []string{"restart.required 1", "restart.acknowledged 3", "restart.required 4", "restart.acknowledged 7"}
		if diff := cmp.Diff(want, ch.told); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

func TestARunThatDiedBeforeItsAckTellsNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ch := newLog(t), &channel{}
		during(t, l, ch, func() { l.stop() })
		// The same log, and a consumer that remembers nothing.
		again := newLog(t)
		for rec, err := range l.Read(t.Context(), 1, 0) {
			if err == nil {
				err = again.Append(t.Context(), rec)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		during(t, again, ch, func() {})
		if len(ch.told) != 1 {
			t.Errorf("told %v, want the stop once", ch.told)
		}
	})
}

func TestWhatIsOverIsNotNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ch := newLog(t), &channel{}
		l.stop()
		l.release()
		l.write(events.GatewayContradicted{})
		l.stop()
		during(t, l, ch, func() {})
		if diff := cmp.Diff([]string{"restart.required 4"}, ch.told); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

func TestAStopThatEndsBeforeAnybodyCouldBeTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog(t)
		ch := &channel{fail: func(try int) error {
			if try == 1 {
				return errors.New("no network")
			}
			return nil
		}}
		during(t, l, ch, func() {
			l.stop()
			synctest.Wait() // the first try has failed
			l.release()
			time.Sleep(time.Hour)
			l.stop()
		})
		if diff := cmp.Diff([]string{"restart.required 1", "restart.required 4"}, ch.told); diff != "" {
			t.Errorf("tried (-want +got):\n%s", diff)
		}
	})
}

func TestAStopThatBeganAndEndedWhileTheChannelWasBusyIsNotNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog(t)
		ch := &channel{fail: func(int) error { time.Sleep(time.Minute); return nil }}
		during(t, l, ch, func() {
			l.stop()
			synctest.Wait() // it is being told
			l.release()
			l.stop()
			l.release()
			time.Sleep(time.Hour)
		})
		if diff := cmp.Diff([]string{"restart.required 1", "restart.acknowledged 2"}, ch.told); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

func TestAnOutcomeThatTheLogDoesNotTakeIsNotToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ch := newLog(t), &channel{}
		l.refuse = 5
		during(t, l, ch, func() {
			l.stop()
			time.Sleep(time.Hour)
		})
		if len(ch.told) != 1 || l.refuse != 0 || l.alerts() != "boot-main-1 delivered at try 1" {
			t.Errorf("told %v, refused %d times less than 5; the log: %s", ch.told, l.refuse, l.alerts())
		}
	})
}

func TestAStopThatObserveModeEndsIsToldToBeOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ch := newLog(t), &channel{}
		during(t, l, ch, func() {
			l.stop()
			synctest.Wait()
			l.write(events.GatewayContradicted{Ends: true})
		})
		if diff := cmp.Diff([]string{"restart.required 1", "gateway.contradicted 3"}, ch.told); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

func TestACommandThatFails(t *testing.T) {
	broken := func(n int) func(int) error {
		return func(try int) error {
			if try <= n {
				return &tell.TellError{ExitCode: 3, Text: "no route", Err: errors.New("exit status 3")}
			}
			return nil
		}
	}
	failed := func(try int, final bool) string {
		return fmt.Sprintf("boot-main-1 failed at try %d, final %t, exit 3: exit status 3: no route", try, final)
	}
	var always []string
	for try := range 12 {
		always = append(always, failed(try+1, try == 11))
	}
	for _, c := range []struct {
		name  string
		fails int
		want  []string
	}{
		{"twice, and then it works", 2, []string{failed(1, false), failed(2, false), "boot-main-1 delivered at try 3"}},
		{"always: it is given up", 99, always},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, ch := newLog(t), &channel{fail: broken(c.fails)}
				during(t, l, ch, func() {
					l.stop()
					time.Sleep(time.Hour)
				})
				during(t, l, ch, func() { time.Sleep(time.Hour) })
				if diff := cmp.Diff(strings.Join(c.want, "\n"), l.alerts()); diff != "" {
					t.Errorf("the log (-want +got):\n%s", diff)
				}
			})
		})
	}
}
