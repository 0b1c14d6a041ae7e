package store_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"
	"ibrecorder/store/storetest"
)

// cord is the connection to the embedded server, for cutting.
type cord struct {
	mu    sync.Mutex // guards the rest
	conns []net.Conn
}

func (c *cord) wrap(conn net.Conn) net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns = append(c.conns, conn)
	return conn
}

// cut breaks the connection, and says how many there were.
func (c *cord) cut() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns[len(c.conns)-1].Close()
	return len(c.conns)
}

// Both readers have the first events when the connection breaks, and the others
// come while it is away or after it is back.
func TestReadersGoOnWhenTheConnectionBreaks(t *testing.T) {
	for _, c := range []struct {
		name  string
		again bool // events may come twice
		read  func(context.Context, *store.JetLog, func(events.Record)) error
	}{
		{"tail", false, func(ctx context.Context, l *store.JetLog, got func(events.Record)) error {
			for rec, err := range l.Tail(ctx, 1) {
				if err != nil {
					return err
				}
				got(rec)
			}
			return errors.New("the tail ended without an error")
		}},
		{"consume", true, func(ctx context.Context, l *store.JetLog, got func(events.Record)) error {
			return l.Consume(ctx, "pager", nil, func(_ context.Context, rec events.Record) error {
				got(rec)
				return nil
			})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			line := &cord{}
			s, err := store.Open(t.Context(), store.Config{Dir: t.TempDir(), Timeout: 300 * time.Millisecond}.Through(line.wrap))
			must(t, err)
			defer s.Close()
			l, err := s.Log(t.Context(), gw)
			must(t, err)
			recs := storetest.Fill(t, l, gw, 10)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var seqs []uint64
			err = c.read(ctx, l, func(rec events.Record) {
				seqs = append(seqs, rec.Seq)
				if n := len(seqs); rec.Seq == 40 {
					cancel()
				} else if rec.Seq%10 == 0 && (n == 1 || seqs[n-2] != rec.Seq) {
					line.cut()
					for head := storetest.HeadOf(recs[len(recs)-1]); len(recs) < int(rec.Seq)+10; head = storetest.HeadOf(recs[len(recs)-1]) {
						recs = append(recs, storetest.Next(t, gw, head, "while it is away"))
						again(t, l, recs[len(recs)-1])
					}
				}
			})
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if c.again {
				seqs = slices.Compact(seqs)
			}
			for i, seq := range seqs {
				if seq != uint64(i)+1 {
					t.Fatalf("read %v, want each once and in order", seqs)
				}
			}
			if n := line.cut(); n < 4 {
				t.Errorf("%d connections, want that it broke three times", n)
			}
		})
	}
}
