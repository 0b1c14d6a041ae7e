package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/nats-io/nats-server/v2/server"

	"ibrecorder/internal/flock"
)

// preflight checks everything below jetstream/ before the server may see it, and
// who may read and write our own files beside it.
// For a file it cannot read, the server deletes the whole stream (nats-server
// 2.15.2); for a flipped byte it cuts the log there without a word.
func preflight(ctx context.Context, cfg Config, f format) (damage []error, err error) {
	if err := filepath.WalkDir(filepath.Join(cfg.Dir, jetstreamDir), checkFile); err != nil {
		return nil, err
	}
	if err := checkOwnFiles(cfg); err != nil {
		return nil, err
	}
	names, err := withParts(cfg.Dir)
	if err != nil {
		return nil, err
	}
	for _, gateway := range names {
		parts, err := partsIn(cfg.Dir, gateway)
		if err != nil {
			return nil, err
		}
		// A mark that cannot be trusted is refused when the log is opened; the
		// blocks are checked either way.
		mark, _, _ := readMark(cfg.Dir, gateway)
		err = verifyLog(ctx, cfg.Logger, parts, gateway, mark, f.Wrote == server.VERSION)
		switch {
		case errors.Is(err, errForeignFormat):
			cfg.Logger.Warn("log not checked before the start", "gateway", gateway, "wrote", f.Wrote, "error", err)
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			damage = append(damage, err)
		}
	}
	if len(damage) > 0 && !cfg.copied {
		return nil, errors.Join(damage...)
	}
	return damage, nil
}

// checkOwnFiles checks the format and the marks. What is no file in the place of a mark
// is refused where the mark is read. A copy is ours in any case.
func checkOwnFiles(cfg Config) error {
	if cfg.copied {
		return nil
	}
	marks, err := os.ReadDir(filepath.Join(cfg.Dir, markDir))
	if err != nil {
		return &FileError{Path: filepath.Join(cfg.Dir, markDir), Problem: "cannot be listed", Err: err, Hint: "chmod u+rwX " + filepath.Join(cfg.Dir, markDir)}
	}
	files := []string{filepath.Join(cfg.Dir, formatFile)}
	for _, e := range marks {
		if e.Type().IsRegular() {
			files = append(files, filepath.Join(cfg.Dir, markDir, e.Name()))
		}
	}
	for _, path := range files {
		info, err := os.Lstat(path)
		if err != nil {
			return &FileError{Path: path, Problem: "cannot be examined", Err: err}
		}
		if err := checkFile(path, fs.FileInfoToDirEntry(info), nil); err != nil {
			return err
		}
	}
	return nil
}

func checkFile(path string, d fs.DirEntry, err error) error {
	if err != nil {
		return &FileError{Path: path, Problem: "cannot be read", Err: err, Hint: "chmod u+rwX " + path}
	}
	info, err := d.Info()
	if err != nil {
		return &FileError{Path: path, Problem: "cannot be examined", Err: err, Hint: "chmod u+rwX " + filepath.Dir(path)}
	}
	if err := checkOwner(path, info); err != nil {
		return err
	}
	if err := checkShape(path, d); err != nil {
		return err
	}
	if d.IsDir() {
		return tighten(path, 0o700)
	}
	if err := tighten(path, 0o600); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR|flock.NoFollow, 0)
	if err != nil {
		return &FileError{Path: path, Problem: "cannot be read and written", Err: err, Hint: "chmod u+rw " + path}
	}
	return file.Close()
}

// checkShape refuses what is neither a file nor a folder of the server's.
func checkShape(path string, d fs.DirEntry) error {
	switch {
	case d.IsDir() && filepath.Ext(path) != "":
		return &FileError{Path: path, Problem: "is a directory where a file should be", Err: ErrDamaged, Hint: "bring the file back from a copy"}
	case !d.IsDir() && !d.Type().IsRegular():
		return &FileError{Path: path, Problem: fmt.Sprintf("is no regular file (%s)", d.Type()), Err: ErrDamaged, Hint: "put the file itself there"}
	}
	return nil
}
