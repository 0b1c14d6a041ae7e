package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/flock"
)

// OpenCopy opens a copy of a data folder, made below tmp ("" is the system's
// folder for such things) and removed by Close. Of the folder itself it only
// reads: a server that is started on damaged evidence destroys it. A log opens even
// if Open would refuse what is in its files or its mark; JetLog.Check and Store.Damage
// say why it would. No recorder may run (ErrLocked). Gateways without a log are not created
// (ErrUnknownGateway), and Append returns ErrCopy.
func OpenCopy(ctx context.Context, dir, tmp string) (*Store, error) {
	if _, err := readFormat(dir); err != nil {
		return nil, fmt.Errorf("open a copy of %s: %w", dir, err)
	}
	l, err := shareLock(dir)
	if err != nil {
		return nil, err
	}
	to, err := os.MkdirTemp(tmp, "ibrecorder-copy-")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a folder for a copy of %s: %w", dir, err), l.release())
	}
	to, err = filepath.Abs(to)
	if err == nil {
		err = copyStore(ctx, dir, to)
	}
	err = errors.Join(err, l.release())
	var s *Store
	if err == nil {
		s, err = Open(ctx, Config{Dir: to, copied: true})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open a copy of %s: %w", dir, inOriginal(err, to, dir)), os.RemoveAll(to))
	}
	s.of = dir
	gone, err := s.goneLogs(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open a copy of %s: %w", dir, err), s.Close())
	}
	s.damage = append(s.damage, gone...)
	for i, err := range s.damage {
		s.damage[i] = s.ofOriginal(err)
	}
	return s, nil
}

// goneLogs says of every mark without a log that the log is gone. Nobody asks for a
// gateway that is not there.
func (s *Store) goneLogs(ctx context.Context) (gone []error, err error) {
	have, err := s.Gateways(ctx)
	if err != nil {
		return nil, err
	}
	marks, err := os.ReadDir(filepath.Join(s.cfg.Dir, markDir))
	if err != nil {
		return nil, err
	}
	for _, e := range marks {
		gateway, isMark := strings.CutSuffix(e.Name(), ".json")
		if !isMark || events.CheckGatewayName(gateway) != nil || slices.Contains(have, gateway) {
			continue
		}
		mark, _, err := readMark(s.cfg.Dir, gateway)
		if err == nil {
			err = s.gone(mark)
		}
		gone = append(gone, err)
	}
	return gone, nil
}

// ofOriginal is err about a copy as one about what was copied.
func (s *Store) ofOriginal(err error) error {
	if err == nil || s.of == "" {
		return err
	}
	return inOriginal(err, s.cfg.Dir, s.of)
}

// inOriginal puts the paths of the original into what an error says: the copy is gone
// when somebody looks for it.
func inOriginal(err error, copied, original string) error {
	return &originalError{err, strings.ReplaceAll(err.Error(), copied, original)}
}

type originalError struct {
	err  error
	text string
}

func (e *originalError) Error() string { return e.text }
func (e *originalError) Unwrap() error { return e.err }

// copyStore copies what a store is made of.
func copyStore(ctx context.Context, from, to string) error {
	for _, name := range []string{formatFile, jetstreamDir, markDir} {
		root := filepath.Join(from, name)
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			rel, relErr := filepath.Rel(from, path)
			if err := errors.Join(err, relErr, ctx.Err()); err != nil {
				return err
			}
			switch {
			case d.IsDir():
				return os.MkdirAll(filepath.Join(to, rel), 0o700)
			case !d.Type().IsRegular():
				return &FileError{Path: path, Problem: fmt.Sprintf("is no regular file (%s)", d.Type()), Err: ErrDamaged, Hint: "put the file itself there"}
			}
			return copyFile(path, filepath.Join(to, rel))
		})
		if there, look := anyExists(root); err != nil && (there || look != nil) {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) (err error) {
	in, err := os.OpenFile(from, os.O_RDONLY|flock.NoFollow, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}
