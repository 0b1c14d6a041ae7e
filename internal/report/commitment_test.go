package report

import (
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
)

func TestCommitmentsAreShortForPeople(t *testing.T) {
	const whole = "redacted:xsk44j4ry432foyrz5co47q5ijp5jrkky4b7fowh2hxyoamdyzpoq"
	for _, c := range []struct{ name, in, want string }{
		{"nothing hidden", "by anna", "by anna"},
		{"a person", "by " + whole, "by redacted:xsk44j4ry"},
		{"a host with its port", "from " + whole + ":4002", "from redacted:xsk44j4ry:4002"},
		{"what is too short to be one", "redacted:xsk44", "redacted:xsk44"},
	} {
		if got := veiled(c.in); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Nothing that people read shows a commitment in full.
func TestNoPageShowsAWholeCommitment(t *testing.T) {
	const whole = "redacted:xsk44j4ry432foyrz5co47q5ijp5jrkky4b7fowh2hxyoamdyzpoq"
	rec, err := events.NewRecord(events.Event{ID: "abceghjklm-main-1", Source: "/operator/" + whole, Gateway: "main", Seq: 1, Boot: "abceghjklm", Mono: 1,
		Time: time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC), Data: events.OperatorNoted{By: whole, Text: whole}})
	if err != nil {
		t.Fatal(err)
	}
	stream := func(yield func(events.Record, error) bool) { yield(rec, nil) }
	d, broken := Compose(stream, Subject{Source: "x.ibrec", Version: "test"})
	if broken != nil {
		t.Fatal(broken)
	}
	utc := Style{Zone: time.UTC}
	for name, write := range map[string]func(*strings.Builder) error{
		"the page":     func(b *strings.Builder) error { return WriteHTML(b, d, utc) },
		"the Markdown": func(b *strings.Builder) error { return WriteMarkdown(b, d, utc) },
		"the timeline": func(b *strings.Builder) error {
			_, _, err := WriteTimeline(b, stream, Range{}, true, utc)
			return err
		},
	} {
		var b strings.Builder
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		if text := b.String(); strings.Contains(text, whole) || !strings.Contains(text, "redacted:xsk44j4ry") {
			t.Errorf("%s shows the commitment in full, or not at all:\n%s", name, text)
		}
	}
}
