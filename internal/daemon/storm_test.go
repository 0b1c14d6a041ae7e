package daemon_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/audit"
	"ibrecorder/internal/daemon"
	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/recorder"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/wire"
	"ibrecorder/store"
)

// stormSize is how many attempts a storm has:
// go test ./internal/daemon -run Storm -storm 3000 -timeout 60m
var stormSize = flag.Int("storm", 40, "attempts in a storm")

// stormPolicy delays nobody, so that a storm is one: no backoff, no window. What stops
// the gate stops it all the same.
func stormPolicy() events.PolicyLoaded {
	p := policy.Demo()
	p.SilentLimit = 100
	p.DialTimeoutMS, p.VersionBudgetMS, p.StartAPIBudgetMS, p.ReadyBudgetMS = 1000, 250, 1000, 1000
	p.SettleMS, p.ProbationAttempts, p.ProbationSpacingMS = 0, 10, 0
	p.BackoffBaseMS, p.BackoffCapMS, p.WindowMS, p.WindowFailures = 0, 0, 0, 1000
	loaded, err := policy.Load("demo", p, events.Enforce)
	if err != nil {
		panic(err)
	}
	return loaded
}

// stormConfig makes a recorder of one that nothing but the rule and the slot slows down.
func stormConfig(cfg daemon.Config, gateways []daemon.Gateway) daemon.Config {
	cfg.Gateways, cfg.Policy = gateways, stormPolicy()
	cfg.Pace = 1 << 20 // at one a second it would be no storm
	cfg.Sensor = func(string) recorder.Sensor { return listening{} }
	return cfg
}

// listening sees a listener of somebody's, so an operator's word is the release.
type listening struct{}

func (listening) Observe(context.Context) events.GatewayObserved {
	return events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerOther}
}

// tellMemory answers each SIGUSR1 with a line of JSON.
func tellMemory(ctx context.Context) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		for {
			select {
			case <-asked:
			case <-ctx.Done():
				return
			}
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			fmt.Printf("{\"goroutines\":%d,\"heap\":%d}\n", runtime.NumGoroutine(), m.HeapAlloc)
		}
	}()
}

// storm is a recorder in a process of its own, before simulated Gateways in this one.
type storm struct {
	t     *testing.T
	sims  []*gwsim.Gateway
	posts []daemon.Gateway
	api   *httpapi.Client
	data  string
	child *exec.Cmd
	lines chan string
}

// brew starts a storm before one Gateway for each script.
func brew(t *testing.T, scripts ...string) *storm {
	t.Helper()
	return brewAs(t, func(o *orders, posts []daemon.Gateway) { o.Storm = posts }, scripts...)
}

// brewAs says what the recorder does with the Gateways.
func brewAs(t *testing.T, as func(*orders, []daemon.Gateway), scripts ...string) *storm {
	t.Helper()
	s := &storm{t: t, data: folder(t), lines: make(chan string, 16)}
	s.api = httpapi.Dial(s.data)
	for i, script := range scripts {
		plan, err := gwsim.Parse(strings.NewReader(script))
		if err != nil {
			t.Fatal(err)
		}
		host := loopback()
		ln, err := net.Listen("tcp", host+":0")
		if err != nil {
			t.Fatal(err)
		}
		sim := gwsim.New(gwsim.Options{Script: plan, Version: []int{176, 203, 213}[i%3]})
		served := make(chan error, 1)
		ctx, cancel := context.WithCancel(context.Background())
		go func() { served <- sim.Serve(ctx, ln) }()
		t.Cleanup(func() { cancel(); <-served; sim.Close() })
		s.sims = append(s.sims, sim)
		s.posts = append(s.posts, daemon.Gateway{Name: fmt.Sprint("g", i), Address: ln.Addr().String(), Tap: freePort(t, host)})
	}
	o := orders{Data: s.data}
	as(&o, s.posts)
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	s.child = exec.Command(os.Args[0])
	s.child.Env = append(os.Environ(), childEnv+"="+string(text))
	s.child.Stderr = os.Stderr
	out, err := s.child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.child.Process.Kill() })
	go func() {
		defer close(s.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			s.lines <- lines.Text()
		}
	}()
	if line := s.line(); line != "ready" {
		t.Fatalf("the recorder says %q", line)
	}
	return s
}

func (s *storm) line() string {
	s.t.Helper()
	select {
	case line := <-s.lines:
		return line
	case <-time.After(patience):
		s.t.Fatal("the recorder says nothing")
		return ""
	}
}

// end stops the recorder in order.
func (s *storm) end() {
	s.t.Helper()
	if err := s.child.Process.Signal(os.Interrupt); err != nil {
		s.t.Fatal(err)
	}
	for range s.lines { // all of it, before Wait closes the pipe
	}
	if err := s.child.Wait(); err != nil {
		s.t.Errorf("the recorder ended: %v", err)
	}
}

// outcome is what one raw program met.
type outcome struct {
	ready bool
	code  int // of the last error, 0 if none
}

// knock connects once and goes on to the end of its connection. A busy program asks
// without a pause once it is ready.
func knock(address string, clientID int, busy bool) (o outcome) {
	nc, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		time.Sleep(time.Millisecond) // the port is closed: not to spin
		return o
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(patience))
	if _, err := nc.Write(wire.AppendHello(nil, wire.Hello{Min: 100, Max: 225})); err != nil {
		return o
	}
	var writers sync.WaitGroup
	defer writers.Wait()
	scan, buf, version, frames := wire.NewScanner(0), make([]byte, 4096), 0, 0
	for {
		n, err := nc.Read(buf)
		for f := range scan.Frames(buf[:n]) {
			if version == 0 {
				reply, err := wire.ParseVersionReply(f)
				if err != nil {
					return o
				}
				version = reply.Version
				_, _ = nc.Write(wire.AppendStartAPI(nil, version, wire.StartAPI{ClientID: clientID, HasClientID: true})) // the read tells
				continue
			}
			m, err := wire.ParseMessage(version, f)
			if err != nil {
				return o
			}
			if m.ID == wire.IDError {
				if e, err := m.ErrorMessage(); err == nil {
					o.code = e.Code
				}
				continue
			}
			if frames++; frames == 2 && !o.ready {
				o.ready = true
				if busy {
					ask := wire.AppendReqCurrentTime(nil, version)
					writers.Go(func() {
						for {
							if _, err := nc.Write(ask); err != nil {
								return
							}
						}
					})
				}
			}
		}
		if err != nil {
			_ = nc.Close() // for the writer
			return o
		}
	}
}

// blow lets programs knock at a gateway until it has had that many connects more. It
// returns what they met.
func (s *storm) blow(gateway, attempts int, busy bool) (met []outcome) {
	s.t.Helper()
	const workers = 8
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Minute)
	defer cancel()
	want := s.sims[gateway].Summary().Connects + attempts
	var over atomic.Bool
	var mu sync.Mutex // guards met
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for !over.Load() {
				o := knock(s.posts[gateway].Tap, w, busy)
				mu.Lock()
				met = append(met, o)
				mu.Unlock()
			}
		})
	}
	err := s.sims[gateway].Wait(ctx, func(sum gwsim.Summary) bool { return sum.Connects >= want })
	over.Store(true)
	all.Wait()
	if err != nil {
		s.t.Fatalf("%d connects of %d: %v", s.sims[gateway].Summary().Connects, want, err)
	}
	return met
}

// operate resumes a gateway whenever it is stopped, until the end.
func (s *storm) operate(gateway int) (end func() (released int)) {
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan int)
	go func() {
		n := 0
		for ctx.Err() == nil {
			st, err := s.api.Status(ctx, s.posts[gateway].Name)
			if err == nil && st.Gate == "STOPPED" {
				if _, err := s.api.Resume(ctx, s.posts[gateway].Name, httpapi.Claim{By: "kim", Reason: "restarted it"}); err == nil {
					n++
				}
			}
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
			}
		}
		done <- n
	}()
	return func() int { cancel(); return <-done }
}

// tally is what the log has of one gateway.
type tally struct {
	permits, dials, missing int
	failed                  map[events.FailReason]int
}

// judgeAll reads the logs of a recorder that has ended and holds them against the judge
// and against what the Gateways saw.
func (s *storm) judgeAll() (all tally) {
	t := s.t
	t.Helper()
	c, err := store.OpenCopy(t.Context(), s.data, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	connects := 0
	all.failed = map[events.FailReason]int{}
	for i, post := range s.posts {
		l, err := c.Log(t.Context(), post.Name)
		if err != nil {
			t.Fatal(err)
		}
		n := tally{failed: map[events.FailReason]int{}}
		j, decided, dialled := rule.New(), audit.New(), map[string]bool{}
		for rec, err := range l.Read(t.Context(), 1, 0) {
			if err != nil {
				t.Fatal(err)
			}
			j.Step(rec)
			decided.Step(rec.Event)
			switch d := rec.Data.(type) {
			case events.AttemptPermitted:
				n.permits++
			case events.DialStarted:
				n.dials++
				if dialled[rec.Cause] {
					t.Errorf("%s: two dials for the permit %s", post.Name, rec.Cause)
				}
				dialled[rec.Cause] = true
			case events.AttemptUnknown, events.AttemptAbandoned:
				n.missing++
			case events.AttemptFailed:
				n.failed[d.Reason]++
				if d.Reason == events.Refused || d.Reason == events.DialTimeout {
					n.missing++
				}
			}
		}
		if v := j.Verdict(); v.Outcome != rule.Holds {
			t.Errorf("%s: verdict %s: %+v", post.Name, v.Outcome, v)
		}
		for _, f := range decided.Result().Findings {
			t.Errorf("%s: decision %s at #%d: %s", post.Name, f.Class, f.Seq, f.Text)
		}
		sum := s.sims[i].Summary()
		if sum.Connects > n.permits || sum.Connects < n.permits-n.missing {
			t.Errorf("%s: the Gateway saw %d connects; the log has %d permits, of which %d may have led to none", post.Name, sum.Connects, n.permits, n.missing)
		}
		if sum.NotHellos != 0 {
			t.Errorf("%s: %d connects did not begin with a hello", post.Name, sum.NotHellos)
		}
		connects += sum.Connects
		all.permits, all.dials, all.missing = all.permits+n.permits, all.dials+n.dials, all.missing+n.missing
		for why, times := range n.failed {
			all.failed[why] += times
		}
	}
	t.Logf("%d connects, %d permits, %d dials, failed %v", connects, all.permits, all.dials, all.failed)
	return all
}

// storms have one Gateway for each script.
var storms = []struct {
	name    string
	scripts []string
	busy    bool
}{
	{"a Gateway that resets", []string{"play rst-before-version"}, false},
	{"a Gateway that closes", []string{"play fin-before-version"}, false},
	{"twenty silent Gateways", slices.Repeat([]string{"silence"}, 20), false}, // each attempt takes its budget
	{"326 at once after startAPI", []string{"play client-id-in-use"}, false},
	{"a busy program whose Gateway drops it", []string{"hello\nwait start-api\nready\nsilence 5ms\nrst"}, true},
	{"a busy program whose Gateway closes", []string{"hello\nwait start-api\nready\nsilence 5ms\nfin"}, true},
	// With -storm 10000 what that many failed attempts leave behind.
	{"every way to fail at once", []string{"play rst-before-version", "play fin-before-version", "play bad-version", "play foreign",
		"play close-after-version", "play client-id-in-use", "play disclaimer", "play silent", "play half-frame", "hello\nwait start-api\nrst"}, false},
}

// However programs storm, and however the Gateway fails, it sees no more connects than
// there are permits and never two for one; a 326 reaches every program; and the
// recorder gives back all that it took.
func TestAStorm(t *testing.T) {
	for _, c := range storms {
		t.Run(c.name, func(t *testing.T) {
			s := brew(t, c.scripts...)
			met := s.blow(0, 2, c.busy) // what a first connection makes once
			before := s.settled(nil)
			var mu sync.Mutex // guards met and released
			released := 0
			var all sync.WaitGroup
			for g := range c.scripts {
				all.Go(func() {
					end := s.operate(g)
					m := s.blow(g, *stormSize/len(c.scripts)+1, c.busy)
					n := end()
					mu.Lock()
					defer mu.Unlock()
					met, released = append(met, m...), released+n
				})
			}
			all.Wait()
			behind := s.settled(&before)
			s.end()
			n := s.judgeAll()
			told := 0
			for _, o := range met {
				if o.code == 326 {
					told++
				}
			}
			if inUse := n.failed[events.ClientIDInUse]; told != inUse || strings.HasPrefix(c.name, "326") && told < *stormSize {
				t.Errorf("the log has %d times 326, and programs were told %d times", inUse, told)
			}
			t.Logf("%d knocks, %d releases, %d programs told 326; before %s; after %s", len(met), released, told, before, behind)
		})
	}
}

// level is what a process holds.
type level struct {
	Goroutines  int   `json:"goroutines"`
	Heap        int64 `json:"heap"` // bytes, after a collection
	descriptors int
	sockets     map[string]int // TCP, by state
}

func (l level) String() string {
	return fmt.Sprintf("%d goroutines, %d descriptors, %.1f MB heap, sockets %v", l.Goroutines, l.descriptors, float64(l.Heap)/1e6, l.sockets)
}

// within says whether nothing is left of what was taken since before. The heap is told,
// not judged: the server's index grows with the log.
func (l level) within(before level) bool {
	return l.Goroutines <= before.Goroutines && l.descriptors <= before.descriptors &&
		l.sockets["CLOSE_WAIT"] == 0 && l.sockets["ESTABLISHED"] <= before.sockets["ESTABLISHED"]
}

// settled is what the recorder holds once that is no more than before; nil is the level
// at which it stays.
func (s *storm) settled(before *level) (l level) {
	s.t.Helper()
	last := level{Goroutines: -1}
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		l = s.level()
		same := l.Goroutines == last.Goroutines && l.descriptors == last.descriptors && l.sockets["ESTABLISHED"] == 0
		switch {
		case before == nil && same, before != nil && l.within(*before):
			return l
		case time.Now().After(deadline) && before != nil:
			s.t.Errorf("the recorder holds %s; before it held %s", l, before)
			return l
		case time.Now().After(deadline):
			s.t.Fatalf("the recorder does not come to rest: %s", l)
		}
		last = l
	}
}

func (s *storm) level() (l level) {
	s.t.Helper()
	if err := s.child.Process.Signal(syscall.SIGUSR1); err != nil {
		s.t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(s.line()), &l); err != nil {
		s.t.Fatal(err)
	}
	l.sockets = map[string]int{}
	mine, err := descriptors(s.child.Process.Pid)
	if errors.Is(err, errors.ErrUnsupported) {
		return l
	}
	if err != nil {
		s.t.Fatal(err)
	}
	l.descriptors = len(mine)
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/tcp", s.child.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line) // sl, local, remote, state, queues, timer, retransmits, uid, timeout, inode
		if len(f) > 9 && mine["socket:["+f[9]+"]"] {
			l.sockets[tcpState(f[3])]++
		}
	}
	return l
}

func tcpState(hex string) string {
	names := map[string]string{"01": "ESTABLISHED", "04": "FIN_WAIT1", "05": "FIN_WAIT2", "08": "CLOSE_WAIT", "09": "LAST_ACK", "0A": "LISTEN", "0B": "CLOSING"}
	if name, ok := names[hex]; ok {
		return name
	}
	return hex
}

// descriptors are what a process has open, where the system tells.
func descriptors(pid int) (map[string]bool, error) {
	if runtime.GOOS != "linux" {
		return nil, errors.ErrUnsupported
	}
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	all := map[string]bool{}
	for _, e := range entries {
		to, err := os.Readlink(dir + "/" + e.Name())
		if err != nil {
			continue // closed meanwhile
		}
		if all[to] { // a descriptor of a file that is open twice counts too
			to += " " + e.Name()
		}
		all[to] = true
	}
	return all, nil
}
