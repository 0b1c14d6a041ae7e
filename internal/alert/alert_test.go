package alert_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
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
				return &alert.TellError{ExitCode: 3, Text: "no route", Err: errors.New("exit status 3")}
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

// stopEvent is an event to tell of.
func stopEvent(t *testing.T) events.Record {
	l := newLog(t)
	l.stop()
	for rec, err := range l.Read(t.Context(), 1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	panic("unreachable")
}

func TestTheCommandGetsTheEventAsItIsStored(t *testing.T) {
	rec := stopEvent(t)
	out := filepath.Join(t.TempDir(), "out")
	err := alert.Command{Line: "cat > " + out + "; echo $RECORDER_GATEWAY $RECORDER_KIND >> " + out}.Tell(t.Context(), notice.Notice{Gateway: "main", Record: rec})
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	want := string(rec.Raw) + "\nmain restart.required\n"
	if string(got) != want {
		t.Errorf("it got\n%s\nwant\n%s\n%s", got, want, hex.Dump(got))
	}
}

func TestWhatACommandSaysIsTheReason(t *testing.T) {
	for _, c := range []struct {
		name, line string
		code       int64
		text       string
	}{
		{"its exit status and its last words", "echo no network >&2; exit 7", 7, "no network"},
		{"it does not exist", "no-such-command-anywhere", 127, ""},
		{"it talks much in no language", "head -c 100000 /dev/urandom >&2; echo; echo the end >&2; exit 1", 1, "the end"},
		{"it talks much", "head -c 100000 /dev/zero | tr '\\0' x >&2; echo the end >&2; exit 1", 1, "the end"},
		{"it does not read its input", "exit 0", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := alert.Command{Line: c.line}.Tell(t.Context(), notice.Notice{Gateway: "main", Record: stopEvent(t)})
			if c.code == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e, ok := errors.AsType[*alert.TellError](err)
			if !ok || e.ExitCode != c.code {
				t.Fatalf("%#v", err)
			}
			if stored := events.NewRedactor(make([]byte, 16)).Text(e.Error()); !strings.HasSuffix(stored, c.text) {
				t.Errorf("the log has %q, want it to end with %q", stored, c.text)
			}
		})
	}
}

func TestACommandThatHangsIsEnded(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	began := time.Now()
	err := alert.Command{Line: "sleep 600 & echo $! > " + pidFile + "; wait", Timeout: 200 * time.Millisecond}.Tell(t.Context(), notice.Notice{Gateway: "main", Record: stopEvent(t)})
	if err == nil || !strings.Contains(err.Error(), "longer than 200ms") {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	pid, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	for stat := filepath.Join("/proc", strings.TrimSpace(string(pid)), "stat"); ; time.Sleep(time.Millisecond) {
		state, err := os.ReadFile(stat)
		if err != nil || strings.Contains(string(state), ") Z ") {
			return // the kernel takes a moment to clear away what was killed
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("what the command started still runs: %s", state)
		}
	}
}

// begun runs a command whose line first opens the pipe, and returns when it runs.
func begun(t *testing.T, line string) (end context.CancelFunc, told <-chan error) {
	t.Helper()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	run, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	rec := stopEvent(t)
	go func() {
		ended <- alert.Command{Line: "echo > " + pipe + "; " + line}.Tell(run, notice.Notice{Gateway: "main", Record: rec})
	}()
	if _, err := os.ReadFile(pipe); err != nil {
		t.Fatal(err)
	}
	return end, ended
}

func TestACommandThatIsNearlyDoneIsNotCutShortByTheEndOfTheRun(t *testing.T) {
	end, told := begun(t, "sleep 0.05")
	end()
	if err := <-told; err != nil {
		t.Errorf("%v, want that it was told", err)
	}
}

func TestTheEndOfTheRunEndsACommand(t *testing.T) {
	began := time.Now()
	end, told := begun(t, "sleep 600")
	end()
	if err := <-told; err == nil {
		t.Error("a command that was killed has told somebody")
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}
