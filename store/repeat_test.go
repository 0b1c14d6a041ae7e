package store_test

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"
	"ibrecorder/store/storetest"

	"github.com/nats-io/nats.go/jetstream"
)

// wire stands between the client and the embedded server and breaks one append.
type wire struct {
	forget bool // the server learns no id, as if its window of two minutes had passed

	mu     sync.Mutex // guards the rest
	breaks breakage
	late   []byte // the append that is under way
	lost   net.Conn
	sent   int // appends that reached the server
}

type breakage int

const (
	nothing  breakage = iota
	loseAck           // the append arrives, and everything that comes back is lost
	holdBack          // the connection breaks, and the append arrives with its repetition
)

func (w *wire) arm(b breakage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.breaks = b
}

func (w *wire) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent
}

func (w *wire) wrap(c net.Conn) net.Conn { return &wired{c, w} }

type wired struct {
	net.Conn
	w *wire
}

var id, noID = []byte("Nats-Msg-Id:"), []byte("Nats-Not-Id:")

func (c *wired) Write(b []byte) (int, error) {
	if !bytes.Contains(b, id) {
		return c.Conn.Write(b)
	}
	c.w.mu.Lock()
	n, late := len(b), c.w.late
	if c.w.forget {
		b = bytes.ReplaceAll(b, id, noID)
	}
	switch c.w.breaks {
	case holdBack:
		c.w.breaks, c.w.late = nothing, bytes.Clone(b)
		c.w.mu.Unlock()
		return n, c.Conn.Close()
	case loseAck:
		c.w.breaks, c.w.lost = nothing, c.Conn
	}
	c.w.late = nil
	c.w.sent += 1 + bytes.Count(late, []byte("HPUB "))
	c.w.mu.Unlock()
	_, err := c.Conn.Write(append(late, b...))
	return n, err
}

func (c *wired) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if err == nil && c.w.lost == c.Conn {
		c.Conn.Close()
		return 0, net.ErrClosed
	}
	return n, err
}

// The server recognises a repeated id for two minutes only; the expected sequence
// and reading back have to do without.
func TestAnAppendIsNeverThereTwice(t *testing.T) {
	for _, c := range []struct {
		name   string
		how    breakage
		forget bool
		sent   int // how often the server gets it
	}{
		{"its ack is lost", loseAck, false, 1},
		{"its ack is lost, and it is repeated when the server has forgotten the id", loseAck, true, 1},
		{"it arrives late, just before its repetition", holdBack, false, 2},
		{"it arrives late, and the server has forgotten the id", holdBack, true, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &wire{forget: c.forget}
			cfg := store.Config{Dir: t.TempDir(), Timeout: 300 * time.Millisecond}
			s, err := store.Open(t.Context(), cfg.Through(w.wrap))
			must(t, err)
			defer s.Close()
			l, err := s.Log(t.Context(), gw)
			must(t, err)
			recs := storetest.Fill(t, l, gw, 5)
			before := w.count()
			rec := storetest.Next(t, gw, storetest.HeadOf(recs[4]), "once")
			w.arm(c.how)
			if err := l.Append(t.Context(), rec); !errors.Is(err, store.ErrUnavailable) {
				t.Fatalf("append whose answer is lost: %v, want it to be unknown", err)
			}
			again(t, l, rec)
			if got := w.count() - before; got != c.sent {
				t.Errorf("the server got it %d times, want %d", got, c.sent)
			}
			again(t, l, rec) // and once more, for whoever is not sure
			next := storetest.Next(t, gw, storetest.HeadOf(rec), "the next one")
			again(t, l, next)
			equal(t, l, append(recs, rec, next))
			msg, err := l.Stream().GetMsg(t.Context(), 6)
			if err != nil || (msg.Header.Get(jetstream.MsgIDHeader) == "") != c.forget {
				t.Errorf("headers %v, %v: the server was told the id, or was not", msg.Header, err)
			}
		})
	}
}

// again appends until the outcome is known.
func again(t *testing.T, l store.Log, rec events.Record) {
	t.Helper()
	for {
		err := l.Append(t.Context(), rec)
		if err == nil {
			return
		}
		if !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("append again: %v", err)
		}
	}
}

func equal(t *testing.T, l store.Log, want []events.Record) {
	t.Helper()
	n := 0
	for rec, err := range l.Read(t.Context(), 0, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if n < len(want) && !bytes.Equal(rec.Raw, want[n].Raw) {
			t.Errorf("event %d is\n%s\nwant\n%s", n+1, rec.Raw, want[n].Raw)
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%d events, want %d", n, len(want))
	}
}
