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
	boots  int
	start  time.Time // of this boot
	refuse int       // outcomes that are not taken
}

func newLog(t *testing.T) *log {
	l := &log{Memory: store.NewMemory("main"), t: t}
	l.reboot()
	return l
}

// reboot begins another run.
func (l *log) reboot() { l.boots, l.start = l.boots+1, time.Now() }

func (l *log) boot() string { return fmt.Sprintf("boot%d", l.boots) }

func (l *log) Submit(ctx context.Context, d events.Draft) (events.Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, outcome := d.Data.(events.AlertDelivered); outcome && l.refuse > 0 {
		l.refuse--
		return events.Record{}, errors.New("the log does not keep up")
	}
	if ctx.Err() != nil {
		return events.Record{}, ctx.Err()
	}
	head, err := l.Head(ctx)
	if err != nil {
		return events.Record{}, err
	}
	rec, err := events.NewRecord(events.NewRedactor(make([]byte, 16)).Event(d, events.Stamp{
		Gateway: "main", Time: time.Now().UTC(), Seq: head.Seq + 1, Boot: l.boot(), Mono: int64(time.Since(l.start)), Prev: head.Hash,
	}))
	if err != nil {
		return rec, err
	}
	return rec, l.Append(ctx, rec)
}

func (l *log) write(data events.Payload) events.Record {
	return l.writeAs("/recorder", "", data)
}

func (l *log) writeAs(source, cause string, data events.Payload) events.Record {
	l.t.Helper()
	rec, err := l.Submit(l.t.Context(), events.Draft{Source: source, Cause: cause, Data: data})
	if err != nil {
		l.t.Fatal(err)
	}
	return rec
}

func (l *log) stop() events.Record {
	return l.write(events.RestartRequired{Policy: strings.Repeat("0", 64), Reason: events.DownSilent, Enforced: true})
}

func (l *log) release() {
	l.write(events.RestartAcknowledged{Basis: events.BasisWord, By: "kim"})
}

// outcomes are what the log says of a channel's tries.
func (l *log) outcomes() string {
	var out []string
	for rec, err := range l.Read(l.t.Context(), 1, 0) {
		if err != nil {
			l.t.Fatal(err)
		}
		switch d := rec.Data.(type) {
		case events.AlertDelivered:
			out = append(out, fmt.Sprintf("%s delivered at try %d", d.Channel, d.Tries))
		case events.AlertFailed:
			out = append(out, fmt.Sprintf("%s failed at try %d, final %t, exit %d: %s", d.Channel, d.Try, d.Final, d.ExitCode, d.Text))
		}
	}
	return strings.Join(out, "\n")
}

// channel records what it is told.
type channel struct {
	name string
	mu   sync.Mutex
	told []string       // also what it did not take
	came []string       // what it took
	keys map[string]int // how often each came
	fail func(try int) error
}

func newChannel(name string) *channel { return &channel{name: name, keys: map[string]int{}} }

func (c *channel) Name() string { return c.name }

func (c *channel) Tell(_ context.Context, n notice.Notice) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = append(c.told, fmt.Sprintf("%s %s", n.Kind, n.Incident))
	if c.fail != nil {
		if err := c.fail(len(c.told)); err != nil {
			return err
		}
	}
	c.keys[n.Key]++
	c.came = append(c.came, c.told[len(c.told)-1])
	return nil
}

// settings are the usual ones.
func settings(channels ...*channel) alert.Settings {
	s := alert.Settings{Remind: 30 * time.Minute, Most: 8, Outage: 10 * time.Minute}
	for _, ch := range channels {
		s.Channels = append(s.Channels, ch.name)
	}
	return s
}

// killed is what a kill leaves: the log, and no position of any consumer, which is worse
// than what happens.
func (l *log) killed() *log {
	l.t.Helper()
	again := &log{Memory: store.NewMemory("main"), t: l.t, boots: l.boots}
	again.reboot()
	for rec, err := range l.Read(l.t.Context(), 1, 0) {
		if err == nil {
			err = again.Append(l.t.Context(), rec)
		}
		if err != nil {
			l.t.Fatal(err)
		}
	}
	return again
}

// during is a run: a clerk and a subscriber for each channel, while f does something.
func during(t *testing.T, l *log, s alert.Settings, f func(), channels ...*channel) *alert.Clerk {
	t.Helper()
	var all []alert.Channel
	for _, ch := range channels {
		all = append(all, ch)
	}
	return runWith(t, l, s, f, all...)
}

func runWith(t *testing.T, l *log, s alert.Settings, f func(), channels ...alert.Channel) *alert.Clerk {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	run := func(what string, f func(context.Context) error) {
		running.Go(func() {
			if err := f(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", what, err)
			}
		})
	}
	logger := slog.New(slog.DiscardHandler)
	clerk := alert.NewClerk(alert.ClerkConfig{Gateway: "main", Log: l, Desk: l, Boot: l.boot(), Start: l.start, Settings: s, Logger: logger})
	run("clerk", clerk.Run)
	for _, ch := range channels {
		run(ch.Name(), alert.Subscriber{Log: l, Desk: l, Channel: ch, Words: notice.Words{Remind: s.Remind, Most: s.Most}, Logger: logger}.Run)
	}
	synctest.Wait()
	f()
	synctest.Wait()
	cancel()
	running.Wait()
	return clerk
}

func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestToldOnceAcrossRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ch := newLog(t), newChannel("phone")
		s := settings(ch)
		during(t, l, s, func() { l.stop() }, ch)
		l.reboot()
		during(t, l, s, func() {}, ch)
		l.reboot()
		during(t, l, s, func() { l.release(); synctest.Wait(); l.stop() }, ch)
		l.reboot()
		during(t, l, s, func() { l.release() }, ch)
		same(t, "told", []string{"stop main-1", "over main-1", "stop main-7", "over main-7"}, ch.told)
	})
}

func TestARunThatDiedBeforeItsAckTellsNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ch := newLog(t), newChannel("phone")
		during(t, l, settings(ch), func() { l.stop() }, ch)
		again := l.killed()
		during(t, again, settings(ch), func() {}, ch)
		same(t, "told", []string{"stop main-1"}, ch.told)
	})
}

func TestWhatIsOverIsNotNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ch := newLog(t), newChannel("phone")
		during(t, l, settings(), func() { // nobody listens yet
			l.stop()
			synctest.Wait()
			time.Sleep(31 * time.Minute)
			l.release()
			synctest.Wait()
			l.write(events.GatewayContradicted{})
			l.stop()
		})
		during(t, l, settings(ch), func() {}, ch)
		same(t, "told", []string{"stop main-7"}, ch.told)
	})
}

func TestAStopThatEndsBeforeAnybodyCouldBeTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ch := newLog(t), newChannel("phone")
		ch.fail = func(try int) error {
			if try == 1 {
				return errors.New("no network")
			}
			return nil
		}
		during(t, l, settings(ch), func() {
			l.stop()
			synctest.Wait() // the first try has failed
			l.release()
			time.Sleep(time.Minute)
			l.stop()
			time.Sleep(time.Minute)
		}, ch)
		same(t, "tried", []string{"stop main-1", "stop main-6"}, ch.told)
	})
}

func TestAStopThatBeganAndEndedWhileTheChannelWasBusyIsNotNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ch := newLog(t), newChannel("phone")
		ch.fail = func(int) error { time.Sleep(time.Minute); return nil }
		during(t, l, settings(ch), func() {
			l.stop()
			synctest.Wait() // it is being told
			l.release()
			synctest.Wait()
			l.stop()
			synctest.Wait()
			l.release()
			time.Sleep(time.Hour)
		}, ch)
		same(t, "told", []string{"stop main-1", "over main-1"}, ch.told)
	})
}

func TestAnOutcomeThatTheLogDoesNotTakeIsNotToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ch := newLog(t), newChannel("phone")
		l.refuse = 5
		during(t, l, settings(ch), func() {
			l.stop()
			time.Sleep(10 * time.Minute)
		}, ch)
		if len(ch.told) != 1 || l.refuse != 0 || l.outcomes() != "phone delivered at try 1" {
			t.Errorf("told %v, refused %d times less than 5; the log: %s", ch.told, l.refuse, l.outcomes())
		}
	})
}

func TestAStopThatObserveModeEndsIsToldToBeOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ch := newLog(t), newChannel("phone")
		during(t, l, settings(ch), func() {
			l.stop()
			synctest.Wait()
			l.write(events.GatewayContradicted{Ends: true})
		}, ch)
		same(t, "told", []string{"stop main-1", "over main-1"}, ch.told)
	})
}

func TestAStopIsRemindedOfUntilSomebodyAcknowledges(t *testing.T) {
	reminders := func(n int) (out []string) {
		for range n {
			out = append(out, "reminder main-1")
		}
		return out
	}
	for _, c := range []struct {
		name string
		do   func(l *log)
		want []string
	}{
		{"nobody does: eight times and no more", func(*log) { time.Sleep(24 * time.Hour) }, append([]string{"stop main-1"}, reminders(8)...)},
		{"somebody does after the second", func(l *log) {
			time.Sleep(61 * time.Minute)
			l.writeAs("/operator/cli", "", events.AlertAcknowledged{Incident: "main-1", Raised: 2, By: "kim"})
			time.Sleep(24 * time.Hour)
		}, append([]string{"stop main-1"}, reminders(2)...)},
		{"another alert is acknowledged", func(l *log) {
			l.writeAs("/operator/cli", "", events.AlertAcknowledged{Incident: "main-0", Raised: 1, By: "kim"})
			time.Sleep(31 * time.Minute)
		}, append([]string{"stop main-1"}, reminders(1)...)},
		{"it ends, acknowledged or not", func(l *log) {
			time.Sleep(31 * time.Minute)
			l.writeAs("/operator/cli", "", events.AlertAcknowledged{Incident: "main-1", Raised: 2, By: "kim"})
			l.release()
			time.Sleep(24 * time.Hour)
		}, append(append([]string{"stop main-1"}, reminders(1)...), "over main-1")},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, ch := newLog(t), newChannel("phone")
				during(t, l, settings(ch), func() {
					l.stop()
					synctest.Wait()
					c.do(l)
				}, ch)
				same(t, "told", c.want, ch.told)
			})
		})
	}
}

func TestAnAcknowledgementOfAnotherRunCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ch := newLog(t), newChannel("phone")
		during(t, l, settings(ch), func() {
			l.stop()
			time.Sleep(31 * time.Minute)
			l.writeAs("/operator/cli", "", events.AlertAcknowledged{Incident: "main-1", Raised: 2, By: "kim"})
		}, ch)
		l.reboot()
		clerk := during(t, l, settings(ch), func() { time.Sleep(5 * time.Hour) }, ch)
		same(t, "told", []string{"stop main-1", "reminder main-1"}, ch.told)
		if a := clerk.View().Stop; a.Reminders != 1 || a.Acknowledged.Seq == 0 {
			t.Errorf("the second run knows of %d reminders, acknowledged at %d", a.Reminders, a.Acknowledged.Seq)
		}
	})
}

func TestARecorderThatIsKilledAgainAndAgainRemindsAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ch := newLog(t), newChannel("phone")
		during(t, l, settings(ch), func() { l.stop() }, ch)
		for range 7 { // a run of a quarter of an hour is shorter than the wait
			l.reboot()
			during(t, l, settings(ch), func() { time.Sleep(15*time.Minute + time.Second) }, ch)
		}
		same(t, "told", []string{"stop main-1", "reminder main-1", "reminder main-1", "reminder main-1"}, ch.told)
	})
}
