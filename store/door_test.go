package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"
	"ibrecorder/store/storetest"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"
)

// guest makes a key pair, and the runner of it who may publish to a and read b.
func guest(t *testing.T) (nkeys.KeyPair, store.Runner) {
	t.Helper()
	key, err := nkeys.CreateUser()
	must(t, err)
	public, err := key.PublicKey()
	must(t, err)
	return key, store.Runner{Key: public, Rights: store.Rights{Publish: []string{"a"}, Subscribe: []string{"b"}}}
}

func openDoor(t *testing.T, runners ...store.Runner) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Dir: t.TempDir(), Door: &store.Door{
		Listen: "127.0.0.1:0", Own: store.Rights{Publish: []string{"b"}, Subscribe: []string{"a"}}, Runners: runners,
	}})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func enter(s *store.Store, key nkeys.KeyPair, opts ...nats.Option) (*nats.Conn, error) {
	if key != nil {
		public, err := key.PublicKey()
		if err != nil {
			return nil, err
		}
		opts = append(opts, nats.Nkey(public, key.Sign))
	}
	return nats.Connect(s.Listening(), append(opts, nats.NoReconnect(), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))...)
}

func TestNobodyComesThroughTheDoorWithoutAKeyOfARunner(t *testing.T) {
	key, runner := guest(t)
	s := openDoor(t, runner)
	stranger, err := nkeys.CreateUser()
	must(t, err)
	for _, c := range []struct {
		name string
		key  nkeys.KeyPair
		opts []nats.Option
	}{
		{"no key", nil, nil},
		{"a key that nobody configured", stranger, nil},
		{"the name of a key without the key", nil, []nats.Option{nats.Nkey(runner.Key, stranger.Sign)}},
		{"a password", nil, []nats.Option{nats.UserInfo("robo-1", "secret")}},
		{"a public key for a password", nil, []nats.Option{nats.UserInfo(runner.Key, runner.Key)}},
		{"a token", nil, []nats.Option{nats.Token(runner.Key)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			nc, err := enter(s, c.key, c.opts...)
			if err == nil {
				nc.Close()
			}
			if !errors.Is(err, nats.ErrAuthorization) {
				t.Errorf("got %v, want %v", err, nats.ErrAuthorization)
			}
		})
	}
	nc, err := enter(s, key)
	must(t, err)
	nc.Close()
}

// A runner has no JetStream, and sees nothing of the account that has: neither by
// publishing where the log listens nor by asking its API.
func TestTheLogIsOutOfReachOfWhoeverComesThroughTheDoor(t *testing.T) {
	key, runner := guest(t)
	runner.Rights = store.Rights{Publish: []string{">"}, Subscribe: []string{">"}} // the account alone must do
	s := openDoor(t, runner)
	log, err := s.Log(t.Context(), "main")
	must(t, err)
	recs := storetest.Fill(t, log, "main", 3)
	nc, err := enter(s, key)
	must(t, err)
	defer nc.Close()
	seen, err := nc.SubscribeSync("ibrecorder.ev.>")
	must(t, err)
	must(t, nc.Publish("ibrecorder.ev.main.operator.noted", recs[0].Raw))
	if _, err := seen.NextMsg(5 * time.Second); err != nil { // its own, in its own account
		t.Fatal(err)
	}
	js, err := jetstream.New(nc)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	const stream = "IBR_MAIN_0001"
	ask := func(subject, body string) error { // an answer has the error in it
		msg, err := nc.RequestWithContext(ctx, subject, []byte(body))
		var said struct{ Error *jetstream.APIError }
		if err == nil {
			err = json.Unmarshal(msg.Data, &said)
		}
		if err == nil && said.Error != nil {
			err = said.Error
		}
		return err
	}
	for name, try := range map[string]func() error{
		"look for streams": func() error { _, err := js.AccountInfo(ctx); return err },
		"delete it":        func() error { return js.DeleteStream(ctx, stream) },
		"make one that takes its subjects": func() error {
			_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "X", Subjects: []string{"ibrecorder.ev.>"}})
			return err
		},
		"purge it":        func() error { return ask("$JS.API.STREAM.PURGE."+stream, "") },
		"delete an event": func() error { return ask("$JS.API.STREAM.MSG.DELETE."+stream, `{"seq":1}`) },
		"make a consumer": func() error {
			return ask("$JS.API.CONSUMER.CREATE."+stream, `{"stream_name":"`+stream+`","config":{}}`)
		},
		"by its domain": func() error {
			return ask("$JS."+s.Server().JetStreamConfig().Domain+".API.STREAM.DELETE."+stream, "")
		},
	} {
		if err := try(); err == nil {
			t.Errorf("%s: nothing kept it from that", name)
		}
	}
	if ctx.Err() != nil {
		t.Error("not all of them were answered")
	}
	head, err := log.Head(t.Context())
	must(t, err)
	if head.Seq != 3 || head.Hash != recs[2].Hash() {
		t.Errorf("the log ends at %+v", head)
	}
	var chain events.Chain
	for rec, err := range log.Read(t.Context(), 1, 0) {
		must(t, err)
		must(t, chain.Add(rec))
	}
}

func TestARunnerHasTheRightsThatItWasGiven(t *testing.T) {
	key, runner := guest(t)
	otherKey, other := guest(t)
	other.Rights = store.Rights{}
	s := openDoor(t, runner, other)
	refused := make(chan error, 16)
	note := nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err })
	enterNoting := func(key nkeys.KeyPair) *nats.Conn {
		public, err := key.PublicKey()
		must(t, err)
		nc, err := nats.Connect(s.Listening(), nats.Nkey(public, key.Sign), nats.NoReconnect(), note)
		must(t, err)
		t.Cleanup(nc.Close)
		return nc
	}
	nc, none := enterNoting(key), enterNoting(otherKey)
	got, err := s.Guests().SubscribeSync("a")
	must(t, err)
	must(t, s.Guests().Flush())
	must(t, nc.Publish("a", []byte("x")))
	if _, err := got.NextMsg(5 * time.Second); err != nil {
		t.Fatalf("what it may publish does not come: %v", err)
	}
	for name, try := range map[string]func() error{
		"publishes elsewhere":          func() error { return nc.Publish("c", nil) },
		"subscribes elsewhere":         func() error { _, err := nc.SubscribeSync("a"); return err },
		"subscribes everything":        func() error { _, err := nc.SubscribeSync(">"); return err },
		"without a right, publishes":   func() error { return none.Publish("a", nil) },
		"without a right, subscribes":  func() error { _, err := none.SubscribeSync("b"); return err },
		"the recorder, where it hears": func() error { return s.Guests().Publish("a", nil) },
	} {
		must(t, try())
		if name == "the recorder, where it hears" {
			must(t, s.Guests().Flush())
			if err := s.Guests().LastError(); !errors.Is(err, nats.ErrPermissionViolation) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		select {
		case err := <-refused:
			if !errors.Is(err, nats.ErrPermissionViolation) {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("%s: nothing kept it from that", name)
		}
	}
	if n, _, err := got.Pending(); n != 0 || err != nil {
		t.Errorf("%d messages came through, %v", n, err)
	}
}

func TestADoorThatCannotBeOpenedSaysWhatToDo(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer taken.Close()
	_, runner := guest(t)
	for _, c := range []struct {
		name string
		door store.Door
		says string
	}{
		{"a wider address", store.Door{Listen: "0.0.0.0:4222"}, "not loopback"},
		{"a name", store.Door{Listen: "localhost:4222"}, "want IP:PORT"},
		{"a port that is taken", store.Door{Listen: taken.Addr().String(), Runners: []store.Runner{runner}}, "end the program that has the port"},
		{"a seed for a public key", store.Door{Listen: "127.0.0.1:0", Runners: []store.Runner{{Key: "x"}}}, "recorder nats key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := store.Open(t.Context(), store.Config{Dir: t.TempDir(), Door: &c.door})
			if err == nil {
				must(t, s.Close())
			}
			if !errors.Is(err, store.ErrDoor) || !strings.Contains(fmt.Sprint(err), c.says) {
				t.Errorf("got %v, want %v that says %q", err, store.ErrDoor, c.says)
			}
			if c.name == "a port that is taken" && !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("%v is not %v", err, syscall.EADDRINUSE)
			}
		})
	}
}

func TestOnlyTheDoorListens(t *testing.T) {
	before := listening(t)
	s := openDoor(t)
	after := listening(t)
	if len(after) != len(before)+1 {
		t.Errorf("listening sockets of this process: %v before, %v after", before, after)
	}
	if host, _, err := net.SplitHostPort(s.Listening()); host != "127.0.0.1" || err != nil {
		t.Errorf("it listens at %s", s.Listening())
	}
	if plain := openStore(t, t.TempDir()); plain.Guests() != nil || plain.Listening() != "" || !slices.Equal(listening(t), after) {
		t.Errorf("a store without a door listens at %q", plain.Listening())
	}
}

// A runner can have the server write a line for each message that it may not send, and
// what the disk says must not drown in that.
func TestAGuestCannotFloodTheLogOfTheServer(t *testing.T) {
	key, runner := guest(t)
	var lines bytes.Buffer
	s, err := store.Open(t.Context(), store.Config{Dir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(&lines, nil)), Door: &store.Door{
		Listen: "127.0.0.1:0", Own: store.Rights{Publish: []string{"b"}, Subscribe: []string{"a"}}, Runners: []store.Runner{runner},
	}})
	must(t, err)
	nc, err := enter(s, key)
	must(t, err)
	for range 1000 {
		must(t, nc.Publish("c", nil))
	}
	must(t, nc.Flush())
	nc.Close()
	select {
	case err := <-s.Err():
		t.Errorf("the store says %v", err)
	default:
	}
	must(t, s.Close())
	if n := strings.Count(lines.String(), "Violation"); n != 10 {
		t.Errorf("%d lines, want 10:\n%.2000s", n, lines.String())
	}
	if !strings.Contains(lines.String(), "is left out") {
		t.Error("nobody says that some are missing")
	}
}

// What waits for a guest that does not read is bounded, and so is how often it
// subscribes; whoever else is there gets everything.
func TestAGuestThatDoesNotReadIsCutOff(t *testing.T) {
	key, runner := guest(t)
	other, reader := guest(t)
	s := openDoor(t, runner, reader)
	socket := &deaf{}
	gone := make(chan error, 1)
	nc, err := enter(s, key, nats.SetCustomDialer(socket), nats.ClosedHandler(func(nc *nats.Conn) { gone <- nc.LastError() }))
	must(t, err)
	defer nc.Close()
	for range 2000 {
		_, err := nc.Subscribe("b", func(*nats.Msg) {})
		must(t, err)
	}
	must(t, nc.Flush())
	if err := nc.LastError(); err == nil || !strings.Contains(err.Error(), "maximum subscriptions exceeded") {
		t.Errorf("2000 subscriptions: %v", err)
	}
	hears, err := enter(s, other)
	must(t, err)
	defer hears.Close()
	sub, err := hears.SubscribeSync("b")
	must(t, err)
	must(t, hears.Flush())
	socket.deaf.Store(true)
	const n = 20
	for range n { // each goes to it a thousand times, and soon more is waiting than may
		must(t, s.Guests().Publish("b", make([]byte, 64<<10)))
	}
	must(t, s.Guests().FlushTimeout(30*time.Second))
	for i := range n {
		if _, err := sub.NextMsg(30 * time.Second); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
	socket.deaf.Store(false)
	select {
	case <-gone:
	case <-time.After(30 * time.Second):
		t.Error("it is still connected")
	}
}

// Runners that take all connections there are keep other runners out, and not the recorder.
func TestGuestsLeaveRoomForTheRecorder(t *testing.T) {
	var keys []nkeys.KeyPair
	var runners []store.Runner
	for range 8 {
		key, runner := guest(t)
		keys, runners = append(keys, key), append(runners, runner)
	}
	s := openDoor(t, runners...)
	for i := range 64 {
		nc, err := enter(s, keys[i/8])
		if err != nil {
			t.Fatalf("connection %d: %v", i+1, err)
		}
		defer nc.Close()
	}
	if nc, err := enter(s, keys[0]); err == nil { // it is told so, or its socket is closed before
		nc.Close()
		t.Error("one more comes in")
	}
	log, err := s.Log(t.Context(), "main")
	must(t, err)
	storetest.Fill(t, log, "main", 3)
	must(t, s.Guests().FlushTimeout(10*time.Second))
}

// A runner that forgets its connections does not keep the others out.
func TestARunnerHasNoMoreThanItsShareOfConnections(t *testing.T) {
	key, runner := guest(t)
	other, another := guest(t)
	s := openDoor(t, runner, another)
	var all []*nats.Conn
	for range 64 {
		nc, err := enter(s, key)
		if err != nil {
			break // some were closed already
		}
		defer nc.Close()
		all = append(all, nc)
	}
	eventually(t, "another runner comes in", func() bool {
		nc, err := enter(s, other)
		if err == nil {
			nc.Close()
		}
		return err == nil
	})
	eventually(t, "the newest is closed", all[len(all)-1].IsClosed)
	for i, nc := range all[:8] {
		if err := nc.FlushTimeout(10 * time.Second); err != nil {
			t.Errorf("connection %d, which was there first: %v", i+1, err)
		}
	}
}

// deaf is a dialer of a connection that can stop reading.
type deaf struct {
	net.Conn
	deaf atomic.Bool
}

func (d *deaf) Dial(network, address string) (c net.Conn, err error) {
	d.Conn, err = net.Dial(network, address)
	return d, err
}

func (d *deaf) Read(b []byte) (int, error) {
	for d.deaf.Load() {
		time.Sleep(time.Millisecond)
	}
	return d.Conn.Read(b)
}

// eventually waits until something is so, for half a minute at most.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}
