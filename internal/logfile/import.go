package logfile

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"ibrecorder/events"
)

// Options say how a log is to be read.
type Options struct {
	// Gateway is the name that the gateway has in the stream.
	Gateway string
	// Runner is the program that wrote the log: its events are of /runner/<Runner>.
	Runner string
	// Zone is that of printed times that name none; nil if nobody knows.
	Zone *time.Location
	// Policy is the one to judge by. Nobody had it in force.
	Policy events.PolicyLoaded
}

// File is one log, or a part of one that was rotated.
type File struct {
	Name string
	In   io.Reader
}

// ErrEncoding is returned for a file that is not made of bytes such as ASCII or UTF-8.
var ErrEncoding = errors.New("unknown encoding")

// maxLine is how much of a line is read, in bytes. What a phrase needs stands at its
// beginning; the rest of a longer one is passed over.
const maxLine = 64 << 10

// Import reads files one after the other, as one log, and hands every event to emit, the
// policy first. It fails if a file cannot be read or emit fails; whatever a line says,
// it never fails for that.
func Import(files []File, o Options, emit func(events.Record) error) (Summary, error) {
	sum := Summary{Shapes: []Shape{}}
	// No text of a line gets into an event, so there is no account for a key to hide.
	out := &stream{gateway: o.Gateway, redact: events.NewRedactor([]byte("an imported log has no account")), emit: emit, sum: &sum}
	out.write("/import/assumed", "", when{}, o.Policy)
	r := reader{sum: &sum, zone: o.Zone, join: &joiner{options: o, out: out, sum: &sum}}
	for _, f := range files {
		if err := r.file(f); err != nil {
			return sum, fmt.Errorf("read %s: %w", f.Name, err)
		}
		if out.err != nil {
			return sum, out.err
		}
	}
	r.join.finish()
	sum.Attempts = r.join.attempts
	sum.sort()
	return sum, out.err
}

// reader is what is remembered between two lines.
type reader struct {
	sum       *Summary
	zone      *time.Location
	join      *joiner
	last      when
	traceback bool // inside one: what follows is a part of it
}

func (r *reader) file(f File) error {
	in, err := decoded(f.In)
	if err != nil {
		return err
	}
	r.traceback = false
	for number := 1; ; number++ {
		text, err := r.next(in)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		r.line(text, Place{f.Name, number})
		if r.join.out.err != nil {
			return nil // Import returns it
		}
	}
}

// decoded reads through gzip, as rotated logs are kept, and passes a byte order mark over.
func decoded(in io.Reader) (*bufio.Reader, error) {
	b := bufio.NewReaderSize(in, maxLine)
	head, _ := b.Peek(3) // a shorter file is one without a mark
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, err
		}
		b = bufio.NewReaderSize(z, maxLine)
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return nil, fmt.Errorf("%w: it is UTF-16; convert it with: iconv -f UTF-16 -t UTF-8", ErrEncoding)
	case bytes.HasPrefix(head, []byte("\ufeff")):
		_, err := b.Discard(3)
		return b, err
	}
	return b, nil
}

// next returns a line without its end, io.EOF after the last. A last line that was cut
// off is returned as it is.
func (r *reader) next(in *bufio.Reader) (string, error) {
	chunk, err := in.ReadSlice('\n')
	text := string(chunk)
	if err == bufio.ErrBufferFull {
		r.sum.Cut++
		for err == bufio.ErrBufferFull {
			_, err = in.ReadSlice('\n')
		}
	}
	if err == io.EOF && text != "" {
		r.sum.Unfinished++
		err = nil
	}
	return strings.ToValidUTF8(strings.TrimRight(text, "\r\n"), "\uFFFD"), err
}

func (r *reader) line(text string, at Place) {
	r.sum.Lines++
	if !r.traceback && !worthReading.in(text) {
		// Most lines of a log are of this sort: a look at its time is all they get.
		w, _ := readTime(text, r.zone)
		r.pass(w)
		r.sum.Irrelevant++
		return
	}
	l := readLine(text, r.zone)
	r.pass(l.when)
	if l.headed {
		r.traceback = false
	}
	switch {
	case r.join.take(l):
		r.sum.Understood++
	case r.traceback || strings.HasPrefix(l.text, traceback):
		// It ends with the line that names the exception, which is not indented.
		r.traceback = text == "" || text[0] == ' ' || text[0] == '\t' || strings.HasPrefix(text, traceback) || strings.HasPrefix(l.text, traceback) || strings.Contains(text, " above exception ")
		r.sum.Irrelevant++
	case noise(l.text) || !aboutConnections.in(l.text):
		r.sum.Irrelevant++
	default:
		r.sum.strange(l.text, at)
	}
}

// pass sees whether time goes on.
func (r *reader) pass(w when) {
	if w.printed == "" {
		return
	}
	if w.order(r.last) < 0 {
		r.sum.Backwards++
	}
	r.last = w
}

const traceback = "Traceback (most recent call last)"

// noise is what the library writes of messages and of its bookkeeping.
func noise(text string) bool {
	for _, begin := range []string{">>> ", "<<< ", "position: ", "updatePortfolio: ", "execDetails", "commissionReport", "openOrder", "orderStatus", "Started to throttle", "Stopped to throttle"} {
		if strings.HasPrefix(text, begin) {
			return true
		}
	}
	return strings.HasSuffix(text, " request timed out") // one of those after ready, and the connect goes on
}
