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
// every append against the sequence it expects. It says so with one of two codes.
func TestAppendChecksTheExpectedSequence(t *testing.T) {
	for _, code := range []string{"10071", "10164"} {
		t.Run(code, func(t *testing.T) {
			said := &saying{from: []byte(`"err_code":10071`), to: []byte(`"err_code":` + code)}
			s, err := store.Open(t.Context(), store.Config{Dir: t.TempDir()}.Through(said.wrap))
			must(t, err)
			defer s.Close()
			ours, err := s.Log(t.Context(), gw)
			must(t, err)
			recs := storetest.Fill(t, ours, gw, 2)
			must(t, ours.Mark(store.Mark{Gateway: gw, Seq: 2, Hash: recs[1].Hash()}, true))
			theirs, err := s.SecondWriter(t.Context(), gw)
			must(t, err)
			must(t, ours.Append(t.Context(), storetest.Next(t, gw, storetest.HeadOf(recs[1]), "ours")))
			other := storetest.Next(t, gw, storetest.HeadOf(recs[1]), "theirs")
			other.ID = "b2-paper-3"
			other, err = events.NewRecord(other.Event)
			must(t, err)
			if err := theirs.Append(t.Context(), other); !errors.Is(err, store.ErrConflict) {
				t.Errorf("another event: %v, want a conflict", err)
			}
			if said.times.Load() == 0 {
				t.Errorf("the server never said %s", said.from)
			}
			head, err := ours.Head(t.Context())
			if err != nil || head.Seq != 3 || head.ID != "b1-paper-3" {
				t.Errorf("head %v, %v; want ours at 3", head, err)
			}
		})
	}
}

// saying puts other words of the same length into what the server says.
type saying struct {
	from, to []byte
	times    atomic.Int64
}

func (s *saying) wrap(c net.Conn) net.Conn { return &sayingConn{c, s} }

type sayingConn struct {
	net.Conn
	s *saying
}

func (c *sayingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.s.times.Add(int64(bytes.Count(b[:n], c.s.from)))
	copy(b, bytes.ReplaceAll(b[:n], c.s.from, c.s.to))
	return n, err
}

// An append is one message: no index, no snapshot and no second stream beside it
// could come to disagree with the log.
func TestAnAppendIsOneWrite(t *testing.T) {
	w := &wire{}
	s, err := store.Open(t.Context(), store.Config{Dir: t.TempDir()}.Through(w.wrap))
	must(t, err)
	defer s.Close()
	l, err := s.Log(t.Context(), gw)
	must(t, err)
	before := s.Server().NumSubscriptions()
	storetest.Fill(t, l, gw, 20)
	info, err := s.JetStream().AccountInfo(t.Context())
	if err != nil || w.count() != 20 || info.Streams != 1 || info.Consumers != 0 || s.Server().NumSubscriptions() != before {
		t.Errorf("%d messages for 20 events, %+v, %v", w.count(), info, err)
	}
	if in, err := l.Stream().Info(t.Context()); err != nil || in.State.Msgs != 20 {
		t.Errorf("%+v, %v", in.State, err)
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

// The server may lose events while it runs; that is nobody's append.
func TestALogThatLostEventsUnderItsWriterIsNoConflict(t *testing.T) {
	s := openStore(t, t.TempDir())
	l, err := s.Log(t.Context(), gw)
	must(t, err)
	recs := storetest.Fill(t, l, gw, 5)
	cfg := l.Stream().CachedInfo().Config
	must(t, s.JetStream().DeleteStream(t.Context(), cfg.Name))
	for deadline := time.Now().Add(10 * time.Second); ; { // the server may still be clearing away the old one
		if _, err = s.JetStream().CreateStream(t.Context(), cfg); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	err = l.Append(t.Context(), storetest.Next(t, gw, storetest.HeadOf(recs[4]), "the sixth"))
	var gap *store.GapError
	if !errors.As(err, &gap) || gap.Want != 1 || errors.Is(err, store.ErrConflict) {
		t.Errorf("%v, want that event 1 is missing", err)
	}
}

func firstOf(seq func(func(events.Record, error) bool)) (rec events.Record, err error) {
	for rec, err := range seq {
		return rec, err
	}
	return rec, errors.New("nothing to read")
}
