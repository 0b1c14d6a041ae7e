//go:build !race

// What the race detector takes is not what a recorder takes.

package daemon_test

import (
	"flag"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ibrecorder/internal/daemon"
	"ibrecorder/internal/wire"
)

// soakTime is how long a soak lasts:
// go test ./internal/daemon -run Soak -soak 30m -timeout 2h -v
var soakTime = flag.Duration("soak", 2*time.Second, "how long a soak lasts")

// looks is how often a soak looks at the process.
const looks = 12

const healthy = "connection 1..:\n  play healthy\n"

// TestASoak lets a recorder be, and watches what its process takes: with one Gateway and
// nobody there, and with ten Gateways that have 32 programs each, all of whom ask for the
// time once a second.
func TestASoak(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("what a process takes is read from /proc")
	}
	for _, c := range []struct {
		name               string
		gateways, programs int
	}{
		{"at rest", 1, 0},
		{"ten Gateways with 32 programs each", 10, 32},
	} {
		t.Run(c.name, func(t *testing.T) {
			scripts := make([]string, c.gateways)
			for i := range scripts {
				scripts[i] = healthy
			}
			s := brewAs(t, func(o *orders, posts []daemon.Gateway) { o.Soak = posts }, scripts...)
			crowd := s.join(c.programs)
			before, first := s.steady(), s.taken()
			var last taken
			for i := range looks {
				time.Sleep(*soakTime / looks) // the time itself is what is tried
				last = s.taken()
				t.Logf("%s: %s", (*soakTime / looks * time.Duration(i+1)).Round(time.Millisecond), last.since(first))
			}
			after := s.level()
			asked := crowd.leave(t)
			s.end()
			if want := int(soakTime.Seconds()) * c.gateways * c.programs / 2; asked < want {
				t.Errorf("the programs were told the time %d times, want at least %d", asked, want)
			}
			// What the log's server opens, and a timer that runs, come and go.
			if grown := after.Goroutines - before.Goroutines; grown > 8 {
				t.Errorf("%d goroutines more than before", grown)
			}
			if grown := after.descriptors - before.descriptors; grown > 8 {
				t.Errorf("%d descriptors more than before", grown)
			}
			if after.sockets["CLOSE_WAIT"] > 0 {
				t.Errorf("sockets that nobody closes: %v", after.sockets)
			}
			t.Logf("before %s; after %s; the time was told %d times", before, after, asked)
		})
	}
}

// steady is what the recorder holds once that stays: it says that it is ready before all
// of its goroutines have begun.
func (s *storm) steady() level {
	s.t.Helper()
	if _, err := s.api.Gateways(s.t.Context()); err != nil { // which it answers once it runs
		s.t.Fatal(err)
	}
	last, same := s.level(), 0
	for deadline := time.Now().Add(patience); same < 5; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("the recorder does not come to rest: %s", last)
		}
		l := s.level()
		if same++; l.Goroutines != last.Goroutines || l.descriptors != last.descriptors {
			same = 0
		}
		last = l
	}
	return last
}

// taken is what a process has taken of the machine.
type taken struct {
	at       time.Time
	cpu      time.Duration
	resident int64 // bytes
	open     int   // descriptors
}

// since says what was taken between two moments.
func (k taken) since(first taken) string {
	return fmt.Sprintf("%.2f %% of a core, %.1f MB resident, %d descriptors",
		100*(k.cpu-first.cpu).Seconds()/k.at.Sub(first.at).Seconds(), float64(k.resident)/1e6, k.open)
}

// tick is the unit of times in /proc/PID/stat: USER_HZ, which is 100 on every Linux that
// Go runs on.
const tick = 10 * time.Millisecond

// taken reads it. proc(5) has the fields: 14 and 15 are ticks, 24 is pages.
func (s *storm) taken() taken {
	s.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.child.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), ") ") // the name before may have anything in it
	fields := strings.Fields(after)                // from the third on
	number := func(field int) int64 {
		n, err := strconv.ParseInt(fields[field-3], 10, 64)
		if err != nil {
			s.t.Fatal(err)
		}
		return n
	}
	open, err := descriptors(s.child.Process.Pid)
	if err != nil {
		s.t.Fatal(err)
	}
	return taken{time.Now(), time.Duration(number(14)+number(15)) * tick, number(24) * int64(os.Getpagesize()), len(open)}
}

// crowd are programs that are connected and ask for the time. Each has a goroutine, which
// owns its connection until done is closed.
type crowd struct {
	done  chan struct{}
	all   sync.WaitGroup
	mu    sync.Mutex // guards what follows
	times int        // that the time was told
	lost  []error
}

// join connects so many programs to each Gateway, one after another, and returns when all
// are ready.
func (s *storm) join(each int) *crowd {
	s.t.Helper()
	c := &crowd{done: make(chan struct{})}
	var ready sync.WaitGroup
	for i, post := range s.posts {
		ready.Go(func() {
			for id := 1; id <= each; id++ {
				nc, code := shook(post.Tap, id, true)
				if nc == nil {
					s.t.Errorf("program %d of %s was not let in (error %d)", id, post.Name, code)
					return
				}
				c.all.Go(func() { c.stay(nc, []int{176, 203, 213}[i%3]) })
			}
		})
	}
	ready.Wait()
	return c
}

// stay asks for the time once a second until the crowd leaves.
func (c *crowd) stay(nc net.Conn, version int) {
	defer nc.Close()
	ask, answer := wire.AppendReqCurrentTime(nil, version), make([]byte, 4096)
	told := 0
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.times += told
	}()
	for {
		_ = nc.SetDeadline(time.Now().Add(patience))
		_, err := nc.Write(ask)
		if err == nil {
			_, err = nc.Read(answer)
		}
		if err != nil {
			c.mu.Lock()
			c.lost = append(c.lost, err)
			c.mu.Unlock()
			return
		}
		told++
		select {
		case <-time.After(time.Second):
		case <-c.done:
			return
		}
	}
}

// leave ends the programs, and returns how often they were told the time.
func (c *crowd) leave(t *testing.T) int {
	t.Helper()
	close(c.done)
	c.all.Wait()
	for _, err := range c.lost {
		t.Errorf("a program was cut off: %v", err)
	}
	return c.times
}
