package doctor

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/config"
	"ibrecorder/internal/daemon"
	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/wire"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scene is a data folder and a simulated Gateway.
type scene struct {
	t   *testing.T
	sim *gwsim.Gateway
	cfg daemon.Config
}

// play sets a scene with a behaviour of the simulator's. The recorder's budgets are short.
func play(t *testing.T, behaviour string) *scene {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir()) // the locks of Gateways are there
	script, err := gwsim.Named(behaviour)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{t: t, sim: gwsim.New(gwsim.Options{Script: script, Version: 203})}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.sim.Serve(context.Background(), ln) }()
	t.Cleanup(func() { ln.Close(); s.sim.Close(); <-ended })
	dir, err := os.MkdirTemp("", "ibr") // with a path that is short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	params := policy.Demo()
	params.VersionBudgetMS, params.ReadyBudgetMS, params.StartAPIBudgetMS = 1000, 1000, 1000
	rule, err := policy.Load("demo", params, events.Enforce)
	if err != nil {
		t.Fatal(err)
	}
	s.cfg = daemon.Config{Data: dir, Policy: rule, Version: "test", Gateways: []daemon.Gateway{{Name: "main", Address: ln.Addr().String(), Tap: "127.0.0.1:0"}}}
	return s
}

// record starts a recorder before the Gateway.
func (s *scene) record() (stop func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	d, err := daemon.Open(ctx, s.cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	running := true
	stop = func() {
		if running {
			running = false
			cancel()
			if err := <-ended; err != nil {
				s.t.Error(err)
			}
		}
	}
	s.t.Cleanup(stop)
	return stop
}

// subject is what the folder's configuration would say.
func (s *scene) subject() Subject {
	g := s.cfg.Gateways[0]
	return Subject{Version: "test", Config: config.Config{Data: s.cfg.Data, LogMaxBytes: 1 << 30, Gateways: []config.Gateway{{Name: g.Name, Address: g.Address, Tap: g.Tap}}}}
}

func (s *scene) gather() Facts {
	s.t.Helper()
	f, err := Gather(s.t.Context(), s.subject())
	if err != nil {
		s.t.Fatal(err)
	}
	return f
}

// state is every path of a folder with its rights and time.
func state(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			all[path] = info.Mode().String() + info.ModTime().Format(time.RFC3339Nano)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestGatheringTouchesNothing(t *testing.T) {
	s := play(t, "healthy")
	stop := s.record()
	f := s.gather()
	if len(f.Live) != 1 || f.Gateways[0].Seen.Listening != events.ListeningYes || f.Gateways[0].TapSeen.Listening != events.ListeningYes || f.Gateways[0].Last.IsZero() {
		t.Errorf("with a recorder: %+v", f)
	}
	head := f.Live[0].Seq
	if again := s.gather(); again.Live[0].Seq != head {
		t.Errorf("to look wrote events: %d, then %d", head, again.Live[0].Seq)
	}
	stop()
	before := state(t, s.cfg.Data)
	f = s.gather()
	if !f.nobody() || len(f.Logs) != 1 || f.Logs[0].Seq == 0 || f.Logs[0].Err != nil || f.Gateways[0].Last.IsZero() {
		t.Errorf("without one: %+v", f)
	}
	if diff := cmp.Diff(before, state(t, s.cfg.Data)); diff != "" {
		t.Error("the folder was changed:", diff)
	}
	if _, err := os.Stat(filepath.Join(s.cfg.Data, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if n := s.sim.Summary().Connects; n != 0 {
		t.Errorf("%d connects at the Gateway", n)
	}
}

func TestTheRecorderIsBelievedBeforeTheConfiguration(t *testing.T) {
	at := func(gateway, address, tap string) httpapi.Status {
		return httpapi.Status{Gateway: gateway, Address: address, Tap: tap}
	}
	conf := config.Config{Gateways: []config.Gateway{{Name: "main", Address: "127.0.0.1:4002", Tap: "127.0.0.1:4102"}}}
	for _, c := range []struct {
		name string
		live []httpapi.Status
		want []Place
	}{
		{"none runs", nil, []Place{{Name: "main", Address: "127.0.0.1:4002", Tap: "127.0.0.1:4102", Configured: true}}},
		{"it has the same", []httpapi.Status{at("main", "127.0.0.1:4002", "127.0.0.1:4102")}, []Place{{Name: "main", Address: "127.0.0.1:4002", Tap: "127.0.0.1:4102", Configured: true}}},
		{"it has another address", []httpapi.Status{at("main", "127.0.0.1:4001", "127.0.0.1:4102")}, []Place{
			{Name: "main", Address: "127.0.0.1:4001", Tap: "127.0.0.1:4102", Configured: true, Elsewhere: "127.0.0.1:4002 and 127.0.0.1:4102"}}},
		{"it has another gateway", []httpapi.Status{at("live", "127.0.0.1:4001", "127.0.0.1:4101")}, []Place{
			{Name: "main", Address: "127.0.0.1:4002", Tap: "127.0.0.1:4102", Configured: true}, {Name: "live", Address: "127.0.0.1:4001", Tap: "127.0.0.1:4101"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, places(conf, c.live)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOnlyGatewaysThatThereAre(t *testing.T) {
	s := play(t, "healthy")
	s.record()
	subject := s.subject()
	subject.Unset = true // and so the recorder alone says what there is
	subject.Config.Gateways = []config.Gateway{{Name: "other", Address: "127.0.0.1:4002", Tap: "127.0.0.1:4102"}}
	if f, err := Gather(t.Context(), subject); err != nil || len(f.Gateways) != 1 || f.Gateways[0].Name != "main" || !f.Gateways[0].Configured {
		t.Errorf("gathered %+v, %v", f.Gateways, err)
	}
	subject.Only = "paper"
	if _, err := Gather(t.Context(), subject); !errors.Is(err, ErrNoGateway) {
		t.Errorf("gathered %v", err)
	}
}

func TestAProbe(t *testing.T) {
	for _, c := range []struct {
		behaviour string
		level     Level
		text      []string // in this order
		ended     gwsim.EndedBy
	}{
		{"healthy", OK, []string{"ready after ", "; server version 203; 1 account"}, gwsim.ByClient},
		{"farms", OK, []string{"ready after ", "; server version 203; codes 2104, 2106; 1 account"}, gwsim.ByClient},
		{"client-id-in-use", Warn, []string{"the Gateway answers, and client id 9999 is in use (326); server version 203; codes 326; in the log it is client_id_in_use"}, gwsim.ByGateway},
		{"disclaimer", Fail, []string{"the paper trading disclaimer waits to be accepted (10141); server version 203; codes 10141; in the log it is disclaimer_pending"}, gwsim.ByGateway},
		{"fin-before-version", Fail, []string{"closed after ", " without a version; in the log it is fin_before_version"}, gwsim.ByGateway},
		{"close-after-version", Fail, []string{"closed after ", " before it was ready; server version 203; in the log it is closed_before_ready"}, gwsim.ByGateway},
		{"foreign", Fail, []string{"closed after ", " without a version; in the log it is bad_version"}, ""},
		{"silent", Fail, []string{"closed after ", " without a version; in the log it is accepted_no_bytes; the gate is STOPPED now"}, gwsim.ByClient},
		{"no-ready", Fail, []string{"closed after ", " before it was ready; server version 203; in the log it is version_no_ready; the gate is STOPPED now"}, gwsim.ByClient},
	} {
		t.Run(c.behaviour, func(t *testing.T) {
			s := play(t, c.behaviour)
			stop := s.record()
			began := 0
			found, err := ProbeAll(t.Context(), s.gather(), Attempt{ClientID: 9999}, func(string) func() { began++; return func() { began++ } })
			if err != nil || len(found) != 1 || began != 2 {
				t.Fatalf("found %+v, %v, begun and ended %d", found, err, began)
			}
			rest := found[0].Text
			for _, part := range c.text {
				at := strings.Index(rest, part)
				if at < 0 {
					t.Fatalf("it says %q, want %q in it", found[0].Text, c.text)
				}
				rest = rest[at+len(part):]
			}
			if found[0].Level != c.level || rest != "" || (found[0].Fix == "") != (c.level == OK) {
				t.Errorf("found %+v, want %s", found[0], c.level)
			}
			stop()
			sum := s.sim.Summary()
			if sum.Connects != 1 || sum.Hellos != 1 {
				t.Errorf("at the Gateway %+v", sum)
			}
			if end := sum.Connections[0]; c.ended != "" && (end.EndedBy != c.ended || end.EndedHow != gwsim.ByFIN) {
				t.Errorf("it ended by the %s with %s, want by the %s with a FIN", end.EndedBy, end.EndedHow, c.ended)
			}
		})
	}
}

func TestWhenNoProbeIsMade(t *testing.T) {
	for _, c := range []struct {
		name  string
		facts func() Facts
		harm  func(*Facts)
		want  string
	}{
		{"all is well", healthy, func(*Facts) {}, ""},
		{"no recorder runs", without, func(*Facts) {}, "fail no probe was made: it goes through the port of a running recorder, and none answers"},
		{"the recorder guards another", healthy, func(f *Facts) { f.Live[0].Gateway = "paper" }, "fail no probe was made: the running recorder does not guard it"},
		{"the gate is stopped", healthy, func(f *Facts) { f.Live[0].Gate, f.Live[0].Next = gateStopped, "resume" }, "fail no probe was made: its gate is STOPPED, and nobody dials then"},
		{"it is stopped, and holds nobody", healthy, func(f *Facts) {
			f.Live[0].Gate, f.Live[0].Mode, f.Live[0].Next = gateStopped, events.Observe, "resume"
		}, "fail no probe was made: its gate is STOPPED, and nobody dials then"},
		{"the log takes nothing", healthy, func(f *Facts) { f.Live[0].LogError = "full" }, "fail no probe was made: the log takes nothing, and nobody dials then"},
		{"nothing listens", healthy, func(f *Facts) { f.Gateways[0].Seen = nobody() }, "skip no probe was made: nothing listens there"},
		{"hellos wait unread", healthy, func(f *Facts) { f.Gateways[0].Seen.UnacceptedSockets = number(1) }, "skip no probe was made: the Gateway leaves connections unaccepted, and each further one makes it worse"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := c.facts()
			c.harm(&f)
			no, refused := noProbe(f, f.Gateways[0])
			if got := strings.TrimSpace(string(no.Level) + " " + no.Text); got != c.want || refused != (c.want != "") || refused && no.Fix == "" {
				t.Errorf("%+v, want %q", no, c.want)
			}
		})
	}
}

func TestAStoppedGateIsNotProbed(t *testing.T) {
	s := play(t, "silent")
	s.record()
	for i, want := range []string{"closed after", "no probe was made: its gate is STOPPED"} {
		f := s.gather()
		f.Live[0].Gate = "OPEN" // as it was when somebody looked
		found, err := ProbeAll(t.Context(), f, Attempt{ClientID: 9999}, func(string) func() { return func() {} })
		if err != nil || len(found) != 1 || !strings.HasPrefix(found[0].Text, want) {
			t.Errorf("probe %d: %+v, %v, want %s", i+1, found, err, want)
		}
	}
	if n := s.sim.Summary().Connects; n != 1 {
		t.Errorf("%d connects at the Gateway, want 1", n)
	}
}

func TestAProbeThatIsInterruptedLeavesInOrder(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	interrupted := errors.New("interrupted")
	ctx, interrupt := context.WithCancelCause(t.Context())
	got := make(chan error, 1)
	go func() {
		nc, err := ln.Accept()
		if err != nil {
			got <- err
			return
		}
		defer nc.Close()
		if _, err = io.ReadFull(nc, make([]byte, len(wire.AppendHello(nil, wire.Hello{Min: oldest, Max: newest})))); err == nil {
			_, err = nc.Write([]byte{0, 0}) // unread at the probe's side: a careless close would reset
		}
		interrupt(interrupted)
		if err == nil {
			_, err = io.Copy(io.Discard, nc) // until the FIN; a reset is an error
		}
		got <- err
	}()
	out, err := Attempt{Tap: ln.Addr().String(), ClientID: 1}.Try(ctx)
	if !errors.Is(err, interrupted) || out.Elapsed > patience/2 {
		t.Errorf("it ended with %+v, %v", out, err)
	}
	if err := <-got; err != nil {
		t.Errorf("the other side saw %v", err)
	}
}

func TestAProbeWhereNobodyListens(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	out, err := Attempt{Tap: ln.Addr().String()}.Try(t.Context())
	if err != nil || out.End != Refused {
		t.Errorf("%+v, %v", out, err)
	}
	if f := outcome("main", 9999, out, "", ""); f.Level != Fail || f.Text != "the tap's port is closed" || f.Fix == "" {
		t.Errorf("told %+v", f)
	}
}

func TestAProbeThatHearsNothingLeaves(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts, and nobody else
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	out, err := Attempt{Tap: ln.Addr().String(), Patience: 50 * time.Millisecond, Leave: 50 * time.Millisecond}.Try(t.Context())
	if err != nil || out.End != Silent || out.Local == "" || out.Elapsed < 50*time.Millisecond {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestACommandIsLookedAtAndNotRun(t *testing.T) {
	dir := t.TempDir()
	program, text := filepath.Join(dir, "tell"), filepath.Join(dir, "text")
	if err := errors.Join(os.WriteFile(program, nil, 0o700), os.WriteFile(text, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, line, word, problem string }{
		{"none", "", "", ""},
		{"a program by its path", program + " 'a b'", program, ""},
		{"a path that is not there", "/none/tell x", "/none/tell", "there is no such file"},
		{"a file that is no program", text, text, "it is not executable"},
		{"a folder", dir, dir, "it is a folder"},
		{"a program by its name", "sh -c true", "sh", ""},
		{"a word that may be the shell's own", "nosuchprogram x", "", ""},
		{"a path from nobody knows where", "./tell", "", ""},
		{"a line of shell", "(cd /; pwd)", "", ""},
		{"a variable first", "A=b tell", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := command(c.line); got != (Command{c.line, c.word, c.problem}) {
				t.Errorf("%+v, want %q and %q", got, c.word, c.problem)
			}
		})
	}
}

func TestAChannelIsLookedAtAndNotTold(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "token")
	if err := os.WriteFile(secret, []byte("S3cr3tS3cr3t"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(dir, "open")
	if err := os.WriteFile(open, []byte("S3cr3tS3cr3t"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name             string
		channel          config.Channel
		problem, unknown string // how they begin
	}{
		{"a secret in its file", config.Channel{Type: "telegram", TokenFile: secret}, "", ""},
		{"no secret", config.Channel{Type: "alertmanager", URL: "http://127.0.0.1:1"}, "", ""},
		{"a secret that others may read", config.Channel{Type: "telegram", TokenFile: open}, "token_file: a secret cannot be had: others may read ", ""},
		{"a secret that is not there", config.Channel{Type: "slack", URLFile: filepath.Join(dir, "none")}, "url_file: a secret cannot be had: ", ""},
		{"a secret in a variable", config.Channel{Type: "slack", URLFile: "env:SLACK"}, "", ""},
		{"a secret in a variable that is not set here", config.Channel{Type: "slack", URLFile: "env:OTHER"}, "", "url_file: OTHER is not set here; "},
		{"a command that is not there", config.Channel{Type: "command", Command: "/nowhere/tell x"}, "/nowhere/tell: there is no such file", ""},
	} {
		got := way(c.channel, []string{"SLACK=S3cr3tS3cr3t"})
		if !strings.HasPrefix(got.Problem, c.problem) || (c.problem == "") != (got.Problem == "") || !strings.HasPrefix(got.Unknown, c.unknown) || (c.unknown == "") != (got.Unknown == "") {
			t.Errorf("%s: %+v", c.name, got)
		}
		if strings.Contains(got.Problem+got.Unknown, "S3cr3t") {
			t.Errorf("%s: the secret is told: %+v", c.name, got)
		}
	}
}
