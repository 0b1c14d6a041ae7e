package streams

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ibrecorder/events"
)

// Folder is one stream as it lies in the tree.
type Folder struct {
	Name    string // for example INC-06-five-retries
	Path    string
	Facts   Facts // of one that was found there is only what its events say
	Found   bool  // it has no facts.txt: its events are its source
	Policy  events.PolicyLoaded
	Records []events.Record // as facts.txt and policy.yaml give them, or as they were found
}

// Load reads the two files of a folder that are written by hand, and makes the
// events that they stand for. Of a folder that was found it reads the events themselves.
func Load(path string) (Folder, error) {
	f := Folder{Name: filepath.Base(path), Path: path}
	fail := func(err error) (Folder, error) { return Folder{}, fmt.Errorf("stream %s: %w", f.Name, err) }
	text, err := os.ReadFile(filepath.Join(path, "policy.yaml"))
	if err != nil {
		return fail(err)
	}
	if f.Policy, err = ParsePolicy(text); err != nil {
		return fail(err)
	}
	text, err = os.ReadFile(filepath.Join(path, "facts.txt"))
	if errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(f.Name, foundPrefix) {
		if f, err = loadFound(f); err != nil {
			return fail(err)
		}
		return f, nil
	}
	if err != nil {
		return fail(fmt.Errorf("%w; only a folder named %s… has none", err, foundPrefix))
	}
	if f.Facts, err = ParseFacts(string(text)); err != nil {
		return fail(fmt.Errorf("facts.txt: %w", err))
	}
	if f.Records, err = Write(f.Facts, f.Policy); err != nil {
		return fail(fmt.Errorf("facts.txt: %w", err))
	}
	return f, nil
}
