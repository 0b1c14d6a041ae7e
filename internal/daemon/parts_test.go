package daemon

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/store"
)

// calendar is a log that began its newest part at some time.
type calendar struct {
	mu     sync.Mutex // guards what follows
	begun  time.Time
	rolled []string
	broken error
}

func (c *calendar) Newest(context.Context) (time.Time, int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.begun, 1, nil
}

func (c *calendar) Roll(_ context.Context, reason string, now time.Time) (store.Rolled, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken == nil {
		c.rolled, c.begun = append(c.rolled, reason), now
	}
	return store.Rolled{}, c.broken
}

func (c *calendar) mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken = nil
}

func (c *calendar) times() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.rolled)
}

func TestALogIsRolledWhenItsMonthIsOver(t *testing.T) {
	east := time.FixedZone("east", 10*3600)
	for _, c := range []struct {
		name       string
		begun, now time.Time
		want       string
	}{
		{"a log without an event", time.Time{}, time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), ""},
		{"in the month that it began in", time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 31, 23, 59, 59, 0, time.UTC), ""},
		{"in the next one", time.Date(2026, 3, 31, 23, 0, 0, 0, time.UTC), time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), "the month 2026-03 is over"},
		{"in the next year", time.Date(2026, 12, 3, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), "the month 2026-12 is over"},
		{"after a clock that was set back", time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC), ""},
		{"by the calendar of UTC alone", time.Date(2026, 4, 1, 1, 0, 0, 0, east), time.Date(2026, 3, 31, 16, 0, 0, 0, time.UTC), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &calendar{begun: c.begun}
			if err := rollIfOver(t.Context(), l, c.now, slog.New(slog.DiscardHandler)); err != nil {
				t.Fatal(err)
			}
			got := ""
			if len(l.rolled) > 0 {
				got = l.rolled[0]
			}
			if got != c.want || len(l.rolled) > 1 {
				t.Errorf("rolled %q, want %q", l.rolled, c.want)
			}
		})
	}
}

func TestAMonthlyRollThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l := &calendar{begun: time.Now().AddDate(0, -1, 0), broken: errors.New("no answer")}
		go rollMonthly(ctx, l, slog.New(slog.DiscardHandler))
		synctest.Wait()
		l.mend()
		time.Sleep(rollAgain + time.Second)
		synctest.Wait()
		if n := l.times(); n != 1 {
			t.Errorf("rolled %d times", n)
		}
		time.Sleep(40 * 24 * time.Hour)
		synctest.Wait()
		if n := l.times(); n != 2 {
			t.Errorf("a month later: rolled %d times", n)
		}
		cancel()
		synctest.Wait()
	})
}

func TestWhenALogWillBeFull(t *testing.T) {
	now := time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name               string
		begun              time.Time
		bytes, used, limit int64
		want               string
	}{
		{"a tenth in ten days, of which nothing is left elsewhere", now.AddDate(0, 0, -10), 100, 100, 1000, "2026-06-09 00:00"},
		{"with rolled parts beside it", now.AddDate(0, 0, -10), 100, 900, 1000, "2026-03-21 00:00"},
		{"too young to tell", now.Add(-59 * time.Minute), 100, 100, 1000, ""},
		{"without an event", time.Time{}, 0, 900, 1000, ""},
		{"not for years", now.AddDate(0, 0, -10), 1, 1, 1 << 30, ""},
		{"full already", now.AddDate(0, 0, -10), 100, 1000, 1000, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if at := fullAt(now, c.begun, c.bytes, c.used, c.limit); !at.IsZero() {
				got = at.Format("2006-01-02 15:04")
			}
			if got != c.want {
				t.Errorf("full at %q, want %q", got, c.want)
			}
		})
	}
}
