package logfile

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/events"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/streams"
)

var update = flag.Bool("update", false, "write the .ndjson and .json of the sample logs anew")

// The log of an incident is judged as the incident is, by the same policy: the same
// verdict, the same rules broken, as many attempts avoided.
func TestSampleLogs(t *testing.T) {
	for _, c := range []struct {
		name    string
		logs    []string
		zone    string
		folder  string // of the incident, "" if the log is of none
		verdict rule.Outcome
		broken  string
		avoided int // fewer than in the folder where a log stands for a longer one
	}{
		{"INC-03", []string{"INC-03.log"}, "UTC", "INC-03-tws-outage", rule.Violated, "RS2", 3},
		{"INC-06", []string{"INC-06.log"}, "", "INC-06-five-retries", rule.Violated, "RS2", 4},
		{"INC-11", []string{"INC-11.log"}, "", "INC-11-two-documents-of-one-evening", rule.Violated, "RS2", 6},
		{"INC-13", []string{"INC-13.log"}, "", "INC-13-the-good-run", rule.Holds, "", 0},
		{"INC-14", []string{"INC-14.log"}, "America/New_York", "INC-14-healthy-looking-dead-gateway", rule.Violated, "RS2", 3},
		{"INC-16", []string{"INC-16.log"}, "", "INC-16-catch-22", rule.Holds, "", 0},
		{"INC-18", []string{"INC-18.log"}, "", "INC-18-hung-then-half-alive", rule.Violated, "RS2", 3},
		{"INC-27", []string{"INC-27.log", "INC-27-watchdog.log"}, "", "INC-27-three-hundred-restarts", rule.Violated, "RS2", 6},
		{"INC-28", []string{"INC-28.log"}, "", "INC-28-eight-restarts-on-a-friday", rule.Violated, "RS2", 8},
		{"INC-29", []string{"INC-29.log"}, "", "INC-29-a-livelock-of-another-kind", rule.Holds, "", 0},
		{"INC-31", []string{"INC-31.log"}, "", "INC-31-a-broken-detector", rule.Holds, "", 0},
		{"shared", []string{"shared.log"}, "America/New_York", "", rule.Holds, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t)
			if c.zone != "" {
				zone, err := time.LoadLocation(c.zone)
				if err != nil {
					t.Fatal(err)
				}
				o.Zone = zone
			}
			if c.folder != "" {
				incident, err := streams.Load(filepath.Join("../../testdata/streams", c.folder))
				if err != nil {
					t.Fatal(err)
				}
				o.Policy = incident.Policy
				theirs, err := streams.Read(incident.Records)
				if err != nil {
					t.Fatal(err)
				}
				if theirs.Verdict.Outcome != c.verdict || broken(theirs.Verdict) != c.broken || theirs.Avoided < c.avoided {
					t.Errorf("the incident is %s, %s, %d avoided; the row says %s, %s, %d", theirs.Verdict.Outcome, broken(theirs.Verdict), theirs.Avoided, c.verdict, c.broken, c.avoided)
				}
			}
			var files []File
			for _, name := range c.logs {
				text, err := os.ReadFile(filepath.Join("testdata", name))
				if err != nil {
					t.Fatal(err)
				}
				files = append(files, File{name, bytes.NewReader(text)})
			}
			var recs []events.Record
			sum, err := Import(files, o, func(r events.Record) error { recs = append(recs, r); return nil })
			if err != nil {
				t.Fatal(err)
			}
			r, err := streams.Read(recs)
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict.Outcome != c.verdict || broken(r.Verdict) != c.broken || r.Avoided != c.avoided {
				t.Errorf("%s, %s, %d avoided; want %s, %s, %d\n%s", r.Verdict.Outcome, broken(r.Verdict), r.Avoided, c.verdict, c.broken, c.avoided, r.Text())
			}
			said, err := json.MarshalIndent(sum, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, c.name+".json", append(said, '\n'))
			golden(t, c.name+".ndjson", streams.NDJSON(recs))
		})
	}
}

// broken are the rules that are, once each.
func broken(v rule.Verdict) string {
	var ids []string
	for _, r := range v.Rules {
		if r.Total > 0 {
			ids = append(ids, r.ID)
		}
	}
	return strings.Join(ids, " ")
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with: go test ./internal/logfile -update", err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s differs (-file +computed); look at it, then renew it with: go test ./internal/logfile -update\n%s",
			path, cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")))
	}
}
