package gwsim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var everyVersion = wire.Hello{Min: 100, Max: 225}

// client is the least that connects to a Gateway: hello, startAPI, and then it
// asks for the time. It says in words what it saw.
type client struct {
	nc  net.Conn
	saw chan string // closed after "fin" or "rst"
}

// connect sends the hello and goes on by itself: startAPI when the version
// comes, reqCurrentTime when it is ready and again after each answer, asks times.
func connect(nc net.Conn, hello wire.Hello, clientID, asks int) *client {
	c := &client{nc: nc, saw: make(chan string, 64)}
	go func() {
		defer close(c.saw)
		_, _ = nc.Write(wire.AppendHello(nil, hello)) // the read says why it failed
		version, ready := 0, 0
		ask := func() {
			if ready == 2 && asks > 0 {
				asks--
				_, _ = nc.Write(wire.AppendReqCurrentTime(nil, version))
			}
		}
		frames := wire.NewScanner(0)
		buf := make([]byte, 512)
		for {
			n, err := nc.Read(buf)
			for f := range frames.Frames(buf[:n]) {
				if version == 0 {
					reply, err := wire.ParseVersionReply(f)
					if err != nil {
						c.saw <- "no version"
						continue
					}
					version = reply.Version
					c.saw <- fmt.Sprint("version ", version)
					if hello.Accepts(version) {
						_, _ = nc.Write(wire.AppendStartAPI(nil, version, wire.StartAPI{ClientID: clientID, HasClientID: true}))
					}
					continue
				}
				m, err := wire.ParseMessage(version, f)
				if err != nil {
					c.saw <- err.Error()
					continue
				}
				c.saw <- describe(m)
				switch m.ID {
				case wire.IDManagedAccounts, wire.IDNextValidID:
					ready++
					ask()
				case wire.IDCurrentTime:
					ask()
				}
			}
			if frames.Err() != nil {
				c.saw <- "no frame"
				if _, err = io.Copy(io.Discard, nc); err == nil {
					err = io.EOF
				}
			}
			switch {
			case errors.Is(err, syscall.ECONNRESET):
				c.saw <- "rst"
			case errors.Is(err, io.EOF):
				c.saw <- "fin"
			case err != nil: // closed by the test
			default:
				continue
			}
			return
		}
	}()
	return c
}

func describe(m wire.Message) string {
	var what string
	var err error
	switch m.ID {
	case wire.IDManagedAccounts:
		var accounts []string
		accounts, err = m.ManagedAccounts()
		what = "accounts " + strings.Join(accounts, ",")
	case wire.IDNextValidID:
		var id int
		id, err = m.NextValidID()
		what = fmt.Sprint("next id ", id)
	case wire.IDError:
		var e wire.ErrorMessage
		e, err = m.ErrorMessage()
		what = fmt.Sprint("error ", e.ID, " ", e.Code)
	case wire.IDCurrentTime:
		var at int64
		at, err = m.CurrentTime()
		what = fmt.Sprint("time ", at)
	default:
		what = fmt.Sprint("message ", m.ID)
	}
	if err != nil {
		return err.Error()
	}
	return what
}

// watch returns the next things the client saw, as many as want has, in order.
// A "silence" in want is proved by waiting that long for something else.
func (c *client) watch(want []string, silence time.Duration) (saw []string) {
	for _, w := range want {
		limit := time.Minute
		if w == "silence" {
			limit = silence
		}
		timer := time.NewTimer(limit)
		select {
		case s, ok := <-c.saw:
			if !ok {
				s = "closed"
			}
			saw = append(saw, s)
		case <-timer.C:
			saw = append(saw, "silence")
		}
		timer.Stop()
	}
	return saw
}

// close hangs up and waits until the client has noticed.
func (c *client) close() {
	_ = c.nc.Close()
	for range c.saw {
	}
}

// expect fails the test unless the client sees exactly want next.
func (c *client) expect(t *testing.T, silence time.Duration, want ...string) {
	t.Helper()
	if saw := c.watch(want, silence); !slices.Equal(saw, want) {
		t.Errorf("the client saw  %s\nbut should have %s", strings.Join(saw, " | "), strings.Join(want, " | "))
	}
}

// Silence is proved in real time by a moment and in a bubble by an hour.
const (
	moment = 20 * time.Millisecond
	hour   = time.Hour
)

// serveTCP starts a Gateway on loopback and returns its address.
func serveTCP(t *testing.T, opts gwsim.Options) (g *gwsim.Gateway, address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g = gwsim.New(opts)
	served := make(chan error, 1)
	go func() { served <- g.Serve(context.Background(), ln) }()
	t.Cleanup(func() {
		g.Close()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return g, ln.Addr().String()
}

func dialTCP(t *testing.T, address string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return nc
}

func dialMemory(t *testing.T, g *gwsim.Gateway) net.Conn {
	t.Helper()
	nc, err := g.DialContext(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	return nc
}

func parse(t *testing.T, script string) *gwsim.Script {
	t.Helper()
	s, err := gwsim.Parse(strings.NewReader(script))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// waitFor waits for a condition on what the Gateway counted.
func waitFor(t *testing.T, g *gwsim.Gateway, what string, cond func(gwsim.Summary) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := g.Wait(ctx, cond); err != nil {
		t.Fatalf("waiting until %s: %v; summary %+v", what, err, g.Summary())
	}
}

// counts is a Summary without its records.
func counts(s gwsim.Summary) gwsim.Summary {
	s.Connections = nil
	return s
}
