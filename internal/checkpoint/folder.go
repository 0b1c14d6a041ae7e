package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/diskfile"
)

// kept is how many checkpoints a folder has at most. A newer one covers everything that an
// older one does, so what gives way proves no event less.
const kept = 400

const (
	treeFile   = "tree"
	noteSuffix = ".note"
)

// Saved is a checkpoint as it lies in a folder.
type Saved struct {
	Size uint64 // by its name
	Text []byte
}

// folder is where the checkpoints of one gateway's log are.
func folder(data, gateway string) string { return filepath.Join(data, Dir, gateway) }

// Read returns the checkpoints of a gateway's log in a data folder, the oldest first.
// There may be none.
func Read(data, gateway string) ([]Saved, error) {
	dir := folder(data, gateway)
	sizes, err := sizesIn(dir)
	if err != nil {
		return nil, fmt.Errorf("read the checkpoints of %s: %w", gateway, err)
	}
	var all []Saved
	for _, n := range sizes {
		text, err := os.ReadFile(filepath.Join(dir, noteName(n)))
		if errors.Is(err, fs.ErrNotExist) {
			continue // a recorder runs, and it gave way
		}
		if err != nil {
			return nil, fmt.Errorf("read the checkpoints of %s: %w", gateway, err)
		}
		all = append(all, Saved{n, text})
	}
	return all, nil
}

func noteName(size uint64) string { return strconv.FormatUint(size, 10) + noteSuffix }

func sizesIn(dir string) (sizes []uint64, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		text, isNote := strings.CutSuffix(e.Name(), noteSuffix)
		if n, err := strconv.ParseUint(text, 10, 63); isNote && err == nil && noteName(n) == e.Name() {
			sizes = append(sizes, n)
		}
	}
	slices.Sort(sizes)
	return sizes, err
}

// progress is how far a notary has come: everything it needs to go on, about 600 bytes
// for a million events.
type progress struct {
	Gateway string      `json:"gateway"`
	Origin  string      `json:"origin"` // "" before the first event
	Tree    Tree        `json:"tree"`
	Veiled  events.Hash `json:"veiled"` // of the last veiled line
	Stored  events.Hash `json:"stored"` // of the last stored one
	Secret  string      `json:"secret"` // which secret the salts are from: a salt that no value has
}

// save writes a checkpoint and how far the notary has come, in this order: what is read
// back may be older than the checkpoint and never newer.
func save(dir string, size uint64, text []byte, p progress) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := diskfile.Write(filepath.Join(dir, noteName(size)), text); err != nil {
		return err
	}
	if err := diskfile.Seal(filepath.Join(dir, treeFile), p); err != nil {
		return err
	}
	return prune(dir)
}

// prune removes the oldest checkpoints of too many, and what a crash left half written.
func prune(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), diskfile.Unfinished) {
			errs = append(errs, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	sizes, err := sizesIn(dir)
	for _, n := range sizes[:max(0, len(sizes)-kept)] {
		errs = append(errs, os.Remove(filepath.Join(dir, noteName(n))))
	}
	return errors.Join(append(errs, err)...)
}

// load reads how far a notary had come. What cannot be read is none: then it begins with
// the first event, and what it signs is the same.
func load(dir, gateway string) (p progress, found bool) {
	err := diskfile.Unseal(filepath.Join(dir, treeFile), &p)
	if err != nil || p.Tree.check() != nil || p.Gateway != gateway || p.Tree.Size == 0 {
		return progress{}, false
	}
	return p, true
}

// Signed returns how many events of a gateway's log the last checkpoint in a data folder
// covers; ever is false if none was written.
func Signed(data, gateway string) (n uint64, ever bool) {
	p, found := load(folder(data, gateway), gateway)
	return p.Tree.Size, found
}
