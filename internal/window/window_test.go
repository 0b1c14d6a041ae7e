package window_test

import (
	"strings"
	"testing"
	"time"

	"ibrecorder/internal/window"
)

func TestWindows(t *testing.T) {
	for _, c := range []struct {
		window, at string
		until      string // empty if it is not open
	}{
		{"23:40-00:20 UTC", "2026-11-26T23:39:59Z", ""},
		{"23:40-00:20 UTC", "2026-11-26T23:40:00Z", "2026-11-27T00:20:00Z"},
		{"23:40-00:20 UTC", "2026-11-27T00:19:59Z", "2026-11-27T00:20:00Z"},
		{"23:40-00:20 UTC", "2026-11-27T00:20:00Z", ""},
		{"23:40-00:20 America/New_York", "2026-11-27T04:45:00Z", "2026-11-27T05:20:00Z"},
		{"sat 22:00-04:00 UTC", "2026-11-28T22:00:00Z", "2026-11-29T04:00:00Z"},
		{"Saturday 22:00-04:00 UTC", "2026-11-29T03:59:00Z", "2026-11-29T04:00:00Z"},
		{"sat 22:00-04:00 UTC", "2026-11-28T03:00:00Z", ""},
		{"sat 22:00-04:00 UTC", "2026-11-27T23:00:00Z", ""},
		// In the night in which the clocks go back it is an hour longer.
		{"00:30-02:30 America/New_York", "2026-11-01T05:00:00Z", "2026-11-01T07:30:00Z"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		w, err := window.Parse(c.window)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if until, open := w.Open(at); open {
			got = until.UTC().Format(time.RFC3339)
		}
		if got != c.until {
			t.Errorf("%s at %s is open until %q, want %q", c.window, c.at, got, c.until)
		}
	}
	for text, want := range map[string]string{
		"":                        `"": want two times and a zone`,
		"23:40-00:20":             `want two times and a zone`,
		"fry 23:40-00:20 UTC":     `"fry" is no day of the week`,
		"23:40 UTC":               `"23:40" are not two times`,
		"23:40-24:20 UTC":         `are not two times`,
		"3:40-4:20 UTC":           `are not two times`,
		"23:40-23:40 UTC":         `it begins when it ends`,
		"23:40-00:20 EST5":        `"EST5" is no time zone`,
		"23:40-00:20 Local":       `"Local" is no time zone`,
		"sat sun 23:40-00:20 UTC": `want two times and a zone`,
	} {
		if _, err := window.Parse(text); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "write it like") {
			t.Errorf("%q: %v, want %q and what to write", text, err, want)
		}
	}
}

func TestSeveralWindows(t *testing.T) {
	all, err := window.ParseAll("23:40-00:20 America/New_York; sat 22:00-04:00 America/New_York")
	if err != nil || len(all) != 2 || all[1].String() != "sat 22:00-04:00 America/New_York" {
		t.Errorf("%v, %v", all, err)
	}
	if all, err = window.ParseAll(" "); err != nil || all != nil {
		t.Errorf("of nothing: %v, %v", all, err)
	}
	if _, err = window.ParseAll("23:40-00:20 UTC;"); err == nil {
		t.Error("an empty one is taken")
	}
}
