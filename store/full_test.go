package store_test

import (
	"errors"
	"strings"
	"testing"

	"ibrecorder/events"
	"ibrecorder/store"
	"ibrecorder/store/storetest"
)

func TestFullStreamRefusesAndKeepsWhatItHas(t *testing.T) {
	dir := t.TempDir()
	cfg := store.Config{Dir: dir, MaxBytes: 50 << 10}
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.Log(t.Context(), gw)
	if err != nil {
		t.Fatal(err)
	}
	var head store.Head
	var rec events.Record
	for {
		rec = storetest.Next(t, gw, head, "note")
		if err = l.Append(t.Context(), rec); err != nil {
			break
		}
		head = storetest.HeadOf(rec)
	}
	if !errors.Is(err, store.ErrFull) || head.Seq < 50 {
		t.Fatalf("after %d events: %v, want the log to be full", head.Seq, err)
	}
	used, limit, err := l.Usage(t.Context())
	if err != nil || limit != 50<<10 || used > limit || used < limit*9/10 {
		t.Errorf("usage %d of %d, %v", used, limit, err)
	}
	first, err := firstOf(l.Read(t.Context(), 1, 1))
	if err != nil || first.Seq != 1 {
		t.Errorf("the oldest event is %d, %v", first.Seq, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	cfg.MaxBytes = 60 << 10 // the operator makes room, and the same event goes in
	if s, err = store.Open(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if l, err = s.Log(t.Context(), gw); err != nil {
		t.Fatal(err)
	}
	if err := l.Append(t.Context(), rec); err != nil {
		t.Errorf("append with more room: %v", err)
	}
}

// Nothing here has a small disk; the free room is what the test says.
func TestTheLimitFollowsTheFreeDisk(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		name      string
		max, free int64
		want      int64
	}{
		{"room enough", 512 * mib, 10 << 30, 512 * mib},
		{"less room than the limit", 512 * mib, 100 * mib, 36 * mib},
		{"no room beside the reserve", 512 * mib, 64 * mib, 1},
		{"less than the reserve", 512 * mib, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := store.Open(t.Context(), store.Config{Dir: t.TempDir(), MaxBytes: c.max}.OnDisk(func() int64 { return c.free }))
			must(t, err)
			defer s.Close()
			l, err := s.Log(t.Context(), gw)
			must(t, err)
			used, limit, err := l.Usage(t.Context())
			if err != nil || used != 0 || limit != c.want {
				t.Errorf("%d of %d, %v; want a limit of %d", used, limit, err, c.want)
			}
		})
	}
}

func TestAFullLogTakesEventsAgainWhenItsDiskHasRoom(t *testing.T) {
	dir := logOf(t, 40, 8<<10)
	var free int64
	s, err := store.Open(t.Context(), store.Config{Dir: dir}.OnDisk(func() int64 { return free }))
	must(t, err)
	defer s.Close()
	l, err := s.Log(t.Context(), gw)
	must(t, err)
	head, err := l.Head(t.Context()) // reading needs no room
	must(t, err)
	rec := storetest.Next(t, gw, head, "note")
	for range 2 {
		if err := l.Append(t.Context(), rec); !errors.Is(err, store.ErrFull) || !strings.Contains(err.Error(), "make room on its disk") {
			t.Errorf("%v, want that the log is full and what to do", err)
		}
	}
	free = 1 << 30
	if err := l.Append(t.Context(), rec); err != nil {
		t.Errorf("the operator made room: %v", err)
	}
	if head, err := l.Head(t.Context()); err != nil || head != storetest.HeadOf(rec) {
		t.Errorf("head %v, %v", head, err)
	}
}

// More than an append needs, and less than a log leaves free when it is opened.
func TestALogThatIsOpenedOnASmallDiskSaysHowMuchRoomItWants(t *testing.T) {
	s, err := store.Open(t.Context(), store.Config{Dir: t.TempDir()}.OnDisk(func() int64 { return 40 << 20 }))
	must(t, err)
	defer s.Close()
	l, err := s.Log(t.Context(), gw)
	must(t, err)
	err = l.Append(t.Context(), storetest.Next(t, gw, store.Head{}, "note"))
	if want := "41943040 bytes are free on its disk, and a log grows into no more than leaves 67108864; make room on its disk"; !errors.Is(err, store.ErrFull) || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// The server would keep the first write error until it is started again.
func TestADiskThatOthersFillIsNotWrittenTo(t *testing.T) {
	free := int64(1 << 30)
	s, err := store.Open(t.Context(), store.Config{Dir: t.TempDir()}.OnDisk(func() int64 { return free }))
	must(t, err)
	defer s.Close()
	l, err := s.Log(t.Context(), gw)
	must(t, err)
	rec := storetest.Next(t, gw, store.Head{}, "note")
	free = 1 << 20
	if err := l.Append(t.Context(), rec); !errors.Is(err, store.ErrFull) || !strings.Contains(err.Error(), "make room on its disk") {
		t.Errorf("%v, want that the log is full and what to do", err)
	}
	if head, err := l.Head(t.Context()); err != nil || head.Seq != 0 {
		t.Errorf("head %v, %v; want that nothing was written", head, err)
	}
	free = 1 << 30
	if err := l.Append(t.Context(), rec); err != nil {
		t.Errorf("there is room again: %v", err)
	}
}

// What is left of the disk is what the log has for stops and operators. A roll must not
// take it away: the sealed part takes nothing more.
func TestARollOnADiskThatOthersFillKeepsWhatTheLogHadLeft(t *testing.T) {
	free := int64(1 << 30)
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Config{Dir: dir, MaxBytes: 1 << 20}.OnDisk(func() int64 { return free }))
	must(t, err)
	defer s.Close()
	l, err := s.Log(t.Context(), gw)
	must(t, err)
	storetest.Fill(t, l, gw, 20)
	free = 30 << 20
	before := l.Room()
	for range 2 {
		_, err = l.Roll(t.Context(), "", rolledAt)
		must(t, err)
		if used, limit, err := l.Usage(t.Context()); err != nil || limit != 1<<20 || l.Room().Percent != before.Percent {
			t.Errorf("%d of %d, %v; want the limit of before, and %d percent", used, limit, err, before.Percent)
		}
		head := storetest.HeadOf(storetest.Fill(t, l, gw, 20)[19])
		must(t, l.Mark(store.Mark{Gateway: gw, Seq: head.Seq, Hash: head.Hash}, true))
	}
	done, err := l.Archive(t.Context(), t.TempDir(), keepNothing)
	if err != nil || len(done) != 2 {
		t.Errorf("archived %d, %v; want both parts", len(done), err)
	}
	storetest.Fill(t, l, gw, 20)
	free = 10 << 20
	if _, err := l.Roll(t.Context(), "", rolledAt); !errors.Is(err, store.ErrFull) || !strings.Contains(err.Error(), "make room on its disk") {
		t.Errorf("%v, want that nothing is rolled where nothing would be taken", err)
	}
	free = 1 << 30
	storetest.Fill(t, l, gw, 1) // into the part that was not sealed
	if used, limit, err := l.Usage(t.Context()); err != nil || used == 0 || len(l.Rolled()) != 0 {
		t.Errorf("%d of %d, %v, %d rolled", used, limit, err, len(l.Rolled()))
	}
}
