package httpapi

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/access"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a gateway whose log is a slice. It decides by script.
type fake struct {
	name     string
	redactor *events.Redactor
	untailed chan bool // gets one for each Tail that ends, if there is room

	mu     sync.Mutex // guards the rest
	log    []events.Record
	more   chan struct{}             // closed and replaced with each event
	claim  events.Payload            // the answer to Resume
	guard  events.Payload            // the answer to Disconnect
	asked  any                       // the last Claim, Disconnect or permit
	answer Answer                    // to who asks for a permit
	fail   error                     // of every call
	hold   func(ctx context.Context) // what Submit waits for
	full   int                       // how many events there may be; 0 is no limit
	bad    uint64                    // the sequence at which a reader fails; 0 never
}

func newFake(name string) *fake {
	return &fake{name: name, redactor: events.NewRedactor([]byte("0123456789abcdef")), more: make(chan struct{}), untailed: make(chan bool, 1)}
}

func (f *fake) Name() string { return f.name }

func (f *fake) Status(context.Context) (Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	zone := time.FixedZone("EST", -5*3600) // the answer is UTC whatever the recorder's clock says
	since := time.Date(2026, 11, 22, 1, 0, 42, 0, zone)
	id := int64(7)
	return Status{
		Gateway: f.name, Address: "127.0.0.1:4001", Tap: "127.0.0.1:4101", Mode: events.Enforce,
		Gate: "STOPPED", Why: "the Gateway accepted a connect and stayed silent for 30 s", Since: since, API: "DOWN",
		Epoch: 3, Seq: uint64(len(f.log)), Waiting: 0,
		Sessions: []Session{{Attempt: "b1-a4", ClientID: &id, Phase: "READY", Since: since.Add(-time.Hour), ServerVersion: 203}},
		Stop:     &Stop{Seq: 48131, Reason: events.DownSilent, Since: since},
		Policy:   Policy{Preset: "handoff", Hash: "00ff"},
		Totals:   Totals{Requested: 5, Permitted: 4, Denied: 1, Dialled: 4, Succeeded: 3, Failed: 1, Stops: 1},
		Boot:     "b1", Version: "0.1.0", PID: 2211, Alerts: []Channel{{Name: "command"}}, LogBytes: 12_400_000, LogLimit: 1 << 30,
		Next: "restart the Gateway, then: recorder resume " + f.name,
	}, f.fail
}

func (f *fake) Head(context.Context) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return uint64(len(f.log)), nil
}

func (f *fake) Submit(ctx context.Context, d events.Draft) (events.Record, error) {
	f.mu.Lock()
	hold, fail := f.hold, f.fail
	if f.full > 0 && len(f.log) >= f.full {
		fail = errFull
	}
	f.mu.Unlock()
	if hold != nil {
		hold(ctx)
	}
	if err := errors.Join(fail, ctx.Err()); err != nil {
		return events.Record{}, err
	}
	return f.append(d), nil
}

// append stores d unless its id is there.
func (f *fake) append(d events.Draft) events.Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, rec := range f.log {
		if d.ID != "" && rec.ID == d.ID {
			return rec
		}
	}
	seq := uint64(len(f.log) + 1)
	s := events.Stamp{Gateway: f.name, Time: time.Date(2026, 11, 22, 6, 0, int(seq%60), 0, time.UTC), Seq: seq, Boot: "b1", Mono: int64(seq) * 1e9, Epoch: 3}
	if seq > 1 {
		s.Prev = f.log[seq-2].Hash()
	}
	rec, err := events.NewRecord(f.redactor.Event(d, s))
	if err != nil {
		panic(err)
	}
	f.log = append(f.log, rec)
	close(f.more)
	f.more = make(chan struct{})
	return rec
}

// fill appends n remarks.
func (f *fake) fill(n int) {
	for i := range n {
		f.append(events.Draft{Source: access.Caller{}.Operator(), Data: events.OperatorNoted{By: "ann", Text: fmt.Sprintf("remark %d: 1 < 2 && \"so\"", i+1)}})
	}
}

func (f *fake) decided(asked any, answer *events.Payload) (events.Record, error) {
	f.mu.Lock()
	f.asked = asked
	data, err := *answer, f.fail
	f.mu.Unlock()
	if err != nil {
		return events.Record{}, err
	}
	return f.append(events.Draft{Source: "/recorder", Data: data}), nil
}

func (f *fake) Resume(_ context.Context, c Claim) (events.Record, error) {
	return f.decided(c, &f.claim)
}

func (f *fake) Ack(ctx context.Context, a Ack) (events.Record, error) {
	f.mu.Lock()
	f.asked = a
	fail := f.fail
	f.mu.Unlock()
	if fail != nil {
		return events.Record{}, fail
	}
	return f.append(events.Draft{Source: access.Of(ctx).Operator(), Data: events.AlertAcknowledged{Incident: "live-48131", Raised: 48132, By: a.By, Text: a.Note}}), nil
}

func (f *fake) Disconnect(_ context.Context, q Disconnect) (events.Record, error) {
	return f.decided(q, &f.guard)
}

func (f *fake) Standing(context.Context) (Answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.answer, f.fail
}

func (f *fake) Permit(_ context.Context, source, attempt string, q events.AttemptRequested) (Answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = []any{source, attempt, q}
	return f.answer, f.fail
}

func (f *fake) GiveBack(_ context.Context, source, attempt string) (events.Record, error) {
	f.mu.Lock()
	f.asked = []any{source, attempt}
	err := f.fail
	f.mu.Unlock()
	if err != nil {
		return events.Record{}, err
	}
	return f.append(events.Draft{Source: source, ID: "back-" + attempt, Attempt: attempt, Data: events.AttemptAbandoned{Stage: events.StageNone}}), nil
}

// get waits for the event at seq.
func (f *fake) get(ctx context.Context, seq uint64) (events.Record, error) {
	for {
		f.mu.Lock()
		log, more, bad := f.log, f.more, f.bad
		f.mu.Unlock()
		switch {
		case ctx.Err() != nil:
			return events.Record{}, ctx.Err()
		case seq == bad:
			return events.Record{}, errors.New("the log is damaged")
		case seq <= uint64(len(log)):
			return log[seq-1], nil
		}
		select {
		case <-more:
		case <-ctx.Done():
		}
	}
}

func (f *fake) Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		f.mu.Lock()
		head := uint64(len(f.log))
		f.mu.Unlock()
		if to == 0 || to > head {
			to = head
		}
		for seq := max(from, 1); seq <= to; seq++ {
			if rec, err := f.get(ctx, seq); !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

func (f *fake) Tail(ctx context.Context, from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		defer func() {
			select {
			case f.untailed <- true:
			default:
			}
		}()
		for seq := max(from, 1); ; seq++ {
			if rec, err := f.get(ctx, seq); !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

// folder is a private data folder. t.TempDir is open to others, and its name may
// be too long for a socket.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ibr")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// running is a server on a real socket.
type running struct {
	dir    string
	client *Client
	stop   context.CancelFunc
	ended  chan error
}

func serve(t testing.TB, gateways ...Gateway) *running {
	t.Helper()
	dir := folder(t)
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, dir, l, gateways...)
}

func serveOn(t testing.TB, dir string, l net.Listener, gateways ...Gateway) *running {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r := &running{dir: dir, client: Dial(dir), stop: stop, ended: make(chan error, 1)}
	go func() { r.ended <- Serve(ctx, l, gateways, slog.New(slog.DiscardHandler)); close(r.ended) }()
	t.Cleanup(func() {
		stop()
		if err, open := <-r.ended; open && err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return r
}
