//go:build !race

package daemon_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ibrecorder/events"

	"github.com/scmhub/ibapi"
)

// libraryOrders are what a child that uses scmhub/ibapi does: connect, again and again.
type libraryOrders struct {
	Tap      string
	Attempts int
	Busy     bool // ask without a pause once it is ready
}

const libraryEnv = "IBRECORDER_TEST_LIBRARY"

// The library in a storm, unmodified, behind a recorder. By itself it loses 8 % of the
// errors 326 that come right before a close, dials by itself after a failed write, and
// can end its process.
func TestTheLibraryInAStorm(t *testing.T) {
	if text := os.Getenv(libraryEnv); text != "" {
		libraryStorm(t, text)
		return
	}
	for _, c := range []struct {
		name, script string
		busy         bool
	}{
		{"326 at once after startAPI", "play client-id-in-use", false},
		{"a busy program whose Gateway drops it", "hello\nwait start-api\nready\nsilence 5ms\nrst", true},
		{"a busy program whose Gateway closes", "hello\nwait start-api\nready\nsilence 5ms\nfin", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := brew(t, c.script)
			s.blow(0, 2, c.busy)
			before := s.settled(nil)
			raw := s.sims[0].Summary().Connects
			told, deaths := 0, 0
			for left := *stormSize; left > 0; {
				n := min(left, 500) // what a library leaks goes with its process
				got, err := runLibrary(t, libraryOrders{Tap: s.posts[0].Tap, Attempts: n, Busy: c.busy})
				told, left = told+got, left-n
				if err != nil {
					deaths++
					t.Logf("a process of the library's ended: %v", err)
				}
			}
			behind := s.settled(&before)
			s.end()
			n := s.judgeAll()
			connects := s.sims[0].Summary().Connects - raw
			t.Logf("%d connects of the library, %d told 326, %d of its processes died; before %s; after %s", connects, told, deaths, before, behind)
			if deaths > 0 && !c.busy {
				t.Errorf("%d processes died", deaths)
			}
			if inUse := n.failed[events.ClientIDInUse] - raw; !c.busy && (told != *stormSize || told != inUse) {
				t.Errorf("the library was told 326 %d times; the log has %d, and there were %d attempts", told, inUse, *stormSize)
			}
		})
	}
}

// runLibrary returns how often a child's program was told 326; an error if its process died.
func runLibrary(t *testing.T, o libraryOrders) (told int, err error) {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTheLibraryInAStorm$", "-test.v", "-test.timeout=20m")
	cmd.Env = append(os.Environ(), libraryEnv+"="+string(text))
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err = cmd.Run()
	for line := range strings.Lines(out.String()) {
		if n, ok := strings.CutPrefix(strings.TrimSpace(line), "told 326: "); ok {
			told, _ = strconv.Atoi(n)
		}
	}
	if err != nil {
		err = fmt.Errorf("%w: %.300s", err, strings.TrimSpace(said.String()+out.String()))
	}
	return told, err
}

// stormer is a program that hears 326 and its end.
type stormer struct {
	ibapi.Wrapper
	ready, closed chan struct{}
	once, told    sync.Once
	inUse         func()
}

func (p *stormer) NextValidID(int64) { p.once.Do(func() { close(p.ready) }) }

func (p *stormer) ConnectionClosed() {
	select {
	case p.closed <- struct{}{}:
	default:
	}
}

func (p *stormer) Error(_ int64, _ int64, code int64, _ string, _ string) {
	if code == 326 {
		p.told.Do(p.inUse)
	}
}

// libraryStorm is the child: a few programs that connect one after the other.
func libraryStorm(t *testing.T, text string) {
	var o libraryOrders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	ibapi.SetLogLevel(7) // none
	to, err := net.ResolveTCPAddr("tcp", o.Tap)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex // guards told
	told := 0
	turns := make(chan int)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for id := range turns {
				p := &stormer{ready: make(chan struct{}), closed: make(chan struct{}, 1), inUse: func() { mu.Lock(); told++; mu.Unlock() }}
				client := ibapi.NewEClient(p)
				if err := client.Connect(to.IP.String(), to.Port, int64(id)); err != nil {
					continue
				}
				if o.Busy {
					go ask(p, client)
				}
				select {
				case <-p.closed:
				case <-time.After(5 * time.Second): // a library that is stuck says nothing more
				}
			}
		})
	}
	for id := range o.Attempts {
		turns <- id + 1
	}
	close(turns)
	all.Wait()
	mu.Lock()
	defer mu.Unlock()
	fmt.Printf("told 326: %d\n", told)
	os.Exit(0) // callers that the library has left blocked for ever
}

// ask writes without a pause once the program is ready. It may never return: the
// library leaves callers blocked.
func ask(p *stormer, client *ibapi.EClient) {
	select {
	case <-p.ready:
	case <-p.closed:
		p.ConnectionClosed()
		return
	}
	for client.IsConnected() {
		client.ReqCurrentTime()
	}
}
