package events

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// ReadNDJSON reads one canonical event a line. It stops after the first error,
// a *DecodeError with its line, or the reader's own. The last line needs its
// newline: a stream that was cut in the middle of an event must not read as whole.
//
// A record is yielded as soon as its line is complete. Records that were read
// together share one block of memory: whoever keeps one of a long stream for long
// keeps about 128 KiB with it.
func ReadNDJSON(r io.Reader) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		lines := lineReader{in: r}
		for {
			raw, text, err := lines.next()
			if err == io.EOF {
				return
			}
			rec := Record{Raw: raw}
			if err == nil && !decodeFast(text, &rec.Event) {
				_, err = decodeReference(raw)
				if d, ok := errors.AsType[*DecodeError](err); ok {
					d.Line = lines.number
				}
			}
			if err != nil {
				yield(Record{}, err)
				return
			}
			if !yield(rec, nil) {
				return
			}
		}
	}
}

// block is how many bytes are read into one piece of memory, about 150 lines: a
// tenth faster than a quarter of it, and as fast as four times as much
// (BenchmarkVerify in internal/report). The longest line fits.
const block = 64 << 10

// lineReader splits a stream into lines, each as bytes and as a string. Both are
// made once for a block and not once for a line: that halves the allocations of
// reading a stream (BenchmarkVerify). Bytes that were handed out are never written
// again.
type lineReader struct {
	in     io.Reader
	number int    // of the last line, from 1
	buf    []byte // read and not handed out
	text   string // of the complete lines at the start of buf
	err    error  // of the reader, to be told after the lines before it
}

// next returns the next line without its newline, or io.EOF after the last.
func (l *lineReader) next() (raw []byte, text string, err error) {
	for l.text == "" {
		if l.err != nil {
			return nil, "", l.atEnd()
		}
		if err := l.fill(); err != nil {
			return nil, "", err
		}
	}
	l.number++
	n := bytes.IndexByte(l.buf, '\n')
	raw, text = l.buf[:n:n], l.text[:n]
	l.buf, l.text = l.buf[n+1:], l.text[n+1:]
	return raw, text, nil
}

// fill reads once, and makes the text of the lines that are complete now.
func (l *lineReader) fill() error {
	if len(l.buf) == cap(l.buf) {
		if len(l.buf) > MaxBytes {
			return &DecodeError{Line: l.number + 1, Offset: MaxBytes, Err: fmt.Errorf("%w: more than %d bytes", ErrTooLong, MaxBytes)}
		}
		size := min(max(block, 2*len(l.buf)), MaxBytes+1)
		l.buf = append(make([]byte, 0, size), l.buf...)
	}
	before := len(l.buf)
	n, err := l.in.Read(l.buf[before:cap(l.buf)])
	l.buf, l.err = l.buf[:before+n], err
	if end := bytes.LastIndexByte(l.buf[before:], '\n'); end >= 0 {
		l.text = string(l.buf[:before+end+1])
	}
	return nil
}

// atEnd says how the stream ended.
func (l *lineReader) atEnd() error {
	switch {
	case l.err != io.EOF:
		return fmt.Errorf("read line %d: %w", l.number+1, l.err)
	case len(l.buf) > 0:
		return &DecodeError{Line: l.number + 1, Offset: len(l.buf), Err: fmt.Errorf("%w: the last line has no newline, the stream was cut", ErrSyntax)}
	}
	return io.EOF
}
