package simulation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/recorder"
	"ibrecorder/internal/tap"
	"ibrecorder/internal/watch"
	"ibrecorder/store"
)

// life is the recorder's, from one run to the next, as a service manager would have it.
// Its goroutine owns the folder; others reach the run of the moment through now.
type life struct {
	w      *world
	dir    string
	chance *rand.Rand
	runs   int
	dead   *fsm.State // of the last run that was killed, until it is held against the log
}

// run is one process.
type run struct {
	loop *recorder.Gateway
	end  context.CancelFunc // in order
}

// relay is the tap as the loop has it. It says when it is shut.
type relay struct {
	*tap.Tap
	w *world
}

func (r relay) Shut() {
	r.Tap.Shut()
	r.w.shut.Store(true)
}

func (r relay) Reopen() error {
	r.w.shut.Store(r.w.ledger.stopped())
	return r.Tap.Reopen()
}

// live starts runs until ctx ends.
func (l *life) live(ctx context.Context) {
	for ctx.Err() == nil {
		l.runs++
		wait := time.Second + time.Duration(l.chance.Int64N(int64(20*time.Second)))
		err := l.once(ctx)
		switch {
		case errors.Is(err, syscall.EADDRINUSE):
			wait = time.Minute // a service manager that has learnt
		case err != nil:
			l.w.fail("run %d: %v", l.runs, err)
			return
		}
		pause(ctx, wait)
	}
}

// once is one run, until it is ended or killed.
func (l *life) once(parent context.Context) error {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	st, err := store.Open(context.WithoutCancel(ctx), store.Config{Dir: l.dir, MaxBytes: 256 << 20})
	if err != nil {
		return err
	}
	jet, err := st.Log(context.WithoutCancel(ctx), name)
	if err != nil {
		return errors.Join(err, st.Close())
	}
	if _, err := l.examine(jet); err != nil {
		return errors.Join(err, st.Close())
	}
	loaded, err := policy.Load(l.w.preset.Load().(string), presets[l.w.preset.Load().(string)](), events.Enforce)
	if err != nil {
		return errors.Join(err, st.Close())
	}
	boot := fmt.Sprintf("w%da", l.runs)
	redactor := events.NewRedactor(make([]byte, 16))
	var loop *recorder.Gateway
	err, dead := survives(func() error {
		loop, err = recorder.Open(context.WithoutCancel(ctx), recorder.Config{
			Gateway: name, Log: log{jet, &l.w.ledger}, Sensor: l.w.gateway, Redactor: redactor, Policy: loaded,
			Boot: boot, Version: "test", Build: "test", Snapshots: store.SnapshotsOf(l.dir, name), Start: time.Now(), Wall: l.w.clock.now,
			Jitter: func(most int64) int64 { return l.chance.Int64N(most + 1) }, Step: l.w.killer.step,
		})
		return err
	})
	switch {
	case dead:
		return l.bury(st, func() {})
	case errors.Is(err, store.ErrFull), errors.Is(err, store.ErrUnavailable): // it has waited long enough, and comes again
		return st.Close()
	case err != nil:
		return errors.Join(err, st.Close())
	}
	l.w.shut.Store(l.w.ledger.stopped())
	door, err := tap.Listen(tap.Config{
		Desk: loop, Address: "127.0.0.1:4002", Listen: "127.0.0.1:4102", Prefix: boot + "-", Params: loaded.Params,
		Key: redactor.Key, Dial: l.w.gateway.dial, Bind: l.w.port.bind,
	})
	if errors.Is(err, syscall.EADDRINUSE) { // it ends, as the daemon does, and comes again
		return l.abort(loop, st, err)
	}
	if err != nil {
		return errors.Join(err, st.Close())
	}
	if loop.View().State.Gate == fsm.Stopped {
		door.Shut()
	}
	var users sync.WaitGroup
	users.Go(func() {
		watch.Periodic{Sensor: l.w.gateway, Desk: loop, Every: watch.Interval, Logger: quiet}.Run(ctx)
	})
	drained := make(chan struct{})
	go func() {
		<-ctx.Done()
		if err := door.Close(); err != nil {
			l.w.fail("close the tap: %v", err)
		}
		users.Wait()
		close(drained)
	}()
	l.w.now.Store(&run{loop: loop, end: cancel})
	err, dead = survives(func() error { return loop.Run(ctx, drained, relay{door, l.w}) })
	l.w.now.Store(nil)
	if dead {
		last := loop.View().State
		l.dead = &last
		return l.bury(st, func() { cancel(); <-drained })
	}
	cancel()
	<-drained
	if l.w.ledger.isFull() {
		err = nil // its last event could not be written, and the next run says so
	}
	return errors.Join(err, st.Close())
}

// abort ends a run that never ran.
func (l *life) abort(loop *recorder.Gateway, st *store.Store, why error) error {
	err, dead := survives(func() error { return loop.Abort(why) })
	if dead {
		return l.bury(st, func() {})
	}
	if l.w.ledger.isFull() {
		err = nil
	}
	return errors.Join(err, st.Close(), why)
}

// bury ends what a killed run has left of itself in this process. The next run has the
// folder as it was when it died, and not what ending it in order makes of that.
func (l *life) bury(st *store.Store, rest func()) error {
	synctest.Wait() // until the server has nothing more to write
	next := fmt.Sprintf("%s/run%d", filepath.Dir(l.dir), l.runs)
	if err := copyTree(next, l.dir); err != nil {
		return err
	}
	rest()
	err := errors.Join(st.Close(), os.RemoveAll(l.dir))
	l.dir = next
	return err
}

func copyTree(to, from string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Mkdir(filepath.Join(to, rel), 0o700)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o600)
	})
}
