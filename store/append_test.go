package store_test

import (
	"bytes"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"
	"ibrecorder/store/storetest"
)

// A second writer that got past the lock still cannot append: the server holds
// every append against the sequence it expects.
func TestAppendChecksTheExpectedSequence(t *testing.T) {
	s := openStore(t, t.TempDir())
	ours, err := s.Log(t.Context(), gw)
	if err != nil {
		t.Fatal(err)
	}
	recs := storetest.Fill(t, ours, gw, 2)
	if err := ours.Mark(store.Mark{Gateway: gw, Seq: 2, Hash: recs[1].Hash()}, true); err != nil {
		t.Fatal(err)
	}
	theirs, err := s.SecondWriter(t.Context(), gw)
	if err != nil {
		t.Fatal(err)
	}
	if err := ours.Append(t.Context(), storetest.Next(t, gw, storetest.HeadOf(recs[1]), "ours")); err != nil {
		t.Fatal(err)
	}
	other := storetest.Next(t, gw, storetest.HeadOf(recs[1]), "theirs")
	other.ID = "b2-paper-3"
	other, err = events.NewRecord(other.Event)
	if err != nil {
		t.Fatal(err)
	}
	if err := theirs.Append(t.Context(), other); !errors.Is(err, store.ErrConflict) {
		t.Errorf("another event: %v, want a conflict", err)
	}
	head, err := ours.Head(t.Context())
	if err != nil || head.Seq != 3 || head.ID != "b1-paper-3" {
		t.Errorf("head %v, %v; want ours at 3", head, err)
	}
}

func TestTheSameIDWithOtherBytesIsAForkForAStaleWriterToo(t *testing.T) {
	s := openStore(t, t.TempDir())
	ours, err := s.Log(t.Context(), gw)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := s.SecondWriter(t.Context(), gw)
	if err != nil {
		t.Fatal(err)
	}
	if err := ours.Append(t.Context(), storetest.Next(t, gw, store.Head{}, "ours")); err != nil {
		t.Fatal(err)
	}
	if err := theirs.Append(t.Context(), storetest.Next(t, gw, store.Head{}, "theirs")); !errors.Is(err, store.ErrForked) {
		t.Errorf("%v, want a fork", err)
	}
	if err := theirs.Append(t.Context(), storetest.Next(t, gw, store.Head{}, "ours")); err != nil {
		t.Errorf("the very same event: %v, want success", err)
	}
}

// lossy loses everything that comes back on a connection, once it was told to
// and an append went out.
type lossy struct {
	net.Conn
	armed *atomic.Bool
	lost  atomic.Bool
}

func (c *lossy) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("Nats-Msg-Id")) && c.armed.CompareAndSwap(true, false) {
		c.lost.Store(true)
	}
	return c.Conn.Write(b)
}

func (c *lossy) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err == nil && c.lost.Load() {
		c.Conn.Close()
		return 0, net.ErrClosed
	}
	return n, err
}

func TestALostAckIsResolvedByReadingBack(t *testing.T) {
	var armed atomic.Bool
	cfg := store.Config{Dir: t.TempDir(), Timeout: 300 * time.Millisecond}
	s, err := store.Open(t.Context(), cfg.Through(func(c net.Conn) net.Conn { return &lossy{Conn: c, armed: &armed} }))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	l, err := s.Log(t.Context(), gw)
	if err != nil {
		t.Fatal(err)
	}
	recs := storetest.Fill(t, l, gw, 5)
	rec := storetest.Next(t, gw, storetest.HeadOf(recs[4]), "its ack gets lost")
	armed.Store(true)
	if err := l.Append(t.Context(), rec); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("append whose ack is lost: %v, want it to be unknown", err)
	}
	for {
		err := l.Append(t.Context(), rec)
		if err == nil {
			break
		}
		if !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("append again: %v", err)
		}
	}
	var n int
	for got, err := range l.Read(t.Context(), 0, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; got.Seq == 6 && !bytes.Equal(got.Raw, rec.Raw) {
			t.Errorf("event 6 is another")
		}
	}
	if n != 6 {
		t.Errorf("%d events, want 6: none twice, none lost", n)
	}
}

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

func firstOf(seq func(func(events.Record, error) bool)) (rec events.Record, err error) {
	for rec, err := range seq {
		return rec, err
	}
	return rec, errors.New("nothing to read")
}
