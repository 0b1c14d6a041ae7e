package events

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadNDJSON(t *testing.T) {
	broken := errors.New("the cable is cut")
	longest := canonical + strings.Repeat(" ", MaxBytes-len(canonical))
	for _, c := range []struct {
		name    string
		in      io.Reader
		records int
		err     error
		line    int
	}{
		{"an empty stream", strings.NewReader(""), 0, nil, 0},
		{"two events", strings.NewReader(canonical + "\n" + canonical + "\n"), 2, nil, 0},
		{"one byte at a time", iotest.OneByteReader(strings.NewReader(canonical + "\n" + canonical + "\n")), 2, nil, 0},
		{"a bad third line", strings.NewReader(canonical + "\n" + canonical + "\n{}\n" + canonical + "\n"), 2, ErrMissingField, 3},
		{"an empty line", strings.NewReader(canonical + "\n\n" + canonical + "\n"), 1, ErrSyntax, 2},
		{"a carriage return", strings.NewReader(canonical + "\r\n"), 0, ErrNotCanonical, 1},
		{"a last line without newline", strings.NewReader(canonical + "\n" + canonical), 1, ErrSyntax, 2},
		{"a last line cut in two", strings.NewReader(canonical + "\n" + canonical[:50]), 1, ErrSyntax, 2},
		{"a line of 64 KiB is judged by what it holds", strings.NewReader(longest + "\n"), 0, ErrNotCanonical, 1},
		{"a line of 64 KiB and a byte", strings.NewReader(canonical + "\n" + longest + " \n"), 1, ErrTooLong, 2},
		{"a line that never ends", io.MultiReader(strings.NewReader(canonical+"\n"), endless{}), 1, ErrTooLong, 2},
		{"a reader that fails", io.MultiReader(strings.NewReader(canonical+"\n"), iotest.ErrReader(broken)), 1, broken, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var records int
			var got error
			for r, err := range ReadNDJSON(c.in) {
				if got != nil {
					t.Fatal("it goes on after an error")
				}
				if got = err; err == nil {
					records++
					if string(r.Raw) != canonical || r.Seq != 7 || r.Hash() != HashOf([]byte(canonical)) {
						t.Fatalf("record %d is %+v", records, r)
					}
				}
			}
			var at *DecodeError
			if errors.As(got, &at) && at.Line != c.line {
				t.Errorf("line %d, want %d", at.Line, c.line)
			}
			if records != c.records || !errors.Is(got, c.err) || (c.line > 0) != (at != nil) {
				t.Errorf("%d records, then %v\nwant %d, then %v in line %d", records, got, c.records, c.err, c.line)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestARecordKeepsItsBytesWhenTheReaderGoesOn(t *testing.T) {
	second := strings.Replace(canonical, `"seq":"7"`, `"seq":"8"`, 1)
	var all []Record
	for r, err := range ReadNDJSON(strings.NewReader(canonical + "\n" + second + "\n")) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	if !bytes.Equal(all[0].Raw, []byte(canonical)) || all[1].Seq != 8 {
		t.Errorf("the first record reads %s", all[0].Raw)
	}
}

func TestAReaderMayStopEarly(t *testing.T) {
	for range ReadNDJSON(strings.NewReader(canonical + "\n" + canonical + "\n")) {
		return
	}
	t.Error("no record came")
}
