package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync/atomic"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/veil"

	"golang.org/x/mod/sumdb/note"
)

// A run that has events has a checkpoint every day, and every so many events: after a kill
// the next start reads what came behind the last one, about 0.2 s of a processor.
const (
	every = 24 * time.Hour
	many  = 50_000
)

// Log is what a notary reads of a log; *store.JetLog is one.
type Log interface {
	// Read yields the stored events from..to, both included; to 0 is the last.
	Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error]
}

// Notary keeps the tree of one log and signs it. The loop of the recorder alone calls
// Step; a file is written by one goroutine at a time, which the loop does not wait for.
type Notary struct {
	keys    *Keys
	gateway string
	dir     string
	log     *slog.Logger

	at     progress
	veil   *veil.Veil
	salts  *veil.Key
	signed uint64 // how many events the last checkpoint covers
	mono   int64  // of this run, when it was signed; 0 at the beginning
	behind bool   // a run before this one left events unsigned
	failed error  // why nothing is signed any more
	tried  uint64 // how many events the last try to write one was of, whatever came of it
	many   uint64 // events between two tries

	asked   atomic.Bool   // somebody wants a checkpoint at the next event
	done    atomic.Uint64 // signed, for whoever waits for it
	written chan struct{} // has a token after a file was written
	writing chan error    // of the goroutine that writes, nil if there is none
	pending uint64        // what signed is once it has
}

// ErrHistory: the log is not the one that was signed before.
var ErrHistory = errors.New("the log is not the one that was signed before")

// NewNotary takes up the tree of a log where the last checkpoint left it, and reads what
// came behind. With nothing to take up it reads the whole log, once: for a million events
// that is 3.5 s of a processor beside the reading (BenchmarkStep). The error is the log's,
// or ErrHistory.
func NewNotary(ctx context.Context, keys *Keys, data, gateway string, history Log, log *slog.Logger) (*Notary, error) {
	n := &Notary{keys: keys, gateway: gateway, dir: folder(data, gateway), log: log.With("gateway", gateway), salts: keys.Salts(gateway), many: many, written: make(chan struct{}, 1)}
	secret, err := n.salts.Of("")
	if err != nil {
		return nil, err
	}
	n.at = progress{Gateway: gateway, Secret: fmt.Sprintf("%x", secret[:8])}
	old, found := load(n.dir, gateway)
	if found && old.Secret == n.at.Secret {
		n.at, n.signed = old, old.Tree.Size
	} else if found {
		return nil, fmt.Errorf("checkpoints of %s: the secret of the salts is not the one of the last checkpoint; bring back %s", gateway, veilFile)
	}
	n.veil = veil.New(n.salts, n.at.Veiled)
	met := n.signed == 0
	for rec, err := range history.Read(ctx, max(1, n.signed), 0) {
		switch {
		case err != nil:
			return nil, fmt.Errorf("checkpoints of %s: %w", gateway, err)
		case rec.Seq == n.signed:
			if rec.Hash() != n.at.Stored {
				return nil, n.contradiction()
			}
			met = true
			continue
		}
		if err := n.take(rec); err != nil {
			return nil, err
		}
	}
	if !met { // it is shorter
		return nil, n.contradiction()
	}
	n.behind, n.tried = n.at.Tree.Size > n.signed, n.at.Tree.Size
	n.done.Store(n.signed)
	return n, nil
}

func (n *Notary) contradiction() error {
	return fmt.Errorf("checkpoints of %s: %w, up to #%d; nothing is signed until it is set aside: recorder log quarantine %s --reason TEXT", n.gateway, ErrHistory, n.signed, n.gateway)
}

// Step takes an event that is in the log, and begins to write a checkpoint if one is due.
// It waits for no disk.
func (n *Notary) Step(rec events.Record) {
	if n.failed != nil {
		return
	}
	if n.failed = n.take(rec); n.failed != nil {
		n.log.Error("no checkpoints are written any more", "error", n.failed)
		return
	}
	if n.asked.Load() || n.behind || rec.Mono-n.mono >= int64(every) || n.at.Tree.Size-n.tried >= n.many {
		if n.idle() {
			n.mono, n.behind = rec.Mono, false
			n.asked.Store(false)
			n.write()
		}
	}
}

func (n *Notary) take(rec events.Record) error {
	if want := n.at.Tree.Size + 1; rec.Seq != want {
		return fmt.Errorf("checkpoints of %s: %w: event #%d comes where #%d belongs", n.gateway, ErrHistory, rec.Seq, want)
	}
	// A start goes on from a snapshot, and reads nothing before that: what no checkpoint
	// covers yet may have been changed there.
	if rec.Prev != n.at.Stored {
		return fmt.Errorf("checkpoints of %s: %w: event #%d does not follow the one before it; nothing is signed until it is set aside: recorder log quarantine %s --reason TEXT", n.gateway, ErrHistory, rec.Seq, n.gateway)
	}
	line, err := n.veil.Line(rec)
	if err != nil {
		return fmt.Errorf("checkpoints of %s: %w", n.gateway, err)
	}
	n.at.Tree.Add(line.Raw)
	n.at.Veiled, n.at.Stored = n.veil.Prev(), rec.Hash()
	if rec.Seq == 1 {
		n.at.Origin = Origin(n.gateway, n.at.Veiled)
	}
	return nil
}

// idle says whether no file is being written, and what became of the last one.
func (n *Notary) idle() bool {
	if n.writing == nil {
		return true
	}
	select {
	case err := <-n.writing:
		n.wrote(err)
		return true
	default:
		return false
	}
}

func (n *Notary) wrote(err error) {
	n.writing = nil
	if err != nil {
		n.log.Error("a checkpoint was not written; the next one covers what it would have", "error", err)
		return
	}
	n.signed = n.pending
}

// write signs what was taken, and hands it to a goroutine that writes it.
func (n *Notary) write() {
	at := n.at
	at.Tree.Tops = append(at.Tree.Tops[:0:0], at.Tree.Tops...)
	text, err := n.sign()
	done := make(chan error, 1)
	n.writing, n.pending, n.tried = done, at.Tree.Size, at.Tree.Size
	if err != nil {
		done <- err
		return
	}
	go func() {
		err := save(n.dir, at.Tree.Size, text, at)
		if err == nil {
			n.done.Store(at.Tree.Size)
		}
		select {
		case n.written <- struct{}{}:
		default:
		}
		done <- err
	}()
}

// Ask has a checkpoint written at the next event, whoever asks.
func (n *Notary) Ask() { n.asked.Store(true) }

// ErrUnsigned: no checkpoint covers an event yet.
var ErrUnsigned = errors.New("not signed yet")

// askedWithin is how long a checkpoint that was asked for may take.
const askedWithin = 5 * time.Second

// Wait returns once a checkpoint covers the event seq; ErrUnsigned if none does within some
// seconds. One at a time may wait.
func (n *Notary) Wait(ctx context.Context, seq uint64) error {
	ctx, cancel := context.WithTimeout(ctx, askedWithin)
	defer cancel()
	for n.done.Load() < seq {
		select {
		case <-n.written:
		case <-ctx.Done():
			return fmt.Errorf("checkpoints of %s: event %d is %w; try again", n.gateway, seq, ErrUnsigned)
		}
	}
	return nil
}

func (n *Notary) sign() ([]byte, error) {
	salt, err := veil.HeadSalt(n.salts, n.at.Stored)
	if err != nil {
		return nil, err
	}
	c := Checkpoint{Origin: n.at.Origin, Size: n.at.Tree.Size, Root: n.at.Tree.Root(), Stored: veil.Head(salt, n.at.Stored).String()}
	text, err := note.Sign(&note.Note{Text: c.text()}, n.keys.signer)
	if err != nil {
		return nil, fmt.Errorf("sign the checkpoint of #%d: %w", c.Size, err)
	}
	return text, nil
}

// Close signs what no checkpoint covers, and waits until it is written.
func (n *Notary) Close() {
	if n.writing != nil {
		n.wrote(<-n.writing)
	}
	if n.failed == nil && n.at.Tree.Size > n.signed {
		n.write()
		n.wrote(<-n.writing)
	}
}
