package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"ibrecorder/events"
	"ibrecorder/internal/bundle"
	"ibrecorder/store"
)

// What keeps a place from being opened.
var (
	// ErrNoStream: there is something, and it holds no stream.
	ErrNoStream = errors.New("no stream of events")
	// ErrGateway: no such gateway there, or several and none named.
	ErrGateway = errors.New("which gateway")
	// ErrUnreachable: a recorder has the folder open and does not answer.
	ErrUnreachable = errors.New("the recorder does not answer")
)

const (
	incidentFile = "events.ndjson"
	formatFile   = "store.format"
)

// Options say what of a place is wanted.
type Options struct {
	// Gateway is needed where a place has several.
	Gateway string
	// Stdin is what "-" means.
	Stdin io.Reader
	// Temp is the folder for copies, "" for the system's.
	Temp string
}

// Source is one gateway's stream of events.
type Source struct {
	// Name is the place as the user named it.
	Name string
	// What says in a few words what the place is.
	What string
	// Gateway is the gateway's name if it is known before the first event is read.
	Gateway string
	// Bytes and Last are how much there is to read, 0 if unknown: of a file its
	// length, of a log the sequence of its last event.
	Bytes int64
	Last  uint64
	// Folder is the recorder's data folder that it is, "" for everything else.
	Folder string
	// Bundle is the evidence bundle that it is, nil for everything else.
	Bundle *bundle.Bundle
	// Doubts are what is wrong with the place itself, beside its events.
	Doubts []error

	read  func(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error]
	close func() error
}

// Events yields the events from..to, both included; from 0 is the first there is,
// to 0 the last. It ends early only with an error. The loop may be run again.
func (s *Source) Events(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	return store.Ahead(s.read(ctx, from, to))
}

// Close gives back what Open took.
func (s *Source) Close() error {
	if s.close == nil {
		return nil
	}
	return s.close()
}

// Open finds out what name is: "-", a file, which may be an evidence bundle, or a folder
// that holds events.ndjson or store.format. It fails with fs.ErrNotExist, ErrNoStream,
// ErrGateway, ErrUnreachable, bundle.ErrBundle, or what the store said.
func Open(ctx context.Context, name string, o Options) (*Source, error) {
	s, err := open(ctx, name, o)
	if err != nil {
		return nil, err
	}
	s.Name = name
	return s, nil
}

func open(ctx context.Context, name string, o Options) (*Source, error) {
	if name == "-" {
		return spool(ctx, o.Stdin, "standard input", o)
	}
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open the stream: %w; name a file, an incident folder, a data folder, or - for standard input", err)
	}
	if err != nil {
		return nil, fmt.Errorf("open the stream: %w", err)
	}
	if !info.IsDir() {
		return openFile(ctx, name, "a file", o)
	}
	store, err := exists(filepath.Join(name, formatFile))
	incident, ierr := exists(filepath.Join(name, incidentFile))
	switch {
	case store:
		return openFolder(ctx, name, o)
	case incident:
		return openFile(ctx, filepath.Join(name, incidentFile), "an incident folder", o)
	case err != nil || ierr != nil: // who may not look is not told that there is nothing
		return nil, fmt.Errorf("open the stream: %w", cmp.Or(err, ierr))
	}
	return nil, fmt.Errorf("%w in %s: it holds neither %s (an incident) nor %s (a recorder's data folder); name a file, one of these, or - for standard input",
		ErrNoStream, name, incidentFile, formatFile)
}

func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// choose returns the one gateway that is meant.
func choose(have []string, want, name string) (string, error) {
	switch {
	case len(have) == 0:
		return "", fmt.Errorf("%w: %s has the log of none", ErrGateway, name)
	case want == "" && len(have) == 1:
		return have[0], nil
	case want == "":
		return "", fmt.Errorf("%w: %s has %d; add --gateway %s", ErrGateway, name, len(have), either(have))
	}
	for _, g := range have {
		if g == want {
			return g, nil
		}
	}
	return "", fmt.Errorf("%w: %s has no %q; take --gateway %s", ErrGateway, name, want, either(have))
}

// either writes a choice: "a, b or c".
func either(names []string) string {
	out := names[0]
	for i, n := range names[1:] {
		if i == len(names)-2 {
			out += " or " + n
		} else {
			out += ", " + n
		}
	}
	return out
}
