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
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"ibrecorder/events"
)

// errForeignFormat: no record of a log could be understood, and another version
// of the server wrote it.
var errForeignFormat = errors.New("its blocks are in a format this recorder does not read")

// blockFile is one file of a log, by its number.
type blockFile struct {
	index int
	path  string
}

func blockFiles(dir string) ([]blockFile, error) {
	entries, err := os.ReadDir(filepath.Join(dir, "msgs"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &FileError{Path: filepath.Join(dir, "msgs"), Problem: "cannot be listed", Err: fmt.Errorf("%w: %w", ErrDamaged, err), Hint: "bring it back from a copy"}
	}
	var files []blockFile
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".blk")
		if !ok {
			continue
		}
		index, err := strconv.Atoi(name)
		if err != nil {
			return nil, &FileError{Path: filepath.Join(dir, "msgs", e.Name()), Problem: "is no block of this log", Err: ErrDamaged, Hint: "move it away"}
		}
		files = append(files, blockFile{index, filepath.Join(dir, "msgs", e.Name())})
	}
	slices.SortFunc(files, func(a, b blockFile) int { return cmp.Compare(a.index, b.index) })
	return files, nil
}

// partBlock is a block and the part that it belongs to.
type partBlock struct {
	blockFile
	part  int
	opens bool // it is the first of its part
}

// verifyLog checks every record of a log on disk, part after part, while no server runs,
// and holds the log against its mark. sameServer says that the version of the server
// that wrote it is ours.
func verifyLog(ctx context.Context, log *slog.Logger, parts []partFolder, gateway string, mark Mark, sameServer bool) error {
	var files []partBlock
	for _, p := range parts {
		blocks, err := blockFiles(p.path)
		if err != nil {
			return err
		}
		for i, f := range blocks {
			files = append(files, partBlock{f, p.n, i == 0})
		}
	}
	sums, err := verifyBlocks(ctx, files, gateway, mark.Seq)
	if err != nil {
		return err
	}
	understood := slices.ContainsFunc(sums, func(s blockSummary) bool { return s.understood })
	if len(files) > 0 && !understood && !sameServer {
		return errForeignFormat
	}
	var last uint64
	var at events.Hash
	for i, s := range sums {
		damage := func(problem string) error {
			return &DamageError{Gateway: gateway, Path: files[i].path, Offset: s.good, After: max(last, s.last), Problem: problem}
		}
		final := i == len(sums)-1
		if i == 0 && files[i].part > 1 {
			last = s.before // what came before was archived
		}
		switch {
		case s.before != 0 && (!files[i].opens || s.before != last):
			s.good = 0
			return damage(fmt.Sprintf("goes on behind event %d, and event %d is the one before it", s.before, last))
		case s.first != 0 && s.first != last+1:
			s.good = 0
			return damage(fmt.Sprintf("starts with event %d, and event %d is the one before it", s.first, last))
		case s.problem != "" && !(final && s.torn):
			return damage(s.problem)
		case s.size == 0 && !final:
			return damage("the block is empty")
		}
		last = max(last, s.last)
		if s.problem != "" {
			log.Warn("the end of a log is cut off: it is as a crash leaves an event that was never acknowledged",
				"gateway", gateway, "path", files[i].path, "bytes", s.size-s.good, "after", last)
		}
		if s.hashed {
			at = s.hash
		}
	}
	if mark.Gateway == "" {
		return nil
	}
	return mark.against(Head{Seq: last}, at)
}

// verifyBlocks checks the files of one log on all processors; they are
// independent of each other.
func verifyBlocks(ctx context.Context, files []partBlock, gateway string, hashAt uint64) ([]blockSummary, error) {
	sums := make([]blockSummary, len(files))
	errs := make([]error, len(files))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(files)) {
		workers.Go(func() {
			var buf []byte
			for i := int(next.Add(1)) - 1; i < len(files) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				b, err := newBlock(streamName(gateway, files[i].part), files[i].index, subjectPrefix(gateway))
				if err == nil {
					sums[i], buf, err = b.verify(files[i].path, buf, hashAt)
				}
				errs[i] = err
			}
		})
	}
	workers.Wait()
	return sums, errors.Join(append(errs, ctx.Err())...)
}
