package streams

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/policy"
)

// foundPrefix begins the name of every folder whose events are its source.
const foundPrefix = "FOUND-"

// Found is a stream that was found in somebody's log and not written down by anybody.
type Found struct {
	Records []events.Record
	Origins []uint64 // the sequence that each had in the log
	Rule    string   // that is broken
	What    string   // the judge's sentence about that
	// Of the log that it was found in: how many events were read and the hash of the last.
	Events int
	Head   events.Hash
	// How is how it was made from that log, as sentences.
	How string
}

// ErrFound is wrapped by what keeps a stream from becoming a folder.
var ErrFound = errors.New("no folder of a stream")

// Save makes the folder of a stream: events.ndjson, policy.yaml, expect.txt and
// README.md. The folder must be new. Only its owner can read it, for it is from a log.
func (f Found) Save(dir string) error {
	name := filepath.Base(dir)
	loaded, ok := lastPolicy(f.Records)
	if !ok {
		return fmt.Errorf("%w: no policy.loaded is among the %d events, so nobody could say by which rule they are judged", ErrFound, len(f.Records))
	}
	text, err := policyText(loaded)
	if err != nil {
		return err
	}
	r, err := Read(f.Records)
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("save the stream: %w", err)
	}
	for _, file := range []struct {
		name string
		text []byte
	}{
		{"events.ndjson", NDJSON(f.Records)},
		{"policy.yaml", text},
		{"expect.txt", []byte(r.Text())},
		{"README.md", []byte(f.readme(name, r))},
	} {
		if err := os.WriteFile(filepath.Join(dir, file.name), file.text, 0o600); err != nil {
			return errors.Join(fmt.Errorf("save the stream: %w", err), os.RemoveAll(dir)) // half of it is no test
		}
	}
	return nil
}

func lastPolicy(recs []events.Record) (last events.PolicyLoaded, ok bool) {
	for _, rec := range recs {
		if d, is := rec.Data.(events.PolicyLoaded); is {
			last, ok = d, true
		}
	}
	return last, ok
}

// policyText is the policy.yaml of a policy that some log has.
func policyText(p events.PolicyLoaded) ([]byte, error) {
	preset, err := policy.Preset(p.Preset)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFound, err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# The policy that was in force, from the last policy.loaded of the stream.\npreset: %s\nmode: %s\n", p.Preset, p.Mode)
	var override strings.Builder
	is, was := reflect.ValueOf(p.Params), reflect.ValueOf(preset)
	for i := range is.NumField() {
		if is.Field(i).Int() != was.Field(i).Int() {
			fmt.Fprintf(&override, "  %s: %d\n", is.Type().Field(i).Tag.Get("json"), is.Field(i).Int())
		}
	}
	if override.Len() == 0 {
		b.WriteString("override: {}\n")
	} else {
		b.WriteString("override:\n" + override.String())
	}
	b.WriteString("unknown:\n  - nothing; the policy stands in the stream\n")
	back, err := ParsePolicy(b.Bytes())
	if err == nil && back != p {
		err = fmt.Errorf("%w: its values are not those that its hash stands for", ErrFound)
	}
	return b.Bytes(), err
}

// foundHeadings are those of a README.md beside its title.
var foundHeadings = []string{"## What was found", "## Where it is from", "## What nobody has done yet"}

func (f Found) readme(name string, r Reading) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	last := f.Records[len(f.Records)-1]
	line("# %s\n\n%s\n", name, foundHeadings[0])
	line("**%s**: %s at #%d: %s.\n\nAttempts avoided: %d\n", r.Verdict.Outcome, f.Rule, last.Seq, strings.TrimSuffix(f.What, "."), r.Avoided)
	line("%s\n", foundHeadings[1])
	line("The log of gateway `%s`: %d events were read, of which the last has the SHA-256\n`%s`. %s\n", last.Gateway, f.Events, f.Head, f.How)
	line("| here | in the log | event |\n|---|---|---|")
	for i, rec := range f.Records {
		line("| %d | %d | %s |", rec.Seq, f.Origins[i], rec.Kind())
	}
	line("\n%s\n", foundHeadings[2])
	line("Nobody has read or edited this folder since it was made. Say here in your own words what went wrong, what was done about it\nand which change keeps it from coming back, and put another heading over it.")
	return b.String()
}

// loadFound reads a folder whose events are its source.
func loadFound(f Folder) (Folder, error) {
	raw, err := os.ReadFile(filepath.Join(f.Path, "events.ndjson"))
	if err != nil {
		return f, err
	}
	for rec, err := range events.ReadNDJSON(bytes.NewReader(raw)) {
		if err != nil {
			return f, fmt.Errorf("events.ndjson: %w", err)
		}
		f.Records = append(f.Records, rec)
	}
	if len(f.Records) == 0 {
		return f, fmt.Errorf("%w: events.ndjson has no event", ErrFound)
	}
	f.Found = true
	f.Facts = Facts{Title: f.Name, Gateway: f.Records[0].Gateway, Recorded: f.Records[0].Boot != events.BootImport}
	return f, nil
}
