package gwsim_test

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/internal/gwsim"
)

func TestRestartIsANewProcessAtTheSameAddress(t *testing.T) {
	g, address := serveTCP(t, gwsim.Options{Script: parse(t, `
		connection 1:
			play silent
		connection 2..:
			play no-ready
		on restart:
			play healthy`)})
	first := connect(dialTCP(t, address), everyVersion, 1, 0)
	waitFor(t, g, "the first hello came", func(s gwsim.Summary) bool { return s.Hellos == 1 })
	second := connect(dialTCP(t, address), everyVersion, 2, 0)
	second.expect(t, moment, "version 176")
	waitFor(t, g, "the second client is known", func(s gwsim.Summary) bool { return len(s.ClientIDs) == 1 })

	if err := g.Restart(); err != nil {
		t.Fatal(err)
	}
	first.expect(t, moment, "fin")
	second.expect(t, moment, "fin")
	third := connect(dialTCP(t, address), everyVersion, 2, 0) // the new process knows no client id
	defer third.close()
	third.expect(t, moment, "version 176", "accounts DU1234567", "next id 1")

	s := g.Summary()
	if diff := cmp.Diff(gwsim.Summary{
		Processes: 2, Connects: 3, Hellos: 3, HandshakesCompleted: 1, ClientIDs: []int{2}, OpenAtEnd: 1,
	}, counts(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i, want := range []int{1, 1, 2} {
		if got := s.Connections[i].Process; got != want {
			t.Errorf("connection %d belongs to process %d, want %d", i+1, got, want)
		}
	}
	first.close()
	second.close()
}

func TestDownRefusesUntilUp(t *testing.T) {
	g, address := serveTCP(t, gwsim.Options{})
	before := connect(dialTCP(t, address), everyVersion, 1, 0)
	defer before.close()
	before.expect(t, moment, "version 176", "accounts DU1234567", "next id 1")
	refused := func() {
		t.Helper()
		if nc, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("dial gave %v, %v; want refused", nc, err)
		}
	}
	if err := g.Refuse(); err != nil {
		t.Fatal(err)
	}
	refused()
	before.expect(t, moment, "silence") // a refusing Gateway keeps its connections
	if err := g.Up(); err != nil {
		t.Fatal(err)
	}
	if s := g.Summary(); s.Processes != 1 {
		t.Errorf("listening again made process %d", s.Processes)
	}
	if err := g.Down(); err != nil {
		t.Fatal(err)
	}
	before.expect(t, moment, "fin")
	refused()
	if err := g.Up(); err != nil {
		t.Fatal(err)
	}
	after := connect(dialTCP(t, address), everyVersion, 1, 0)
	defer after.close()
	after.expect(t, moment, "version 176")
	if s := g.Summary(); s.Processes != 2 || s.Connects != 2 {
		t.Errorf("%d processes, %d connects; want 2 and 2", s.Processes, s.Connects)
	}
}

func TestAnotherScriptIsForLaterConnections(t *testing.T) {
	g, address := serveTCP(t, gwsim.Options{})
	before := connect(dialTCP(t, address), everyVersion, 1, 0)
	defer before.close()
	before.expect(t, moment, "version 176", "accounts DU1234567", "next id 1")
	if err := g.Play(parse(t, "play client-id-in-use")); err != nil {
		t.Fatal(err)
	}
	after := connect(dialTCP(t, address), everyVersion, 2, 0)
	defer after.close()
	after.expect(t, moment, "version 176", "error -1 326", "fin")
	before.expect(t, moment, "silence")
	g.Close()
	if err := g.Play(parse(t, "silence")); !errors.Is(err, gwsim.ErrClosed) {
		t.Errorf("a script for a simulator that is closed: %v", err)
	}
}

func TestScriptedRestartComesBackAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gwsim.New(gwsim.Options{Script: parse(t, `
			connection 1..:
				wait hello
				silence 30s
				restart after=90s
			on restart:
				play healthy`)})
		defer g.Close()
		start := time.Now()
		c := connect(dialMemory(t, g), everyVersion, 1, 0)
		c.expect(t, hour, "fin")
		if got := time.Since(start); got != 30*time.Second {
			t.Errorf("closed after %v, want 30s", got)
		}
		c.close()
		var refused int
		var nc net.Conn
		for {
			var err error
			if nc, err = g.DialContext(t.Context(), "tcp", "anywhere"); err == nil {
				break
			}
			if !errors.Is(err, syscall.ECONNREFUSED) {
				t.Fatal(err)
			}
			refused++
			<-time.After(time.Second)
		}
		if refused < 90 || refused > 91 { // at the very second either may win
			t.Errorf("refused for %d seconds, want 90", refused)
		}
		again := connect(nc, everyVersion, 1, 0)
		defer again.close()
		again.expect(t, hour, "version 176", "accounts DU1234567", "next id 1")
		if s := g.Summary(); s.Processes != 2 || s.Connects != 2 || s.Connections[0].EndedBy != gwsim.ByGateway {
			t.Errorf("summary %+v", s)
		}
	})
}

func TestUpAndDownCancelAPendingRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gwsim.New(gwsim.Options{Script: parse(t, "restart after=90s")})
		defer g.Close()
		restart := func() {
			c := connect(dialMemory(t, g), everyVersion, 1, 0)
			c.expect(t, hour, "fin")
			c.close()
		}
		stillDown := func(processes int) {
			t.Helper()
			<-time.After(hour)
			if _, err := g.DialContext(t.Context(), "", ""); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("it came up: %v", err)
			}
			if s := g.Summary(); s.Processes != processes {
				t.Errorf("%d processes, want %d", s.Processes, processes)
			}
		}
		restart()
		if err := errors.Join(g.Up(), g.Down()); err != nil {
			t.Fatal(err)
		}
		stillDown(2)
		if err := g.Up(); err != nil {
			t.Fatal(err)
		}
		restart()
		if err := g.Down(); err != nil {
			t.Fatal(err)
		}
		stillDown(3)
	})
}

// lateListener hands over what it accepted after it was closed, as a kernel may
// at the very moment of the close.
type lateListener struct {
	net.Listener // not used; the methods below are all that is called
	accepted     chan net.Conn
}

func (l *lateListener) Addr() net.Addr { return &net.UnixAddr{Name: "late", Net: "unix"} }
func (l *lateListener) Close() error   { return nil }
func (l *lateListener) Accept() (net.Conn, error) {
	if nc, ok := <-l.accepted; ok {
		return nc, nil
	}
	return nil, net.ErrClosed
}

func TestAConnectAcceptedTooLateBelongsToTheOldProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := &lateListener{accepted: make(chan net.Conn)}
		next := &lateListener{accepted: make(chan net.Conn)}
		g := gwsim.New(gwsim.Options{
			Listen: func(string, string) (net.Listener, error) { return next, nil },
			Script: parse(t, "connection 1:\nhello 101\nconnection 2..:\nhello 102"),
		})
		served := make(chan error, 1)
		go func() { served <- g.Serve(t.Context(), old) }()
		synctest.Wait()
		if err := g.Restart(); err != nil {
			t.Fatal(err)
		}
		dial := func(l *lateListener) *client {
			near, far := net.Pipe()
			l.accepted <- far
			return connect(near, everyVersion, 1, 0)
		}
		late := dial(old)
		late.expect(t, hour, "fin")
		late.close()
		first := dial(next)
		first.expect(t, hour, "version 101")
		s := g.Summary()
		if s.Connects != 2 || s.Connections[0].Process != 1 || s.Connections[0].EndedBy != gwsim.ByGateway || s.Connections[1].Process != 2 {
			t.Errorf("records %+v", s.Connections)
		}
		close(old.accepted)
		close(next.accepted)
		if err := <-served; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Serve: %v; want what its listener failed with", err)
		}
		g.Close()
		first.close()
	})
}

// poorListener has no descriptor for the first few connects that it would accept.
type poorListener struct {
	net.Listener
	starved int // its accept loop's alone
}

func (l *poorListener) Accept() (net.Conn, error) {
	if l.starved > 0 {
		l.starved--
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

func TestWantOfDescriptorsDoesNotEndIt(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := gwsim.New(gwsim.Options{})
	served := make(chan error, 1)
	go func() { served <- g.Serve(t.Context(), &poorListener{ln, 3}) }()
	c := connect(dialTCP(t, ln.Addr().String()), everyVersion, 1, 0)
	c.expect(t, moment, "version 176", "accounts DU1234567", "next id 1")
	c.close()
	g.Close()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestAListenerThatCannotBeHadAgain(t *testing.T) {
	inUse := errors.New("address in use")
	for _, test := range []struct {
		name, script string
		restart      error // what Restart returns
		serve        error // what Serve returns
	}{
		{"Restart says so", "silence", inUse, nil},
		{"a scripted restart ends Serve", "restart", gwsim.ErrClosed, inUse},
	} {
		t.Run(test.name, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			g := gwsim.New(gwsim.Options{
				Script: parse(t, test.script),
				Listen: func(string, string) (net.Listener, error) { return nil, inUse },
			})
			defer g.Close()
			served := make(chan error, 1)
			go func() { served <- g.Serve(t.Context(), ln) }()
			nc := dialTCP(t, ln.Addr().String())
			defer nc.Close()
			waitFor(t, g, "it serves", func(s gwsim.Summary) bool { return s.Connects == 1 })
			if test.serve != nil { // the script restarts by itself
				if err := <-served; !errors.Is(err, test.serve) {
					t.Errorf("Serve: %v, want %v", err, test.serve)
				}
			}
			if err := g.Restart(); !errors.Is(err, test.restart) {
				t.Errorf("Restart: %v, want %v", err, test.restart)
			}
			g.Close()
			if test.serve == nil {
				if err := <-served; err != nil {
					t.Errorf("Serve: %v", err)
				}
			}
		})
	}
}
