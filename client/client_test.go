package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ibrecorder/client"
	"ibrecorder/events"
	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/httpapi"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

var (
	works  = events.AttemptSucceeded{ServerVersion: 203}
	silent = events.AttemptFailed{Reason: events.ReportedTimeout, Stage: events.StageConnected, WaitedMS: 30_000, LimitMS: 30_000}
)

func TestAPermit(t *testing.T) {
	s, c := begin(t)
	ctx := soon(t)
	l, err := c.Permit(ctx, client.Attempt{ID: "a1"})
	must(t, err)
	if left := time.Until(l.Until); l.Permit == "" || left <= 0 || left > 2*time.Second {
		t.Errorf("got %+v, good for %s, want two seconds", l, left)
	}
	again, err := c.Permit(ctx, client.Attempt{ID: "a1"})
	must(t, err)
	if again.Permit != l.Permit {
		t.Errorf("asked again: permit %s, want %s", again.Permit, l.Permit)
	}
	other := s.connect(t, "robo-2")
	var held *client.HeldError
	if _, err := other.Permit(ctx, client.Attempt{}); !errors.As(err, &held) || held.Reason != events.HoldInFlight || held.Gateway != "main" {
		t.Errorf("beside it: %v, want it held", err)
	}
	var taken *client.Problem
	if _, err := other.Permit(ctx, client.Attempt{ID: "a1"}); !errors.As(err, &taken) || taken.Status != 409 {
		t.Errorf("by another runner: %v, want a conflict", err)
	}
	brief, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if _, err := other.Wait(brief, client.Attempt{}); !errors.As(err, &held) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for too short a time: %v", err)
	}
	if err := l.End(ctx, events.OperatorNoted{By: "robo", Text: "x"}); err == nil {
		t.Error("a note ends an attempt")
	}
	must(t, l.End(ctx, works))
	next, err := other.Wait(ctx, client.Attempt{Timeout: time.Second})
	must(t, err)
	must(t, next.End(ctx, events.AttemptAbandoned{Stage: events.StageNone}))

	last, err := c.Permit(ctx, client.Attempt{}) // it says nothing about it
	must(t, err)
	after, err := other.Wait(ctx, client.Attempt{})
	must(t, err)
	if after.Permit == last.Permit {
		t.Error("two have one permit")
	}
	if rec := find(t, c, func(rec events.Record) bool { return rec.Attempt == last.Attempt && rec.Kind() == "attempt.unknown" }); rec.Source != "/recorder" {
		t.Errorf("the end of the one that expired is %s", rec.Raw)
	}
}

func TestARestartIsRequired(t *testing.T) {
	s, c := begin(t)
	ctx := soon(t)
	l, err := c.Permit(ctx, client.Attempt{})
	must(t, err)
	must(t, l.End(ctx, silent))
	var stop *client.RestartRequiredError
	_, err = c.Wait(ctx, client.Attempt{})
	if !errors.As(err, &stop) {
		t.Fatalf("after a silence: %v", err)
	}
	rec := find(t, c, func(rec events.Record) bool { return rec.Seq == stop.Seq })
	if d, ok := rec.Data.(events.RestartRequired); !ok || d.Reason != stop.Reason || !rec.Time.Equal(stop.Since) {
		t.Errorf("the error is %+v, and the log has %s", stop, rec.Raw)
	}
	if want := "restart the Gateway, log in, then: recorder resume main --reason TEXT"; stop.Next != want || stop.Gateway != "main" {
		t.Errorf("the error says %+v, want %q", stop, want)
	}
	for range 200 {
		if l, err := c.Permit(ctx, client.Attempt{}); !errors.As(err, &stop) {
			t.Fatalf("while stopped: %+v, %v", l, err)
		}
	}
	released := make(chan error, 1)
	go func() {
		_, err := httpapi.Dial(s.Data).Resume(ctx, "main", httpapi.Claim{By: "kim", Reason: "restarted"})
		released <- err
	}()
	for rec, err := range c.Watch(ctx, stop.Seq) {
		must(t, err)
		if _, over := rec.Data.(events.RestartAcknowledged); over {
			break
		}
	}
	must(t, <-released)
	l, err = c.Wait(ctx, client.Attempt{})
	must(t, err)
	if l.Epoch != 1 {
		t.Errorf("the permit after the release is of epoch %d", l.Epoch)
	}
	must(t, l.End(ctx, works))
	st, err := httpapi.Dial(s.Data).Status(ctx, "main")
	must(t, err)
	if st.Gate != "OPEN" || st.Totals.Permitted != 2 || st.NATS != s.NATS.Listen {
		t.Errorf("the gate is %s, %d permits were given, NATS is at %s", st.Gate, st.Totals.Permitted, st.NATS)
	}
	breaches(t, c)
}

// What is published while the recorder is away, or is killed in between, is in the log
// once, and a watch sees all of it.
func TestItOutlivesARestartOfTheRecorder(t *testing.T) {
	s, c := begin(t)
	ctx := soon(t)
	const n = 200
	var ids []string
	for range n {
		ids = append(ids, client.NewID())
	}
	seen := make(chan error, 1)
	go func() {
		var chain events.Chain
		counts := map[string]int{}
		for rec, err := range c.Watch(ctx, 1) {
			if err == nil {
				err = chain.Add(rec)
			}
			if err != nil {
				seen <- err
				return
			}
			if counts[rec.ID]++; rec.ID == ids[n-1] {
				break
			}
		}
		for _, id := range ids {
			if counts[id] != 1 {
				seen <- fmt.Errorf("report %s was seen %d times", id, counts[id])
				return
			}
		}
		seen <- nil
	}()
	published := make(chan error, 1)
	half := make(chan bool)
	go func() {
		for i, id := range ids {
			if i == n/2 {
				close(half)
			}
			stored, err := c.Publish(ctx, events.Draft{ID: id, Data: events.OperatorNoted{By: "robo", Text: "hello"}})
			if err == nil && (len(stored) != 1 || stored[0].ID != id) {
				err = fmt.Errorf("stored %v", stored)
			}
			if err != nil {
				published <- err
				return
			}
		}
		published <- nil
	}()
	<-half
	must(t, s.stop())
	must(t, s.start())
	must(t, <-published)
	must(t, <-seen)
	again, err := c.Publish(ctx, events.Draft{ID: ids[0], Data: events.OperatorNoted{By: "robo", Text: "hello"}})
	must(t, err)
	if rec := find(t, c, func(rec events.Record) bool { return rec.ID == ids[0] }); rec.Seq != again[0].Seq {
		t.Errorf("published once more, it is event %d; it was %d", again[0].Seq, rec.Seq)
	}
	l, err := c.Permit(ctx, client.Attempt{})
	must(t, err)
	must(t, s.stop())
	must(t, s.start())
	same, err := c.Permit(ctx, client.Attempt{ID: l.Attempt})
	must(t, err)
	if same.Permit != l.Permit {
		t.Errorf("asked again after a restart, the permit is %s; it was %s", same.Permit, l.Permit)
	}
	must(t, l.End(ctx, works)) // the restart has cut off nothing
	ends := []events.Kind{"attempt.succeeded", "attempt.unknown"}
	if rec := find(t, c, func(rec events.Record) bool { return rec.Attempt == l.Attempt && slices.Contains(ends, rec.Kind()) }); rec.Kind() != ends[0] {
		t.Errorf("the lease ends with %s", rec.Raw)
	}
	breaches(t, c)
}

// Ctrl-C must not wait for whoever is connected.
func TestTheRecorderEndsWhileRunnersAreConnected(t *testing.T) {
	s, c := begin(t)
	ctx, leave := context.WithCancel(soon(t))
	told := make(chan error, 1)
	reading := make(chan bool)
	go func() {
		var last error
		for _, err := range c.Watch(ctx, 1) {
			if last == nil {
				close(reading)
				last = errors.New("it was never told of an end")
			}
			if err != nil {
				last = err
			}
		}
		told <- last
	}()
	<-reading
	if _, err := s.connect(t, "robo-2").Permit(ctx, client.Attempt{}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	must(t, s.stop())
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
	leave()
	if err := <-told; !errors.Is(err, context.Canceled) {
		t.Errorf("the watch ends with %v", err)
	}
}

func TestABatch(t *testing.T) {
	_, c := begin(t)
	ctx := soon(t)
	var drafts []events.Draft
	for i := range 150 {
		drafts = append(drafts, events.Draft{Data: events.OperatorNoted{By: "robo", Text: fmt.Sprint(i)}})
	}
	stored, err := c.Publish(ctx, drafts...)
	must(t, err)
	if len(stored) != len(drafts) {
		t.Fatalf("%d of %d are stored", len(stored), len(drafts))
	}
	i := 0
	for rec, err := range c.Watch(ctx, stored[0].Seq) {
		must(t, err)
		d, ok := rec.Data.(events.OperatorNoted)
		if !ok || d.Text != fmt.Sprint(i) || rec.Seq != stored[i].Seq || rec.ID != stored[i].ID || rec.Source != "/runner/robo-1" || rec.SourceTime == "" {
			t.Fatalf("report %d is event %s, said to be %+v", i, rec.Raw, stored[i])
		}
		if i++; i == len(drafts) {
			break
		}
	}
	if stored, err := c.Publish(ctx); stored != nil || err != nil {
		t.Errorf("nothing published: %v, %v", stored, err)
	}
	for name, d := range map[string]events.Draft{
		"no payload":         {},
		"a decision":         {Data: events.RestartAcknowledged{Basis: events.BasisWord, By: "robo"}},
		"another's source":   {Source: "/runner/robo-2", Data: events.OperatorNoted{By: "x", Text: "y"}},
		"an id with a space": {ID: "a b", Data: events.OperatorNoted{By: "x", Text: "y"}},
		"a lease":            {Attempt: "a", Data: events.AttemptRequested{LeaseMS: 1}},
	} {
		if stored, err := c.Publish(ctx, d); err == nil {
			t.Errorf("%s was published as %v", name, stored)
		}
	}
}

func TestWhoMayConnect(t *testing.T) {
	s, _ := begin(t)
	open := s.config("robo-1")
	open.Seed += ".open"
	seed, err := os.ReadFile(s.seeds["robo-1"])
	must(t, err)
	must(t, os.WriteFile(open.Seed, seed, 0o644))
	must(t, os.Chmod(open.Seed, 0o644))
	junk := s.config("robo-1")
	junk.Seed += ".junk"
	must(t, os.WriteFile(junk.Seed, []byte("hello\n"), 0o600))
	other, err := net.Listen("tcp", "127.0.0.1:0") // it hangs up at once
	must(t, err)
	hungUp := make(chan bool)
	go func() {
		defer close(hungUp)
		for {
			conn, err := other.Accept()
			if err != nil {
				return
			}
			_ = conn.Close() // it was told nothing
		}
	}()
	t.Cleanup(func() { must(t, other.Close()); <-hungUp })
	key, err := nkeys.CreateUser()
	must(t, err)
	unknown, err := key.Seed()
	must(t, err)
	stranger := s.config("robo-1")
	stranger.Seed += ".stranger"
	must(t, os.WriteFile(stranger.Seed, unknown, 0o600))
	with := func(change func(*client.Config)) client.Config {
		cfg := s.config("robo-1")
		change(&cfg)
		return cfg
	}
	var missing *client.Problem
	for _, c := range []struct {
		name string
		cfg  client.Config
		is   func(error) bool
		says string // what to do
	}{
		{"under another's name", with(func(c *client.Config) { c.Name = "robo-2" }), func(err error) bool { return errors.Is(err, client.ErrNotAllowed) }, "see nats.runners in its configuration"},
		{"with another's key", with(func(c *client.Config) { c.Seed = s.seeds["robo-2"] }), func(err error) bool { return errors.Is(err, client.ErrNotAllowed) }, "see nats.runners in its configuration"},
		{"with a key that nobody configured", stranger, func(err error) bool { return errors.Is(err, client.ErrNotAllowed) }, "add what recorder nats key printed to nats.runners"},
		{"to a gateway that is not there", with(func(c *client.Config) { c.Gateway = "live" }), func(err error) bool { return errors.As(err, &missing) && missing.Status == 404 }, "recorder status lists them"},
		{"with a seed that others can read", open, func(err error) bool { return err != nil && !errors.Is(err, client.ErrNotAllowed) }, "chmod 600"},
		{"without a seed", with(func(c *client.Config) { c.Seed += ".none" }), func(err error) bool { return errors.Is(err, os.ErrNotExist) }, "recorder nats key robo-1"},
		{"with a file that is no seed", junk, func(err error) bool { return err != nil }, "recorder nats key robo-1"},
		{"to no recorder", with(func(c *client.Config) { c.URL = "127.0.0.1:1" }), func(err error) bool { return errors.Is(err, nats.ErrNoServers) }, "recorder run"},
		{"to something else", with(func(c *client.Config) { c.URL = other.Addr().String() }), func(err error) bool { return err != nil }, "recorder status"},
		{"under no name", with(func(c *client.Config) { c.Name = "" }), func(err error) bool { return errors.Is(err, events.ErrGatewayName) }, "want a lower-case letter"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := client.Connect(soon(t), c.cfg)
			if err == nil {
				got.Close()
			}
			if !c.is(err) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), string(seed)) {
				t.Errorf("got %v, want it to say %q", err, c.says)
			}
		})
	}
}

// A runner that connects through the recorder's port, and also reports what it did, is
// one client with one attempt.
func TestWhatTheTapSeesAndARunnerReportsIsOneAttempt(t *testing.T) {
	for _, fails := range []bool{false, true} {
		behaviour := "healthy"
		if fails {
			behaviour = "silent"
		}
		t.Run(behaviour, func(t *testing.T) {
			s, err := prepare("robo-1")
			must(t, err)
			l, err := net.Listen("tcp", s.Gateways[0].Address)
			must(t, err)
			script, err := gwsim.Named(behaviour)
			must(t, err)
			simulated, end := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- gwsim.New(gwsim.Options{Script: script, Version: 176}).Serve(simulated, l) }()
			t.Cleanup(func() { end(); <-done })
			must(t, s.start())
			t.Cleanup(func() { must(t, s.stop()) })
			c := s.connect(t, "robo-1")
			ctx := soon(t)
			conn, err := net.Dial("tcp", s.tap)
			must(t, err)
			defer conn.Close()
			port, err := strconv.ParseInt(conn.LocalAddr().String()[len("127.0.0.1:"):], 10, 64)
			must(t, err)
			_, err = conn.Write([]byte("API\x00\x00\x00\x00\x09v100..203"))
			must(t, err)
			one := find(t, c, func(rec events.Record) bool { return rec.Kind() == "attempt.requested" })
			if !fails {
				find(t, c, func(rec events.Record) bool { return rec.Kind() == "handshake.version" })
				_, err = conn.Write([]byte("\x00\x00\x00\x0871\x002\x007\x00\x00"))
				must(t, err)
			}
			over := find(t, c, func(rec events.Record) bool {
				return rec.Attempt == one.Attempt && slices.Contains([]events.Kind{"attempt.succeeded", "attempt.failed"}, rec.Kind())
			})
			if (over.Kind() == "attempt.failed") != fails {
				t.Fatalf("the tap saw %s", over.Raw)
			}
			mine := client.NewID()
			how := events.Payload(works)
			if fails {
				how = silent
			}
			_, err = c.Publish(ctx, events.Draft{Attempt: mine, Data: events.AttemptRequested{LocalPort: port}}, events.Draft{Attempt: mine, Data: how})
			must(t, err)
			st, err := httpapi.Dial(s.Data).Status(ctx, "main")
			must(t, err)
			if st.Totals.Requested != 1 || st.Totals.Permitted != 1 || st.Totals.Succeeded+st.Totals.Failed != 1 {
				t.Errorf("counted %+v, want one attempt", st.Totals)
			}
			if fails != (st.Stop != nil) {
				t.Errorf("the gate is %s", st.Gate)
			}
			if !fails {
				must(t, c.Disconnect(ctx, client.Disconnect{ClientID: 7, Reason: "done", Force: true}))
				st, err := httpapi.Dial(s.Data).Status(ctx, "main")
				must(t, err)
				if len(st.Sessions) != 1 || st.Sessions[0].Phase != "READY" {
					t.Errorf("asked whether it may end its session: %+v, want it as it was", st.Sessions)
				}
			}
			breaches(t, c)
		})
	}
}

// find watches until an event is as wanted.
func find(t *testing.T, c *client.Client, is func(events.Record) bool) events.Record {
	t.Helper()
	for rec, err := range c.Watch(soon(t), 1) {
		must(t, err)
		if is(rec) {
			return rec
		}
	}
	panic("a watch has no end")
}

// breaches are none: the recorder found nothing that broke the rule.
func breaches(t *testing.T, c *client.Client) {
	t.Helper()
	stored, err := c.Publish(soon(t), events.Draft{Data: events.OperatorNoted{By: "robo", Text: "the end"}})
	must(t, err)
	for rec, err := range c.Watch(soon(t), 1) {
		must(t, err)
		if d, broken := rec.Data.(events.RuleViolated); broken {
			t.Errorf("event %d says that %s was broken: %s", rec.Seq, d.Rule, d.Text)
		}
		if rec.Seq == stored[0].Seq {
			return
		}
	}
}

// The recorder closes what it relays, and lets a runner close its own; a handshake that
// may be meant forbids both, unless it is forced.
func TestDisconnect(t *testing.T) {
	s, c := begin(t)
	ctx := soon(t)
	ask := client.Disconnect{ClientID: 7, Reason: "maintenance"}
	must(t, c.Disconnect(ctx, ask))
	l, err := c.Permit(ctx, client.Attempt{ClientID: new(int64(9))})
	must(t, err)
	var blocked *client.BlockedError
	if err := s.connect(t, "robo-2").Disconnect(ctx, ask); !errors.As(err, &blocked) || blocked.Gateway != "main" || blocked.Stage != events.StageNone {
		t.Errorf("while an attempt is under way: %v, want it blocked", err)
	}
	t.Setenv(client.ForceEnv, "yes")
	must(t, c.Disconnect(ctx, ask))
	t.Setenv(client.ForceEnv, "")
	ask.Force = true
	must(t, c.Disconnect(ctx, ask))
	must(t, l.End(ctx, works))

	var said []string
	for rec, err := range c.Watch(ctx, 1) {
		must(t, err)
		if d, ok := rec.Data.(events.DisconnectRequested); ok {
			said = append(said, fmt.Sprintf("%s asked=%t force=%t env=%q", rec.Source, d.Asked, d.Force, d.ForceEnv))
		}
		if len(said) == 4 {
			break
		}
	}
	want := []string{`/runner/robo-1 asked=true force=false env=""`, `/runner/robo-2 asked=true force=false env=""`,
		`/runner/robo-1 asked=true force=false env="yes"`, `/runner/robo-1 asked=true force=true env=""`}
	if !slices.Equal(said, want) {
		t.Errorf("the log says %q, want %q", said, want)
	}
	breaches(t, c)
}
