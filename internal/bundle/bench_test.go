package bundle_test

import (
	"bytes"
	"context"
	"iter"
	"log/slog"
	"testing"

	"ibrecorder/events"
	"ibrecorder/internal/bundle"
	"ibrecorder/internal/checkpoint"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/source/streamtest"
	"ibrecorder/internal/veil"
	"ibrecorder/store"
)

// What it takes to judge the events of a bundle and to hold them against a signature,
// beside the same lines that are only judged. The unit is an event.
func BenchmarkExamine(b *testing.B) {
	recs := streamtest.Busy("live", 2_000).Records()
	keys, err := checkpoint.MakeKeys(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	log, data := store.NewMemory("live"), b.TempDir()
	for _, rec := range recs {
		if err := log.Append(b.Context(), rec); err != nil {
			b.Fatal(err)
		}
	}
	n, err := checkpoint.NewNotary(context.Background(), keys, data, "live", log, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	n.Close()
	saved, err := checkpoint.Read(data, "live")
	if err != nil {
		b.Fatal(err)
	}
	last := recs[len(recs)-1]
	salt, err := veil.HeadSalt(keys.Salts("live"), last.Hash())
	if err != nil {
		b.Fatal(err)
	}
	lines := func(redacted bool) iter.Seq2[events.Record, error] {
		return func(yield func(events.Record, error) bool) {
			v := veil.New(keys.Salts("live"), events.Hash{})
			for _, rec := range recs {
				var err error
				if redacted {
					rec, err = v.Line(rec)
				}
				if !yield(rec, err) {
					return
				}
			}
		}
	}
	run := func(name string, redacted, examine bool) {
		c := bundle.Contents{
			Header: bundle.Header{Gateway: "live", Redacted: redacted, Events: len(recs), First: 1, Last: last.Seq, MadeBy: "test"},
			Signed: bundle.Signed{Key: keys.Public(), Checkpoints: saved, Salts: keys.Salts("live"), Heads: checkpoint.Heads{last.Seq: salt}},
			Events: lines(redacted),
		}
		for rec := range lines(redacted) {
			c.Header.Head = rec.Hash()
		}
		var file bytes.Buffer
		if err := bundle.Write(&file, c); err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f, err := bundle.Open(bytes.NewReader(file.Bytes()), int64(file.Len()))
				if err != nil {
					b.Fatal(err)
				}
				x, err := f.Examine(nil)
				if err != nil {
					b.Fatal(err)
				}
				in := f.Events()
				if examine {
					in = x.Watch(in)
				}
				if v, err := rule.Check(in); err != nil || v.Events != len(recs) {
					b.Fatal(v.Events, err)
				}
				if problems := x.End(); examine && (problems != nil || x.Covered() != last.Seq) {
					b.Fatal(x.Covered(), problems)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(recs)), "ns/event")
			b.ReportMetric(float64(file.Len())/float64(len(recs)), "B/event")
		})
	}
	run("JudgedOnly", false, false)
	run("Full", false, true)
	run("Redacted", true, true)
}
