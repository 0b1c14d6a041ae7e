package tty

import (
	"bytes"
	"io"
	"iter"
	"os"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
)

// some yields n records of 99 bytes and a newline.
func some(n int) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for i := range n {
			if !yield(events.Record{Event: events.Event{Seq: uint64(i + 1)}, Raw: make([]byte, 99)}, nil) {
				return
			}
		}
	}
}

func TestProgress(t *testing.T) {
	for _, c := range []struct {
		name  string
		p     Bar
		step  time.Duration // between two looks at the clock
		want  string        // in the last picture
		drawn int
	}{
		{"what takes less than half a second shows nothing", Bar{of: Extent{Bytes: 409_600}}, 60 * time.Millisecond, "", 0},
		{"a file by its bytes", Bar{of: Extent{Bytes: 409_600}}, 200 * time.Millisecond, "verify ▕████████████████████▏100 %  4096 events, 2560 a second", 6},
		{"a log by its last sequence", Bar{of: Extent{Last: 8192}}, 200 * time.Millisecond, "▕██████████          ▏ 50 %", 6},
		{"what has no known end is counted", Bar{}, 200 * time.Millisecond, "verify 4096 events, 2560 a second", 6},
		{"not more than ten pictures a second", Bar{}, 60 * time.Millisecond * 3 / 2, "", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			now := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
			p := c.p
			p.w, p.verb, p.now = &out, "verify", func() time.Time { now = now.Add(c.step); return now }
			n := 0
			for range p.Watch(some(4096)) {
				n++
			}
			if n != 4096 {
				t.Fatalf("%d events came through", n)
			}
			pictures := strings.Split(out.String(), "\r\x1b[K")[1:]
			if len(pictures) != c.drawn || c.want != "" && !strings.Contains(pictures[len(pictures)-1], c.want) {
				t.Errorf("%d pictures, want %d with %q last:\n%q", len(pictures), c.drawn, c.want, pictures)
			}
			before := out.Len()
			p.Clear()
			if took := out.String()[before:]; (took == "\r\x1b[K") != (c.drawn > 0) {
				t.Errorf("clear writes %q after %d pictures", took, c.drawn)
			}
		})
	}
}

func TestNobodyToShowProgressTo(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/err")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := NewBar(f, "verify", Extent{})
	if p != nil {
		t.Fatal("a file is no terminal")
	}
	n := 0
	for range p.Watch(some(3)) {
		n++
	}
	if p.Clear(); n != 3 {
		t.Errorf("%d events came through, want 3", n)
	}
}

// A text is counted as it is read, by its lines and its bytes.
func TestProgressOfAText(t *testing.T) {
	const text = "one\ntwo\nthree\n"
	var out bytes.Buffer
	now := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	p := &Bar{w: &out, verb: "import", of: Extent{Unit: "lines", Bytes: 2 * int64(len(text))}, begun: now, now: func() time.Time { now = now.Add(time.Second); return now }}
	got, err := io.ReadAll(p.Count(strings.NewReader(text)))
	if err != nil || string(got) != text {
		t.Errorf("%q, %v", got, err)
	}
	if want := "import ▕██████████          ▏ 50 %  3 lines"; !strings.Contains(out.String(), want) {
		t.Errorf("%q is not in %q", want, out.String())
	}
	var none *Bar
	if in := strings.NewReader(text); none.Count(in) != io.Reader(in) {
		t.Error("where nobody looks the reader is another one")
	}
}
