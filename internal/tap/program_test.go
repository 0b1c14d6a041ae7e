package tap_test

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

	"ibrecorder/events"
	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/tap"
	"ibrecorder/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var everyVersion = wire.Hello{Min: 100, Max: 225}

// program is a trading program: its hello goes out at once, its startAPI with the
// version, unless it is mute. It says in words what it saw.
type program struct {
	nc  net.Conn
	saw chan string // closed after "fin", "rst" or its own close
}

func connect(nc net.Conn, clientID int, mute bool) *program {
	p := &program{nc: nc, saw: make(chan string, 1024)}
	_, _ = nc.Write(wire.AppendHello(nil, everyVersion)) // the read says why it failed
	go p.read(clientID, mute)
	return p
}

func (p *program) read(clientID int, mute bool) {
	defer close(p.saw)
	version := 0
	frames := wire.NewScanner(0)
	buf := make([]byte, 4096)
	for {
		n, err := p.nc.Read(buf)
		for f := range frames.Frames(buf[:n]) {
			if version == 0 {
				reply, err := wire.ParseVersionReply(f)
				if err != nil {
					p.saw <- "no version"
					continue
				}
				version = reply.Version
				p.saw <- fmt.Sprint("version ", version)
				if !mute {
					_, _ = p.nc.Write(wire.AppendStartAPI(nil, version, wire.StartAPI{ClientID: clientID, HasClientID: true}))
				}
				continue
			}
			p.saw <- seen(version, f)
		}
		switch {
		case err == nil:
			continue
		case errors.Is(err, syscall.ECONNRESET):
			p.saw <- "rst"
		case errors.Is(err, io.EOF):
			p.saw <- "fin"
		}
		return
	}
}

func seen(version int, f wire.Frame) string {
	m, err := wire.ParseMessage(version, f)
	if err != nil {
		return err.Error()
	}
	switch m.ID {
	case wire.IDManagedAccounts:
		return "accounts"
	case wire.IDNextValidID:
		return "next id"
	case wire.IDCurrentTime:
		return "time"
	case wire.IDError:
		e, err := m.ErrorMessage()
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint("error ", e.ID, " ", e.Code, " ", e.Text)
	}
	return fmt.Sprint("message ", m.ID)
}

// next is the next thing the program saw.
func (p *program) next(t *testing.T) string {
	t.Helper()
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	select {
	case s, ok := <-p.saw:
		if !ok {
			return "closed"
		}
		return s
	case <-limit.C:
		t.Fatal("the program waited a minute")
		return ""
	}
}

// sees waits until the program saw something that begins with what.
func (p *program) sees(t *testing.T, what string) {
	t.Helper()
	var all []string
	for {
		s := p.next(t)
		if strings.HasPrefix(s, what) {
			return
		}
		if all = append(all, s); s == "closed" {
			t.Fatalf("the program saw %q, want %q", all, what)
		}
	}
}

// all is everything that the program saw until its connection was over.
func (p *program) all(t *testing.T) []string {
	t.Helper()
	var out []string
	for s := p.next(t); s != "closed"; s = p.next(t) {
		out = append(out, s)
	}
	_ = p.nc.Close()
	return out
}

// leave closes the program's side and waits until its reader has noticed.
func (p *program) leave(how events.Close) {
	if tcp, ok := p.nc.(*net.TCPConn); ok && how == events.RST {
		_ = tcp.SetLinger(0)
	}
	_ = p.nc.Close()
	for range p.saw {
	}
}

// world is a desk, a tap and a simulated Gateway over TCP.
type world struct {
	desk    *desk
	tap     *tap.Tap
	gateway *gwsim.Gateway
}

type setting struct {
	script  string // of the Gateway; "" is healthy
	version int
	answers func(int) answer // nil is always(grant)
	params  events.Params
	observe bool
	oneShot bool
	config  func(*tap.Config)
}

func start(t *testing.T, s setting) *world {
	t.Helper()
	if s.script == "" {
		s.script = "play healthy"
	}
	if s.answers == nil {
		s.answers = always(grant)
	}
	if s.params == (events.Params{}) {
		s.params = budgets(20 * time.Second)
	}
	mode := events.Enforce
	if s.observe {
		mode = events.Observe
	}
	w := &world{desk: newDesk(mode, s.params, s.answers)}
	script, err := gwsim.Parse(strings.NewReader(s.script))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.gateway = gwsim.New(gwsim.Options{Script: script, Version: s.version})
	served := make(chan error, 1)
	go func() { served <- w.gateway.Serve(context.Background(), ln) }()
	cfg := tap.Config{Desk: w.desk, Address: ln.Addr().String(), Listen: "127.0.0.1:0", Params: s.params, Observe: s.observe,
		Key: w.desk.redactor.Key, Pace: 1 << 20}
	if s.config != nil {
		s.config(&cfg)
	}
	open := tap.Listen
	if s.oneShot {
		open = tap.OneShot
	}
	if w.tap, err = open(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.tap.Close(); err != nil {
			t.Error(err)
		}
		w.gateway.Close()
		if err := <-served; err != nil && !errors.Is(err, gwsim.ErrClosed) { // which it was, perhaps before it began to serve
			t.Error(err)
		}
	})
	return w
}

func (w *world) dial(t *testing.T) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", w.tap.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	return nc
}

func (w *world) connect(t *testing.T, clientID int) *program {
	t.Helper()
	return connect(w.dial(t), clientID, false)
}

// connects is how many connections reached the Gateway.
func (w *world) connects(t *testing.T, want int) {
	t.Helper()
	if got := w.gateway.Summary().Connects; got != want {
		t.Errorf("%d connects reached the Gateway, want %d", got, want)
	}
}

var opening = []string{"client.opened", "client.hello v100..225", "attempt.requested"}

var up = append(slices.Clone(opening), "dial.started", "dial.connected")

func after(common []string, more ...string) []string { return append(slices.Clone(common), more...) }

// with writes the version into a table's words.
func with(lines []string, version int) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		if before, ok := strings.CutSuffix(line, " V"); ok {
			line = fmt.Sprint(before, " ", version)
		}
		out[i] = line
	}
	return out
}

// untold leaves the texts of errors out.
func untold(saw []string) []string {
	out := make([]string, len(saw))
	for i, s := range saw {
		if f := strings.Fields(s); f[0] == "error" {
			s = strings.Join(f[:3], " ")
		}
		out[i] = s
	}
	return out
}
