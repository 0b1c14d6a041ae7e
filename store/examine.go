package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ibrecorder/events"

	"github.com/nats-io/nats-server/v2/server"
)

// Examined is what the files of one gateway's log say.
type Examined struct {
	Gateway string
	Seq     uint64    // of the last event, 0 if there is none
	Last    time.Time // of that event; zero if nobody can tell
	Bytes   int64     // of the events
	Stopped bool      // the gate was, by the high-water mark
	Err     error     // why a recorder would refuse it, nil if it would not
}

// Examine checks every log of a folder as Open does before it starts the server, and
// against its mark. It starts none, copies nothing and changes nothing, rights neither.
// No recorder may run (ErrLocked); the folder stays locked against one meanwhile. The
// error is about the folder itself: fs.ErrNotExist if none ever ran there, ErrFormat.
func Examine(ctx context.Context, dir string) ([]Examined, error) {
	f, err := readFormat(dir)
	if err != nil {
		return nil, fmt.Errorf("examine %s: %w", dir, err)
	}
	l, err := shareLock(dir)
	if err != nil {
		return nil, err
	}
	names, err := GatewaysIn(dir)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("examine %s: %w", dir, err), l.release())
	}
	var all []Examined
	for _, gateway := range names {
		all = append(all, examine(ctx, dir, gateway, f.Wrote == server.VERSION))
	}
	return all, errors.Join(ctx.Err(), l.release())
}

// GatewaysIn are the gateways that have a log in a data folder, or the mark of one, sorted.
// It reads names alone, so it may be asked while a recorder runs.
func GatewaysIn(dir string) ([]string, error) {
	names, err := withParts(dir)
	if err != nil {
		return nil, err
	}
	marks, err := os.ReadDir(filepath.Join(dir, markDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range marks {
		if gateway, ok := strings.CutSuffix(e.Name(), ".json"); ok && events.CheckGatewayName(gateway) == nil {
			names = append(names, gateway)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func examine(ctx context.Context, dir, gateway string, sameServer bool) (x Examined) {
	x.Gateway = gateway
	mark, marked, err := readMark(dir, gateway)
	x.Stopped = mark.Stopped
	parts, look := partsIn(dir, gateway)
	switch x.Err = cmp.Or(err, look); {
	case look != nil:
		return x
	case len(parts) == 0:
		if marked && err == nil {
			x.Err = &MarkError{Gateway: gateway, Mark: mark, Problem: fmt.Sprintf("it is gone, and had %d events", mark.Seq)}
		}
		return x
	}
	var shape error
	for _, p := range parts {
		shape = cmp.Or(shape, shapes(p.path))
	}
	if x.Err = cmp.Or(shape, x.Err); x.Err != nil && !errors.Is(x.Err, ErrMark) {
		return x // to open a pipe is to wait for ever
	}
	if err := verifyLog(ctx, slog.New(slog.DiscardHandler), parts, gateway, mark, sameServer); !errors.Is(err, errForeignFormat) {
		x.Err = cmp.Or(err, x.Err) // damage says more than a mark that cannot be read
	}
	for _, p := range slices.Backward(parts) {
		if err := x.measure(p); err != nil && x.Err == nil {
			x.Err = err
		}
	}
	return x
}

func shapes(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return &FileError{Path: path, Problem: "cannot be read", Err: err, Hint: "chmod u+rwX " + path}
		}
		return checkShape(path, d)
	})
}

// measure reads the sizes of the blocks, and the last whole event in them.
func (x *Examined) measure(p partFolder) error {
	files, err := blockFiles(p.path)
	if err != nil {
		return err
	}
	var buf []byte
	for _, file := range slices.Backward(files) {
		info, err := os.Stat(file.path)
		if err != nil {
			return err
		}
		x.Bytes += info.Size()
		if x.Seq > 0 {
			continue
		}
		b, err := newBlock(streamName(x.Gateway, p.n), file.index, subjectPrefix(x.Gateway))
		if err != nil {
			return err
		}
		if buf, err = readInto(file.path, buf); err != nil {
			return &FileError{Path: file.path, Problem: "cannot be read", Err: err}
		}
		var last []byte
		_, skip, _ := b.tombstone(buf)
		for rest := buf[skip:]; ; {
			r, problem := b.record(rest)
			if problem != "" {
				break
			}
			rest, x.Seq, last = rest[r.size:], r.seq, r.payload
		}
		if rec, err := events.ParseRecord(last); err == nil {
			x.Last = rec.Time
		}
	}
	return nil
}
