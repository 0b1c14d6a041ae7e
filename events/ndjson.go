package events

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// ReadNDJSON reads one canonical event a line. It stops after the first error,
// a *DecodeError with its line, or the reader's own. The last line needs its
// newline: a stream that was cut in the middle of an event must not read as whole.
func ReadNDJSON(r io.Reader) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		in := bufio.NewReaderSize(r, MaxBytes+2)
		for line := 1; ; line++ {
			raw, err := in.ReadSlice('\n')
			switch {
			case errors.Is(err, bufio.ErrBufferFull):
				yield(Record{}, &DecodeError{Line: line, Offset: MaxBytes, Err: fmt.Errorf("%w: more than %d bytes", ErrTooLong, MaxBytes)})
				return
			case err == io.EOF && len(raw) == 0:
				return
			case err == io.EOF:
				yield(Record{}, &DecodeError{Line: line, Offset: len(raw), Err: fmt.Errorf("%w: the last line has no newline, the stream was cut", ErrSyntax)})
				return
			case err != nil:
				yield(Record{}, fmt.Errorf("read line %d: %w", line, err))
				return
			}
			rec, err := ParseRecord(bytes.Clone(raw[:len(raw)-1]))
			if err != nil {
				var d *DecodeError
				if errors.As(err, &d) {
					d.Line = line
				}
				yield(Record{}, err)
				return
			}
			if !yield(rec, nil) {
				return
			}
		}
	}
}
