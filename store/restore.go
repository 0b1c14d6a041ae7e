package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"ibrecorder/events"
)

// OpenUnsynced opens a folder for Restore alone: an event is on disk when Close has
// returned, and not before. So a log of a million events is restored in a minute and not
// in ten; a folder that a crash left unfinished is to be thrown away.
func OpenUnsynced(ctx context.Context, dir string) (*Store, error) {
	return Open(ctx, Config{Dir: dir, MaxBytes: maxStore >> 1, unsynced: true})
}

// Restore makes the log of a gateway that has none from its events, whose first one may be
// a later one than 1. They must be one chain.
func (s *Store) Restore(ctx context.Context, gateway string, recs iter.Seq2[events.Record, error]) (head Head, err error) {
	fail := func(err error) (Head, error) { return head, fmt.Errorf("restore the log of %s: %w", gateway, err) }
	if err := events.CheckGatewayName(gateway); err != nil {
		return fail(err)
	}
	if !s.cfg.unsynced {
		return fail(errors.New("the folder is not open for that"))
	}
	l := &JetLog{gateway: gateway, prefix: subjectPrefix(gateway), store: s, known: true, marks: &marker{path: markPath(s.cfg.Dir, gateway)}}
	l.parts.Store(new([]*part))
	var chain events.Chain
	for rec, err := range recs {
		if err == nil {
			err = chain.Add(rec)
		}
		if err == nil && len(*l.parts.Load()) == 0 {
			err = l.beginAt(ctx, rec)
		}
		if err == nil {
			err = l.Append(ctx, rec)
		}
		if err != nil {
			return fail(err)
		}
		head = headAt(rec)
	}
	if len(*l.parts.Load()) == 0 { // a mark proves a stream, of an empty log too
		if _, err := l.create(ctx, 1, 1, 0); err != nil {
			return fail(err)
		}
	}
	return head, nil
}

// beginAt makes the first part of a log that begins with rec.
func (l *JetLog) beginAt(ctx context.Context, rec events.Record) error {
	n := 1
	if rec.Seq > 1 {
		n = 2 // what came before was archived
	}
	p, err := l.create(ctx, n, rec.Seq, 0)
	if err != nil {
		return err
	}
	l.parts.Store(&[]*part{p})
	l.head = Head{Seq: rec.Seq - 1, Hash: rec.Prev}
	return nil
}

// IsNote says whether a file in the folder of the marks is about parts that a backup does
// not have as they are.
func IsNote(name string) bool { return strings.HasSuffix(name, forgottenEnds) }

// syncAll makes every file below dir durable.
func syncAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}
