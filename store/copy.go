package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// OpenCopy opens a copy of a data folder, made below tmp ("" is the system's
// folder for such things) and removed by Close. Of the folder itself it only
// reads: a server that is started on damaged evidence destroys it. Any log opens,
// even one that Open would refuse; JetLog.Check and Store.Damage say why it
// would. No recorder may run (ErrLocked). Gateways without a log are not created
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
	if err == nil {
		err = copyStore(ctx, dir, to)
		err = errors.Join(err, l.release())
	}
	var s *Store
	if err == nil {
		s, err = Open(ctx, Config{Dir: to, copied: true})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open a copy of %s: %w", dir, err), os.RemoveAll(to))
	}
	s.remove = to
	return s, nil
}

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
		if err != nil && !(errors.Is(err, fs.ErrNotExist) && !exists(root)) {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) (err error) {
	in, err := os.OpenFile(from, os.O_RDONLY|unix.O_NOFOLLOW, 0)
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
