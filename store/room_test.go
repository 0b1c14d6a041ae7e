package store_test

import (
	"sync/atomic"
	"testing"

	"ibrecorder/store"
	"ibrecorder/store/storetest"
)

func TestTheRoomInALogIsKnownAtEachEvent(t *testing.T) {
	dir := t.TempDir()
	var free atomic.Int64
	free.Store(10 << 30)
	s, err := store.Open(t.Context(), store.Config{Dir: dir, MaxBytes: 1 << 20}.OnDisk(free.Load))
	must(t, err)
	defer func() { must(t, s.Close()) }()
	l, err := s.Log(t.Context(), gw)
	must(t, err)
	for range 30 {
		recs := storetest.Fill(t, l, gw, 40)
		head := storetest.HeadOf(recs[39])
		must(t, l.Mark(store.Mark{Gateway: gw, Seq: head.Seq, Hash: head.Hash}, true))
		used, limit, err := l.Usage(t.Context())
		must(t, err)
		if r := l.Room(); r.Limit != limit || r.Used < used-limit/100 || r.Used > used+limit/100 || r.Percent < int(used*100/limit)-1 || r.Percent > int(used*100/limit)+1 {
			t.Fatalf("the room is said to be %+v, and %d of %d bytes are used", r, used, limit)
		}
	}
	before := l.Room()
	_, err = l.Roll(t.Context(), "", rolledAt)
	must(t, err)
	if r := l.Room(); r.Percent < before.Percent-1 {
		t.Errorf("a roll makes no room: %+v, and before %+v", r, before)
	}
	storetest.Fill(t, l, gw, 1)
	recs := storetest.Fill(t, l, gw, 1)
	must(t, l.Mark(store.Mark{Gateway: gw, Seq: recs[0].Seq, Hash: recs[0].Hash()}, true))
	_, err = l.Archive(t.Context(), t.TempDir(), keepNothing)
	must(t, err)
	if r := l.Room(); r.Percent > 1 || r.Limit != 1<<20 {
		t.Errorf("an archive makes room: %+v, and before %+v", r, before)
	}
	for _, c := range []struct {
		name    string
		free    int64
		percent int
	}{
		{"a disk with room", 10 << 30, 0},
		{"one that has what is reserved", 64 << 20, 80},
		{"one that has half of it", 32 << 20, 95},
		{"one that is not written to any more", 16 << 20, 100},
		{"one that is full", 0, 100},
	} {
		free.Store(c.free)
		if r := l.Room(); r.Percent != c.percent || r.Limit > r.Used+max(0, c.free-16<<20) {
			t.Errorf("%s: %+v, want %d percent", c.name, r, c.percent)
		}
	}
}
