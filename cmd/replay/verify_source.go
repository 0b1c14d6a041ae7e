package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"

	"ibrecorder/events"
	"ibrecorder/internal/bundle"
	"ibrecorder/internal/checkpoint"
	"ibrecorder/internal/report"
	"ibrecorder/internal/snapshot"
	"ibrecorder/internal/source"
	"ibrecorder/internal/tty"

	"golang.org/x/mod/sumdb/note"
)

// judge verifies a source, and again watches if it is not nil. Of a bundle all of it is examined, whatever part is judged.
func judge(ctx context.Context, src *source.Source, r report.Range, key note.Verifier, again *snapshot.Recomputation, bar *tty.Bar) (report.Verification, error) {
	var x *bundle.Exam
	stream := src.Events(ctx, r.From, r.To)
	if src.Bundle != nil {
		var err error
		if x, err = src.Bundle.Examine(key); err != nil {
			return report.Verification{}, err
		}
		stream = part(x.Watch(src.Events(ctx, 0, 0)), r)
	}
	if again != nil {
		stream = again.Watch(stream)
	}
	v := report.Verify(bar.Watch(stream))
	bar.Clear()
	v.Source, v.Doubts = src.Name, src.Doubts
	if from, to := v.Span(); from != 0 {
		v.Cite(bar.Watch(src.Events(ctx, r.From, to)))
		bar.Clear()
	}
	if x == nil {
		return v, nil
	}
	v.Evidence = &report.Evidence{Redacted: src.Bundle.Header.Redacted, Key: x.Key, Given: x.Given, Checkpoints: x.Checkpoints, Covered: x.Covered(), Judged: v.Verdict.Last}
	if v.Broken != nil { // and so it was not read to its end
		return v, nil
	}
	v.Evidence.Problems = x.End()
	if r != (report.Range{}) {
		return v, nil // the documents are about the whole
	}
	problems, unchecked, err := checkDocuments(src.Bundle, dossier{v, src.Events(ctx, 0, 0)})
	v.Evidence.Problems, v.Evidence.Unchecked = append(v.Evidence.Problems, problems...), unchecked
	return v, err
}

// part passes on what is in a range, and reads the rest as well.
func part(in iter.Seq2[events.Record, error], r report.Range) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for rec, err := range in {
			if err == nil && (rec.Seq < r.From || r.To != 0 && rec.Seq > r.To) {
				continue
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

// publicKey reads a key, or the file that holds it.
func publicKey(text string) (note.Verifier, error) {
	key, err := checkpoint.ParseKey(text)
	if err == nil {
		return key, nil
	}
	b, readErr := os.ReadFile(text)
	if errors.Is(readErr, fs.ErrNotExist) {
		return nil, fmt.Errorf("--key: %w, or a file that holds it", err)
	}
	if readErr != nil {
		return nil, fmt.Errorf("--key: %w", readErr)
	}
	if key, err = checkpoint.ParseKey(string(b)); err != nil {
		return nil, fmt.Errorf("--key: %s: %w", text, err)
	}
	return key, nil
}
