package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"
	"ibrecorder/store/storetest"
)

// What somebody who reaches the server's API puts into a log is found by whoever
// reads it.
func TestAMessageThatIsNotTheNextEventEndsEveryReader(t *testing.T) {
	for _, c := range []struct {
		name, subject string
		data          func(head store.Head) []byte
		want          func(error) bool
	}{
		{"an event of a later sequence", prefix + "operator.noted",
			func(h store.Head) []byte { h.Seq++; return storetest.Next(t, gw, h, "note").Raw },
			func(err error) bool { var e *store.GapError; return errors.As(err, &e) && e.Want == 41 && e.Got == 42 }},
		{"no event", prefix + "operator.noted",
			func(store.Head) []byte { return []byte("{}") },
			func(err error) bool { var e *events.DecodeError; return errors.As(err, &e) }},
		{"an event of another gateway", prefix + "operator.noted",
			func(h store.Head) []byte { return storetest.Next(t, "live", h, "note").Raw },
			func(err error) bool { return errors.Is(err, events.ErrGateway) }},
		{"an event under another kind", prefix + "dial.started",
			func(h store.Head) []byte { return storetest.Next(t, gw, h, "note").Raw },
			func(err error) bool { return errors.Is(err, store.ErrDamaged) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openStore(t, t.TempDir())
			l, err := s.Log(t.Context(), gw)
			must(t, err)
			recs := storetest.Fill(t, l, gw, 40)
			_, err = s.JetStream().Publish(t.Context(), c.subject, c.data(storetest.HeadOf(recs[39])))
			must(t, err)
			last := func(seq func(func(events.Record, error) bool)) (err error) {
				for _, err = range seq {
				}
				return err
			}
			n := 0
			for _, err := range l.Read(t.Context(), 0, 0) {
				if err == nil {
					n++
				}
			}
			if n != 40 {
				t.Errorf("%d events can be read, want the 40 before it", n)
			}
			_, head := l.Head(t.Context())
			for name, err := range map[string]error{
				"head":       head,
				"short read": last(l.Read(t.Context(), 41, 41)),
				"tail":       last(l.Tail(t.Context(), 30)),
				"consume":    l.Consume(t.Context(), "pager", nil, func(context.Context, events.Record) error { return nil }),
			} {
				if !c.want(err) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

func TestReadersLeaveNoConsumerBehind(t *testing.T) {
	l := openLog(t, t.TempDir())
	storetest.Fill(t, l, gw, 100)
	for range 3 {
		for _, err := range l.Read(t.Context(), 0, 0) {
			if err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		for range l.Tail(ctx, 99) {
			cancel()
		}
		cancel()
	}
	info, err := l.Stream().Info(t.Context())
	if err != nil || info.State.Consumers != 0 {
		t.Errorf("%d consumers, %v", info.State.Consumers, err)
	}
}

func TestCloseEndsEveryReader(t *testing.T) {
	s := openStore(t, t.TempDir())
	l, err := s.Log(t.Context(), gw)
	if err != nil {
		t.Fatal(err)
	}
	storetest.Fill(t, l, gw, 2)
	ended := make(chan error, 2)
	reached := make(chan struct{}, 2)
	go func() {
		var last error
		for rec, err := range l.Tail(t.Context(), 1) {
			if last = err; rec.Seq == 2 {
				reached <- struct{}{}
			}
		}
		ended <- last
	}()
	go func() {
		ended <- l.Consume(t.Context(), "pager", nil, func(_ context.Context, rec events.Record) error {
			if rec.Seq == 2 {
				reached <- struct{}{}
			}
			return nil
		})
	}()
	<-reached
	<-reached
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-ended; !errors.Is(err, store.ErrClosed) {
			t.Errorf("a reader ended with %v", err)
		}
	}
	if _, err := l.Head(t.Context()); !errors.Is(err, store.ErrClosed) {
		t.Errorf("head of a closed store: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func TestTheLogInMemoryLivesInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := store.NewMemory(gw)
		ctx, cancel := context.WithCancel(t.Context())
		var tries int
		start := time.Now()
		go func() {
			time.Sleep(time.Hour)
			storetest.Fill(t, l, gw, 1)
		}()
		_ = l.Consume(ctx, "pager", nil, func(context.Context, events.Record) error {
			if tries++; tries < 4 {
				return errors.New("the pager is busy")
			}
			cancel()
			return nil
		})
		if want := time.Hour + 1750*time.Millisecond; time.Since(start) != want {
			t.Errorf("handled after %v, want %v", time.Since(start), want)
		}
	})
}

func TestAGapSaysWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		gap  store.GapError
		says string
	}{
		{store.GapError{Want: 41, Got: 42, What: "event sequence"}, "event sequence 41 is missing, found 42;"},
		{store.GapError{Want: 41, What: "stream sequence"}, "stream sequence 41 is missing, found nothing;"},
		{store.GapError{Want: 41, Got: 40, What: "number of events"}, "41 events should be there, found 40;"},
	} {
		if says := c.gap.Error(); !strings.Contains(says, c.says) {
			t.Errorf("%s\nwant %s", says, c.says)
		}
	}
}
