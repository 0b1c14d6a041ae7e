package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/diskfile"
	"ibrecorder/internal/flock"

	"github.com/nats-io/nats.go/jetstream"
)

// Archived is a rolled part that is a file now, and in the log no more.
type Archived struct {
	Rolled
	// File has its events, a line for each, as they were stored.
	File string `json:"file"`
	// Hash is that of its last event.
	Hash events.Hash `json:"hash"`
}

// ErrUnread: a channel has not been told of everything in a part yet.
var ErrUnread = errors.New("not everybody was told of it yet")

// Archive writes each rolled part to a file in the folder to, reads it back, and only
// then takes it out of the log, which makes room for new events. keep is told the last
// sequence of what goes before it goes: what a start needs of it must then be on disk. The
// part that has the last event of the log stays. A crash leaves each part in the log, or
// in its file, or in both; the next Archive goes on. What was done before an error is
// returned with it. ErrUnread while a handler of Consume has not had all of a part.
func (l *JetLog) Archive(ctx context.Context, to string, keep func(ctx context.Context, last uint64) error) (done []Archived, err error) {
	fail := func(err error) ([]Archived, error) {
		return done, fmt.Errorf("archive the log of %s: %w", l.gateway, err)
	}
	if l.store.cfg.copied {
		return fail(ErrCopy)
	}
	if to, err = filepath.Abs(to); err != nil {
		return fail(err)
	}
	l.archiving.Lock()
	defer l.archiving.Unlock()
	if err := l.marks.sync(); err != nil {
		return fail(err)
	}
	for {
		p, err := l.oldestToArchive(ctx)
		if p == nil || err != nil {
			return done, err
		}
		if err := l.consumed(ctx, p); err != nil {
			return fail(err)
		}
		a, err := l.export(ctx, p, to)
		if err != nil {
			return fail(err)
		}
		if err := keep(ctx, p.last); err != nil {
			return fail(err)
		}
		if err := l.forget(ctx, p); err != nil {
			return fail(err)
		}
		done = append(done, a)
	}
}

// oldestToArchive is the oldest part if it is rolled and neither has the head nor what
// the mark remembers, nil otherwise.
func (l *JetLog) oldestToArchive(ctx context.Context) (*part, error) {
	p := (*l.parts.Load())[0]
	head, err := l.Head(ctx)
	if err != nil || !p.sealed() || head.Seq <= p.last {
		return nil, err
	}
	mark, marked, err := readMark(l.store.cfg.Dir, l.gateway)
	if err != nil || !marked || mark.Seq <= p.last {
		return nil, err
	}
	return p, nil
}

// consumed fails while somebody has not read all of a part.
func (l *JetLog) consumed(ctx context.Context, p *part) error {
	list := p.stream.ListConsumers(ctx)
	for info := range list.Info() {
		if info.Config.Durable != "" && info.NumPending+uint64(info.NumAckPending) > 0 {
			return fmt.Errorf("events %d to %d: %w: %s has %d to go; try again later", p.first, p.last, ErrUnread, info.Name, info.NumPending+uint64(info.NumAckPending))
		}
	}
	if err := list.Err(); err != nil {
		return l.store.unavailable(err)
	}
	return nil
}

// archiveName is the file of a part. Its name sorts as the parts follow each other.
func archiveName(gateway string, n int) string {
	return fmt.Sprintf("%s-%0*d.ndjson", gateway, partDigits, n)
}

// export writes a part to its file, whole or not at all, and reads it back. A file that is
// there already must have the same events.
func (l *JetLog) export(ctx context.Context, p *part, to string) (Archived, error) {
	a := Archived{Rolled: l.rolled(p), File: filepath.Join(to, archiveName(l.gateway, p.n))}
	last, err := l.get(ctx, p.last)
	if err != nil {
		return a, err
	}
	a.Hash = last.Hash()
	switch err := l.inFile(a); {
	case err == nil:
		return a, nil
	case !errors.Is(err, fs.ErrNotExist):
		return a, fmt.Errorf("%w; move the file away, or name another folder", err)
	}
	l.store.cfg.step("export")
	tmp := a.File + diskfile.Unfinished
	err = l.writeLines(ctx, p, tmp)
	if err == nil {
		err = os.Rename(tmp, a.File)
	}
	if err != nil {
		return a, errors.Join(err, os.Remove(tmp))
	}
	if err := diskfile.SyncDir(to); err != nil {
		return a, err
	}
	return a, l.inFile(a)
}

func (l *JetLog) writeLines(ctx context.Context, p *part, path string) (err error) {
	// What an archive that was cut off has left, or somebody else in a folder of theirs.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<16)
	l.readPart(ctx, p, p.first, p.last, func(rec events.Record, failed error) bool {
		if err = failed; err == nil {
			_, err = w.Write(rec.Raw)
		}
		if err == nil {
			err = w.WriteByte('\n')
		}
		return err == nil
	})
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	return err
}

// inFile says whether the file of a holds exactly its events, as one chain.
func (l *JetLog) inFile(a Archived) error {
	f, err := os.OpenFile(a.File, os.O_RDONLY|flock.NoFollow, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	var chain events.Chain
	for rec, err := range events.ReadNDJSON(f) {
		if err == nil {
			err = chain.Add(rec)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", a.File, err)
		}
	}
	if seq, head := chain.Head(); chain.First() != a.First || seq != a.Last || head != a.Hash {
		return fmt.Errorf("%s: it has other events than the part of the log: %d to %d, not %d to %d", a.File, chain.First(), seq, a.First, a.Last)
	}
	return nil
}

// forgotten is the note of a part that is being removed. What is left of one is removed
// before the next server starts: it would look like damage.
type forgotten struct {
	Gateway string `json:"gateway"`
	Part    int    `json:"part"`
}

const forgottenEnds = ".archived.json"

func forgottenPath(dir, gateway string) string {
	return filepath.Join(dir, markDir, gateway+forgottenEnds)
}

// forget takes the oldest part out of the log.
func (l *JetLog) forget(ctx context.Context, p *part) error {
	ctx = context.WithoutCancel(ctx) // half a part is none: what is begun is ended, whoever leaves
	note := forgottenPath(l.store.cfg.Dir, l.gateway)
	if err := diskfile.Seal(note, forgotten{l.gateway, p.n}); err != nil {
		return err
	}
	l.store.cfg.step("remove")
	if err := l.store.js.DeleteStream(ctx, p.name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return l.store.unavailable(err)
	}
	if err := removePart(l.store.cfg.Dir, l.gateway, p.n); err != nil {
		return err
	}
	l.store.cfg.step("removed")
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parts.Store(new(slices.Clone((*l.parts.Load())[1:])))
	l.meter = meter{}
	if err := os.Remove(note); err != nil {
		return err
	}
	l.grow(ctx)
	return nil
}

// removeForgotten finishes what a crash left of an archive. The caller holds the lock, and
// no server runs.
func removeForgotten(dir string) error {
	entries, err := os.ReadDir(filepath.Join(dir, markDir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		gateway, ok := strings.CutSuffix(e.Name(), forgottenEnds)
		if !ok || events.CheckGatewayName(gateway) != nil {
			continue
		}
		note, err := readForgotten(dir, gateway)
		if err != nil {
			return err
		}
		if err := removePart(dir, gateway, note.Part); err != nil {
			return fmt.Errorf("finish the archive of %s: %w", gateway, err)
		}
		if err := os.Remove(forgottenPath(dir, gateway)); err != nil {
			return err
		}
	}
	return nil
}

// removePart removes what is left of a part. The server puts a dot before the name of a
// folder, answers, and then removes it (nats-server 2.15.2).
func removePart(dir, gateway string, n int) error {
	for _, dot := range []string{"", "."} {
		if err := os.RemoveAll(filepath.Join(streamsDir(dir), dot+streamName(gateway, n))); err != nil {
			return err
		}
	}
	return diskfile.SyncDir(streamsDir(dir))
}

// readForgotten returns the zero note if there is none.
func readForgotten(dir, gateway string) (note forgotten, err error) {
	err = diskfile.Unseal(forgottenPath(dir, gateway), &note)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return forgotten{}, nil
	case err != nil || note.Gateway != gateway:
		return forgotten{}, &FileError{Path: forgottenPath(dir, gateway), Problem: "the note of an archive cannot be read", Err: err,
			Hint: "bring it back from a copy, or remove it if the oldest part of the log is whole"}
	}
	return note, nil
}
