package gwsim_test

import (
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/wire"
)

// Every client knows what it did; the simulator must have counted exactly that.
func TestCountsAreExactInAStorm(t *testing.T) {
	g, address := serveTCP(t, gwsim.Options{})
	const workers, rounds = 16, 12
	var mu sync.Mutex // guards the clients' own counts
	var want gwsim.Summary
	var storm sync.WaitGroup
	for w := range workers {
		storm.Go(func() {
			for r := range rounds {
				nc, err := net.Dial("tcp", address)
				if err != nil {
					t.Error(err)
					return
				}
				var hello, not, ready int
				id := w*rounds + r
				switch (w + r) % 4 {
				case 0: // whole handshake
					c := connect(nc, everyVersion, id, 1)
					saw := c.watch([]string{"version", "accounts", "next id", "time"}, 0)
					if len(saw) == 4 && saw[2] == "next id 1" {
						hello, ready = 1, 1
					} else {
						t.Errorf("client %d saw %q", id, saw)
					}
					c.close()
				case 1: // reset as no hello
					_, _ = nc.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
					_, _ = nc.Read(make([]byte, 1))
					_ = nc.Close()
					not = 1
				case 2: // leaves after the version
					c := connect(nc, wire.Hello{Min: 100, Max: 176}, id, 0)
					c.watch([]string{"version"}, 0)
					c.close()
					hello = 1
				case 3: // says nothing
					_ = nc.Close()
				}
				mu.Lock()
				want.Connects++
				want.Hellos += hello
				want.NotHellos += not
				want.HandshakesCompleted += ready
				mu.Unlock()
			}
		})
	}
	storm.Wait()
	waitFor(t, g, "every connection has ended", func(s gwsim.Summary) bool {
		return s.Connects == workers*rounds && s.OpenAtEnd == 0
	})
	got := g.Summary()
	// Whoever left after the version may have sent startAPI and been answered.
	left := 0
	for _, c := range got.Connections {
		if c.ClientID != nil && (*c.ClientID/rounds+*c.ClientID%rounds)%4 == 2 && c.Stage == gwsim.StageReady {
			left++
		}
	}
	want.Processes, want.HandshakesCompleted = 1, want.HandshakesCompleted+left
	ids := got.ClientIDs
	got.ClientIDs, got.Connections = nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-clients +simulator):\n%s", diff)
	}
	if !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Errorf("client ids %v are not ascending and single", ids)
	}
}

// Down and Up in the middle of connects: every connect that any process took is
// a record, and no connection outlives its process.
func TestNoConnectionOutlivesItsProcess(t *testing.T) {
	g, address := serveTCP(t, gwsim.Options{})
	var storm sync.WaitGroup
	var over atomic.Bool
	for w := range 8 {
		storm.Go(func() {
			for r := 0; !over.Load(); r++ {
				nc, err := net.Dial("tcp", address)
				if err != nil {
					continue // down
				}
				c := connect(nc, everyVersion, w*1_000_000+r, 0)
				c.watch([]string{"version"}, 0)
				c.close()
			}
		})
	}
	for range 25 {
		if err := g.Down(); err != nil {
			t.Fatal(err)
		}
		if s := g.Summary(); s.OpenAtEnd != 0 {
			t.Errorf("%d connections open while down", s.OpenAtEnd)
		}
		if err := g.Up(); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, g, "the last process has a connection", func(s gwsim.Summary) bool {
		n := len(s.Connections)
		return n > 0 && s.Connections[n-1].Process == 26
	})
	over.Store(true)
	storm.Wait()
	waitFor(t, g, "every connection has ended", func(s gwsim.Summary) bool { return s.OpenAtEnd == 0 })
	s := g.Summary()
	for i, c := range s.Connections {
		if c.Number != i+1 || c.EndedBy == "" || c.EndedBy == gwsim.BySimulator || c.Process > s.Processes {
			t.Errorf("record %d: %+v", i, c)
		}
	}
	if s.Connects != len(s.Connections) || s.Processes != 26 {
		t.Errorf("%d connects, %d records, %d processes", s.Connects, len(s.Connections), s.Processes)
	}
}
