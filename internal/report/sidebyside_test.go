package report

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/diff"
	"ibrecorder/internal/source/streamtest"
)

// sideBySide is what `replay diff` makes of two streams.
func sideBySide(t *testing.T, a, b *streamtest.Stream, most int) SideBySide {
	t.Helper()
	var words diff.Words
	read := func(s *streamtest.Stream) *diff.Side {
		side, err := diff.Read(ndjson(s.NDJSON()), &words)
		if err != nil {
			t.Fatal(err)
		}
		return side
	}
	d := SideBySide{Difference: diff.Align(read(a), read(b), most), SourceA: "a.ndjson", SourceB: "b.ndjson"}
	around := func(s *streamtest.Stream, side *diff.Side) (out []events.Event) {
		from, to := d.Around(side)
		for _, rec := range s.Records() {
			if from != 0 && from <= rec.Seq && rec.Seq <= to {
				out = append(out, rec.Event)
			}
		}
		return out
	}
	d.AroundA, d.AroundB = around(a, d.A), around(b, d.B)
	return d
}

func TestSideBySide(t *testing.T) {
	quiet := func() *streamtest.Stream {
		return streamtest.New("live").Start().After(time.Minute).Ready("a1", 7)
	}
	for _, c := range []struct {
		name string
		a, b *streamtest.Stream
		most int
	}{
		{"same", quiet().After(time.Hour).Gone("a1"), quiet().After(2 * time.Hour).Gone("a1"), 100},
		{"stopped", quiet().Gone("a1").Refused("a2").Retry(time.Second, 1).After(time.Minute).Ready("a3", 7),
			quiet().Gone("a1").Silent("a2", 30*time.Second).Stop(1).After(time.Minute).Deny("a3").After(time.Minute).Resume("kim").After(time.Minute).Probe("a3", 7, 1), 100},
		{"shorter", quiet().Gone("a1"), quiet(), 100},
		{"nothing", quiet(), streamtest.New("live"), 100},
		{"unaligned", streamtest.Night("live"), streamtest.Forgotten("live"), 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := sideBySide(t, c.a, c.b, c.most)
			var b bytes.Buffer
			if err := WriteSideBySide(&b, d, Style{Zone: newYork(t)}); err != nil {
				t.Fatal(err)
			}
			golden(t, c.name+".diff.txt", b.Bytes())
			b.Reset()
			if err := WriteSideBySideJSON(&b, d, nil); err != nil {
				t.Fatal(err)
			}
			var doc SideBySideJSON
			in := json.NewDecoder(&b)
			in.DisallowUnknownFields()
			if err := in.Decode(&doc); err != nil || doc.Schema != Schema || doc.Same != (c.name == "same") {
				t.Fatalf("read back: %v, same %t", err, doc.Same)
			}
			// The counts of the places that differ and of what is alike make up both streams.
			a, n := doc.Alike, doc.Alike
			for _, h := range doc.Hunks {
				a, n = a+h.A.Events, n+h.B.Events
			}
			if a != doc.A.Events || n != doc.B.Events {
				t.Errorf("%d and %d events are alike or differ, of %d and %d", a, n, doc.A.Events, doc.B.Events)
			}
		})
	}
}
