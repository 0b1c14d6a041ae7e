package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"ibrecorder/events"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// serverLog turns the embedded server's log lines into ours. A fatal line of
// the server would end the process with the stock logger; here it ends Open, or
// reaches whoever reads the channel.
type serverLog struct {
	log   *slog.Logger
	out   chan error    // warnings, errors, fatal ones; the oldest gives way
	fatal chan struct{} // holds one token after a fatal line
	dead  sync.Map      // stream to string: what the disk said when it refused a write

	mu    sync.Mutex // guards the rest
	since time.Time  // when the first of the lines about guests was logged
	said  int        // how many were since then
	left  int        // and how many were left out
}

func newServerLog(log *slog.Logger) *serverLog {
	return &serverLog{log: log, out: make(chan error, 64), fatal: make(chan struct{}, 1)}
}

func (l *serverLog) Noticef(format string, v ...any) {
	l.log.Debug("embedded server", "text", fmt.Sprintf(format, v...))
}
func (l *serverLog) Debugf(string, ...any) {}
func (l *serverLog) Tracef(string, ...any) {} // would hold payloads

func (l *serverLog) Warnf(format string, v ...any)  { l.report(LevelWarning, format, v) }
func (l *serverLog) Errorf(format string, v ...any) { l.report(LevelError, format, v) }
func (l *serverLog) Fatalf(format string, v ...any) {
	l.report(LevelFatal, format, v)
	select {
	case l.fatal <- struct{}{}:
	default:
	}
}

// refusal matches what nats-server 2.15.2 says once of a stream that takes no
// message any more until the server is started again. Whoever appends hears nothing
// (TestADiskThatRefusesAWriteIsNamedAndLosesNothing).
var refusal = regexp.MustCompile(`^JetStream stream '` + account + ` > (\w+)' critical write error: (.*)`)

// ofGuest matches what the server says of a connection that came through the Door; the
// recorder's own come through a pipe. A runner can have such lines written by the
// thousand: each subject that it may not use is one.
var ofGuest = regexp.MustCompile(`^\S+:\d+ - cid:\d+ - `)

const (
	guestLines = 10 // at most so many of them in a guestSpan
	guestSpan  = time.Minute
)

// guest logs a line about a guest, or counts it. None is an error of the store.
func (l *serverLog) guest(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); l.since.IsZero() || now.Sub(l.since) >= guestSpan {
		if l.left > 0 {
			l.log.Warn("more lines about runners' connections were left out", "lines", l.left)
		}
		l.since, l.said, l.left = now, 0, 0
	}
	if l.said == guestLines {
		l.left++
		return
	}
	l.said++
	l.log.Warn("a runner's connection", "text", text)
	if l.said == guestLines {
		l.log.Warn("what else is said of runners' connections is left out", "for", guestSpan)
	}
}

func (l *serverLog) report(level, format string, v []any) {
	e := &ServerError{Level: level, Text: fmt.Sprintf(format, v...)}
	if level != LevelFatal && ofGuest.MatchString(e.Text) {
		l.guest(e.Text)
		return
	}
	if m := refusal.FindStringSubmatch(e.Text); m != nil {
		l.dead.LoadOrStore(m[1], m[2])
	}
	severity := slog.LevelError
	if level == LevelWarning {
		severity = slog.LevelWarn
	}
	l.log.Log(context.Background(), severity, "embedded server", "text", e.Text)
	for {
		select {
		case l.out <- e:
			return
		default:
		}
		select { // never block the server: the oldest line gives way
		case <-l.out:
		default:
		}
	}
}

// startServer runs an embedded server on the folder, and returns when JetStream has
// recovered. It opens no port but that of a Door. Only the holder of key comes to the
// logs; own is the recorder's key for the account of the runners.
func startServer(ctx context.Context, cfg Config, name string, key, own nkeys.KeyPair, log *serverLog) (*server.Server, error) {
	user, err := key.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("embedded server: %w", err)
	}
	acc := server.NewAccount(account)
	opts := &server.Options{
		ServerName:             name,
		DontListen:             true,
		JetStream:              true,
		JetStreamDomain:        name, // so that a hub can tell its edges apart one day
		StoreDir:               cfg.Dir,
		JetStreamMaxStore:      maxStore,
		JetStreamMaxMemory:     64 << 20, // consumers of readers
		SyncAlways:             !cfg.unsynced,
		DisableJetStreamBanner: true,
		MaxPayload:             1 << 20,
		NoSigs:                 true, // signals are the recorder's
		Accounts:               []*server.Account{acc},
		Nkeys:                  []*server.NkeyUser{{Nkey: user, Account: acc}},
	}
	if cfg.Door != nil {
		guest, err := own.PublicKey()
		if err != nil {
			return nil, fmt.Errorf("embedded server: %w", err)
		}
		if err := cfg.Door.open(opts, guest); err != nil {
			return nil, err
		}
	}
	srv, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("embedded server: %w", err)
	}
	srv.SetLogger(log, false, false)
	started := make(chan struct{})
	go func() {
		srv.Start() // returns when it is up
		close(started)
	}()
	stop := func(err error) (*server.Server, error) {
		srv.Shutdown()
		srv.WaitForShutdown()
		return nil, err
	}
	select {
	case <-started:
	case <-ctx.Done():
		<-started
		return stop(ctx.Err())
	}
	select {
	case <-log.fatal:
		return stop(fmt.Errorf("start: %w: %w", ErrFatal, lastReport(log)))
	default:
	}
	// The streams of the account are recovered here, on our goroutine.
	a, err := srv.LookupAccount(account)
	if err == nil {
		err = a.EnableJetStream(nil, nil)
	}
	if err != nil {
		return stop(fmt.Errorf("recover the logs: %w", err))
	}
	return srv, nil
}

// lastReport drains the channel for the line that explains a failed start.
func lastReport(log *serverLog) error {
	last := errors.New("no reason given")
	for {
		select {
		case last = <-log.out:
		default:
			return last
		}
	}
}

// dialServer connects in process; but for a Door there is no other way in.
func dialServer(srv *server.Server, cfg Config, key nkeys.KeyPair) (*nats.Conn, error) {
	user, err := key.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("connect to the embedded server: %w", err)
	}
	nc, err := nats.Connect("",
		nats.InProcessServer(cfg.provider(srv)),
		nats.Nkey(user, key.Sign),
		nats.Name("ibrecorder"),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(50*time.Millisecond),
		nats.ReconnectJitter(0, 0),
		nats.Timeout(cfg.Timeout),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			cfg.Logger.Warn("connection to the embedded server", "error", err)
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("connect to the embedded server: %w", err)
	}
	return nc, nil
}

// maxRecordBytes is the most that one event takes in a block: the record's own
// numbers, subject, headers and payload.
const maxRecordBytes = events.MaxBytes + 4<<10
