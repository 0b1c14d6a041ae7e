package streams

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"ibrecorder/events"
	"ibrecorder/internal/rule"
)

const root = "../../testdata/streams"

var update = flag.Bool("update", false, "write events.ndjson and expect.txt anew")

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m,
		// nats-server: one for the process, started by its file store.
		goleak.IgnoreTopFunction("github.com/nats-io/nats-server/v2/server/ats.init.0.func1"),
	)
}

// least are the streams that must be there, whatever else is.
var least = []string{
	"INC-01", "INC-02", "INC-03", "INC-04", "INC-05", "INC-06", "INC-07", "INC-08", "INC-10", "INC-11", "INC-12", "INC-13", "INC-14", "INC-15",
	"INC-16", "INC-18", "INC-19", "INC-20", "INC-21", "INC-22", "INC-24", "INC-27", "INC-28", "INC-29", "INC-30", "INC-31", "SYN-01", "SYN-02",
}

// folders loads every stream but the damaged ones.
func folders(t *testing.T) []Folder {
	t.Helper()
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var all []Folder
	for _, e := range entries {
		if !e.IsDir() || e.Name() == "bad" {
			continue
		}
		f, err := Load(filepath.Join(root, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	for _, name := range least {
		if !strings.Contains(names(all), name) {
			t.Fatalf("stream %s is missing; there are%s", name, names(all))
		}
	}
	return all
}

func names(all []Folder) (out string) {
	for _, f := range all {
		out += " " + f.Name
	}
	return out
}

// golden compares got with a file, or writes it with -update.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with: go test ./internal/streams -update", err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s differs (-file +computed); look at it, then renew it with: go test ./internal/streams -update\n%s",
			path, cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")))
	}
}

func TestFactsGiveTheStoredBytes(t *testing.T) {
	for _, f := range folders(t) {
		if f.Found {
			continue // its events are its source
		}
		t.Run(f.Name, func(t *testing.T) {
			golden(t, filepath.Join(f.Path, "events.ndjson"), NDJSON(f.Records))
		})
	}
}

// stored reads the events of a folder as any user of the stream would.
func stored(t *testing.T, f Folder) []events.Record {
	t.Helper()
	in, err := os.Open(filepath.Join(f.Path, "events.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var recs []events.Record
	for rec, err := range events.ReadNDJSON(in) {
		if err != nil {
			t.Fatal(err)
		}
		recs = append(recs, rec)
	}
	return recs
}

func TestEveryStreamIsAChain(t *testing.T) {
	for _, f := range folders(t) {
		t.Run(f.Name, func(t *testing.T) {
			var chain events.Chain
			for _, rec := range stored(t, f) {
				if err := chain.Add(rec); err != nil {
					t.Fatal(err)
				}
				if imported := rec.Boot == events.BootImport; imported == f.Facts.Recorded {
					t.Errorf("event %d is of boot %s, and the stream is recorded: %t", rec.Seq, rec.Boot, f.Facts.Recorded)
				}
			}
			if seq, _ := chain.Head(); chain.First() != 1 || seq != uint64(len(f.Records)) {
				t.Errorf("it goes from %d to %d, want 1 to %d", chain.First(), seq, len(f.Records))
			}
		})
	}
}

func TestEveryStreamIsJudgedAsItsReadmeSays(t *testing.T) {
	for _, f := range folders(t) {
		t.Run(f.Name, func(t *testing.T) {
			r, err := Read(stored(t, f))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join(f.Path, "expect.txt"), []byte(r.Text()))
			readme := readme(t, f)
			for _, want := range []string{
				fmt.Sprintf("**%s**", r.Verdict.Outcome),
				fmt.Sprintf("Attempts avoided: %d", r.Avoided),
			} {
				if !strings.Contains(readme, want) {
					t.Errorf("README.md does not say %q, which is what the stream gives", want)
				}
			}
			for _, other := range []rule.Outcome{rule.Holds, rule.Violated, rule.Inconclusive} {
				if said := fmt.Sprintf("**%s**", other); other != r.Verdict.Outcome && strings.Contains(readme, said) {
					t.Errorf("README.md says %s, and the verdict is %s", said, r.Verdict.Outcome)
				}
			}
		})
	}
}

func readme(t *testing.T, f Folder) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(f.Path, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// minutes is how the last section of an incident says what an alert would have saved.
var minutes = regexp.MustCompile(`(?m)^Minutes earlier: (?:none|not known|\d+)\b`)

func TestEveryFolderIsComplete(t *testing.T) {
	for _, f := range folders(t) {
		t.Run(f.Name, func(t *testing.T) {
			text := readme(t, f)
			before := -1
			headings := []string{"## What happened", "## Documented and inferred", "## The verdict and why", "## What the rule would have changed"}
			if f.Found { // the last one is to be replaced by whoever reads it
				headings = foundHeadings[:2]
				if !regexp.MustCompile("`[0-9a-f]{64}`").MatchString(text) {
					t.Error("README.md does not name the hash of the log that it was found in")
				}
			}
			for _, heading := range append([]string{"# " + f.Name}, headings...) {
				at := strings.Index(text, heading+"\n")
				if at <= before {
					t.Errorf("README.md has no heading %q, or not in its place", heading)
				}
				before = at
			}
			if earlier := minutes.FindString(text[max(before, 0):]); !f.Found && !f.Facts.Recorded && earlier == "" {
				t.Error("the last section of README.md does not say how many minutes earlier somebody would have been told: a number, none, or not known")
			}
			loaded := 0
			var last events.PolicyLoaded
			for _, rec := range stored(t, f) {
				if d, ok := rec.Data.(events.PolicyLoaded); ok {
					loaded++
					last = d
					if d != f.Policy && !f.Found {
						t.Errorf("event %d loads another policy than policy.yaml (-file +event)\n%s", rec.Seq, cmp.Diff(f.Policy, d))
					}
				}
			}
			if loaded == 0 {
				t.Error("no policy.loaded")
			}
			if last != f.Policy { // the log of a found one may have had others before
				t.Errorf("the last policy.loaded is not policy.yaml (-file +event)\n%s", cmp.Diff(f.Policy, last))
			}
		})
	}
}

func TestTheListOfStreamsIsFresh(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, f := range folders(t) {
		r, err := Read(f.Records)
		if err != nil {
			t.Fatal(err)
		}
		// One that was found is a test before anybody has looked at it.
		if f.Found && !strings.Contains(string(text), "["+f.Name+"]") {
			continue
		}
		rows++
		row := fmt.Sprintf("| [%s](%[1]s/README.md) | %s | %d |\n", f.Name, r.Verdict.Outcome, r.Avoided)
		if !strings.Contains(string(text), row) {
			t.Errorf("README.md has no row %s", row)
		}
	}
	if listed := strings.Count(string(text), "/README.md) |"); listed != rows {
		t.Errorf("README.md lists %d streams, and there are %d", listed, rows)
	}
}
