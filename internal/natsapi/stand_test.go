package natsapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/natsapi"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/recorder"
	"ibrecorder/store"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// stand is a recorder on a real log behind a real door, with two runners.
type stand struct {
	t      *testing.T
	store  *store.Store
	log    *store.JetLog
	loop   *recorder.Gateway
	stuck  atomic.Bool // the log takes nothing
	keys   map[string]nkeys.KeyPair
	end    func() error // ends the serving alone
	conns  map[string]*nats.Conn
	denied chan error // what the server does not allow a runner
	quota  quota
}

// quota lets through what is not of the runner in it.
type quota struct{ atomic.Pointer[string] }

func (q *quota) Take(source string, n int) time.Duration {
	if out := q.Load(); out != nil && *out == source && n > 0 {
		return time.Minute
	}
	return 0
}

// Its recorder.Log fails as it is told to.
func (s *stand) Append(ctx context.Context, rec events.Record) error {
	if s.stuck.Load() {
		return &store.AppendError{Gateway: "main", Seq: rec.Seq, ID: rec.ID, Err: store.ErrUnavailable}
	}
	return s.log.Append(ctx, rec)
}
func (s *stand) Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	return s.log.Read(ctx, from, to)
}
func (s *stand) Mark(m store.Mark, now bool) error { return s.log.Mark(m, now) }
func (s *stand) Carried() (store.Carried, bool)    { return s.log.Carried() }

// Observe is that of a Sensor that sees nothing.
func (s *stand) Observe(context.Context) events.GatewayObserved {
	return events.GatewayObserved{Listening: events.ListeningUnknown, Owner: events.OwnerUnknown}
}

// The rest of a natsapi.Gateway.
func (s *stand) Name() string { return "main" }
func (s *stand) Head(ctx context.Context) (uint64, error) {
	head, err := s.log.Head(ctx)
	return head.Seq, err
}
func (s *stand) Submit(ctx context.Context, d events.Draft) (events.Record, error) {
	rec, err := s.loop.Submit(ctx, d)
	if errors.Is(err, recorder.ErrTaken) {
		err = &httpapi.Problem{Type: "urn:ibrecorder:problem:id-taken", Status: 409, Detail: err.Error()}
	}
	return rec, err
}
func (s *stand) Permit(ctx context.Context, source, attempt string, q events.AttemptRequested) (httpapi.Answer, error) {
	l, err := s.loop.Lease(ctx, source, attempt, q)
	switch {
	case err != nil:
		return httpapi.Answer{}, err
	case l.Permit != "":
		return httpapi.Answer{Granted: &httpapi.Granted{Permit: l.Permit, LeaseMS: l.For.Milliseconds()}}, nil
	}
	return httpapi.Answer{Held: &httpapi.Held{Reason: l.Reason}}, nil
}
func (s *stand) HangUp(ctx context.Context, source string, q events.DisconnectRequested) (events.Record, error) {
	return s.loop.Disconnect(ctx, source, q)
}
func (s *stand) Tail(ctx context.Context, from uint64) iter.Seq2[events.Record, error] {
	return s.log.Tail(ctx, from)
}

func open(t *testing.T) *stand {
	t.Helper()
	s := &stand{t: t, keys: map[string]nkeys.KeyPair{}, conns: map[string]*nats.Conn{}, denied: make(chan error, 64)}
	door := &store.Door{Listen: "127.0.0.1:0"}
	door.Own.Publish, door.Own.Subscribe = natsapi.Own()
	for _, name := range []string{"robo-1", "robo-2"} {
		key, err := nkeys.CreateUser()
		must(t, err)
		public, err := key.PublicKey()
		must(t, err)
		r := store.Runner{Key: public}
		r.Publish, r.Subscribe = natsapi.Runner(name)
		door.Runners, s.keys[name] = append(door.Runners, r), key
	}
	var err error
	s.store, err = store.Open(t.Context(), store.Config{Dir: t.TempDir(), Door: door})
	must(t, err)
	t.Cleanup(func() { must(t, s.store.Close()) })
	s.log, err = s.store.Log(t.Context(), "main")
	must(t, err)
	loaded, err := policy.Load("handoff", policy.Handoff(), events.Enforce)
	must(t, err)
	s.loop, err = recorder.Open(t.Context(), recorder.Config{
		Gateway: "main", Log: s, Sensor: s, Redactor: events.NewRedactor(make([]byte, 16)), Policy: loaded,
		Boot: "boota", Version: "test", Start: time.Now(), Jitter: func(int64) int64 { return 0 },
	})
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.loop.Run(ctx, ctx.Done()) }()
	t.Cleanup(func() { cancel(); must(t, <-ended) })

	serving, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	log := discard
	go func() { served <- natsapi.Serve(serving, s.store.Guests(), []natsapi.Gateway{s}, &s.quota, log) }()
	done := false
	s.end = func() error {
		if done {
			return nil
		}
		done = true
		stop()
		return <-served
	}
	t.Cleanup(func() { must(t, s.end()) })
	for name := range s.keys {
		s.conns[name] = s.enter(name)
	}
	s.ready()
	return s
}

// enter connects as a runner.
func (s *stand) enter(name string) *nats.Conn {
	s.t.Helper()
	key := s.keys[name]
	public, err := key.PublicKey()
	must(s.t, err)
	nc, err := nats.Connect(s.store.Listening(), nats.Nkey(public, key.Sign), nats.CustomInboxPrefix("_INBOX."+name), nats.NoReconnect(),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { s.denied <- err }))
	must(s.t, err)
	s.t.Cleanup(nc.Close)
	return nc
}

// ready waits until somebody answers.
func (s *stand) ready() {
	s.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		_, err := s.conns["robo-1"].Request("ibrecorder.read.main.robo-1", []byte(`{"from":1}`), 5*time.Second)
		if err == nil {
			return
		}
		if !errors.Is(err, nats.ErrNoResponders) || time.Now().After(deadline) {
			s.t.Fatal(err)
		}
	}
}

// ask sends a request as robo-1 and returns the answer, or the problem as an error.
func (s *stand) ask(subject, body string) (string, error) {
	s.t.Helper()
	msg, err := s.conns["robo-1"].Request(subject, []byte(body), 20*time.Second)
	must(s.t, err)
	if msg.Header.Get("Nats-Service-Error-Code") == "" {
		return string(msg.Data), nil
	}
	p := &httpapi.Problem{}
	must(s.t, json.Unmarshal(msg.Data, p))
	if fmt.Sprint(p.Status) != msg.Header.Get("Nats-Service-Error-Code") {
		s.t.Errorf("the header says %s, the problem %d", msg.Header.Get("Nats-Service-Error-Code"), p.Status)
	}
	return "", p
}

// records reads the log and checks its chain.
func (s *stand) records() []events.Record {
	s.t.Helper()
	var all []events.Record
	var chain events.Chain
	for rec, err := range s.log.Read(context.Background(), 1, 0) {
		must(s.t, err)
		must(s.t, chain.Add(rec))
		all = append(all, rec)
	}
	return all
}

// report is a note of a runner, as it is sent.
func report(id, source string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":%q,"type":"ibrecorder.operator.noted.v1","subject":"main","data":{"by":"robo","text":"hello"}}`, id, source)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
