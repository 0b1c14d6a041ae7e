package store

import (
	"context"
	"iter"
	"net"
	"time"

	"ibrecorder/events"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// What the tests of this package need to see or to break.

const AckWait = ackWait

func StreamName(gateway string) string          { return streamName(gateway, 1) }
func GatewayOf(stream string) (string, bool)    { g, _, ok := partOf(stream); return g, ok }
func MarkPath(dir, gateway string) string       { return markPath(dir, gateway) }
func StreamsDir(dir string) string              { return streamsDir(dir) }
func Redelivery(n uint64) time.Duration         { return redelivery(n) }
func (s *Store) Server() *server.Server         { return s.srv }
func (s *Store) JetStream() jetstream.JetStream { return s.js }
func (l *JetLog) Stream() jetstream.Stream      { return l.current().stream }

// ReadByServer is Read without a look at the files.
func (l *JetLog) ReadByServer(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) { l.deliver(ctx, l.current(), from, to, yield) }
}

func (s *Store) Report(level, text string) { s.log.report(level, text, nil) }

// SecondWriter opens a log once more, as a second recorder would that found a
// way past the lock.
func (s *Store) SecondWriter(ctx context.Context, gateway string) (*JetLog, error) {
	return s.openLog(ctx, gateway)
}

// Through lets wrap stand between the client and the embedded server.
func (c Config) Through(wrap func(net.Conn) net.Conn) Config {
	c.provider = func(s *server.Server) nats.InProcessConnProvider { return wrapped{s, wrap} }
	return c
}

// OnStep is told what a roll or an archive is about to do.
func (c Config) OnStep(step func(string)) Config {
	c.step = step
	return c
}

// OnDisk puts the logs on a disk that has as much room as free says.
func (c Config) OnDisk(free func() int64) Config {
	c.free = func(string) (int64, error) { return free(), nil }
	return c
}

type wrapped struct {
	srv  *server.Server
	wrap func(net.Conn) net.Conn
}

func (w wrapped) InProcessConn() (net.Conn, error) {
	c, err := w.srv.InProcessConn()
	if err != nil {
		return nil, err
	}
	return w.wrap(c), nil
}

// SealUnnoticed seals the newest part as a roll does whose answers are lost.
func (l *JetLog) SealUnnoticed(ctx context.Context) error {
	p := l.current()
	cfg := p.stream.CachedInfo().Config
	cfg.Sealed, cfg.Subjects = true, []string{rolledSubject(l.gateway, p.n)}
	_, err := l.store.js.UpdateStream(ctx, cfg)
	return err
}

// CreateUnnoticed makes the part behind a sealed one, as a roll does whose answer is lost.
func (l *JetLog) CreateUnnoticed(ctx context.Context) error {
	p := l.current()
	_, err := l.store.js.CreateStream(ctx, streamConfig(l.gateway, p.n+1, p.last+1, 1<<20))
	return err
}

// Marker is the coalescing writer of marks, alone.
type Marker struct{ marker }

func NewMarker(dir, gateway string) *Marker {
	return &Marker{marker{path: markPath(dir, gateway)}}
}

func (m *Marker) Mark(k Mark, now bool) error { return m.mark(k, now) }
func (m *Marker) Close() error                { return m.close() }

func ReadMark(dir, gateway string) (Mark, bool, error) { return readMark(dir, gateway) }

// BlockRecord reads one record of a block.
func BlockRecord(stream string, index int, prefix string, buf []byte) (seq uint64, size int, payload []byte, problem string) {
	b, err := newBlock(stream, index, prefix)
	if err != nil {
		return 0, 0, nil, err.Error()
	}
	r, problem := b.record(buf)
	return r.seq, r.size, r.payload, problem
}
