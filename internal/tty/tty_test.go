package tty

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func TestZones(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"", "Local"}, {"local", "Local"}, {"Local", "Local"}, {"UTC", "UTC"}, {"utc", "UTC"},
		{"et", "America/New_York"}, {"ET", "America/New_York"}, {"Asia/Kolkata", "Asia/Kolkata"},
	} {
		if got, err := Zone(c.name); err != nil || got.String() != c.want {
			t.Errorf("Zone(%q) is %v, %v; want %s", c.name, got, err, c.want)
		}
	}
	if _, err := Zone("Mars/Olympus"); err == nil || !strings.Contains(err.Error(), "--tz Mars/Olympus") || !strings.Contains(err.Error(), "take local, UTC, et or") {
		t.Errorf("a zone that there is not: %v", err)
	}
	for _, name := range Zones {
		if _, err := Zone(name); err != nil {
			t.Errorf("offered, and there is none: %v", err)
		}
	}
}

func TestWhen(t *testing.T) {
	zone, err := Zone("et")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ name, text, want string }{
		{"a span is back from now", "24h", "2026-03-01T12:00:00Z"},
		{"of several units", "1h30m", "2026-03-02T10:30:00Z"},
		{"of days", "7d", "2026-02-23T12:00:00Z"},
		{"a date begins in the reader's zone", "2026-03-02", "2026-03-02T05:00:00Z"},
		{"and so does a time of day", "2026-03-02 01:00", "2026-03-02T06:00:00Z"},
		{"also with a T and parts of a second", "2026-03-02T01:00:41.5", "2026-03-02T06:00:41.5Z"},
		{"a zone of its own is kept to", "2026-03-02T01:00:41+01:00", "2026-03-02T00:00:41Z"},
		{"summer time is that of the day", "2026-07-02", "2026-07-02T04:00:00Z"},
		{"no time at all", "yesterday", ""},
		{"a span of the future", "-24h", ""},
		{"half a day", "0.5d", ""},
		{"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := When("--since", c.text, zone, now)
			switch {
			case c.want == "" && (err == nil || !strings.Contains(err.Error(), `--since "`+c.text+`": want a span such as 24h`)):
				t.Errorf("%q is %v, %v; want an error that says how it is written", c.text, got, err)
			case c.want != "" && (err != nil || got.UTC().Format(time.RFC3339Nano) != c.want):
				t.Errorf("%q is %v, %v; want %s", c.text, got.UTC(), err, c.want)
			}
		})
	}
}

func TestChoice(t *testing.T) {
	var format string
	var n uint64
	flags := pflag.NewFlagSet("x", pflag.ContinueOnError)
	flags.VarP(NewChoice(&format, "table", "json", "csv"), "output", "o", "")
	flags.Uint64Var(&n, "from", 1, "")
	if format != "table" || flags.Lookup("output").DefValue != "table" {
		t.Errorf("the default is %q, want the first", format)
	}
	for args, want := range map[string]string{
		"-o json":        "",
		"--output table": "",
		"-o jsn":         "--output jsn: want table, json or csv",
		"--output=":      "--output : want table, json or csv",
		"--from -1":      "--from -1: want a whole number, 0 or more",
	} {
		err := flags.Parse(strings.Fields(args))
		wrong := WrongValue(err)
		if got := ""; wrong != nil {
			if got = wrong.Error(); got != want {
				t.Errorf("%s: %q, want %q", args, got, want)
			}
		} else if want != "" || err != nil {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
	if err := flags.Parse([]string{"--otput", "json"}); WrongValue(err) != nil {
		t.Errorf("a flag that there is not is taken for a value: %v", err)
	}
}

func TestColours(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, c := range []struct {
		name, when string
		want       bool
	}{
		{"a file has none by itself", "auto", false},
		{"nor if nothing is said", "", false},
		{"unless it is told to", "always", true},
		{"or not to", "never", false},
	} {
		if got := Colour(f, c.when); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	t.Setenv("NO_COLOR", "1")
	if !Colour(f, "always") {
		t.Error("--color always is stronger than NO_COLOR")
	}
}

func TestWhereThereIsNoTerminal(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if columns, rows := Size(f); columns != 0 || rows != 0 {
		t.Errorf("a file has %d columns and %d rows", columns, rows)
	}
	if NewPager(f) != nil || NewPager(&strings.Builder{}) != nil {
		t.Error("a file is paged")
	}
}
