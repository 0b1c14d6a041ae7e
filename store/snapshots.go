package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"ibrecorder/internal/diskfile"
)

const (
	snapshotDir = "snapshot"
	baseDir     = "base"
)

// Snapshots is the one file in which a gateway's snapshot is kept beside its log. It is
// a cache: it may be missing, or of another log than this one, and a log is opened
// without it. The base is one that is no cache: what a log whose first part was archived
// goes on from.
type Snapshots struct {
	dir, gateway string
	what         string // the folder, which is its name too

	mu sync.Mutex // one writer at a time
}

// SnapshotsOf returns those of a gateway in a data folder, which need not be open.
func SnapshotsOf(dir, gateway string) *Snapshots {
	return &Snapshots{dir: dir, gateway: gateway, what: snapshotDir}
}

// BaseOf returns what was made of the parts that were archived, if any were.
func BaseOf(dir, gateway string) *Snapshots {
	return &Snapshots{dir: dir, gateway: gateway, what: baseDir}
}

// Path is where the snapshot lies, if there is one.
func (s *Snapshots) Path() string { return filepath.Join(s.dir, s.what, s.gateway+".json") }

// Load reads the snapshot into v. found is false if there is none; an error says that
// there is one and it cannot be read.
func (s *Snapshots) Load(v any) (found bool, err error) {
	err = diskfile.Unseal(s.Path(), v)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	case err != nil:
		return true, fmt.Errorf("%s of %s: %w", s.what, s.gateway, err)
	}
	return true, nil
}

// Keep writes v in the place of what was kept before, so that after a crash there is
// the old one or the new one.
func (s *Snapshots) Keep(v any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := os.Mkdir(filepath.Join(s.dir, s.what), 0o700)
	if err == nil || errors.Is(err, os.ErrExist) {
		err = diskfile.Seal(s.Path(), v)
	}
	if err != nil {
		return fmt.Errorf("%s of %s: %w", s.what, s.gateway, err)
	}
	return nil
}
