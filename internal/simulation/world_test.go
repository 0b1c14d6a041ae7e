package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/policy"
)

// name is the gateway's.
const name = "main"

// presets are the policies that the week's runs have.
var presets = map[string]func() events.Params{"handoff": policy.Handoff, "lenient": policy.Lenient}

// world is one simulated week. Whatever is in it has an owner of its own.
type world struct {
	t       testing.TB
	seed    uint64
	plan    []happening
	dir     string // that everything on disk is in
	clock   wallClock
	ledger  ledger
	killer  killer
	port    port
	gateway *gateway
	life    *life

	now      atomic.Pointer[run] // nil while no recorder runs
	shut     atomic.Bool         // no dial may come: the relay was told so, or has not started yet
	preset   atomic.Value        // of the next run, a string
	sessions atomic.Int64        // that programs had
	lastOne  atomic.Int64        // when the last of them began, nanoseconds of the week

	mu     sync.Mutex // guards the rest
	failed []string
	broken time.Duration // when the first of it was found
}

func newWorld(t testing.TB, seed uint64, days int, dir string) *world {
	w := &world{t: t, seed: seed, plan: script(seed, days), dir: dir}
	w.ledger.acked = make(map[uint64]events.Hash)
	w.killer.deaths = make(map[string]int)
	w.preset.Store("handoff")
	w.gateway = newGateway(seed, w.plan, w.clock.now)
	w.gateway.dials = w.dialled
	w.life = &life{w: w, dir: filepath.Join(dir, "run0"), chance: w.rand(2)}
	return w
}

// rand is a source of one actor's own.
func (w *world) rand(actor uint64) *rand.Rand { return rand.New(rand.NewPCG(w.seed, actor)) }

// fail says what is wrong, and lets the day go on: what follows from it is worth seeing.
func (w *world) fail(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.failed) == 0 {
		w.broken = w.elapsed()
	}
	if text := fmt.Sprintf(format, args...); len(w.failed) < 20 {
		w.failed = append(w.failed, fmt.Sprintf("%s: %s", w.elapsed(), text))
	}
}

// over says that a week has failed a day ago.
func (w *world) over() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.failed) > 0 && w.elapsed() > w.broken+day
}

func (w *world) elapsed() time.Duration { return time.Since(w.gateway.began) }

// unused is how long no session has begun.
func (w *world) unused() time.Duration { return w.elapsed() - time.Duration(w.lastOne.Load()) }

// dialled holds a dial against what the log had acknowledged by then.
func (w *world) dialled() {
	if w.shut.Load() {
		w.fail("a dial while the gate is stopped")
	}
	if before, permits := w.gateway.connects.Load(), w.ledger.permitted(); before >= permits {
		w.fail("a dial after %d connects and %d permits in the log", before, permits)
	}
}

// gate is that of the run of the moment, "" if there is none.
func (w *world) gate() fsm.Gate {
	if r := w.now.Load(); r != nil {
		return r.loop.View().State.Gate
	}
	return ""
}

// ask does something with the run of the moment, for as long as somebody at a terminal waits.
func (w *world) ask(ctx context.Context, f func(ctx context.Context, r *run) error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if r := w.now.Load(); r != nil {
		_ = f(ctx, r) // it may die meanwhile, and whoever asks sees what has become of it
	}
}

func (w *world) resume(ctx context.Context, c events.RestartClaimed) {
	w.ask(ctx, func(ctx context.Context, r *run) error {
		_, err := r.loop.Resume(ctx, "/operator/cli", c)
		return err
	})
}

// live plays the whole week and ends it.
func (w *world) live() {
	ctx, cancel := context.WithCancel(context.Background())
	defer w.gateway.sim.Close()
	var all sync.WaitGroup
	all.Go(func() { w.life.live(ctx) })
	for i, p := range []program{
		{id: 1, session: 3 * time.Hour},
		{id: 2, session: time.Hour, patience: 2 * time.Minute},
		{id: 4, session: 4 * time.Hour},                             // and so somebody waits at most stops
		{id: 3, session: 5 * time.Hour, patience: 10 * time.Second}, // the default of most libraries is shorter still
	} {
		all.Go(func() { w.program(p, uint64(10+i)).run(ctx) })
	}
	all.Go(func() {
		(&runner{w: w, program: w.program(program{id: 8, session: 20 * time.Minute, patience: 20 * time.Second}, 4)}).run(ctx)
	})
	all.Go(func() { (&operator{w: w, chance: w.rand(3)}).run(ctx) })
	var passing sync.WaitGroup // what lasts for a while
	for i, h := range w.plan {
		if pause(ctx, h.at-w.elapsed()); w.over() {
			break
		}
		passing.Go(func() { w.happens(ctx, h, uint64(100+i)) })
	}
	pause(ctx, (w.elapsed()+day-1).Truncate(day)-w.elapsed())
	cancel()
	all.Wait()
	passing.Wait()
}

func (w *world) program(p program, actor uint64) program {
	p.dial, p.chance = w.port.dial, w.rand(actor)
	p.ready = func(context.Context) {
		w.sessions.Add(1)
		w.lastOne.Store(int64(w.elapsed()))
	}
	return p
}

// happens is one line of the script.
func (w *world) happens(ctx context.Context, h happening, actor uint64) {
	switch h.what {
	case restarts:
		w.gateway.end()
		pause(ctx, h.lasts)
		w.gateway.start()
	case wedges:
		w.gateway.fall(h.with)
	case blind:
		w.gateway.see(true)
		pause(ctx, h.lasts)
		w.gateway.see(false)
	case cuts:
		w.gateway.cut(h.with)
	case duel:
		_, _ = w.program(program{id: h.n, session: time.Hour}, actor).once(ctx)
	case leaver:
		_, _ = w.program(program{id: h.n, session: time.Hour, patience: h.lasts}, actor).once(ctx)
	case mute:
		_, _ = w.program(program{mute: true, session: time.Hour, patience: time.Minute}, actor).once(ctx)
	case prober:
		if nc, err := w.port.dial(ctx); err == nil {
			_, _ = nc.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
			_ = nc.Close()
		}
	case full:
		w.ledger.disk(true)
		w.gateway.cut("fin") // that is what cannot be written
		pause(ctx, h.lasts)
		w.ledger.disk(false)
	case acks:
		w.ledger.lose(h.n)
	case clock:
		w.clock.set(h.lasts)
	case upgrade:
		w.preset.Store(h.with)
		if r := w.now.Load(); r != nil {
			r.end()
		}
	case crash:
		w.killer.order()
	case claims:
		w.resume(ctx, events.RestartClaimed{By: "lee", Reason: "to be sure"})
	case disconnect:
		w.ask(ctx, func(ctx context.Context, r *run) error {
			_, err := r.loop.Disconnect(ctx, "/operator/cli", events.DisconnectRequested{By: "lee", Reason: "maintenance", Force: h.with == "force"})
			return err
		})
	case taken:
		w.port.take(true)
		pause(ctx, h.lasts)
		w.port.take(false)
	case reported:
		w.ask(ctx, func(ctx context.Context, r *run) error {
			_, err := r.loop.Submit(ctx, events.Draft{ID: fmt.Sprint("report-", actor), Source: "/runner/robo-1", Data: events.GatewayDown{Reason: events.DownReported, Text: "no answer"}})
			return err
		})
	case upstream, farm: // in the scripts of the connections
	}
}

// keep writes down what a week that failed was, and says how to see it again.
func (w *world) keep(recs []events.Record) {
	dir := os.Getenv("TEST_ARTIFACTS")
	if dir == "" {
		dir = os.TempDir()
	}
	dir, err := os.MkdirTemp(dir, fmt.Sprintf("week-%d-", w.seed))
	if err != nil {
		w.t.Error(err)
		return
	}
	var lines, stream strings.Builder
	fmt.Fprintf(&lines, "seed %d\n", w.seed)
	for _, h := range w.plan {
		fmt.Fprintln(&lines, h)
	}
	for _, rec := range recs {
		fmt.Fprintf(&stream, "%s\n", rec.Raw)
	}
	for file, text := range map[string]string{"week.txt": lines.String(), "events.ndjson": stream.String()} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			w.t.Error(err)
		}
	}
	w.t.Logf("its script and its log are in %s; judge it: go run ./cmd/replay verify %s; live it again: go test ./internal/simulation -run TestAWeek -week.seed=%d",
		dir, filepath.Join(dir, "events.ndjson"), w.seed)
}
