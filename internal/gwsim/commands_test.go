package gwsim_test

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/internal/gwsim"
)

func TestHalfCloseKeepsReading(t *testing.T) {
	g, address := serveTCP(t, gwsim.Options{Script: parse(t, `
		hello
		half-close
		wait start-api
		rst`)})
	c := connect(dialTCP(t, address), everyVersion, 7, 0)
	c.expect(t, moment, "version 176", "fin")
	waitFor(t, g, "startAPI has come after the FIN", func(s gwsim.Summary) bool { return len(s.ClientIDs) == 1 })
	waitFor(t, g, "the script is over", func(s gwsim.Summary) bool { return s.OpenAtEnd == 0 })
	if got := g.Summary().Connections[0]; got.EndedBy != gwsim.ByGateway || got.EndedHow != gwsim.ByRST {
		t.Errorf("ended by %s with %s", got.EndedBy, got.EndedHow)
	}
	c.close()
}

func TestAScriptRefusesAndListensAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gwsim.New(gwsim.Options{Script: parse(t, `
			connection 1:
				hello
				refuse
				silence 10s
				listen
			connection 2..:
				play healthy`)})
		defer g.Close()
		first := connect(dialMemory(t, g), everyVersion, 1, 0)
		defer first.close()
		first.expect(t, 9*time.Second, "version 176", "silence")
		if _, err := g.DialContext(t.Context(), "", ""); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("after 9 s: %v, want refused", err)
		}
		first.expect(t, 2*time.Second, "silence")
		second := connect(dialMemory(t, g), everyVersion, 2, 0)
		defer second.close()
		second.expect(t, hour, "version 176")
		if s := g.Summary(); s.Processes != 1 || s.OpenAtEnd != 2 {
			t.Errorf("%d processes, %d open; want 1 and 2", s.Processes, s.OpenAtEnd)
		}
	})
}

func TestReadyInTwoHalves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gwsim.New(gwsim.Options{Accounts: []string{"DU0"}, Script: parse(t, `
			hello 203
			wait start-api
			next-id 42
			silence 1s
			accounts DU1,DU2
			accounts`)})
		defer g.Close()
		c := connect(dialMemory(t, g), everyVersion, 1, 0)
		defer c.close()
		c.expect(t, time.Millisecond, "version 203", "next id 42", "silence")
		if s := g.Summary(); s.HandshakesCompleted != 0 {
			t.Error("one half was counted as ready")
		}
		c.expect(t, hour, "accounts DU1,DU2", "accounts DU0", "silence")
		if s := g.Summary(); s.HandshakesCompleted != 1 {
			t.Errorf("%d handshakes completed, want 1", s.HandshakesCompleted)
		}
	})
}

func TestAClientThatResetsIsSeenToReset(t *testing.T) {
	g, address := serveTCP(t, gwsim.Options{})
	nc := dialTCP(t, address)
	c := connect(nc, everyVersion, 1, 0)
	c.expect(t, moment, "version 176", "accounts DU1234567", "next id 1")
	if err := nc.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	c.close()
	waitFor(t, g, "the client has left", func(s gwsim.Summary) bool { return s.OpenAtEnd == 0 })
	got := g.Summary().Connections[0]
	if diff := cmp.Diff([]string{"client", "rst"}, []string{string(got.EndedBy), string(got.EndedHow)}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// plainListener hides SetDeadline.
type plainListener struct{ net.Listener }

func TestServeErrors(t *testing.T) {
	t.Run("a second listener", func(t *testing.T) {
		g, address := serveTCP(t, gwsim.Options{})
		nc := dialTCP(t, address)
		defer nc.Close()
		waitFor(t, g, "it serves", func(s gwsim.Summary) bool { return s.Connects == 1 })
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Serve(t.Context(), ln); err == nil {
			t.Error("served two listeners")
		}
		if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the second one is left open: %v", err)
		}
	})
	for _, test := range []struct {
		name, script string
		spoil        func(ln net.Listener) error
	}{
		{"a listener that cannot be wedged", "wedge", func(net.Listener) error { return nil }},
		{"a listener that somebody else closed", "silence", net.Listener.Close},
	} {
		t.Run(test.name, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			g := gwsim.New(gwsim.Options{Script: parse(t, test.script)})
			defer g.Close()
			served := make(chan error, 1)
			go func() { served <- g.Serve(t.Context(), plainListener{ln}) }()
			nc := dialTCP(t, ln.Addr().String())
			defer nc.Close()
			waitFor(t, g, "it serves", func(s gwsim.Summary) bool { return s.Connects == 1 })
			if err := test.spoil(ln); err != nil {
				t.Fatal(err)
			}
			if err := <-served; err == nil {
				t.Error("Serve returned no error")
			}
		})
	}
	t.Run("after Close", func(t *testing.T) {
		g := gwsim.New(gwsim.Options{})
		g.Close()
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Serve(t.Context(), ln); !errors.Is(err, gwsim.ErrClosed) {
			t.Errorf("Serve: %v", err)
		}
		if _, err := g.DialContext(t.Context(), "", ""); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("DialContext: %v", err)
		}
	})
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gwsim.New(gwsim.Options{})
		connected := func(s gwsim.Summary) bool { return s.Connects > 0 }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.Wait(ctx, connected); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nothing happened: %v", err)
		}
		ended := make(chan error, 1)
		go func() { ended <- g.Wait(t.Context(), connected) }()
		synctest.Wait()
		g.Close()
		if err := <-ended; !errors.Is(err, gwsim.ErrClosed) {
			t.Errorf("closed while waiting: %v", err)
		}
		if err := g.Wait(t.Context(), connected); !errors.Is(err, gwsim.ErrClosed) {
			t.Errorf("closed before: %v", err)
		}
		if err := g.Wait(t.Context(), func(s gwsim.Summary) bool { return s.Connects == 0 }); err != nil {
			t.Errorf("it holds: %v", err)
		}
	})
}
