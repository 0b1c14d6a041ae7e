package bundle

import (
	"archive/zip"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/checkpoint"
	"ibrecorder/internal/veil"
)

// ErrBundle: it is no bundle, or not a whole one.
var ErrBundle = errors.New("not a whole bundle")

// Bundle is an evidence bundle that is open for reading. What is in it is not checked: see
// Examine.
type Bundle struct {
	Header Header
	Signed Signed

	members map[string]*zip.File
	names   []string
}

// magic is what a bundle begins with: a zip's local header of 30 bytes, of which four are
// looked at, and the name and the content of the first member.
const magicLen = 30 + len(mimetype) + len(mediaType)

// Is reports whether what begins with these bytes, 75 of them, is a bundle.
func Is(begin []byte) bool {
	return len(begin) >= magicLen && bytes.HasPrefix(begin, []byte("PK\x03\x04")) && string(begin[30:magicLen]) == mimetype+mediaType
}

// Begins reports whether a file is a bundle.
func Begins(r io.ReaderAt) bool {
	b := make([]byte, magicLen)
	n, _ := r.ReadAt(b, 0)
	return Is(b[:n])
}

// Open reads what a bundle has beside its events. The error is ErrBundle.
func Open(r io.ReaderAt, size int64) (*Bundle, error) {
	b := &Bundle{members: map[string]*zip.File{}}
	fail := func(format string, args ...any) (*Bundle, error) {
		return nil, fmt.Errorf("%w: "+format, append([]any{ErrBundle}, args...)...)
	}
	if !Begins(r) {
		return fail("it does not begin like one")
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return fail("it was cut, or is no zip any more (%w)", err)
	}
	if len(z.File) > maxMembers {
		return fail("it has %d members, at most %d", len(z.File), maxMembers)
	}
	for _, f := range z.File {
		if _, twice := b.members[f.Name]; twice {
			return fail("it has %s twice", quoted(f.Name))
		}
		if most := longest(f.Name); f.UncompressedSize64 > most {
			return fail("%s has %d bytes, at most %d", quoted(f.Name), f.UncompressedSize64, most)
		}
		b.members[f.Name] = f
		b.names = append(b.names, f.Name)
	}
	for _, name := range []string{headerFile, eventsFile} {
		if b.members[name] == nil {
			return fail("it has no %s", name)
		}
	}
	if err := b.readHeader(); err != nil {
		return nil, err
	}
	return b, b.readSigned()
}

func quoted(name string) string { return fmt.Sprintf("%.40q", name) }

// longest is how many bytes a member may have.
func longest(name string) uint64 {
	switch name {
	case eventsFile:
		return maxEvents
	case saltsFile:
		return maxSalts
	case headerFile, keyFile, headsFile, mimetype, readmeFile:
		return maxSmall
	}
	if isNote(name) {
		return maxSmall
	}
	return maxDocument
}

func isNote(name string) bool {
	return strings.HasPrefix(name, noteFolder) && strings.HasSuffix(name, noteSuffix)
}

// Member returns a member, nil if there is none.
func (b *Bundle) Member(name string) ([]byte, error) {
	f := b.members[name]
	if f == nil {
		return nil, nil
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrBundle, quoted(name), err)
	}
	defer r.Close()
	// Whatever the list of members says, it is not read further than it may be.
	text, err := io.ReadAll(io.LimitReader(r, int64(longest(name))+1))
	if err == nil && uint64(len(text)) > longest(name) {
		err = errors.New("it is longer than it says")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrBundle, quoted(name), err)
	}
	return text, nil
}

// Documents are the names of the members that were made from the events, in their order.
func (b *Bundle) Documents() (out []string) {
	for _, name := range b.names {
		switch name {
		case mimetype, readmeFile, headerFile, eventsFile, saltsFile, headsFile, keyFile:
			continue
		}
		if !isNote(name) {
			out = append(out, name)
		}
	}
	return out
}

// Bytes is how long the events are, newlines included.
func (b *Bundle) Bytes() int64 { return int64(b.members[eventsFile].UncompressedSize64) }

// Events yields the lines of the bundle. It ends early only with an error, and may be
// run again.
func (b *Bundle) Events() iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		r, err := b.members[eventsFile].Open()
		if err != nil {
			yield(events.Record{}, fmt.Errorf("%w: %s: %w", ErrBundle, eventsFile, err))
			return
		}
		defer r.Close()
		for rec, err := range events.ReadNDJSON(r) {
			if err != nil && (errors.Is(err, zip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF)) {
				err = fmt.Errorf("%w: %s was cut or changed in the zip: %w", ErrBundle, eventsFile, err)
			}
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

func (b *Bundle) readHeader() error {
	text, err := b.Member(headerFile)
	if err != nil {
		return err
	}
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(&b.Header); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrBundle, headerFile, err)
	}
	if b.Header.Format != format {
		return fmt.Errorf("%w: it has format %d, and this program knows %d; take the one that made it, or a newer one", ErrBundle, b.Header.Format, format)
	}
	return nil
}

// readSigned reads what was signed and what it takes to check it.
func (b *Bundle) readSigned() error {
	key, err := b.Member(keyFile)
	if err != nil {
		return err
	}
	b.Signed.Key = strings.TrimSpace(string(key))
	for _, name := range b.names {
		if !isNote(name) {
			continue
		}
		size, err := strconv.ParseUint(name[len(noteFolder):len(name)-len(noteSuffix)], 10, 63)
		if err != nil {
			return fmt.Errorf("%w: %s is not named after a sequence", ErrBundle, quoted(name))
		}
		text, err := b.Member(name)
		if err != nil {
			return err
		}
		b.Signed.Checkpoints = append(b.Signed.Checkpoints, checkpoint.Saved{Size: size, Text: text})
	}
	slices.SortFunc(b.Signed.Checkpoints, func(x, y checkpoint.Saved) int { return int(int64(x.Size) - int64(y.Size)) })
	heads, err := b.Member(headsFile)
	if err != nil || b.members[headsFile] == nil {
		return err
	}
	b.Signed.Heads = checkpoint.Heads{}
	for line := range strings.Lines(string(heads)) {
		size, salt, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		n, err := strconv.ParseUint(size, 10, 63)
		raw, hexErr := hex.DecodeString(salt)
		if err != nil || hexErr != nil || len(raw) != len(veil.Salt{}) {
			return fmt.Errorf("%w: %s has a line that is no size and salt", ErrBundle, headsFile)
		}
		b.Signed.Heads[n] = veil.Salt(raw)
	}
	return nil
}

// Given returns the salts that the bundle has, nil if it has none.
func (b *Bundle) Given() (*veil.Given, error) {
	if b.members[saltsFile] == nil {
		return nil, nil
	}
	text, err := b.Member(saltsFile)
	if err != nil {
		return nil, err
	}
	return veil.ParseGiven(string(text))
}
