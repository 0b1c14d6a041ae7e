package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ibrecorder/internal/diskfile"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nuid"
)

// formatVersion is of the folder's layout; a newer one is refused.
const formatVersion = 1

const (
	lockFile      = "lock"
	formatFile    = "store.format"
	jetstreamDir  = server.JetStreamStoreDir // the server appends it itself
	markDir       = "mark"
	quarantineDir = "quarantine"
	checkpointDir = "checkpoint" // internal/checkpoint's, of which a log that is set aside takes its part along
)

// format is the content of store.format.
type format struct {
	Format int    `json:"format"`
	Server string `json:"server"` // name and domain of the embedded server, for ever the same
	Wrote  string `json:"wrote"`  // version of nats-server that wrote the blocks last
}

func streamsDir(dir string) string {
	return filepath.Join(dir, jetstreamDir, account, "streams")
}

// prepareFolder makes dir a data folder, or checks that it is one of ours. The
// caller holds the lock.
func prepareFolder(dir string) (format, error) {
	f, err := readFormat(dir)
	if errors.Is(err, os.ErrNotExist) {
		for _, name := range []string{jetstreamDir, markDir, quarantineDir} {
			if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
				return format{}, &FileError{Path: dir, Problem: "has " + name + "/ and no " + formatFile, Err: ErrFormat,
					Hint: "bring back " + formatFile + ", or choose an empty folder"}
			}
		}
		f = format{Format: formatVersion, Server: "ibrecorder-" + nuid.Next(), Wrote: server.VERSION}
		err = f.write(dir)
	}
	if err != nil {
		return format{}, err
	}
	for _, d := range []string{dir, filepath.Join(dir, jetstreamDir), filepath.Join(dir, markDir), filepath.Join(dir, quarantineDir)} {
		if err := os.Mkdir(d, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return format{}, fmt.Errorf("open %s: %w", dir, err)
		}
		if err := tighten(d, 0o700); err != nil {
			return format{}, err
		}
	}
	return f, diskfile.SyncDir(dir)
}

func readFormat(dir string) (format, error) {
	path := filepath.Join(dir, formatFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return format{}, err
	}
	var f format
	if err := json.Unmarshal(b, &f); err != nil || f.Format < 1 || f.Server == "" || strings.ContainsAny(f.Server, ".*> ") {
		return format{}, &FileError{Path: path, Problem: "cannot be understood", Err: ErrFormat, Hint: "bring it back from a copy"}
	}
	if f.Format > formatVersion {
		return format{}, &FileError{Path: path, Problem: fmt.Sprintf("format %d, this recorder knows %d", f.Format, formatVersion), Err: ErrFormat,
			Hint: "open the folder with the recorder that wrote it"}
	}
	return f, nil
}

func (f format) write(dir string) error {
	b, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("write %s: %w", formatFile, err)
	}
	return diskfile.Write(filepath.Join(dir, formatFile), append(b, '\n'))
}

// tighten takes group and other their rights on what is ours.
func tighten(path string, mode os.FileMode) error {
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("check %s: %w", path, err)
	}
	if err := checkOwner(path, info); err != nil {
		return err
	}
	if info.Mode().Perm()&^mode == 0 {
		return nil
	}
	if err := os.Chmod(path, mode); err != nil {
		return &FileError{Path: path, Problem: "is open to others", Err: err, Hint: fmt.Sprintf("chmod %o %s", mode, path)}
	}
	return nil
}
