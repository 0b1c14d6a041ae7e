package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"
)

// Store is the open data folder of one recorder: every gateway's log.
type Store struct {
	cfg    Config
	lock   *lock
	log    *serverLog
	srv    *server.Server
	nc     *nats.Conn
	js     jetstream.JetStream
	guests *nats.Conn // in the account of the runners; nil without a Door
	damage []error    // what a copy would have been refused for
	// of is the folder that this one is a copy of, and is removed at the end; "" if it
	// is none.
	of string
	// ended is closed when the store is.
	ended chan struct{}
	// sharing is the goroutine of share.
	sharing sync.WaitGroup

	mu     sync.Mutex // guards the rest
	logs   map[string]*JetLog
	closed bool
}

// Open takes the folder's lock, checks every file, starts the embedded server
// and connects to it. It fails with ErrLocked, ErrFormat, *FileError,
// *DamageError, *MarkError or ErrFatal, and has then changed no log.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	if cfg.Dir == "" {
		return nil, errors.New("open store: no folder given; set the data folder")
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	cfg.Dir = dir
	if err := checkRoot(dir); err != nil {
		return nil, err
	}
	l, err := takeLock(ctx, dir)
	if err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg, lock: l, log: newServerLog(cfg.Logger), logs: make(map[string]*JetLog), ended: make(chan struct{})}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// checkRoot creates dir, or refuses a folder that is full of something else and
// open to others: closing that to others is not ours to decide.
func checkRoot(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return &FileError{Path: dir, Problem: "cannot be made: " + err.Error(), Err: ErrFormat, Hint: "choose another folder"}
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("open %s: %w", dir, err)
	}
	if err := checkOwner(dir, info); err != nil || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	if _, err := os.Lstat(filepath.Join(dir, formatFile)); err == nil {
		return nil // prepareFolder tightens what is ours
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("open %s: %w", dir, err)
	}
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return e.Name() == lockFile }) // a first start that was killed
	if len(entries) > 0 {
		return &FileError{Path: dir, Problem: "is open to others and holds something else", Err: ErrFormat,
			Hint: fmt.Sprintf("chmod 700 %s, or choose an empty folder", dir)}
	}
	return nil
}

func (s *Store) start(ctx context.Context) error {
	f, err := prepareFolder(s.cfg.Dir)
	if err != nil {
		return err
	}
	if err := removeForgotten(s.cfg.Dir); err != nil {
		return err
	}
	if s.damage, err = preflight(ctx, s.cfg, f); err != nil {
		return err
	}
	if f.Wrote != server.VERSION {
		f.Wrote = server.VERSION
		if err := f.write(s.cfg.Dir); err != nil {
			return err
		}
	}
	key, err := nkeys.CreateUser() // of this run, and never written down
	if err != nil {
		return fmt.Errorf("embedded server: %w", err)
	}
	own, err := nkeys.CreateUser() // the same, for the account of the runners
	if err != nil {
		return fmt.Errorf("embedded server: %w", err)
	}
	if s.srv, err = startServer(ctx, s.cfg, f.Server, key, own, s.log); err != nil {
		return err
	}
	if s.nc, err = dialServer(s.srv, s.cfg, key); err != nil {
		return err
	}
	if s.cfg.Door != nil {
		if s.guests, err = dialServer(s.srv, s.cfg, own); err != nil {
			return err
		}
		s.sharing.Go(s.share)
	}
	s.js, err = jetstream.New(s.nc, jetstream.WithDefaultTimeout(s.cfg.Timeout))
	if err != nil {
		return fmt.Errorf("connect to the embedded server: %w", err)
	}
	return nil
}

// Gateways returns the gateways that have a log, sorted, as the server has them
// now.
func (s *Store) Gateways(ctx context.Context) ([]string, error) {
	names := s.js.StreamNames(ctx)
	var gateways []string
	for name := range names.Name() {
		if g, _, ok := partOf(name); ok {
			gateways = append(gateways, g)
		}
	}
	if err := names.Err(); err != nil {
		return nil, fmt.Errorf("list the logs: %w", s.unavailable(err))
	}
	slices.Sort(gateways)
	return slices.Compact(gateways), nil
}

// Err delivers what the embedded server warned of, as *ServerError; one that
// matches ErrFatal means that nothing can be appended any more. At most 64 wait;
// then the oldest gives way. It is never closed.
func (s *Store) Err() <-chan error { return s.log.out }

// Damage returns what Open would have refused, for a copy; nil otherwise.
func (s *Store) Damage() []error { return s.damage }

// Close ends the readers, writes the marks, stops the server and gives the
// folder back. It may be called twice.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	close(s.ended)
	s.sharing.Wait()
	var errs []error
	for _, l := range s.logs {
		errs = append(errs, l.marks.close())
	}
	if s.guests != nil {
		s.guests.Close()
	}
	if s.nc != nil {
		s.nc.Close()
	}
	if s.srv != nil {
		s.srv.Shutdown()
		s.srv.WaitForShutdown()
		if s.cfg.unsynced {
			errs = append(errs, syncAll(s.cfg.Dir))
		}
	}
	errs = append(errs, s.lock.release())
	if s.of != "" {
		errs = append(errs, os.RemoveAll(s.cfg.Dir))
	}
	return errors.Join(errs...)
}

// unavailable says whether err means that the store was closed or that it did
// not answer.
func (s *Store) unavailable(err error) error {
	if s.nc.IsClosed() {
		return ErrClosed
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
