package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"ibrecorder/events"
	"ibrecorder/internal/bundle"
)

func openFile(ctx context.Context, path, what string, o Options) (*Source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the stream: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the stream: %w", err), f.Close())
	}
	if info.IsDir() {
		return nil, errors.Join(fmt.Errorf("%w: %s is a folder", ErrNoStream, path), f.Close())
	}
	if !info.Mode().IsRegular() { // such as the pipe that a shell makes of <(command)
		defer f.Close()
		return spool(ctx, f, "a pipe", o)
	}
	src, err := stream(f, what, info.Size(), o, nil)
	if err != nil {
		return nil, fmt.Errorf("open the stream: %s: %w", path, err)
	}
	return src, nil
}

// stream is what a file holds: a bundle, or lines.
func stream(f *os.File, what string, size int64, o Options, broken error) (*Source, error) {
	if !bundle.Begins(f) {
		return lines(f, what, size, o, broken), nil
	}
	if broken != nil {
		return nil, errors.Join(broken, f.Close())
	}
	b, err := bundle.Open(f, size)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Source{What: "an evidence bundle", Bundle: b, Bytes: b.Bytes(), Gateway: o.Gateway, close: f.Close,
		read: func(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
			return bounded(ctx, b.Events(), o.Gateway, from, to)
		}}, nil
}

// lines is a stream of NDJSON in a file. broken is what the file itself ends
// with, if it is not whole.
func lines(f *os.File, what string, size int64, o Options, broken error) *Source {
	return &Source{What: what, Bytes: size, Gateway: o.Gateway, close: f.Close,
		read: func(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
			return bounded(ctx, func(yield func(events.Record, error) bool) {
				in := io.Reader(io.NewSectionReader(f, 0, size)) // from the start each time
				if broken != nil {
					in = io.MultiReader(in, failing{broken})
				}
				events.ReadNDJSON(in)(yield)
			}, o.Gateway, from, to)
		}}
}

// failing is a reader of nothing but an error.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// spool keeps what can be read only once in a file that has no name and goes with
// the process, so that it can be read again and its length is known.
func spool(ctx context.Context, in io.Reader, what string, o Options) (*Source, error) {
	f, err := os.CreateTemp(o.Temp, "ibrecorder-stream-")
	if err == nil {
		err = os.Remove(f.Name())
	}
	if err != nil {
		return nil, fmt.Errorf("keep %s: %w", what, err)
	}
	type copied struct {
		n   int64
		err error
	}
	done := make(chan copied, 1)
	// A read of a terminal or a pipe cannot be interrupted. Who gives up leaves
	// this goroutine behind, and the process ends.
	go func() {
		n, err := io.Copy(f, in)
		done <- copied{n, err}
	}()
	select {
	case c := <-done:
		src, err := stream(f, what, c.n, o, c.err)
		if err != nil && c.err == nil {
			err = fmt.Errorf("open the stream: %s: %w", what, err)
		}
		return src, err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// bounded passes on what is between from and to, looks at the context now and
// then, and refuses the stream of another gateway than the one named. Only what
// stands before the range and after it is left out: a sequence that is out of its
// place is for whoever checks the order, and must not end the stream or drop out.
func bounded(ctx context.Context, in iter.Seq2[events.Record, error], gateway string, from, to uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		n := 0
		last := uint64(0) // sequence of the record before; 0 before the first
		begun := false
		for rec, err := range in {
			if n%256 == 0 && ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			if err == nil && n == 0 && gateway != "" && rec.Gateway != gateway {
				err = fmt.Errorf("%w: the stream is of %s; leave --gateway out, or take --gateway %s", ErrGateway, rec.Gateway, rec.Gateway)
			}
			n++
			if err != nil {
				yield(events.Record{}, err)
				return
			}
			if to != 0 && rec.Seq > to && (last == 0 || last == to) {
				return
			}
			last = rec.Seq
			if begun = begun || rec.Seq >= from; begun && !yield(rec, nil) {
				return
			}
		}
	}
}
