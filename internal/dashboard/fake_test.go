package dashboard

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/source/streamtest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a gateway whose log is a stream of streamtest. Its status is what the fold makes
// of the log, as the recorder's is.
type fake struct {
	httpapi.Gateway // nil: whatever else is asked of it ends the test
	name            string
	dress           func(*httpapi.Status) // sets what only a running recorder knows

	mu     sync.Mutex // guards the rest
	stream *streamtest.Stream
	more   chan struct{} // is closed and replaced with each event
	fail   error         // of every read
	reads  int           // events that were read
	claims []httpapi.Claim
	acks   []httpapi.Ack
	answer events.Payload // to a claim
}

func newFake(name string, s *streamtest.Stream) *fake {
	return &fake{name: name, stream: s, more: make(chan struct{})}
}

func (f *fake) Name() string { return f.name }

// add writes to the log.
func (f *fake) add(write func(*streamtest.Stream)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	write(f.stream)
	close(f.more)
	f.more = make(chan struct{})
}

func (f *fake) Status(context.Context) (httpapi.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, fold := fsm.Initial(), fsm.NewFolder()
	gateAt, phases := time.Time{}, map[string]time.Time{}
	var reason events.DownReason
	for _, rec := range f.stream.Records() {
		before, known := s, map[string]fsm.Phase{}
		for _, x := range before.Sessions {
			known[x.Attempt] = x.Phase
		}
		if s = fold.Apply(s, rec.Event); s.Gate != before.Gate || rec.Seq == 1 {
			gateAt = rec.Time
		}
		for _, x := range s.Sessions {
			if known[x.Attempt] != x.Phase {
				phases[x.Attempt] = rec.Time
			}
		}
		if d, ok := rec.Data.(events.RestartRequired); ok {
			reason = d.Reason
		}
	}
	out := httpapi.Status{
		Gateway: f.name, Address: "127.0.0.1:4001", Tap: "127.0.0.1:4101", Held: "refuse", Mode: s.Policy.Mode, Gate: string(s.Gate), Since: gateAt,
		API: string(s.API), Epoch: s.Epoch, Seq: s.Seq, Policy: httpapi.Policy{Preset: s.Policy.Preset}, Boot: s.Boot, Version: "0.1.0",
		LogBytes: 12_400_000, LogLimit: 1 << 30, Alerts: []httpapi.Channel{{Name: "command"}},
		Why: map[fsm.Gate]string{
			fsm.Open: "Clients may connect, and some are.", fsm.Stopped: "IB Gateway needs a manual restart; nobody dials until it is released.",
			fsm.Backoff: fmt.Sprintf("%d attempts in a row have failed; the next waits.", s.Row.Failed), fsm.Attempting: "One attempt is under way; others wait for its end.",
			fsm.Probation: "Released; ready opens the gate.",
		}[s.Gate],
	}
	for _, x := range s.Sessions {
		out.Sessions = append(out.Sessions, httpapi.Session{Attempt: x.Attempt, ClientID: x.ClientID, Phase: string(x.Phase), Since: phases[x.Attempt]})
	}
	if s.Gate == fsm.Stopped {
		out.Stop = &httpapi.Stop{Seq: s.Stop.Seq, Since: gateAt, Reason: reason}
		out.Next = "restart the Gateway, log in, then: recorder resume " + f.name + " --reason TEXT"
	}
	if f.dress != nil {
		f.dress(&out)
	}
	return out, nil
}

func (f *fake) Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		f.mu.Lock()
		all, fail := f.stream.Records(), f.fail
		f.mu.Unlock()
		if fail != nil {
			yield(events.Record{}, fail)
			return
		}
		for _, rec := range all[max(1, from)-1:] {
			if to != 0 && rec.Seq > to {
				return
			}
			f.mu.Lock()
			f.reads++
			f.mu.Unlock()
			if !yield(rec, nil) {
				return
			}
		}
	}
}

func (f *fake) Tail(ctx context.Context, from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for next := int(from); ; {
			f.mu.Lock()
			all, more, fail := f.stream.Records(), f.more, f.fail
			f.mu.Unlock()
			if fail != nil {
				yield(events.Record{}, fail)
				return
			}
			for ; next <= len(all); next++ {
				if !yield(all[next-1], nil) {
					return
				}
			}
			select {
			case <-more:
			case <-ctx.Done():
				yield(events.Record{}, ctx.Err())
				return
			}
		}
	}
}

func (f *fake) Resume(_ context.Context, c httpapi.Claim) (events.Record, error) {
	f.mu.Lock()
	f.claims = append(f.claims, c)
	f.mu.Unlock()
	f.add(func(s *streamtest.Stream) {
		if f.answer == nil {
			s.After(time.Minute).Resume(c.By)
			return
		}
		s.Add("/recorder", "", f.answer)
	})
	all := f.stream.Records()
	return all[len(all)-1], nil
}

func (f *fake) Ack(_ context.Context, a httpapi.Ack) (events.Record, error) {
	if f.answer == nil {
		return events.Record{}, httpapi.NoAlert(f.name)
	}
	f.mu.Lock()
	f.acks = append(f.acks, a)
	f.mu.Unlock()
	f.add(func(s *streamtest.Stream) { s.Add("/operator/cli", "", f.answer) })
	all := f.stream.Records()
	return all[len(all)-1], nil
}

// run starts a board over the fakes and waits until it has read what is there.
func run(t testing.TB, cfg Config, gateways ...*fake) *Board {
	t.Helper()
	for _, g := range gateways {
		cfg.Gateways = append(cfg.Gateways, g)
	}
	b := New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { b.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	for _, g := range gateways {
		b.caughtUp(t, g)
	}
	return b
}

// caughtUp waits until the board has seen the last event of a gateway, or that it cannot.
func (b *Board) caughtUp(t testing.TB, g *fake) {
	t.Helper()
	f := b.find(g.name)
	late := time.After(20 * time.Second)
	for {
		news, _ := b.wait()
		w, broken := f.view()
		g.mu.Lock()
		there := uint64(g.stream.Len())
		g.mu.Unlock()
		if w.last.Seq == there || broken != "" {
			return
		}
		select {
		case <-news:
		case <-late:
			t.Fatalf("%s: the board is at #%d of %d", g.name, w.last.Seq, there)
		}
	}
}

// authorize knows one token that may operate, and one that may not.
func authorize(token string) (string, error) {
	switch token {
	case "operate-token-of-kim":
		return "kim", nil
	case "read-token":
		return "", errors.New("token reader has the scope read, and this needs operate")
	}
	return "", errors.New("the token is not one that this recorder knows")
}
