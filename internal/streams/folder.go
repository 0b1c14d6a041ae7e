package streams

import (
	"fmt"
	"os"
	"path/filepath"

	"ibrecorder/events"
)

// Folder is one stream as it lies in the tree.
type Folder struct {
	Name    string // for example INC-06-five-retries
	Path    string
	Facts   Facts
	Policy  events.PolicyLoaded
	Records []events.Record // as facts.txt and policy.yaml give them
}

// Load reads the two files of a folder that are written by hand, and makes the
// events that they stand for.
func Load(path string) (Folder, error) {
	f := Folder{Name: filepath.Base(path), Path: path}
	fail := func(err error) (Folder, error) { return Folder{}, fmt.Errorf("stream %s: %w", f.Name, err) }
	text, err := os.ReadFile(filepath.Join(path, "facts.txt"))
	if err != nil {
		return fail(err)
	}
	if f.Facts, err = ParseFacts(string(text)); err != nil {
		return fail(fmt.Errorf("facts.txt: %w", err))
	}
	if text, err = os.ReadFile(filepath.Join(path, "policy.yaml")); err != nil {
		return fail(err)
	}
	if f.Policy, err = ParsePolicy(text); err != nil {
		return fail(err)
	}
	if f.Records, err = Write(f.Facts, f.Policy); err != nil {
		return fail(fmt.Errorf("facts.txt: %w", err))
	}
	return f, nil
}
