package tap_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/tap"
)

// Whatever programs and the loop do, and in whatever order: nobody is dialled for while
// the tap is shut, and once everybody has left nothing of them is left in the tap or in
// the way of the next one. The bubble sees to it that no goroutine is.
func TestWhateverProgramsDoNothingIsLeftOfThem(t *testing.T) {
	scripts := []string{"play healthy", "play client-id-in-use", "hello\nwait start-api\nsilence 1s\nready\nserve", "hello\nsilence", "silence 5s\nhello\nwait start-api\nready\nserve", "play half-frame"}
	seen := map[events.Kind]int{}
	waits := 0
	for seed := range uint64(100) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var shut, early atomic.Bool
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inside(t, scripts[rnd.IntN(len(scripts))], always(grant), func(c *tap.Config) {
				c.Params.CoolingMS, c.Explain, c.Pace = 1000, true, 1+rnd.IntN(40)
				c.Observe = rnd.IntN(5) == 0
				dial := c.Dial
				c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
					if shut.Load() {
						early.Store(true)
					}
					return dial(ctx, network, address)
				}
			}, func(t *testing.T, b *bubbled) {
				var programs sync.WaitGroup
				for range 5 + rnd.IntN(20) {
					roam(b.pipes.dial(), rnd, &programs)
					time.Sleep(time.Duration(rnd.IntN(1500)) * time.Millisecond)
					id := int64(rnd.IntN(3))
					switch rnd.IntN(8) {
					case 0:
						b.tap.Shut()
						shut.Store(true)
					case 1:
						shut.Store(false)
						if err := b.tap.Reopen(); err != nil {
							t.Error(err)
						}
					case 2:
						b.tap.Hold(map[int64]time.Time{id: time.Now().Add(time.Duration(rnd.IntN(20_000)) * time.Millisecond)})
					case 3:
						b.tap.Hold(nil)
					case 4:
						b.tap.Disconnect(&id, rnd.IntN(2) == 0)
					}
				}
				ended := rnd.IntN(3) == 0
				if ended { // it ends in the middle of everything
					if err := b.tap.Close(); err != nil {
						t.Error(err)
					}
				}
				programs.Wait()
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				if n := b.tap.Open(); n > 0 {
					t.Errorf("%d connections are left", n)
				}
				b.desk.mu.Lock()
				defer b.desk.mu.Unlock()
				for _, r := range b.desk.log {
					seen[r.Kind()]++
					if f, ok := r.Data.(events.AttemptFailed); ok && f.Reason == events.ClientWaits {
						waits++
					}
				}
				if b.desk.state.Busy() && !ended {
					t.Errorf("the slot is never freed: %s", b.desk.state.Canonical())
				}
			})
			if early.Load() {
				t.Error("somebody was dialled for while the tap was shut")
			}
		})
	}
	for _, k := range []events.Kind{"client.held", "attempt.abandoned", "session.established", "client.rejected", "disconnect.deferred"} {
		if seen[k] == 0 {
			t.Errorf("no %s: the programs have done nothing", k)
		}
	}
	if waits == 0 {
		t.Error("nobody met the wait of an id")
	}
}

// roam is a program of any sort: it sends a connect in pieces, and leaves at any time.
func roam(nc net.Conn, rnd *rand.Rand, programs *sync.WaitGroup) {
	stays := time.Duration(rnd.IntN(20_000)) * time.Millisecond
	id := rnd.IntN(3)
	all := "API\x00\x00\x00\x00\x09v100..225" + fmt.Sprintf("\x00\x00\x00\x0871\x002\x00%d\x00\x00", id) + "\x00\x00\x00\x0549\x001\x00"
	all = all[:[]int{len(all), len(all), len(all), 17, 3, 25}[rnd.IntN(6)]]
	cut, pause := 1+rnd.IntN(len(all)), time.Duration(rnd.IntN(3000))*time.Millisecond
	programs.Go(func() { _, _ = io.Copy(io.Discard, nc) })
	programs.Go(func() {
		left := time.AfterFunc(stays, func() { _ = nc.Close() })
		defer left.Stop()
		_, _ = io.WriteString(nc, all[:cut])
		time.Sleep(pause)
		_, _ = io.WriteString(nc, all[cut:])
		time.Sleep(max(0, stays-pause))
		_ = nc.Close()
	})
}
