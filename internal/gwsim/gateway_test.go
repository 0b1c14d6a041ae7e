package gwsim_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/wire"
)

func TestVersionNegotiation(t *testing.T) {
	for _, test := range []struct {
		name  string
		own   int
		offer wire.Hello
		want  []string
	}{
		{"the server's version, if the client knows newer ones", 176, everyVersion, []string{"version 176", "accounts DU1234567"}},
		{"the client's newest, if the server is newer", 213, wire.Hello{Min: 157, Max: 178}, []string{"version 178", "accounts DU1234567"}},
		{"a close without a byte, if the server is too old", 203, wire.Hello{Min: 213, Max: 225}, []string{"fin"}},
		{"a close without a byte, if the client is older than the framing", 176, wire.Hello{Min: 38, Max: 99}, []string{"fin"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, address := serveTCP(t, gwsim.Options{Version: test.own})
			c := connect(dialTCP(t, address), test.offer, 1, 0)
			defer c.close()
			c.expect(t, moment, test.want...)
		})
	}
}

func TestClientIDInUse(t *testing.T) {
	g, address := serveTCP(t, gwsim.Options{})
	ready := []string{"version 176", "accounts DU1234567", "next id 1"}

	first := connect(dialTCP(t, address), everyVersion, 7, 0)
	first.expect(t, moment, ready...)

	second := connect(dialTCP(t, address), everyVersion, 7, 0)
	defer second.close()
	second.expect(t, moment, "version 176", "error -1 326", "fin")

	other := connect(dialTCP(t, address), everyVersion, 0, 0)
	defer other.close()
	other.expect(t, moment, ready...)

	first.close()
	waitFor(t, g, "the first client has left", func(s gwsim.Summary) bool { return s.Connections[0].EndedBy == gwsim.ByClient })
	third := connect(dialTCP(t, address), everyVersion, 7, 0)
	defer third.close()
	third.expect(t, moment, ready...)

	if diff := cmp.Diff(gwsim.Summary{
		Processes: 1, Connects: 4, Hellos: 4, HandshakesCompleted: 3, ClientIDs: []int{0, 7}, OpenAtEnd: 2,
	}, counts(g.Summary())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatIsNoHelloIsReset(t *testing.T) {
	for _, test := range []struct {
		name, bytes string
		kind        wire.Kind
	}{
		{"a frame of a client library that redialled by itself", "\x00\x00\x00\x0549\x001\x00", wire.KindFrame},
		{"a health check", "GET / HTTP/1.1\r\n\r\n", wire.KindHTTP},
		{"a malformed hello", "API\x00\x00\x00\x00\x08v100.200", wire.KindHello},
	} {
		t.Run(test.name, func(t *testing.T) {
			g, address := serveTCP(t, gwsim.Options{})
			nc := dialTCP(t, address)
			defer nc.Close()
			if _, err := nc.Write([]byte(test.bytes)); err != nil {
				t.Fatal(err)
			}
			if n, err := nc.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("read %d bytes, error %v; want a reset", n, err)
			}
			want := gwsim.Connection{
				Number: 1, Process: 1, FirstBytesHex: fmt.Sprintf("%x", test.bytes), Kind: test.kind, NotHello: true,
				Stage: gwsim.StageAccepted, EndedBy: gwsim.ByGateway, EndedHow: gwsim.ByRST,
			}
			s := g.Summary()
			if diff := cmp.Diff([]gwsim.Connection{want}, s.Connections); diff != "" || s.NotHellos != 1 || s.Hellos != 0 {
				t.Errorf("%d hellos, %d not (-want +got):\n%s", s.Hellos, s.NotHellos, diff)
			}
		})
	}
}

// A handshake that the client did not wait for is not completed.
func TestReadyThatCouldNotBeSentIsNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gwsim.New(gwsim.Options{})
		defer g.Close()
		nc := dialMemory(t, g)
		hello := wire.AppendHello(nil, everyVersion)
		if _, err := nc.Write(hello); err != nil {
			t.Fatal(err)
		}
		if _, err := nc.Read(make([]byte, 64)); err != nil {
			t.Fatal(err)
		}
		if _, err := nc.Write(wire.AppendStartAPI(nil, 176, wire.StartAPI{ClientID: 1, HasClientID: true})); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // the Gateway is inside its write of ready, which nobody reads
		if err := nc.Close(); err != nil {
			t.Fatal(err)
		}
		waitFor(t, g, "the connection has ended", func(s gwsim.Summary) bool { return s.OpenAtEnd == 0 })
		if s := g.Summary(); s.HandshakesCompleted != 0 || s.Connections[0].Stage != gwsim.StageStartAPI {
			t.Errorf("%d handshakes completed, stage %s", s.HandshakesCompleted, s.Connections[0].Stage)
		}
	})
}

func TestServeEndsWithItsContext(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := gwsim.New(gwsim.Options{})
	defer g.Close()
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- g.Serve(ctx, ln) }()
	c := connect(dialTCP(t, ln.Addr().String()), everyVersion, 1, 0)
	defer c.close()
	c.expect(t, moment, "version 176", "accounts DU1234567", "next id 1")
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	c.expect(t, moment, "fin")
	s := g.Summary()
	if s.OpenAtEnd != 1 || s.Connections[0].EndedBy != gwsim.BySimulator {
		t.Errorf("open at the end: %d, ended by %q", s.OpenAtEnd, s.Connections[0].EndedBy)
	}
	if err := g.Restart(); !errors.Is(err, gwsim.ErrClosed) {
		t.Errorf("Restart after the end: %v", err)
	}
}

func TestServeConn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gwsim.New(gwsim.Options{})
		defer g.Close()
		near, far := net.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- g.ServeConn(ctx, far) }()
		c := connect(near, everyVersion, 1, 0)
		c.expect(t, hour, "version 176", "accounts DU1234567", "next id 1", "silence")
		cancel()
		c.expect(t, hour, "fin")
		c.close()
		if err := <-served; err != nil {
			t.Errorf("ServeConn: %v", err)
		}
		if err := g.Down(); err != nil {
			t.Fatal(err)
		}
		near, far = net.Pipe()
		defer near.Close()
		if err := g.ServeConn(t.Context(), far); !errors.Is(err, gwsim.ErrRefused) {
			t.Errorf("ServeConn while down: %v", err)
		}
		if s := g.Summary(); s.Connects != 1 {
			t.Errorf("%d connects, want 1: a refused one is none", s.Connects)
		}
	})
}

func TestObserveTellsOfEveryStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stages []string
		g := gwsim.New(gwsim.Options{Observe: func(c gwsim.Connection) {
			stages = append(stages, fmt.Sprintf("%d %s %s%s", c.Number, c.Kind, c.Stage, c.EndedBy))
		}})
		c := connect(dialMemory(t, g), everyVersion, 1, 0)
		c.expect(t, hour, "version 176", "accounts DU1234567", "next id 1")
		c.close()
		waitFor(t, g, "the client has left", func(s gwsim.Summary) bool { return s.OpenAtEnd == 0 })
		g.Close()
		want := []string{"1 none accepted", "1 hello hello", "1 hello version", "1 hello start_api", "1 hello ready", "1 hello readyclient"}
		// startAPI also completes the first 32 bytes, in the same step.
		if diff := cmp.Diff(want, slices.Compact(stages)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestSummaryAsJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gwsim.New(gwsim.Options{})
		empty, err := json.Marshal(g.Summary())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(`{"processes":1,"connects":0,"hellos":0,"not_hellos":0,"handshakes_completed":0,"client_ids":[],"open_at_end":0,"connections":[]}`, string(empty)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		c := connect(dialMemory(t, g), everyVersion, 0, 0)
		c.expect(t, hour, "version 176", "accounts DU1234567", "next id 1")
		g.Close()
		c.close()
		got, err := json.Marshal(g.Summary())
		if err != nil {
			t.Fatal(err)
		}
		want := `{"processes":1,"connects":1,"hellos":1,"not_hellos":0,"handshakes_completed":1,"client_ids":[0],"open_at_end":1,"connections":[` +
			`{"number":1,"process":1,"first_bytes_hex":"4150490000000009763130302e2e323235000000083731003200300000","kind":"hello","not_hello":false,"offered":"v100..225",` +
			`"server_version":176,"client_id":0,"stage":"ready","ended_by":"simulator","ended_how":"fin"}]}`
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
